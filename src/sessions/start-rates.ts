import type { Allowance } from "./errors.ts";

/** The span that starts are counted over, in ms. */
const spanMs = 60_000;

/** How many names whose starts are all past are forgotten at a time. */
const sweptAtOnce = 8;

/**
 * Counts starts by a name (a tenant, a key) so that no minute, wherever it begins, has more of them
 * than the limit. It remembers at most `limit` times a name, and none longer than a minute.
 */
export class StartRates {
  readonly #limit: number;
  readonly #starts = new Map<string, number[]>();

  constructor(limit: number) {
    this.#limit = limit;
  }

  /** What is left for this name now (epoch ms); `resetAt` is when the next start is allowed at the latest. */
  allowance(name: string, now: number): Allowance {
    const starts = this.#recent(name, now);
    const remaining = Math.max(0, this.#limit - starts.length);
    return { limit: this.#limit, remaining, resetAt: (starts[0] ?? now - spanMs) + spanMs };
  }

  /** Counts a start. */
  count(name: string, now: number): void {
    const starts = this.#recent(name, now);
    starts.push(now);
    this.#starts.delete(name);
    this.#starts.set(name, starts);
    this.#sweep(now);
  }

  /** The oldest first. */
  #recent(name: string, now: number): number[] {
    return (this.#starts.get(name) ?? []).filter((at) => at > now - spanMs);
  }

  /** Those that were not counted for longest stand first. */
  #sweep(now: number): void {
    let looked = 0;
    for (const [name, starts] of this.#starts) {
      if ((starts.at(-1) ?? 0) > now - spanMs || looked === sweptAtOnce) return;
      this.#starts.delete(name);
      looked += 1;
    }
  }
}
