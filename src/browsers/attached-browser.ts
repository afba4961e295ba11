import { get as httpGet } from "node:http";
import { get as httpsGet } from "node:https";
import type { Duplex } from "node:stream";
import { z } from "zod";
import type { BrowserSettings } from "../sessions/browser-settings.ts";
import { messageOf, NightjarError } from "../sessions/errors.ts";
import type {
  Browser,
  BrowserLoss,
  BrowserWatch,
  CdpMessages,
  CdpScope,
  OwnTab,
  PageTarget,
} from "../sessions/ports.ts";
import { noTraffic } from "../sessions/traffic.ts";
import { CdpBrowserWatch } from "./browser-watch.ts";
import { openCdpChannel } from "./cdp-channel.ts";
import { CdpConnection } from "./cdp-connection.ts";
import { openCdpMessages } from "./cdp-messages.ts";
import type { AttachPolicy } from "./egress/attach-policy.ts";
import { pagesOf, takeScreenshot } from "./pages.ts";
import { SharedWatch } from "./shared-watch.ts";
import { applyTargetSettings, needsTargetSettings } from "./target-settings.ts";

const attachTimeoutMs = 10_000;

export const attachedReferenceSchema = z.object({
  kind: z.literal("attached"),
  url: z.string(),
  recorded: z.boolean(),
  /** What its tenant may reach beside what everyone may. */
  allow: z.array(z.string()).default([]),
  targetSettings: z.object({
    viewport: z.null(),
    extraHttpHeaders: z.record(z.string(), z.string()),
  }),
});

export type AttachedReference = z.infer<typeof attachedReferenceSchema>;

/** A browser elsewhere, reached by its CDP URL. Releasing it only lets go of it. */
export class AttachedBrowser implements Browser {
  readonly reference: string;
  readonly product: string;
  readonly directory = null;
  /** Its traffic does not pass through this machine. */
  readonly traffic = noTraffic;
  readonly egressFailures = [];
  readonly lost: Promise<BrowserLoss>;
  /** Settles when it is released. */
  readonly released: Promise<void>;
  readonly #url: string;
  readonly #recorded: boolean;
  readonly #watch = new SharedWatch(() =>
    CdpBrowserWatch.open(this.#url, {
      timeoutMs: attachTimeoutMs,
      lookup: this.#policy.lookup,
      capture: this.#recorded,
    }),
  );
  readonly #connection: CdpConnection;
  readonly #policy: AttachPolicy;
  readonly #release = Promise.withResolvers<void>();
  #released = false;

  private constructor(
    reference: AttachedReference,
    product: string,
    connection: CdpConnection,
    policy: AttachPolicy,
  ) {
    this.reference = JSON.stringify(reference);
    this.product = product;
    this.#url = reference.url;
    this.#recorded = reference.recorded;
    this.#connection = connection;
    this.#policy = policy;
    this.released = this.#release.promise;
    this.lost = connection.closed.then(() =>
      this.#released
        ? new Promise<never>(() => {})
        : { reason: "browser_crash", message: "The browser at cdp_url closed the connection." },
    );
  }

  /**
   * Attaches to an `http(s):` DevTools address or a `ws(s):` CDP URL.
   * Throws `invalid_request`, `attach_refused` or `attach_failed`.
   */
  static async attach(
    cdpUrl: string,
    settings: Pick<BrowserSettings, "extraHttpHeaders" | "recording">,
    policy: AttachPolicy,
  ): Promise<AttachedBrowser> {
    try {
      const url = await webSocketUrl(cdpUrl, policy);
      policy.checkUrl(new URL(url));
      const connection = await CdpConnection.connect(url, {
        timeoutMs: attachTimeoutMs,
        lookup: policy.lookup,
      });
      const { product } = await connection.send("Browser.getVersion", undefined);
      const targetSettings = { viewport: null, extraHttpHeaders: { ...settings.extraHttpHeaders } };
      if (needsTargetSettings(targetSettings))
        await applyTargetSettings(connection, targetSettings);
      return new AttachedBrowser(
        {
          kind: "attached",
          url,
          recorded: settings.recording,
          allow: [...policy.ofTenant],
          targetSettings,
        },
        product,
        connection,
        policy,
      );
    } catch (error) {
      if (error instanceof NightjarError) throw error;
      throw new NightjarError(
        "attach_failed",
        `The browser at cdp_url could not be reached: ${messageOf(error)}.`,
        { cause: error },
      );
    }
  }

  openCdp(scope: CdpScope): Promise<Duplex> {
    const url = new URL(this.#url);
    if (scope.kind === "page") {
      if (!url.pathname.includes("/devtools/browser/")) {
        throw new NightjarError(
          "not_supported",
          "The browser at cdp_url has no CDP address for single tabs; use the session's cdp_url.",
        );
      }
      url.pathname = `/devtools/page/${encodeURIComponent(scope.targetId)}`;
    }
    return openCdpChannel(url.href, { timeoutMs: attachTimeoutMs, lookup: this.#policy.lookup });
  }

  openMessages(): Promise<CdpMessages> {
    return openCdpMessages(this.#url, {
      timeoutMs: attachTimeoutMs,
      lookup: this.#policy.lookup,
    });
  }

  watch(): Promise<BrowserWatch> {
    return this.#watch.get();
  }

  async openTab(): Promise<OwnTab> {
    return (await this.#watch.get()).openTab();
  }

  pages(): Promise<readonly PageTarget[]> {
    return pagesOf(this.#connection);
  }

  /** Never calls back: the files of a browser elsewhere are out of reach. */
  onDownload(): () => void {
    return () => {};
  }

  /** Never calls back. */
  onEgressFailure(): () => void {
    return () => {};
  }

  screenshot(): Promise<Buffer> {
    return takeScreenshot(this.#connection, () => this.pages());
  }

  release(): void {
    this.#released = true;
    this.#release.resolve();
    this.#connection.close();
    void this.#watch.close();
  }

  /** As `release`: the browser is not ours to keep or to end. */
  leave(): void {
    this.release();
  }
}

async function webSocketUrl(cdpUrl: string, policy: AttachPolicy): Promise<string> {
  const url = URL.parse(cdpUrl);
  if (url === null || !/^(wss?|https?):$/.test(url.protocol)) {
    const message = "cdp_url must be an http(s):// or ws(s):// URL of a browser's DevTools.";
    throw new NightjarError("invalid_request", message, {
      issues: [{ location: ["body", "cdp_url"], message, kind: "url" }],
    });
  }
  if (url.protocol.startsWith("ws")) return url.href;
  policy.checkUrl(url);
  if (!url.pathname.endsWith("/")) url.pathname += "/";
  url.pathname += "json/version";
  const version = z
    .object({ webSocketDebuggerUrl: z.url() })
    .safeParse(await fetchJson(url, policy));
  if (version.success) return version.data.webSocketDebuggerUrl;
  throw new Error(`${url.host} does not answer as a browser's DevTools do`);
}

const longestAnswerBytes = 64 * 1024;

/** `fetch` cannot be told which address to dial, so this goes by `node:http`; it follows no redirect. */
function fetchJson(url: URL, policy: AttachPolicy): Promise<unknown> {
  return new Promise((resolve, reject) => {
    const get = url.protocol === "https:" ? httpsGet : httpGet;
    const signal = AbortSignal.timeout(attachTimeoutMs);
    const request = get(url, { lookup: policy.lookup, signal }, (response) => {
      const chunks: Buffer[] = [];
      let length = 0;
      response.on("data", (chunk: Buffer) => {
        length += chunk.length;
        chunks.push(chunk);
        if (length > longestAnswerBytes) request.destroy(new Error("its answer is too long"));
      });
      response.on("end", () => {
        try {
          resolve(JSON.parse(Buffer.concat(chunks).toString("utf8")));
        } catch {
          reject(new Error(`${url.host} does not answer as a browser's DevTools do`));
        }
      });
      response.on("error", reject);
    });
    request.on("error", reject);
  });
}
