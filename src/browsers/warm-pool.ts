import type { LocalBrowser } from "./local-browser.ts";

/** After a hand-over, how long nothing may happen before a browser is launched in its place, in ms. */
const quietMs = 500;
/** Under steady demand, how long launches may be put off at most, in ms. */
const longestQuietMs = 1500;
/** For how long a burst of demand is remembered, in ms. */
const memoryMs = 60_000;
/** Hand-overs within this time count as one burst, in ms. */
const burstMs = 1000;
/** How many times its configured size the pool may grow under demand. */
const growth = 3;
const checkEveryMs = 10_000;
const answerWithinMs = 2000;
/** After a failed launch off the fast path, how long until the next attempt, in ms. */
const retryMs = 2000;

export interface WarmPoolOptions {
  /** How many browsers are kept ready; 0 for none. */
  readonly size: number;
  readonly launch: () => Promise<LocalBrowser>;
  readonly onFailure: (what: string, error: unknown) => void;
}

interface Waiter {
  resolve(browser: LocalBrowser): void;
  reject(error: unknown): void;
}

/**
 * Browsers launched ahead, each for one session. It refills off the fast path: one launch at a time,
 * and only once a burst of hand-overs is over, so that running sessions keep their CPU. Who comes
 * when none is ready gets a launch of their own. After bursts it keeps more ready for a minute.
 */
export class WarmPool {
  readonly #options: WarmPoolOptions;
  readonly #ready: LocalBrowser[] = [];
  readonly #waiters: Waiter[] = [];
  readonly #launches = new Set<Promise<void>>();
  readonly #use = { hits: 0, misses: 0 };
  /** On the monotonic clock, in ms. */
  #handOvers: number[] = [];
  #refillTimer: NodeJS.Timeout | null = null;
  /** One for all launches that failed: many at once must not each go on trying. */
  #retryTimer: NodeJS.Timeout | null = null;
  /** When, on the same clock, the hand-overs that are going on began, without a pause of `quietMs` between them. */
  #burstBegan = Number.NEGATIVE_INFINITY;
  #checkTimer: NodeJS.Timeout | null = null;
  #stopped = false;

  constructor(options: WarmPoolOptions) {
    this.#options = options;
  }

  /** How many takers found a browser ready, and how many waited for a launch. */
  get use(): { readonly hits: number; readonly misses: number } {
    return this.#use;
  }

  get readyCount(): number {
    return this.#ready.length;
  }

  start(): void {
    this.#refillSoon();
    this.#checkTimer = setInterval(() => void this.#check(), checkEveryMs);
    this.#checkTimer.unref();
  }

  /** A browser that is ready, or the next one to be. Throws what the launch throws. */
  take(): Promise<LocalBrowser> {
    const browser = this.#shiftAlive();
    const now = performance.now();
    if (now - this.#lastHandOver() > quietMs) this.#burstBegan = now;
    this.#handOvers.push(now);
    this.#refillSoon();
    if (browser !== undefined) {
      this.#use.hits += 1;
      return Promise.resolve(browser);
    }
    this.#use.misses += 1;
    return new Promise((resolve, reject) => {
      this.#waiters.push({ resolve, reject });
      if (this.#launches.size < this.#waiters.length) this.#launch();
    });
  }

  /** Ends the browsers that wait and starts no more. */
  async stop(): Promise<void> {
    this.#stopped = true;
    if (this.#refillTimer !== null) clearTimeout(this.#refillTimer);
    if (this.#checkTimer !== null) clearInterval(this.#checkTimer);
    for (const browser of this.#ready.splice(0)) browser.release();
    await Promise.allSettled([...this.#launches]);
  }

  /** The next browser that has not just died. */
  #shiftAlive(): LocalBrowser | undefined {
    for (;;) {
      const browser = this.#ready.shift();
      if (browser === undefined || browser.connected) return browser;
      browser.release();
    }
  }

  /** The configured size, or the largest burst of the last minute where that was larger. */
  #wanted(): number {
    const { size } = this.#options;
    const now = performance.now();
    this.#handOvers = this.#handOvers.filter((at) => now - at < memoryMs);
    let burst = 0;
    let first = 0;
    for (const [last, at] of this.#handOvers.entries()) {
      while (at - (this.#handOvers[first] ?? at) > burstMs) first += 1;
      burst = Math.max(burst, last - first + 1);
    }
    return Math.min(Math.max(size, burst), size * growth);
  }

  #lastHandOver(): number {
    return this.#handOvers.at(-1) ?? Number.NEGATIVE_INFINITY;
  }

  /** Refills when the burst that is going on is over, or has gone on for long enough. */
  #refillSoon(): void {
    if (this.#stopped || this.#refillTimer !== null) return;
    const now = performance.now();
    const at = Math.min(this.#lastHandOver() + quietMs, this.#burstBegan + longestQuietMs);
    this.#refillTimer = setTimeout(
      () => {
        this.#refillTimer = null;
        const quiet = performance.now() - this.#lastHandOver() >= quietMs;
        if (!quiet && performance.now() < this.#burstBegan + longestQuietMs) this.#refillSoon();
        else if (this.#launches.size === 0) this.#refillOne();
      },
      Math.max(0, at - now),
    );
  }

  #refillOne(): void {
    if (this.#stopped || this.#ready.length + this.#launches.size >= this.#wanted()) return;
    this.#launch();
  }

  #launch(): void {
    const launch: Promise<void> = this.#options.launch().then(
      (browser) => {
        // First of all: who comes next must not count on a launch that is over.
        this.#launches.delete(launch);
        this.#arrived(browser);
      },
      (error: unknown) => {
        this.#launches.delete(launch);
        this.#failed(error);
      },
    );
    this.#launches.add(launch);
  }

  #arrived(browser: LocalBrowser): void {
    const waiter = this.#waiters.shift();
    if (waiter !== undefined) waiter.resolve(browser);
    else if (this.#stopped) browser.release();
    else {
      this.#ready.push(browser);
      void browser.lost.then(() => this.#discard(browser));
    }
    this.#refillSoon();
  }

  #failed(error: unknown): void {
    const waiter = this.#waiters.shift();
    if (waiter !== undefined) waiter.reject(error);
    else this.#options.onFailure("launch a browser ahead", error);
    if (this.#stopped || this.#retryTimer !== null) return;
    this.#retryTimer = setTimeout(() => {
      this.#retryTimer = null;
      this.#refillSoon();
    }, retryMs);
    this.#retryTimer.unref();
  }

  #discard(browser: LocalBrowser): void {
    const index = this.#ready.indexOf(browser);
    if (index === -1) return;
    this.#ready.splice(index, 1);
    browser.release();
    this.#refillSoon();
  }

  /** Drops browsers that hang, and those that a past burst left over. */
  async #check(): Promise<void> {
    for (const extra of this.#ready.slice(this.#wanted())) this.#discard(extra);
    // One in a round and only when it misses twice: on a busy machine all are slow together, and
    // launching them anew would make it worse.
    for (const browser of [...this.#ready]) {
      if (await browser.answers(answerWithinMs)) continue;
      if (await browser.answers(answerWithinMs)) continue;
      this.#discard(browser);
      break;
    }
    this.#refillSoon();
  }
}
