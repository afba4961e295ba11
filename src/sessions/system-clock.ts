import type { Clock } from "./ports.ts";

/** The longest delay that setTimeout takes without wrapping to 1 ms (2^31 - 1 ms, 24.8 days). */
const longestDelayMs = 2_147_483_647;

/** How much of the time that passes may go into catching up with the wall clock. */
const catchUpRate = 0.1;

/**
 * A clock that shows the time of day but never jumps: when somebody sets the computer's clock, it
 * catches up by at most a tenth of the time that really passes, as adjtime(3) does. So an hour's jump
 * ends no session an hour early, and keeps none an hour too long.
 *
 * @param wall - epoch ms; may jump
 * @param steady - ms since some moment; never jumps
 */
export function slewingClock(wall: () => number, steady: () => number): Clock {
  let lastSteady = steady();
  let time = wall();
  const now = (): number => {
    const passed = steady() - lastSteady;
    lastSteady += passed;
    time += passed;
    const most = passed * catchUpRate;
    time += Math.min(Math.max(wall() - time, -most), most);
    return Math.floor(time);
  };
  return {
    now,
    callAt(at, callback) {
      let timer: NodeJS.Timeout;
      const wait = (): void => {
        const delay = at - now();
        timer = setTimeout(
          () => (now() >= at ? callback() : wait()),
          Math.min(Math.max(delay, 0), longestDelayMs),
        );
      };
      wait();
      return () => clearTimeout(timer);
    },
  };
}

/** The computer's own clock. */
export const systemClock: Clock = slewingClock(
  () => Date.now(),
  () => performance.now(),
);
