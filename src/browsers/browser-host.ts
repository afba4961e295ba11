import { setTimeout as delay } from "node:timers/promises";
import { type BrowserSettings, defaultBrowserSettings } from "../sessions/browser-settings.ts";
import { messageOf, NightjarError } from "../sessions/errors.ts";
import type { Browser, BrowserHost, BrowserLoss } from "../sessions/ports.ts";
import type { LeakFinder } from "../sessions/reconciler.ts";
import { AttachedBrowser } from "./attached-browser.ts";
import { BrowserLeaks } from "./browser-leaks.ts";
import { parseBrowserReference } from "./browser-reference.ts";
import { BrowserRegister } from "./browser-register.ts";
import type { ChromiumExecutables } from "./chromium.ts";
import type { DownloadLimits } from "./downloads.ts";
import { AttachPolicy } from "./egress/attach-policy.ts";
import { Egress, type EgressCounts, type EgressOptions } from "./egress/egress.ts";
import type { EgressRoute } from "./egress/egress-route.ts";
import { BrowserUsers } from "./isolation.ts";
import { Launcher } from "./launcher.ts";
import type { LocalBrowser } from "./local-browser.ts";
import type { MemoryCaps } from "./memory-cap.ts";
import { BrowserMemory } from "./memory-use.ts";
import { bootId } from "./process-identity.ts";
import { Reaper } from "./reaper.ts";
import { sweepBrowsers } from "./sweep.ts";
import { WarmPool } from "./warm-pool.ts";

export interface LocalBrowserHostOptions {
  readonly executables: ChromiumExecutables;
  readonly browsersDirectory: string;
  /** Chromium's own sandbox; false only where the system cannot give it. */
  readonly sandbox: boolean;
  readonly warmPoolSize: number;
  /** First of the user ids that browsers run as while the server is root. */
  readonly firstUid: number;
  readonly memoryCaps: MemoryCaps;
  readonly egress: EgressOptions;
  /** Addresses and CIDR blocks that the sessions of a tenant may reach beside those that all may. */
  readonly egressAllowOf: (tenantId: string) => Promise<readonly string[]>;
  readonly downloadLimits: DownloadLimits;
  readonly onFailure: (what: string, error: unknown) => void;
}

/** How long ending what is being ended may take when the server stops, in ms. */
const stopTimeoutMs = 8000;

/** The browsers of this machine: hands them out, finds them again, ends them. */
export class LocalBrowserHost implements BrowserHost {
  readonly #options: LocalBrowserHostOptions;
  readonly #register = new BrowserRegister();
  readonly #users: BrowserUsers;
  readonly #reaper: Reaper;
  readonly #launcher: Launcher;
  readonly #pool: WarmPool;
  readonly #memory: BrowserMemory;
  readonly #egress: Egress;
  readonly #serving = new Set<LocalBrowser | AttachedBrowser>();

  constructor(options: LocalBrowserHostOptions) {
    this.#options = options;
    this.#users = new BrowserUsers(options.firstUid);
    this.#reaper = new Reaper(this.#register, this.#users, options.memoryCaps, options.onFailure);
    this.#memory = new BrowserMemory(options.browsersDirectory, this.#users);
    this.#egress = new Egress(options.egress);
    this.#launcher = new Launcher({
      ...options,
      register: this.#register,
      users: this.#users,
      reaper: this.#reaper,
      egress: this.#egress,
    });
    this.#pool = new WarmPool({
      size: options.warmPoolSize,
      launch: () => this.#launcher.launch(defaultBrowserSettings),
      onFailure: options.onFailure,
    });
  }

  /** Browsers that are ready to be handed over. */
  get warmCount(): number {
    return this.#pool.readyCount;
  }

  /** How many sessions found a browser ready so far, and how many waited for a launch. */
  get poolUse(): { readonly hits: number; readonly misses: number } {
    return this.#pool.use;
  }

  /** What all browsers, warm ones included, have in memory, in bytes; null where none can tell. */
  memoryBytes(): Promise<number | null> {
    return this.#memory.bytes();
  }

  /** How the traffic of all browsers went, for the metrics. */
  get egressCounts(): EgressCounts {
    return this.#egress.counts;
  }

  /** Finds what is on this machine of browsers that it does not know. */
  get leaks(): LeakFinder {
    return new BrowserLeaks({
      ...this.#options,
      register: this.#register,
      users: this.#users,
      egress: this.#egress,
      reaper: this.#reaper,
    });
  }

  /** The browsers that were handed out and not given back. */
  get handedOut(): ReadonlySet<Browser> {
    return this.#serving;
  }

  /** Begins to keep browsers warm. Call after `recover`. */
  startWarming(): void {
    this.#pool.start();
  }

  async acquire(settings: BrowserSettings, tenantId: string): Promise<Browser> {
    const allow = await this.#options.egressAllowOf(tenantId);
    if (settings.attachUrl !== null) return this.#attach(settings.attachUrl, settings, allow);
    const route: EgressRoute = { proxy: settings.proxy, allow };
    // Ahead of all: a proxy that does not work must not cost a browser.
    const rules = await this.#egress.rulesFor(route);
    const warm = canServeWarm(settings);
    const browser = await (warm ? this.#pool.take() : this.#launcher.launch(settings));
    try {
      browser.route(route, rules);
      await browser.apply(settings);
    } catch (error) {
      browser.release();
      throw new NightjarError(
        "browser_unavailable",
        `The browser did not take the session's settings: ${messageOf(error)}.`,
        { cause: error },
      );
    }
    return this.#serve(browser);
  }

  async recover(
    references: ReadonlyMap<string, string>,
  ): Promise<ReadonlyMap<string, Browser | BrowserLoss>> {
    const found = new Map<string, Browser | BrowserLoss>();
    await Promise.all(
      [...references].map(async ([sessionId, reference]) =>
        found.set(sessionId, await this.#recoverOne(reference)),
      ),
    );
    const kept = new Set(
      [...this.#serving].flatMap((browser) => ("id" in browser ? [browser.id] : [])),
    );
    await sweepBrowsers({
      browsersDirectory: this.#options.browsersDirectory,
      register: this.#register,
      users: this.#users,
      memoryCaps: this.#options.memoryCaps,
      kept,
      reaper: this.#reaper,
    });
    return found;
  }

  /** Ends the warm browsers; with `keep`, leaves those that serve sessions for the next start. */
  async stop(mode: "close" | "keep"): Promise<void> {
    for (const browser of [...this.#serving]) {
      if (mode === "keep") browser.leave();
      else browser.release();
    }
    await Promise.race([this.#pool.stop(), delay(stopTimeoutMs / 2, undefined, { ref: false })]);
    await this.#reaper.finished(stopTimeoutMs);
    this.#options.memoryCaps.stop();
  }

  async #attach(
    url: string,
    settings: Pick<BrowserSettings, "extraHttpHeaders" | "recording">,
    allow: readonly string[],
  ): Promise<Browser> {
    const policy = new AttachPolicy(this.#options.egress.allow, allow);
    return this.#serve(await AttachedBrowser.attach(url, settings, policy));
  }

  async #recoverOne(text: string): Promise<Browser | BrowserLoss> {
    const reference = parseBrowserReference(text);
    if (reference === null) {
      return { reason: "browser_crash", message: "The record of its browser could not be read." };
    }
    if (reference.kind === "attached") {
      const settings = { ...reference.targetSettings, recording: reference.recorded };
      return this.#attach(reference.url, settings, reference.allow).catch((error: unknown) => ({
        reason: "browser_crash",
        message: messageOf(error),
      }));
    }
    let browser: LocalBrowser | null;
    try {
      browser = await this.#launcher.adopt(reference);
    } catch (error) {
      // A browser without it could do nothing any more, and say nothing of why.
      const why = `The browser's way out to the network could not be opened again: ${messageOf(error)}.`;
      return { reason: "browser_crash", message: why };
    }
    if (browser === null) {
      return reference.bootId === bootId()
        ? { reason: "browser_crash", message: "The browser ended while the server was down." }
        : { reason: "node_lost", message: "The machine was restarted." };
    }
    if (reference.uid !== null) this.#users.claim(reference.uid);
    // Settings hold only as long as the connection that made them.
    await browser
      .apply({ ...reference.targetSettings, recording: reference.recorded })
      .catch((error: unknown) => {
        this.#options.onFailure("apply a session's settings again", error);
      });
    await browser.allowDownloads().catch((error: unknown) => {
      this.#options.onFailure("allow a session's downloads again", error);
    });
    return this.#serve(browser);
  }

  #serve<B extends LocalBrowser | AttachedBrowser>(browser: B): B {
    this.#serving.add(browser);
    void Promise.race([browser.lost, browser.released]).then(() => this.#serving.delete(browser));
    return browser;
  }
}

/** Whether a browser that was launched before anyone asked can do what is asked. */
function canServeWarm(settings: BrowserSettings): boolean {
  return (
    settings.headless &&
    settings.browserType === "chromium" &&
    settings.userAgent === null &&
    settings.chromeArgs.length === 0
  );
}
