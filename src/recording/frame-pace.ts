import type { FrameListener, ScreencastFrame } from "./screencast-frame.ts";

/** Hands frames on at most so often; of those that come too soon the last one follows when it may. */
export class FramePace {
  readonly maxFps: number;
  readonly #listener: FrameListener;
  readonly #intervalMs: number;
  /** On the monotonic clock, in ms. */
  #nextAt = 0;
  #waiting: ScreencastFrame | null = null;
  #timer: NodeJS.Timeout | null = null;

  constructor(maxFps: number, listener: FrameListener) {
    this.maxFps = maxFps;
    this.#listener = listener;
    this.#intervalMs = 1000 / maxFps;
  }

  offer(frame: ScreencastFrame): void {
    this.#waiting = frame;
    if (this.#timer !== null) return;
    const wait = this.#nextAt - performance.now();
    if (wait <= 0) this.#deliver();
    else this.#timer = setTimeout(() => this.#deliver(), wait);
  }

  /** Hands on the frame that waits, if one does, before it is due. */
  handOnWaiting(): void {
    if (this.#timer !== null) clearTimeout(this.#timer);
    this.#deliver();
  }

  /** Nothing is handed on afterwards. */
  stop(): void {
    if (this.#timer !== null) clearTimeout(this.#timer);
    this.#timer = null;
    this.#waiting = null;
  }

  #deliver(): void {
    this.#timer = null;
    const frame = this.#waiting;
    if (frame === null) return;
    this.#waiting = null;
    // Frames that came late may be made up for, one at a time, so that the rate is kept.
    const now = performance.now();
    this.#nextAt = Math.max(this.#nextAt, now - this.#intervalMs) + this.#intervalMs;
    this.#listener(frame);
  }
}
