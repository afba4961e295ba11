import { messageOf, NightjarError } from "../sessions/errors.ts";
import { type EndedSession, isActive, type Session } from "../sessions/session.ts";
import type { Recorder } from "./recorder.ts";
import { hasPictures, readThinnedAt, replayName } from "./recording-files.ts";
import type { RecordingFolders } from "./recording-folder.ts";
import type { RecordingRecord, RecordingStore, ReplayRecord } from "./recording-store.ts";
import type { ReplayOutcome } from "./replay-maker.ts";
import type { ReplayQueue } from "./replay-queue.ts";

/** Where the replay of a session stands. */
export const replayStatuses = ["none", "recording", "processing", "ready", "failed"] as const;
export type ReplayStatus = (typeof replayStatuses)[number];

/** A replay that can be played, and where its file lies. */
export interface Replay extends ReplayRecord {
  readonly path: string;
}

export interface RecordingsOptions {
  readonly folders: RecordingFolders;
  readonly store: RecordingStore;
  /** Null where there is no encoder. */
  readonly queue: ReplayQueue | null;
  readonly recorder: Pick<Recorder, "isRecording" | "settled">;
  /** Told of each recording that an earlier process left and that could not be gone on with. */
  readonly onFailure: (sessionId: string, error: unknown) => void;
}

/** The recordings of sessions: where they stand, their replays, and their removal. */
export class Recordings {
  readonly #options: RecordingsOptions;
  /** Whether all that an earlier process left has been taken up. */
  #resumed = false;

  constructor(options: RecordingsOptions) {
    this.#options = options;
  }

  async statusOf(session: Session): Promise<ReplayStatus> {
    return (await this.statusesOf([session])).get(session.id) ?? "none";
  }

  /** By session. */
  async statusesOf(sessions: readonly Session[]): Promise<ReadonlyMap<string, ReplayStatus>> {
    const ended = sessions.filter((session) => !isActive(session)).map(({ id }) => id);
    // Looked at before the records are read: what is done by then has one.
    const underWay = new Set(ended.filter((id) => this.#isUnderWay(id)));
    const resumed = this.#resumed;
    const records =
      ended.length === 0
        ? new Map<string, RecordingRecord>()
        : await this.#options.store.findAll(ended);
    const statuses = sessions.map(async (session): Promise<[string, ReplayStatus]> => {
      const { id, settings } = session;
      if (isActive(session)) return [id, settings.recording ? "recording" : "none"];
      const record = records.get(id) ?? null;
      if (record?.status === "ready") return [id, "ready"];
      const settled = record?.status === "failed" ? "failed" : "none";
      if (record?.status === "removed" || !settings.recording) return [id, settled];
      const isProcessing = underWay.has(id) || (!resumed && (await this.#isLeft(id, record)));
      return [id, isProcessing ? "processing" : settled];
    });
    return new Map(await Promise.all(statuses));
  }

  /**
   * The replay of a session. Throws `replay_not_ready`, `replay_failed` or `replay_not_found`.
   */
  async replay(session: Session): Promise<Replay> {
    if (isActive(session)) {
      throw new NightjarError(
        "replay_not_ready",
        `Session "${session.id}" is still active: its replay is made after its end.`,
      );
    }
    if ((await this.statusOf(session)) === "processing") {
      throw new NightjarError(
        "replay_not_ready",
        `The replay of session "${session.id}" is processing. Ask again in some seconds.`,
      );
    }
    const record = await this.#options.store.find(session.id);
    if (record?.status === "ready") {
      return { ...record, path: this.#options.folders.file(session.id, replayName) };
    }
    if (record?.status === "failed") throw new NightjarError("replay_failed", record.error);
    throw new NightjarError(
      "replay_not_found",
      `Session "${session.id}" has no replay: ${
        record?.status === "removed"
          ? "its recording was removed"
          : session.settings.recording
            ? "it ended before it showed anything"
            : "it was started without recording"
      }.`,
    );
  }

  /** Where the file of a replay lies, for whoever may read it. Throws `replay_not_found`. */
  async fileOf(sessionId: string): Promise<Replay> {
    const record = await this.#options.store.find(sessionId);
    if (record?.status === "ready") {
      return { ...record, path: this.#options.folders.file(sessionId, replayName) };
    }
    throw new NightjarError("replay_not_found", "This replay was removed.");
  }

  /** All that was recorded of a session that ended is on the disk: has its replay made. */
  async complete(session: EndedSession): Promise<void> {
    const { queue, folders } = this.#options;
    if (queue === null) {
      await this.#fail(session.id, noEncoder);
      return;
    }
    if (await hasPictures(folders.directoryOf(session.id))) queue.finishSoon(session.id);
  }

  /**
   * Goes on with what an earlier process did not finish, and tries again what failed for it. Call
   * once, when sessions were recovered.
   */
  async resume(findSession: (sessionId: string) => Promise<Session | null>): Promise<void> {
    const { folders, onFailure } = this.#options;
    try {
      for (const sessionId of await folders.list()) {
        try {
          await this.#resume(sessionId, await findSession(sessionId));
        } catch (error) {
          onFailure(sessionId, error);
        }
      }
    } finally {
      this.#resumed = true;
    }
  }

  /**
   * Removes all that is kept of what a session that ended showed, requested and logged; again and
   * again, if need be. Throws `session_active`.
   */
  async remove(session: Session): Promise<void> {
    if (isActive(session)) {
      throw new NightjarError(
        "session_active",
        `Session "${session.id}" is still active: stop it first, then remove its recording.`,
      );
    }
    const { recorder, folders, queue, store } = this.#options;
    // Its last frames are being written, and a replay is then made of them: not before, nor between.
    await recorder.settled(session.id);
    await queue?.cancel(session.id);
    await store.save({ sessionId: session.id, status: "removed" });
    await folders.remove(session.id);
  }

  /** Takes down what became of the work on a replay. */
  async finished(sessionId: string, outcome: ReplayOutcome): Promise<void> {
    if (outcome.kind === "empty") return;
    const { folders, store } = this.#options;
    const { video, sizeBytes } = outcome;
    await store.save({
      sessionId,
      status: "ready",
      startedAt: video.startedAt,
      durationMs: video.endedAt - video.startedAt,
      sizeBytes,
      thinnedAt: await readThinnedAt(folders.directoryOf(sessionId)),
    });
  }

  failed(sessionId: string, error: unknown): Promise<void> {
    return this.#fail(sessionId, `The replay could not be made: ${messageOf(error)}`);
  }

  async #fail(sessionId: string, error: string): Promise<void> {
    await this.#options.store.save({ sessionId, status: "failed", error });
  }

  async #resume(sessionId: string, session: Session | null): Promise<void> {
    const { folders, store } = this.#options;
    if (session !== null && isActive(session)) return;
    const record = await store.find(sessionId);
    // It was being removed, or its session was never heard of.
    if (session === null || record?.status === "removed") await folders.remove(sessionId);
    else if (this.#isUnfinished(record)) await this.complete(session);
  }

  /** What failed may succeed now: there was no encoder, or no room on the disk. */
  #isUnfinished(record: RecordingRecord | null): boolean {
    return record === null || (record.status === "failed" && this.#options.queue !== null);
  }

  #isUnderWay(sessionId: string): boolean {
    const { recorder, queue } = this.#options;
    return recorder.isRecording(sessionId) || queue?.isFinishing(sessionId) === true;
  }

  /** Whether `resume`, which has not come to it yet, will take it up. */
  async #isLeft(sessionId: string, record: RecordingRecord | null): Promise<boolean> {
    if (!this.#isUnfinished(record)) return false;
    return hasPictures(this.#options.folders.directoryOf(sessionId));
  }
}

const noEncoder =
  "This server has no video encoder, so no replay could be made. Its operator can install ffmpeg.";
