import type { Clock } from "./ports.ts";

/** The longest delay that setTimeout takes without wrapping to 1 ms (2^31 - 1 ms, 24.8 days). */
const longestDelayMs = 2_147_483_647;

/** The computer's own clock. */
export const systemClock: Clock = {
  now: () => Date.now(),
  callAt(at, callback) {
    let timer: NodeJS.Timeout;
    const wait = (): void => {
      const delay = at - Date.now();
      timer = setTimeout(
        () => (Date.now() >= at ? callback() : wait()),
        Math.min(Math.max(delay, 0), longestDelayMs),
      );
    };
    wait();
    return () => clearTimeout(timer);
  },
};
