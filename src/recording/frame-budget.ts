/** The most frames a second that are recorded: what agents do is seen, and video it is not. */
const mostFps = 4;

/** However little room is left, a frame a minute still fits for a while, in ms. */
const longestIntervalMs = 60_000;

/**
 * How long to wait between frames of a session whose recording takes `usedBytes` of the `mostBytes`
 * it may take, in ms. It doubles whenever half of the room that was left is used up, so a recording
 * becomes coarser instead of ending; null where there is no room at all.
 */
export function frameIntervalMs(usedBytes: number, mostBytes: number): number | null {
  const left = 1 - usedBytes / mostBytes;
  if (left <= 0) return null;
  const halvings = Math.floor(-Math.log2(left));
  return Math.min((1000 / mostFps) * 2 ** halvings, longestIntervalMs);
}
