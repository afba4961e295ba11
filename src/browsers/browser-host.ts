import { setTimeout as delay } from "node:timers/promises";
import { z } from "zod";
import { type BrowserSettings, defaultBrowserSettings } from "../sessions/browser-settings.ts";
import { messageOf, NightjarError } from "../sessions/errors.ts";
import type { Browser, BrowserHost, BrowserLoss } from "../sessions/ports.ts";
import { AddressPolicy } from "./address-policy.ts";
import { AttachedBrowser, attachedReferenceSchema } from "./attached-browser.ts";
import type { ChromiumExecutables } from "./chromium.ts";
import type { DownloadLimits } from "./downloads.ts";
import { BrowserUsers } from "./isolation.ts";
import { Launcher } from "./launcher.ts";
import { type LocalBrowser, localReferenceSchema } from "./local-browser.ts";
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
  /** Addresses beside the public internet that `cdp_url` may lead to. */
  readonly egressAllow: readonly string[];
  readonly memoryCaps: MemoryCaps;
  readonly downloadLimits: DownloadLimits;
  readonly onFailure: (what: string, error: unknown) => void;
}

const referenceSchema = z.discriminatedUnion("kind", [
  localReferenceSchema,
  attachedReferenceSchema,
]);

/** How long ending what is being ended may take when the server stops, in ms. */
const stopTimeoutMs = 8000;

/** The browsers of this machine: hands them out, finds them again, ends them. */
export class LocalBrowserHost implements BrowserHost {
  readonly #options: LocalBrowserHostOptions;
  readonly #users: BrowserUsers;
  readonly #reaper: Reaper;
  readonly #launcher: Launcher;
  readonly #pool: WarmPool;
  readonly #memory: BrowserMemory;
  readonly #policy: AddressPolicy;
  readonly #serving = new Set<LocalBrowser | AttachedBrowser>();

  constructor(options: LocalBrowserHostOptions) {
    this.#options = options;
    this.#users = new BrowserUsers(options.firstUid);
    this.#reaper = new Reaper(this.#users, options.memoryCaps, options.onFailure);
    this.#launcher = new Launcher({ ...options, users: this.#users, reaper: this.#reaper });
    this.#memory = new BrowserMemory(options.browsersDirectory, this.#users);
    this.#policy = new AddressPolicy(options.egressAllow);
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

  /** Begins to keep browsers warm. Call after `recover`. */
  startWarming(): void {
    this.#pool.start();
  }

  async acquire(settings: BrowserSettings): Promise<Browser> {
    if (settings.attachUrl !== null) return this.#attach(settings.attachUrl, settings);
    const warm = canServeWarm(settings);
    const browser = await (warm ? this.#pool.take() : this.#launcher.launch(settings));
    try {
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
      users: this.#users,
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

  async #attach(url: string, settings: BrowserSettings): Promise<Browser> {
    return this.#serve(await AttachedBrowser.attach(url, settings, this.#policy));
  }

  async #recoverOne(text: string): Promise<Browser | BrowserLoss> {
    const parsed = referenceSchema.safeParse(parseJson(text));
    if (!parsed.success) {
      return { reason: "browser_crash", message: "The record of its browser could not be read." };
    }
    const reference = parsed.data;
    if (reference.kind === "attached") {
      const settings = { ...reference.targetSettings, recording: reference.recorded };
      return AttachedBrowser.attach(reference.url, settings, this.#policy).then(
        (browser) => this.#serve(browser),
        (error: unknown) => ({ reason: "browser_crash", message: messageOf(error) }),
      );
    }
    const browser = await this.#launcher.adopt(reference);
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

/** Null where it is no JSON, which no schema of a reference takes. */
function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return null;
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
