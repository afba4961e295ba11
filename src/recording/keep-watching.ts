import { setTimeout as delay } from "node:timers/promises";

/** How long after it failed or broke off it is tried again, in ms. */
const pauseMs = 1000;

/** Tries of less than this are losses in a row, in ms. */
const soonMs = 60_000;

export interface Watching {
  /** Watches; resolves when what is watched has broken off or is `over`. Throws where it cannot be watched. */
  readonly watch: () => Promise<void>;
  /** Aborted when there is nothing to watch any more. */
  readonly over: AbortSignal;
  /** Told why it cannot be watched: once, until it can again. */
  readonly onFailure: (error: unknown) => void;
  /** How often in a row it may fail or break off soon before it is given up; for ever unless given. */
  readonly mostLosses?: number;
  /** Lets so many ms pass; by the time of the process unless given. */
  readonly pause?: (ms: number) => Promise<unknown>;
}

/**
 * Watches something of a browser until that is over, and again a second after it failed or broke off.
 * Never rejects. False where it was given up.
 */
export async function keepWatching(watching: Watching): Promise<boolean> {
  const { watch, over, onFailure, mostLosses = Number.POSITIVE_INFINITY } = watching;
  const { pause = (ms: number) => delay(ms, undefined, { ref: false, signal: over }) } = watching;
  let hasFailed = false;
  for (let losses = 0; !over.aborted; ) {
    const begun = performance.now();
    try {
      await watch();
      hasFailed = false;
    } catch (error) {
      if (!over.aborted && !hasFailed) onFailure(error);
      hasFailed = true;
    }
    losses = performance.now() - begun > soonMs ? 1 : losses + 1;
    if (over.aborted) break;
    if (losses >= mostLosses) return false;
    // It is broken off by the end.
    await pause(pauseMs).catch(() => {});
  }
  return true;
}
