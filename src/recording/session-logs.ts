import type { Browser } from "../sessions/ports.ts";
import type { ActiveSession, EndedSession } from "../sessions/session.ts";
import type { RecordingFolders } from "./recording-folder.ts";
import { SessionLog } from "./session-log.ts";

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
   * Returns the way to end the logs, which resolves when the last line is written; with null when
   * the session goes on without this process.
   */
  keep(session: ActiveSession, browser: Browser): (ended: EndedSession | null) => Promise<void> {
    if (!session.settings.recording) return async () => {};
    const { folders, onFailure } = this.#options;
    const log = new SessionLog({
      sessionId: session.id,
      browser,
      folders,
      bodies: session.settings.recordBodies,
      onFailure: (error) => onFailure("log a session", session.id, error),
    });
    return (ended) => log.close(ended !== null);
  }
}
