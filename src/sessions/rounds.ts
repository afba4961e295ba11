import type { Clock } from "./ports.ts";

/** What a round is told. */
export interface Round {
  /** Aborted when no more rounds are wanted: this one should end soon. */
  readonly stop: AbortSignal;
  /** How long after its time it began, in ms: much, where the machine slept or the process stood still. */
  readonly lateMs: number;
}

/** Work that is done again and again, never twice at a time. */
export class Rounds {
  readonly #clock: Clock;
  readonly #work: (round: Round) => Promise<number>;
  readonly #stopping = new AbortController();
  #running: Promise<void> | null = null;
  /** When the next one begins, epoch ms. */
  #dueAt = Number.POSITIVE_INFINITY;
  #cancel = (): void => {};

  /** `work`: one round; answers how long after its end the next one begins, in ms. Never rejects. */
  constructor(clock: Clock, work: (round: Round) => Promise<number>) {
    this.#clock = clock;
    this.#work = work;
  }

  /** Sees to it that a round begins within so many ms, or at once after one that is running then. */
  within(ms: number): void {
    const at = this.#clock.now() + ms;
    if (this.#stopping.signal.aborted || at >= this.#dueAt) return;
    this.#dueAt = at;
    this.#cancel();
    if (this.#running !== null) return;
    if (ms === 0) this.#begin();
    else this.#cancel = this.#clock.callAt(at, () => this.#begin());
  }

  /** Begins no more; resolves when the one that is running has ended. */
  async stop(): Promise<void> {
    this.#stopping.abort();
    this.#cancel();
    await this.#running;
  }

  #begin(): void {
    const round = { stop: this.#stopping.signal, lateMs: this.#clock.now() - this.#dueAt };
    this.#dueAt = Number.POSITIVE_INFINITY;
    this.#running = this.#work(round).then((pauseMs) => {
      this.#running = null;
      const waitMs = Math.max(0, Math.min(pauseMs, this.#dueAt - this.#clock.now()));
      this.#dueAt = Number.POSITIVE_INFINITY;
      this.within(waitMs);
    });
  }
}
