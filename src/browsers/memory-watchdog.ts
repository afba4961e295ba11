import { readFileSync } from "node:fs";
import {
  exceededMessage,
  hostOutOfMemoryMessage,
  type MemoryCap,
  type MemoryCaps,
} from "./memory-cap.ts";
import {
  findTrees,
  type ProcessTree,
  proportionalBytesOf,
  touchedMemory,
  unreclaimableBytes,
} from "./process-memory.ts";

/** How often all browsers are looked at, in ms. */
const lookEveryMs = 1000;
/** Those that may soon be over their limit are looked at so many times in that time. */
const looksBetween = 4;
/** In how many of these looks the processes of browsers are looked for anew. */
const findEvery = 2;
/** From which part of its limit on a browser is looked at more often. */
const closeToLimit = 0.5;
/** From which part of its limit on, by a number that is a little high, the true one is measured. */
const worthMeasuring = 0.9;
/** How much longer a browser is left alone than the last measurement of its true share took. */
const restFactor = 200;
const longestRestMs = 5000;
/** For how long a kill by the kernel may explain the end of a browser, in ms. */
const killExplainsMs = 3000;

/**
 * Looks at what the processes of every browser have in memory, where the server may make no cgroups.
 * Cheap numbers, which count shared memory many times, acquit nearly all; only of a browser whose
 * cheap numbers come near its limit is the true share (PSS) measured. A page that allocates as fast
 * as it can gets about a quarter of a second beyond the limit, and one in a process that is younger
 * than two seconds as long.
 */
export class MemoryWatchdog implements MemoryCaps {
  readonly kind = "watchdog";
  readonly #limitBytes: number;
  readonly #watched = new Set<WatchedBrowser>();
  readonly #timer: NodeJS.Timeout;
  readonly #hostKills = new HostKills();
  #processes: ReadonlyMap<number, WatchedBrowser> = new Map();
  #turn = 0;

  constructor(limitBytes: number) {
    this.#limitBytes = limitBytes;
    this.#timer = setInterval(() => this.#look(), lookEveryMs / looksBetween);
    this.#timer.unref();
  }

  create(_browserId: string, uid: number | null): MemoryCap {
    const watched = new WatchedBrowser(uid, this.#limitBytes, this.#hostKills, {
      held: () => this.#watched.add(watched),
      released: () => this.#watched.delete(watched),
    });
    return watched;
  }

  adopt(browserId: string, uid: number | null, pid: number): MemoryCap {
    const cap = this.create(browserId, uid);
    cap.hold(pid);
    return cap;
  }

  held(): readonly string[] {
    return [];
  }

  remove(): boolean {
    return true;
  }

  stop(): void {
    clearInterval(this.#timer);
  }

  #look(): void {
    this.#turn = (this.#turn + 1) % (looksBetween * findEvery);
    const all = this.#turn % looksBetween === 0;
    if (all) this.#hostKills.look();
    if (this.#watched.size === 0) return;
    if (this.#turn === 0) this.#find();
    for (const browser of [...this.#watched]) if (all || browser.close) browser.look();
  }

  #find(): void {
    this.#processes = findTrees(this.#watched, this.#processes);
    const pids = new Map<WatchedBrowser, number[]>();
    for (const [pid, browser] of this.#processes) {
      const found = pids.get(browser);
      if (found === undefined) pids.set(browser, [pid]);
      else found.push(pid);
    }
    for (const browser of this.#watched) browser.pids = pids.get(browser) ?? [];
  }
}

class WatchedBrowser implements MemoryCap, ProcessTree {
  readonly holdsFirst = false;
  readonly exceeded: Promise<string>;
  readonly uid: number | null;
  processGroup = 0;
  readonly #limitBytes: number;
  readonly #hostKills: HostKills;
  readonly #on: { readonly held: () => void; readonly released: () => void };
  readonly #exceed = Promise.withResolvers<string>();
  pids: readonly number[] = [];
  /** Whether it may soon be over its limit. */
  close = false;
  #measuring = false;
  /** On the monotonic clock, in ms. */
  #restUntil = 0;

  constructor(
    uid: number | null,
    limitBytes: number,
    hostKills: HostKills,
    on: { readonly held: () => void; readonly released: () => void },
  ) {
    this.uid = uid;
    this.#limitBytes = limitBytes;
    this.#hostKills = hostKills;
    this.#on = on;
    this.exceeded = this.#exceed.promise;
  }

  hold(pid: number): void {
    // Every browser leads a group of its own.
    this.processGroup = pid;
    this.#on.held();
  }

  look(): void {
    let residentBytes = 0;
    let privateBytes = 0;
    for (const pid of this.pids) {
      const memory = touchedMemory(pid);
      residentBytes += memory.residentBytes;
      privateBytes += memory.privateBytes;
    }
    this.close = privateBytes >= this.#limitBytes * closeToLimit;
    if (residentBytes < this.#limitBytes || this.#measuring || performance.now() < this.#restUntil)
      return;
    const unreclaimable = this.pids.reduce((sum, pid) => sum + unreclaimableBytes(pid), 0);
    if (unreclaimable >= this.#limitBytes * worthMeasuring) void this.#measure();
  }

  async #measure(): Promise<void> {
    this.#measuring = true;
    const begun = performance.now();
    const bytes = await proportionalBytesOf(this.pids);
    this.#measuring = false;
    const restMs = Math.min((performance.now() - begun) * restFactor, longestRestMs);
    // Far from the limit there is time; near it none.
    this.#restUntil = performance.now() + restMs * Math.max(0, 1 - bytes / this.#limitBytes);
    if (bytes < this.#limitBytes) return;
    this.release();
    this.#exceed.resolve(exceededMessage(this.#limitBytes));
  }

  killedFor(): string | null {
    return this.#hostKills.recent() ? hostOutOfMemoryMessage : null;
  }

  release(): void {
    this.#on.released();
  }

  remove(): boolean {
    return true;
  }
}

/** The kernel's count of processes that it killed because the machine had no memory left. */
class HostKills {
  #count = readHostKills();
  #lastRise = Number.NEGATIVE_INFINITY;

  look(): void {
    const count = readHostKills();
    if (count > this.#count) this.#lastRise = performance.now();
    this.#count = count;
  }

  recent(): boolean {
    this.look();
    return performance.now() - this.#lastRise < killExplainsMs;
  }
}

function readHostKills(): number {
  try {
    return Number(/^oom_kill (\d+)$/m.exec(readFileSync("/proc/vmstat", "utf8"))?.[1] ?? 0);
  } catch {
    return 0;
  }
}
