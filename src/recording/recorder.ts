import type { Browser } from "../sessions/ports.ts";
import type { ActiveSession, EndedSession } from "../sessions/session.ts";
import type { SessionService } from "../sessions/session-service.ts";
import type { RecordingFolders } from "./recording-folder.ts";
import { type RecordedScreencasts, SessionRecorder } from "./session-recorder.ts";

/**
 * When the first picture of a session is taken, in ms after its start: its client connects and goes to
 * its first page meanwhile, and pictures would take the CPU from that. Until then it shows a blank page
 * and where it went from there: about as long as there is between two pictures at any other time.
 */
const beginAfterMs = 300;

export interface RecorderOptions {
  /** False where nothing can be made of frames: then none are taken. */
  readonly enabled: boolean;
  readonly folders: RecordingFolders;
  readonly screencasts: (sessionId: string) => Promise<RecordedScreencasts>;
  readonly onEnd: SessionService["onEnd"];
  /** What the recording of one session may take, in bytes. */
  readonly mostBytes: number;
  /** A file of frames of a session that runs is complete. */
  readonly onFile: (sessionId: string, number: number) => void;
  /** All that was recorded of a session that ended is on the disk. */
  readonly onFinished: (session: EndedSession) => Promise<void>;
  readonly onThinned: (sessionId: string) => void;
  readonly onFailure: (what: string, sessionId: string, error: unknown) => void;
}

/** The recording of one session, until all of it is complete. */
interface Running {
  readonly recorder: SessionRecorder;
  readonly settled: Promise<void>;
}

/** Records the sessions of this process. */
export class Recorder {
  readonly #options: RecorderOptions;
  readonly #running = new Map<string, Running>();
  /** Sessions from before were begun by another process. Epoch ms. */
  readonly #since = Date.now();

  constructor(options: RecorderOptions) {
    this.#options = options;
  }

  /** Records a session from now on, if it wants to be. */
  record(session: ActiveSession, browser: Browser): void {
    const { id, settings } = session;
    if (!settings.recording) return;
    const recorder = this.#recorderOf(session, browser);
    if (this.#options.enabled) recorder.attend();
    const timer = this.#options.enabled
      ? setTimeout(() => recorder.begin(), beginAfterMs)
      : undefined;
    const { promise: settled, resolve } = Promise.withResolvers<void>();
    const known = this.#options.onEnd(id, async (ended) => {
      clearTimeout(timer);
      if (ended === null) await recorder.leave();
      else await this.#finish(ended, recorder);
      this.#running.delete(id);
      resolve();
    });
    if (known === null) clearTimeout(timer);
    else this.#running.set(id, { recorder, settled });
  }

  /** Whether the recording of a session is under way or not yet complete. */
  isRecording(sessionId: string): boolean {
    return this.#running.has(sessionId);
  }

  /** Resolves when the recording of a session is complete and handed on. */
  async settled(sessionId: string): Promise<void> {
    await this.#running.get(sessionId)?.settled;
  }

  /** Told when a file of frames has become a segment. */
  encoded(sessionId: string, framesBytes: number, segmentBytes: number): void {
    this.#running.get(sessionId)?.recorder.encoded(framesBytes, segmentBytes);
  }

  #recorderOf(session: ActiveSession, browser: Browser): SessionRecorder {
    const { id: sessionId, createdAt, settings } = session;
    const { folders, screencasts, mostBytes, onFile, onThinned, onFailure } = this.#options;
    return new SessionRecorder({
      sessionId,
      browser,
      screencasts,
      folders,
      // A browser elsewhere has been somewhere before.
      blankSince: settings.attachUrl === null && createdAt >= this.#since ? createdAt : null,
      mostBytes,
      onFile: (number) => onFile(sessionId, number),
      onThinned: () => onThinned(sessionId),
      onFailure: (error) => onFailure("record a session", sessionId, error),
    });
  }

  async #finish(ended: EndedSession, recorder: SessionRecorder): Promise<void> {
    const { enabled, onFinished, onFailure } = this.#options;
    try {
      if (enabled) await recorder.finish(ended.state.status === "error");
      await onFinished(ended);
    } catch (error) {
      onFailure("complete a recording", ended.id, error);
    }
  }
}
