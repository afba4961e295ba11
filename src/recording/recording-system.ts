import path from "node:path";
import type { Browser, Clock } from "../sessions/ports.ts";
import type { ActiveSession, Session } from "../sessions/session.ts";
import type { SessionService } from "../sessions/session-service.ts";
import type { Tracer } from "../sessions/tracer.ts";
import type { Encoder } from "./encoder.ts";
import { Recorder } from "./recorder.ts";
import type { RecordingFolders } from "./recording-folder.ts";
import { RecordingRetention } from "./recording-retention.ts";
import type { RecordingStore } from "./recording-store.ts";
import { Recordings } from "./recordings.ts";
import { ReplayMaker } from "./replay-maker.ts";
import { ReplayQueue } from "./replay-queue.ts";
import type { RecordedScreencasts } from "./session-recorder.ts";

export interface RecordingSystemOptions {
  readonly folders: RecordingFolders;
  readonly store: RecordingStore;
  /** Null where there is none: sessions have no replays then. */
  readonly encoder: Encoder | null;
  readonly screencasts: (sessionId: string) => Promise<RecordedScreencasts>;
  readonly onEnd: SessionService["onEnd"];
  /** Null for a session that nobody knows any more. */
  readonly findSession: (sessionId: string) => Promise<Session | null>;
  readonly clock: Clock;
  readonly tracer: Tracer;
  /** What the pictures of one session may take, in bytes. */
  readonly mostBytes: number;
  /** What all recordings together may take, in bytes. */
  readonly totalBytes: number;
  /** How long after the end of its session a recording is kept; 0: for good. */
  readonly retentionHours: number;
  readonly onReady: (sessionId: string) => void;
  readonly onThinned: (sessionId: string) => void;
  readonly onFailure: (what: string, sessionId: string, error: unknown) => void;
}

/** Recording, replays and their retention, put together. */
export class RecordingSystem {
  readonly recordings: Recordings;
  readonly #options: RecordingSystemOptions;
  readonly #recorder: Recorder;
  readonly #queue: ReplayQueue | null;
  readonly #retention: RecordingRetention;

  constructor(options: RecordingSystemOptions) {
    const { folders, store, encoder, findSession, onThinned, onFailure } = options;
    this.#options = options;
    this.#queue = encoder === null ? null : this.#queueWith(encoder);
    this.#recorder = new Recorder({
      enabled: encoder !== null,
      folders,
      screencasts: options.screencasts,
      onEnd: options.onEnd,
      mostBytes: options.mostBytes,
      onFile: (sessionId, number) => this.#queue?.encodeSoon(sessionId, number),
      onFinished: (session) => this.recordings.complete(session),
      onThinned,
      onFailure,
    });
    this.recordings = new Recordings({
      folders,
      store,
      queue: this.#queue,
      recorder: this.#recorder,
      onFailure: (sessionId, error) => onFailure("go on with a recording", sessionId, error),
    });
    this.#retention = new RecordingRetention({
      recordings: this.recordings,
      folders,
      findSession,
      clock: options.clock,
      hours: options.retentionHours,
      totalBytes: options.totalBytes,
      onFailure: (sessionId, error) => onFailure("remove an old recording", sessionId, error),
    });
  }

  /** Records a session that has its browser, unless it was started without. */
  record(session: ActiveSession, browser: Browser): void {
    this.#recorder.record(session, browser);
  }

  /** Goes on with what an earlier process left. Call once, when the sessions were recovered. */
  start(): void {
    const { findSession, onFailure } = this.#options;
    this.recordings
      .resume(findSession)
      .catch((error: unknown) => onFailure("go on with recordings", "", error))
      .finally(() => this.#retention.start());
  }

  /** Breaks off what is under way, for the next process to go on with. */
  async stop(): Promise<void> {
    await this.#retention.stop();
    await this.#queue?.stop();
  }

  #queueWith(encoder: Encoder): ReplayQueue {
    const { folders, tracer, onReady, onFailure } = this.#options;
    const maker = new ReplayMaker(encoder, (directory, framesBytes, segmentBytes) =>
      this.#recorder.encoded(path.basename(directory), framesBytes, segmentBytes),
    );
    return new ReplayQueue({
      maker,
      tracer,
      directoryOf: (sessionId) => folders.directoryOf(sessionId),
      onFinished: async (sessionId, outcome) => {
        await this.recordings.finished(sessionId, outcome);
        this.#retention.grown();
        if (outcome.kind === "ready") onReady(sessionId);
      },
      onFailed: async (sessionId, error) => {
        onFailure("make a replay", sessionId, error);
        await this.recordings.failed(sessionId, error);
      },
      onFailure: (sessionId, error) =>
        onFailure("make a replay, which is tried again", sessionId, error),
    });
  }
}
