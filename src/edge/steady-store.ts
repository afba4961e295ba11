import type fastifyRateLimit from "@fastify/rate-limit";

/** Names that are counted; the one that was not counted for longest begins anew first. */
const mostNames = 10_000;

type Answer = (error: Error | null, result: { current: number; ttl: number }) => void;

/**
 * Where `@fastify/rate-limit` counts: on the monotonic clock. Its own store reads the time of day, so
 * whoever had used up a minute when the clock was set back would wait for hours.
 */
export class SteadyStore implements fastifyRateLimit.FastifyRateLimitStore {
  readonly #now: () => number;
  readonly #windows = new Map<string, { count: number; readonly endsAt: number }>();

  /** The plugin makes one with its options, of which none matters here. `now`: ms that never go back. */
  constructor(_options: object, now: () => number = () => performance.now()) {
    this.#now = now;
  }

  /** Counts one; answers the count, and how long (ms) it is kept. */
  incr(name: string, answer: Answer, windowMs: number): void {
    const now = this.#now();
    const window = this.#current(name, now) ?? { count: 0, endsAt: now + windowMs };
    window.count += 1;
    this.#windows.delete(name);
    this.#windows.set(name, window);
    const [oldest] = this.#windows.keys();
    if (this.#windows.size > mostNames && oldest !== undefined) this.#windows.delete(oldest);
    answer(null, { current: window.count, ttl: Math.ceil(window.endsAt - now) });
  }

  /** As `incr`, and counts nothing. */
  read(name: string, answer: Answer): void {
    const now = this.#now();
    const window = this.#current(name, now);
    if (window === null) answer(null, { current: 0, ttl: 0 });
    else answer(null, { current: window.count, ttl: Math.ceil(window.endsAt - now) });
  }

  /** A store for something else that is limited. */
  child(): SteadyStore {
    return new SteadyStore({}, this.#now);
  }

  #current(name: string, now: number) {
    const window = this.#windows.get(name);
    return window === undefined || window.endsAt <= now ? null : window;
  }
}
