import type { Browser, BrowserWatch, WatchedEvent } from "../sessions/ports.ts";
import type { ActiveSession } from "../sessions/session.ts";
import { consoleEntryOf } from "./console-log.ts";
import { type LogLimits, LogWriter } from "./log-writer.ts";
import { NetworkLog } from "./network-log.ts";
import type { RecordingFolder, RecordingFolders } from "./recording-folder.ts";

/** Room for the log of one session's requests. */
const networkLimits: LogLimits = { batchBytes: 1024 ** 2, totalBytes: 16 * 1024 ** 2 };
/** Room for the log of one session's messages. */
const consoleLimits: LogLimits = { batchBytes: 1024 ** 2, totalBytes: 4 * 1024 ** 2 };

/** How often requests that take long are written down, and objects of messages let go, in ms. */
const tendEveryMs = 1000;

export interface SessionLogsOptions {
  readonly folders: RecordingFolders;
  /** Told of what was not logged and why. */
  readonly onFailure: (what: string, sessionId: string, error: unknown) => void;
}

/** Keeps the network and console logs of the sessions of this process while they run. */
export class SessionLogs {
  readonly #options: SessionLogsOptions;

  constructor(options: SessionLogsOptions) {
    this.#options = options;
  }

  /**
   * Begins to log a session, beside whatever waits for it; nothing for one that is not recorded.
   * Returns the way to end the logs, which resolves when the last line is written.
   */
  keep(session: ActiveSession, browser: Browser): () => Promise<void> {
    if (!session.settings.recording) return async () => {};
    const { folders, onFailure } = this.#options;
    const fail = (error: unknown): void => onFailure("log a session", session.id, error);
    const beginning = Promise.all([folders.open(session.id), browser.watch()]).then(
      ([folder, watch]) => new SessionLog(folder, watch, browser, fail),
    );
    beginning.catch(fail);
    return async () => {
      const log = await beginning.catch(() => null);
      await log?.close();
    };
  }
}

/** The two logs of one session. */
class SessionLog {
  readonly #folder: RecordingFolder;
  readonly #watch: BrowserWatch;
  readonly #network: NetworkLog;
  readonly #networkWriter: LogWriter;
  readonly #consoleWriter: LogWriter;
  readonly #stopListening: () => void;
  readonly #timer: NodeJS.Timeout;
  /** CDP sessions in which objects of messages are held for us. */
  readonly #holding = new Set<string>();
  #muted = { network: false, console: false };

  constructor(
    folder: RecordingFolder,
    watch: BrowserWatch,
    browser: Browser,
    onFailure: (error: unknown) => void,
  ) {
    this.#folder = folder;
    this.#watch = watch;
    this.#networkWriter = new LogWriter(folder, "network", networkLimits, onFailure);
    this.#consoleWriter = new LogWriter(folder, "console", consoleLimits, onFailure);
    this.#network = new NetworkLog(
      (entry) => {
        if (!this.#networkWriter.append(entry)) this.#mute("network", ["Network"]);
      },
      () => browser.egressFailures,
    );
    const stopEvents = watch.onEvent((event) => this.#receive(event));
    const stopTargets = watch.onTarget(({ kind, target }) => {
      if (kind !== "opened") return;
      if (this.#muted.network) this.#disable("Network", target.sessionId);
      if (this.#muted.console)
        for (const domain of messageDomains) this.#disable(domain, target.sessionId);
    });
    this.#stopListening = () => {
      stopEvents();
      stopTargets();
    };
    this.#timer = setInterval(() => this.#tend(), tendEveryMs);
    this.#timer.unref();
  }

  async close(): Promise<void> {
    clearInterval(this.#timer);
    this.#stopListening();
    this.#network.close();
    await Promise.all([this.#networkWriter.close(), this.#consoleWriter.close()]);
    this.#folder.close();
  }

  #receive(event: WatchedEvent): void {
    if (event.method.startsWith("Network.")) {
      if (!this.#muted.network) this.#network.receive(event);
      return;
    }
    const entry = consoleEntryOf(event);
    if (entry === null) return;
    if (event.target !== null) this.#holding.add(event.target.sessionId);
    if (!this.#consoleWriter.append(entry)) this.#mute("console", messageDomains);
  }

  #tend(): void {
    this.#network.tellRunning();
    // What a page logs would be kept alive in it for us, for as long as the page is.
    for (const sessionId of this.#holding) {
      this.#watch
        .send("Runtime.releaseObjectGroup", { objectGroup: "console" }, { sessionId })
        .catch(() => {});
    }
    this.#holding.clear();
  }

  /** A log that is full need not be told of anything more. */
  #mute(which: "network" | "console", domains: readonly string[]): void {
    if (this.#muted[which]) return;
    this.#muted[which] = true;
    for (const { sessionId } of this.#watch.targets) {
      for (const domain of domains) this.#disable(domain, sessionId);
    }
  }

  #disable(domain: string, sessionId: string): void {
    this.#watch.send(`${domain}.disable`, {}, { sessionId }).catch(() => {});
  }
}

const messageDomains = ["Runtime", "Log"] as const;
