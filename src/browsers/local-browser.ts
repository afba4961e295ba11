import type { Duplex } from "node:stream";
import { setTimeout as delay } from "node:timers/promises";
import { z } from "zod";
import {
  type BrowserSettings,
  defaultBrowserSettings,
  defaultViewport,
} from "../sessions/browser-settings.ts";
import type {
  Browser,
  BrowserDownload,
  BrowserLoss,
  BrowserWatch,
  CdpMessages,
  CdpScope,
  EgressFailure,
  OwnTab,
  PageTarget,
} from "../sessions/ports.ts";
import type { Traffic } from "../sessions/traffic.ts";
import { type BrowserExit, killGroup, type RunningBrowser } from "./browser-process.ts";
import { CdpBrowserWatch } from "./browser-watch.ts";
import { openCdpChannel } from "./cdp-channel.ts";
import type { CdpConnection } from "./cdp-connection.ts";
import { openCdpMessages } from "./cdp-messages.ts";
import { BrowserDownloads, type DownloadLimits } from "./downloads.ts";
import type { EgressProxy, EgressRules } from "./egress/egress-proxy.ts";
import { type EgressRoute, egressRouteSchema, noRoute } from "./egress/egress-route.ts";
import type { BrowserDirectories, BrowserUser } from "./isolation.ts";
import type { MemoryCap } from "./memory-cap.ts";
import { pagesByUse, takeScreenshot } from "./pages.ts";
import { bootId, isRunning } from "./process-identity.ts";
import type { Reaper } from "./reaper.ts";
import { SharedWatch } from "./shared-watch.ts";
import {
  applyTargetSettings,
  needsTargetSettings,
  type TargetSettings,
} from "./target-settings.ts";

/** How long to wait for a process's exit to be told once its connection is closed, in ms. */
const exitNewsMs = 250;
/** From the release of a browser to its kill, in ms: long enough to answer first. */
const killAfterMs = 10;

const channelTimeoutMs = 5000;

/** What a session asks of a browser that runs already. */
export type AppliedSettings = TargetSettings & Pick<BrowserSettings, "recording">;

export interface LocalBrowserParts {
  /** Names its directory. */
  readonly id: string;
  readonly running: RunningBrowser;
  readonly directories: BrowserDirectories;
  readonly user: BrowserUser | null;
  readonly product: string;
  readonly connection: CdpConnection;
  readonly memoryCap: MemoryCap;
  /** Its way out to the network. */
  readonly proxy: EgressProxy;
  /** Where that leads; nowhere special unless given. */
  readonly route?: EgressRoute;
  readonly downloadLimits: DownloadLimits;
  /** How the process ended; never settles while it runs or when it is not our child. */
  readonly exited: Promise<BrowserExit>;
  /** Whether its pages have the size that it was launched with. */
  readonly windowIsViewport: boolean;
  readonly reaper: Reaper;
}

/** A browser process of this host. */
export class LocalBrowser implements Browser {
  readonly id: string;
  readonly product: string;
  readonly directory: string;
  readonly devtoolsPort: number;
  readonly lost: Promise<BrowserLoss>;
  /** Settles when it is released or left. */
  readonly released: Promise<void>;
  readonly #parts: LocalBrowserParts;
  readonly #downloads: BrowserDownloads;
  readonly #watch = new SharedWatch(() => {
    const { devtoolsPort, devtoolsPath } = this.#parts.running;
    return CdpBrowserWatch.open(`ws://127.0.0.1:${devtoolsPort}${devtoolsPath}`, {
      timeoutMs: channelTimeoutMs,
      capture: this.#recorded,
    });
  });
  #recorded = defaultBrowserSettings.recording;
  #targetSettings: TargetSettings = { viewport: null, extraHttpHeaders: {} };
  #route: EgressRoute;
  readonly #release = Promise.withResolvers<void>();
  #released = false;

  constructor(parts: LocalBrowserParts) {
    this.#parts = parts;
    this.id = parts.id;
    this.product = parts.product;
    this.directory = parts.directories.root;
    this.devtoolsPort = parts.running.devtoolsPort;
    this.released = this.#release.promise;
    this.#route = parts.route ?? noRoute;
    this.#downloads = new BrowserDownloads(
      parts.directories.downloads,
      parts.connection,
      parts.downloadLimits,
    );
    this.lost = this.#awaitLoss();
  }

  get reference(): string {
    const { running, user, product, proxy } = this.#parts;
    const reference: LocalReference = {
      kind: "local",
      id: this.id,
      ...running.identity,
      bootId: bootId(),
      devtoolsPort: running.devtoolsPort,
      devtoolsPath: running.devtoolsPath,
      uid: user?.uid ?? null,
      product,
      targetSettings: this.#targetSettings,
      recorded: this.#recorded,
      proxyPort: proxy.port,
      route: this.#route,
    };
    return JSON.stringify(reference);
  }

  /** Lets its pages download, into its own directory. Holds as long as this process does. */
  allowDownloads(): Promise<void> {
    return this.#downloads.start();
  }

  /** Applies what a session asks for to all of its pages, those to come included. */
  async apply(settings: AppliedSettings): Promise<void> {
    if (!settings.recording) await this.#watchUnrecorded();
    const { windowIsViewport, connection } = this.#parts;
    const viewport = settings.viewport ?? (windowIsViewport ? null : defaultViewport);
    const targetSettings = { viewport, extraHttpHeaders: settings.extraHttpHeaders };
    if (!needsTargetSettings(targetSettings)) return;
    this.#targetSettings = targetSettings;
    await applyTargetSettings(connection, targetSettings);
  }

  /** Sends its traffic from now on by these rules, made for this route. */
  route(route: EgressRoute, rules: EgressRules): void {
    this.#route = route;
    this.#parts.proxy.use(rules);
  }

  get traffic(): Traffic {
    return this.#parts.proxy.traffic;
  }

  get egressFailures(): readonly EgressFailure[] {
    return this.#parts.proxy.recentFailures;
  }

  onEgressFailure(listener: (failure: EgressFailure) => void): () => void {
    return this.#parts.proxy.onFailure(listener);
  }

  /** The watch that was opened ahead captures; the one of this session must not. */
  async #watchUnrecorded(): Promise<void> {
    this.#recorded = false;
    await this.#watch.close();
  }

  async openCdp(scope: CdpScope): Promise<Duplex> {
    const { devtoolsPort, devtoolsPath } = this.#parts.running;
    const path =
      scope.kind === "browser"
        ? devtoolsPath
        : `/devtools/page/${encodeURIComponent(scope.targetId)}`;
    const channel = await openCdpChannel(`ws://127.0.0.1:${devtoolsPort}${path}`, {
      timeoutMs: channelTimeoutMs,
    });
    channel.once("close", () => this.#downloads.insist());
    return channel;
  }

  async openMessages(): Promise<CdpMessages> {
    const { devtoolsPort, devtoolsPath } = this.#parts.running;
    const messages = await openCdpMessages(`ws://127.0.0.1:${devtoolsPort}${devtoolsPath}`, {
      timeoutMs: channelTimeoutMs,
    });
    void messages.closed.then(() => this.#downloads.insist());
    return messages;
  }

  watch(): Promise<BrowserWatch> {
    return this.#watch.get();
  }

  async openTab(): Promise<OwnTab> {
    return (await this.#watch.get()).openTab();
  }

  onDownload(listener: (download: BrowserDownload) => void): () => void {
    return this.#downloads.onDownload(listener);
  }

  pages(): Promise<readonly PageTarget[]> {
    return pagesByUse(this.devtoolsPort);
  }

  screenshot(): Promise<Buffer> {
    return takeScreenshot(this.#parts.connection, () => this.pages());
  }

  /** False once the connection to it has broken. */
  get connected(): boolean {
    return this.#parts.connection.open;
  }

  /** Whether it still answers. */
  async answers(timeoutMs: number): Promise<boolean> {
    return this.#parts.connection.send("Browser.getVersion", undefined, { timeoutMs }).then(
      () => true,
      () => false,
    );
  }

  release(): void {
    if (this.#released) return;
    this.#released = true;
    this.#release.resolve();
    const { reaper, running, directories, user, memoryCap, connection, proxy } = this.#parts;
    // A tree that ends takes the CPU for a while, and whoever asked for its end waits for an answer.
    setTimeout(() => this.#kill(), killAfterMs);
    reaper.bury({ processGroup: running.identity.pid, directory: directories.root, user });
    memoryCap.release();
    connection.close();
    proxy.close();
    void this.#watch.close();
  }

  /** Lets go of the browser and leaves it running for the next start of the server. */
  leave(): void {
    this.#released = true;
    this.#release.resolve();
    this.#parts.memoryCap.release();
    this.#parts.connection.close();
    this.#parts.proxy.close();
    void this.#watch.close();
  }

  async #awaitLoss(): Promise<BrowserLoss> {
    const { memoryCap } = this.#parts;
    const loss = await Promise.race([this.#end(), memoryCap.exceeded.then(outOfMemory)]);
    // A released browser is not lost, it is over: nobody waits for this any more.
    if (this.#released) return new Promise<never>(() => {});
    // It may go on to take what its neighbours need, while its end is being committed.
    if (loss.reason === "out_of_memory") this.#kill();
    return loss;
  }

  /** Settles when the browser's process has ended, or stops answering. */
  async #end(): Promise<BrowserLoss> {
    const { connection, exited, memoryCap } = this.#parts;
    const early = await Promise.race([exited, connection.closed.then(() => null)]);
    const exit = early ?? (await Promise.race([exited, delay(exitNewsMs, null, { ref: false })]));
    // How the process of an earlier server's ended cannot be told: the kernel may have killed it.
    const outOfMemoryMessage = exit === null || exit.killed ? memoryCap.killedFor() : null;
    if (outOfMemoryMessage !== null) return outOfMemory(outOfMemoryMessage);
    const message =
      exit === null
        ? "The browser stopped answering."
        : `The browser ended unexpectedly (${exit.how}).`;
    return { reason: "browser_crash", message };
  }

  #kill(): void {
    const { identity } = this.#parts.running;
    if (isRunning(identity)) killGroup(identity.pid);
  }
}

function outOfMemory(message: string): BrowserLoss {
  return { reason: "out_of_memory", message };
}

export const localReferenceSchema = z.object({
  kind: z.literal("local"),
  id: z.string().regex(/^[0-9a-f]{12}$/),
  pid: z.number(),
  startedAt: z.string(),
  bootId: z.string(),
  devtoolsPort: z.number(),
  devtoolsPath: z.string(),
  uid: z.number().nullable(),
  product: z.string(),
  recorded: z.boolean(),
  proxyPort: z.number(),
  route: egressRouteSchema,
  targetSettings: z.object({
    viewport: z.object({ width: z.number(), height: z.number() }).nullable(),
    extraHttpHeaders: z.record(z.string(), z.string()),
  }),
});

export type LocalReference = z.infer<typeof localReferenceSchema>;
