import { once } from "node:events";
import type { Browser, BrowserWatch, WatchedChange, WatchedEvent } from "../sessions/ports.ts";
import { isConsoleEntry } from "./console-entry.ts";
import { consoleEntryOf } from "./console-log.ts";
import { keepWatching } from "./keep-watching.ts";
import { loggedLines } from "./log-reader.ts";
import { type LogLimits, LogWriter } from "./log-writer.ts";
import { isNetworkEntry, type NetworkEntry } from "./network-entry.ts";
import { NetworkLog } from "./network-log.ts";
import type { RecordingFolder, RecordingFolders } from "./recording-folder.ts";
import { RepeatedMessages } from "./repeated-messages.ts";
import { bodyLimits, ResponseBodies } from "./response-bodies.ts";

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

export interface SessionLogOptions {
  readonly sessionId: string;
  readonly browser: Browser;
  readonly folders: RecordingFolders;
  /** Whether the texts that its pages are answered are kept. */
  readonly bodies: boolean;
  readonly onFailure: (error: unknown) => void;
}

/** The logs of one session, from now on until they are closed. */
export class SessionLog {
  readonly #options: SessionLogOptions;
  readonly #over = new AbortController();
  readonly #finished: Promise<void>;
  #logs: OpenLogs | null = null;
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
    this.#sessionEnds = sessionEnds;
    this.#over.abort();
    await this.#finished;
  }

  async #run(): Promise<void> {
    const { browser, folders, sessionId, bodies, onFailure } = this.#options;
    const over = this.#over.signal;
    const ending = once(over, "abort");
    // Asked for at once: what happens until it is there is not seen.
    let opening: Promise<BrowserWatch> | null = this.#open();
    const folder = await folders.open(sessionId);
    try {
      const isOver = await keepWatching({
        over,
        onFailure,
        mostLosses,
        watch: async () => {
          const opened = opening ?? this.#open();
          opening = null;
          const watch = await opened;
          this.#logs ??= new OpenLogs(folder, browser, bodies, onFailure);
          await this.#logs.follow(watch, ending);
        },
      });
      if (!isOver) onFailure(new Error("the events of its browser break off again and again"));
      if (!over.aborted) await ending;
    } finally {
      await this.#logs?.close(this.#sessionEnds);
      folder.close();
    }
  }

  #open(): Promise<BrowserWatch> {
    const { browser, bodies } = this.#options;
    const opening = browser.watch().then((watch) => {
      if (bodies) ResponseBodies.hold(watch);
      return watch;
    });
    // Nobody may wait for it yet.
    opening.catch(() => {});
    return opening;
  }
}

interface Writers {
  readonly network: LogWriter;
  readonly console: LogWriter;
  readonly bodies: LogWriter | null;
}

/** The logs of a session while they are written. */
class OpenLogs {
  readonly #folder: RecordingFolder;
  readonly #onFailure: (error: unknown) => void;
  readonly #network: NetworkLog;
  /** Null where they are not wanted. */
  readonly #bodies: ResponseBodies | null;
  #writers: Writers | null = null;
  #watch: BrowserWatch | null = null;
  #repeated = new RepeatedMessages();
  /** CDP sessions in which objects of messages are held for us. */
  readonly #holding = new Set<string>();
  readonly #muted = { network: false, console: false };
  /** The CDP sessions that were told to send no more, and of what. */
  readonly #silenced = new Set<string>();

  constructor(
    folder: RecordingFolder,
    browser: Browser,
    bodies: boolean,
    onFailure: (error: unknown) => void,
  ) {
    this.#folder = folder;
    this.#bodies = bodies ? new ResponseBodies(() => this.#writers?.bodies ?? null) : null;
    this.#onFailure = onFailure;
    this.#network = new NetworkLog(
      (entry) => this.#write("network", entry),
      () => browser.egressFailures,
      (entry, source) => {
        if (this.#watch !== null) this.#bodies?.take(this.#watch, entry, source);
      },
    );
  }

  /** Logs what the watch tells, until it breaks or `ending` settles. */
  async follow(watch: BrowserWatch, ending: Promise<unknown>): Promise<void> {
    this.#watch = watch;
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
    await this.#bodies?.close();
    const { network, console, bodies } = this.#writers ?? {};
    await Promise.all([network?.close(), console?.close(), bodies?.close()]);
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
    const bodies =
      this.#bodies === null
        ? null
        : await LogWriter.open({
            folder: this.#folder,
            name: "bodies",
            limits: bodyLimits,
            onEntry: () => {},
            onFailure: this.#onFailure,
          });
    this.#writers = { network, console, bodies };
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
    if (kind === "opened") {
      queueMicrotask(() => {
        if (this.#bodies?.isFull === false) ResponseBodies.hold(watch, target.sessionId);
        this.#applyMutes(watch, target.sessionId);
      });
    }
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
