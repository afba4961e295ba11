import { setTimeout as delay } from "node:timers/promises";
import type { Browser, BrowserWatch, WatchedChange, WatchedEvent } from "../sessions/ports.ts";
import { isConsoleEntry } from "./console-entry.ts";
import { consoleEntryOf } from "./console-log.ts";
import { loggedLines } from "./log-reader.ts";
import { type LogLimits, LogWriter } from "./log-writer.ts";
import { isNetworkEntry, type NetworkEntry } from "./network-entry.ts";
import { NetworkLog } from "./network-log.ts";
import type { RecordingFolder, RecordingFolders } from "./recording-folder.ts";
import { RepeatedMessages } from "./repeated-messages.ts";

/** Room for the log of one session's requests. */
const networkLimits: LogLimits = {
  batchBytes: 1024 ** 2,
  totalBytes: 16 * 1024 ** 2,
  totalLines: 30_000,
};
/** Room for the log of one session's messages. */
const consoleLimits: LogLimits = {
  batchBytes: 1024 ** 2,
  totalBytes: 4 * 1024 ** 2,
  totalLines: 20_000,
};

/** When so many entries had no room, the browser is told to send no more of them. */
const mostDropped = 1000;

/** How often requests that take long are written down, and objects of messages let go, in ms. */
const tendEveryMs = 1000;

/** How often in a row the watch of a browser may break soon after it was opened. */
const mostLosses = 5;
const soonMs = 60_000;
const pauseAfterLossMs = 1000;

export interface SessionLogOptions {
  readonly sessionId: string;
  readonly browser: Browser;
  readonly folders: RecordingFolders;
  readonly onFailure: (error: unknown) => void;
}

/** The logs of one session, from now on until they are closed. */
export class SessionLog {
  readonly #options: SessionLogOptions;
  readonly #ending = Promise.withResolvers<void>();
  readonly #finished: Promise<void>;
  #ends = false;
  #sessionEnds = false;

  constructor(options: SessionLogOptions) {
    this.#options = options;
    this.#finished = this.#run().catch(options.onFailure);
  }

  /**
   * Resolves when the last line is written. `sessionEnds`: whether what still goes on is over with
   * it; otherwise the next process goes on with it.
   */
  async close(sessionEnds: boolean): Promise<void> {
    this.#ends = true;
    this.#sessionEnds = sessionEnds;
    this.#ending.resolve();
    await this.#finished;
  }

  async #run(): Promise<void> {
    const { browser, folders, sessionId, onFailure } = this.#options;
    // Asked for at once: what happens until it is there is not seen.
    const watch = (): Promise<BrowserWatch> => {
      const asked = browser.watch();
      // Whether anyone awaits it or not.
      asked.catch(() => {});
      return asked;
    };
    let watching = watch();
    const folder = await folders.open(sessionId);
    let logs: OpenLogs | null = null;
    try {
      let losses = 0;
      while (!this.#ends && losses < mostLosses) {
        const began = Date.now();
        try {
          const watched = await watching;
          logs ??= new OpenLogs(folder, browser, onFailure);
          await logs.follow(watched, this.#ending.promise);
        } catch (error) {
          if (losses === 0) onFailure(error);
        }
        if (this.#ends) break;
        losses = Date.now() - began > soonMs ? 1 : losses + 1;
        await Promise.race([this.#ending.promise, delay(pauseAfterLossMs)]);
        if (!this.#ends) watching = watch();
      }
      if (!this.#ends) onFailure(new Error("the events of its browser break off again and again"));
      await this.#ending.promise;
    } finally {
      await logs?.close(this.#sessionEnds);
      folder.close();
    }
  }
}

/** The logs of a session while they are written. */
class OpenLogs {
  readonly #folder: RecordingFolder;
  readonly #onFailure: (error: unknown) => void;
  readonly #network: NetworkLog;
  #writers: { readonly network: LogWriter; readonly console: LogWriter } | null = null;
  #repeated = new RepeatedMessages();
  /** CDP sessions in which objects of messages are held for us. */
  readonly #holding = new Set<string>();
  readonly #muted = { network: false, console: false };
  /** The CDP sessions that were told to send no more, and of what. */
  readonly #silenced = new Set<string>();

  constructor(folder: RecordingFolder, browser: Browser, onFailure: (error: unknown) => void) {
    this.#folder = folder;
    this.#onFailure = onFailure;
    this.#network = new NetworkLog(
      (entry) => this.#write("network", entry),
      () => browser.egressFailures,
    );
  }

  /** Logs what the watch tells, until it breaks or `ending` settles. */
  async follow(watch: BrowserWatch, ending: Promise<void>): Promise<void> {
    const early: (() => void)[] = [];
    let isReady = false;
    const inOrder = (work: () => void): void => {
      if (isReady) work();
      else early.push(work);
    };
    const stopEvents = watch.onEvent((event) => inOrder(() => this.#receive(event)));
    const stopTargets = watch.onTarget((change) =>
      inOrder(() => this.#targetChanged(change, watch)),
    );
    const timer = setInterval(() => this.#tend(watch), tendEveryMs);
    timer.unref();
    try {
      await this.#prepare(watch);
      isReady = true;
      for (const work of early) work();
      this.#applyMutes(watch);
      await Promise.race([watch.closed, ending]);
    } finally {
      clearInterval(timer);
      stopEvents();
      stopTargets();
    }
  }

  async close(sessionEnds: boolean): Promise<void> {
    if (sessionEnds) this.#network.close();
    else this.#network.leave();
    await Promise.all([this.#writers?.network.close(), this.#writers?.console.close()]);
  }

  /** Reads what is logged already: requests to go on with, messages that will be told again. */
  async #prepare(watch: BrowserWatch): Promise<void> {
    this.#repeated = new RepeatedMessages();
    if (this.#writers !== null) {
      await this.#writers.console.flush();
      for await (const { entry } of loggedLines(this.#folder.directory, "console")) {
        if (isConsoleEntry(entry)) this.#repeated.add(entry);
      }
      return;
    }
    const unfinished = new Map<string, NetworkEntry>();
    const network = await LogWriter.open({
      folder: this.#folder,
      name: "network",
      limits: networkLimits,
      onEntry: (entry) => {
        if (!isNetworkEntry(entry)) return;
        if (entry.durationMs === null) unfinished.set(entry.id, entry);
        else unfinished.delete(entry.id);
      },
      onFailure: this.#onFailure,
    });
    const console = await LogWriter.open({
      folder: this.#folder,
      name: "console",
      limits: consoleLimits,
      onEntry: (entry) => {
        if (isConsoleEntry(entry)) this.#repeated.add(entry);
      },
      onFailure: this.#onFailure,
    });
    this.#writers = { network, console };
    const tabs = new Set(watch.tabs.map(({ tabId }) => tabId));
    for (const entry of unfinished.values()) {
      const isGone = entry.tabId !== "" && !tabs.has(entry.tabId);
      this.#network.resume(entry, isGone);
    }
  }

  #receive(event: WatchedEvent): void {
    if (event.method.startsWith("Network.")) {
      if (!this.#muted.network) this.#network.receive(event);
      return;
    }
    const entry = this.#muted.console ? null : consoleEntryOf(event);
    if (entry === null) return;
    if (event.target !== null) this.#holding.add(event.target.sessionId);
    if (!this.#repeated.take(entry)) this.#write("console", entry);
  }

  #targetChanged({ kind, target }: WatchedChange, watch: BrowserWatch): void {
    if (kind === "closed") this.#network.targetClosed(target);
    // Its domains are turned on right after this.
    if (kind === "opened") queueMicrotask(() => this.#applyMutes(watch, target.sessionId));
  }

  #write(which: "network" | "console", entry: object): void {
    const writer = this.#writers?.[which];
    if (writer === undefined || writer.append(entry)) return;
    if (this.#muted[which] || writer.dropped < mostDropped) return;
    this.#muted[which] = true;
    writer.tellDropped();
  }

  #tend(watch: BrowserWatch): void {
    if (this.#writers === null) return;
    this.#network.tend();
    this.#repeated.tend();
    // What a page logs would be kept alive in it for us, for as long as the page is.
    for (const sessionId of this.#holding) {
      send(watch, sessionId, "Runtime.releaseObjectGroup", { objectGroup: "console" });
    }
    this.#holding.clear();
    this.#applyMutes(watch);
  }

  /** A log that is full need not be told of anything more. */
  #applyMutes(watch: BrowserWatch, ...sessionIds: readonly string[]): void {
    const domains = [
      ...(this.#muted.network ? ["Network"] : []),
      ...(this.#muted.console ? ["Runtime", "Log"] : []),
    ];
    if (domains.length === 0) return;
    const all =
      sessionIds.length > 0 ? sessionIds : watch.targets.map(({ sessionId }) => sessionId);
    for (const sessionId of all) {
      for (const domain of domains) {
        const key = `${sessionId} ${domain}`;
        if (this.#silenced.has(key)) continue;
        this.#silenced.add(key);
        send(watch, sessionId, `${domain}.disable`);
      }
    }
  }
}

/** For commands whose failure means that the target is gone. */
function send(watch: BrowserWatch, sessionId: string, method: string, params: object = {}): void {
  watch.send(method, params, { sessionId }).catch(() => {});
}
