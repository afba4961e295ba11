import type { Clock } from "./ports.ts";
import { Rounds } from "./rounds.ts";

const everyMs = 3_600_000;
/** How soon a round follows one that has left some, in ms: what others want comes first. */
const soonMs = 10_000;
const msPerDay = 86_400_000;
/** How many sessions one round removes at most. */
const mostPerRound = 200;

/** Where the rows of sessions that ended are found and removed. */
export interface EndedSessions {
  /** The ids of sessions that ended before a time (epoch ms), the first to end first, at most so many. */
  endedBefore(time: number, most: number): Promise<readonly string[]>;
  /** Removes a session that ended and all rows that speak of it; nothing for one that there is not. */
  remove(sessionId: string): Promise<void>;
}

export interface SessionRetentionOptions {
  readonly store: EndedSessions;
  /** Removes what is kept of a session beside the store; again and again, if need be. */
  readonly removeFiles: (sessionId: string) => Promise<void>;
  readonly clock: Clock;
  /** From the end of a session; 0: for good. */
  readonly days: number;
  readonly onFailure: (sessionId: string | null, error: unknown) => void;
}

/**
 * Removes all that is kept of sessions that ended long ago, now and every hour. Returns the way to
 * stop, which waits for the session that is just being removed.
 */
export function removeOldSessions(options: SessionRetentionOptions): () => Promise<void> {
  if (options.days === 0) return async () => {};
  const rounds = new Rounds(options.clock, async ({ stop }) =>
    (await removeSome(options, stop)) ? everyMs : soonMs,
  );
  rounds.within(0);
  return () => rounds.stop();
}

/** Whether nothing is left to be done soon. */
async function removeSome(options: SessionRetentionOptions, stop: AbortSignal): Promise<boolean> {
  const { store, removeFiles, clock, days, onFailure } = options;
  let ids: readonly string[];
  try {
    ids = await store.endedBefore(clock.now() - days * msPerDay, mostPerRound);
  } catch (error) {
    onFailure(null, error);
    return true;
  }
  let removed = 0;
  for (const id of ids) {
    if (stop.aborted) return true;
    try {
      // The row is the last to go: what a crash leaves behind is found by it.
      await removeFiles(id);
      await store.remove(id);
      removed += 1;
    } catch (error) {
      onFailure(id, error);
    }
  }
  return ids.length < mostPerRound || removed === 0;
}
