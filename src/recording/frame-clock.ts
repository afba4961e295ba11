/** Two frames are never at the same time, in ms. */
const leastStepMs = 1;

/** What the system's clock may differ from the monotonic one before it was set by somebody, in ms. */
const jumpMs = 5000;

/** How far apart two frames are said to be when nobody can tell, in ms. */
const unknownStepMs = 40;

/**
 * Gives the frames of a recording their times: the browser's own, but always forward, and the same
 * distance apart as they really were when somebody sets the system's clock.
 */
export class FrameClock {
  /** What is added to the browser's times, in ms. */
  #offset = 0;
  #last: { readonly at: number; readonly monotonicMs: number } | null = null;
  /** How far times are ahead of the monotonic clock. Frames may come late, but none comes early. */
  #ahead = Number.NEGATIVE_INFINITY;

  /**
   * `at`: by the browser's clock, epoch ms; `monotonicMs`: when the frame came. Answers the frame's
   * time in whole epoch ms.
   */
  timeOf(at: number, monotonicMs: number): number {
    const last = this.#last;
    let time = Math.round(at + this.#offset);
    if (last !== null) {
      if (time < last.at - jumpMs || time - monotonicMs > this.#ahead + jumpMs) {
        const passedMs = Math.round(monotonicMs - last.monotonicMs);
        const likely = last.at + Math.max(unknownStepMs, passedMs);
        this.#offset += likely - time;
        time = likely;
      }
      time = Math.max(time, last.at + leastStepMs);
    }
    this.#last = { at: time, monotonicMs };
    this.#ahead = Math.max(this.#ahead, time - monotonicMs);
    return time;
  }
}
