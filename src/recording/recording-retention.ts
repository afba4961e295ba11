import type { Clock } from "../sessions/ports.ts";
import { Rounds } from "../sessions/rounds.ts";
import { isActive, type Session } from "../sessions/session.ts";
import type { RecordingFolders, StoredRecording } from "./recording-folder.ts";
import type { Recordings } from "./recordings.ts";

const everyMs = 3_600_000;
const msPerHour = 3_600_000;

/** How soon after a replay was made the total is looked at, in ms: many come at once. */
const soonMs = 60_000;

export interface RecordingRetentionOptions {
  readonly recordings: Pick<Recordings, "remove">;
  readonly folders: Pick<RecordingFolders, "list" | "describe" | "remove">;
  /** Null for a session that nobody knows any more. */
  readonly findSession: (sessionId: string) => Promise<Session | null>;
  readonly clock: Clock;
  /** From the end of a session; 0: for good. */
  readonly hours: number;
  /** Of all recordings together. */
  readonly totalBytes: number;
  /** Told of each recording that could not be removed; without one where none could be looked at. */
  readonly onFailure: (sessionId: string, error: unknown) => void;
}

/** A recording of a session that is over. */
interface Candidate extends StoredRecording {
  readonly session: Session | null;
  /** Epoch ms. */
  readonly endedAt: number;
}

/**
 * Removes recordings that are too old, and the oldest ones where all together take too much room.
 * Those of sessions that run are never touched.
 */
export class RecordingRetention {
  readonly #options: RecordingRetentionOptions;
  readonly #rounds: Rounds;

  constructor(options: RecordingRetentionOptions) {
    this.#options = options;
    this.#rounds = new Rounds(options.clock, async ({ stop }) => {
      await this.#removeOnce(stop).catch((error: unknown) => options.onFailure("", error));
      return everyMs;
    });
  }

  /** Removes now, and every hour from now on. */
  start(): void {
    this.#rounds.within(0);
  }

  /** Says that a recording has become larger. */
  grown(): void {
    this.#rounds.within(soonMs);
  }

  /** Resolves when nothing is being removed any more. */
  stop(): Promise<void> {
    return this.#rounds.stop();
  }

  async #removeOnce(stop: AbortSignal): Promise<void> {
    const { folders, findSession, clock, hours, totalBytes, onFailure } = this.#options;
    const before = hours === 0 ? Number.NEGATIVE_INFINITY : clock.now() - hours * msPerHour;
    let total = 0;
    const candidates: Candidate[] = [];
    for (const id of await folders.list()) {
      if (stop.aborted) return;
      const stored = await folders.describe(id);
      if (stored === null) continue;
      total += stored.sizeBytes;
      const session = await findSession(id);
      if (session !== null && isActive(session)) continue;
      const endedAt = session?.state.closedAt ?? stored.updatedAt;
      candidates.push({ ...stored, session, endedAt });
    }
    candidates.sort((left, right) => left.endedAt - right.endedAt);
    for (const candidate of candidates) {
      if (stop.aborted) return;
      if (candidate.endedAt >= before && total <= totalBytes) break;
      try {
        await this.#remove(candidate);
        total -= candidate.sizeBytes;
      } catch (error) {
        // The others are removed all the same; this one is tried again in the next round.
        onFailure(candidate.sessionId, error);
      }
    }
  }

  async #remove({ sessionId, session }: Candidate): Promise<void> {
    const { recordings, folders } = this.#options;
    if (session === null) await folders.remove(sessionId);
    else await recordings.remove(session);
  }
}
