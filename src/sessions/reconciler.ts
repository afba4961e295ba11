import type { Clock } from "./ports.ts";
import { Rounds } from "./rounds.ts";

/** What may be left over, whatever went wrong. */
export const leakKinds = [
  "row",
  "session",
  "browser",
  "process",
  "directory",
  "cgroup",
  "uid",
  "port",
  "recording",
  "firewall",
] as const;

export type LeakKind = (typeof leakKinds)[number];

/** Something that is there and belongs to nobody, or is missing though somebody needs it. */
export interface Leak {
  readonly kind: LeakKind;
  /** Tells it from others of its kind, e.g. the id of a browser. */
  readonly name: string;
  /** For how long it must have been there, in ms: what is being made or ended looks the same for a moment. */
  readonly patienceMs: number;
  /** Repairs it; may be called again when it is still there later. */
  repair(): void | Promise<void>;
}

/** Compares one part of what there is with what there should be. */
export interface LeakFinder {
  find(): Promise<readonly Leak[]>;
}

/** A look that begins later than this after its time, in ms, tells that the process stood still. */
const tooLateMs = 1000;

export interface ReconcilerOptions {
  readonly finders: readonly LeakFinder[];
  readonly clock: Clock;
  /** From the end of one look to the next, in ms. */
  readonly everyMs: number;
  readonly onRepaired: (leak: Leak) => void;
  readonly onFailure: (what: string, error: unknown) => void;
}

/**
 * Looks for what has leaked every few seconds, and repairs it. Nothing should ever be found: every
 * part ends what it began. Only what is found by two looks, and for as long as it may rightly take,
 * is a leak.
 */
export class Reconciler {
  readonly #options: ReconcilerOptions;
  readonly #rounds: Rounds;
  /** When each suspect was first seen, epoch ms. */
  #suspects: ReadonlyMap<string, number> = new Map();
  #stopped = false;
  #repaired = 0;

  constructor(options: ReconcilerOptions) {
    this.#options = options;
    this.#rounds = new Rounds(options.clock, async ({ lateMs }) => {
      // The machine slept, or the process was stopped: what was coming or going has had no time to.
      if (lateMs > tooLateMs) this.#suspects = new Map();
      await this.look();
      return options.everyMs;
    });
  }

  /** How many leaks were repaired so far. */
  get repairedCount(): number {
    return this.#repaired;
  }

  start(): void {
    this.#rounds.within(this.#options.everyMs);
  }

  /** Resolves when a look that is under way has ended. */
  stop(): Promise<void> {
    this.#stopped = true;
    return this.#rounds.stop();
  }

  /** Never rejects. */
  async look(): Promise<void> {
    const { finders, clock } = this.#options;
    const found = await Promise.all(finders.map((finder) => this.#ask(finder)));
    const now = clock.now();
    const suspects = new Map<string, number>();
    for (const leak of found.flat()) {
      if (this.#stopped) return;
      const key = `${leak.kind} ${leak.name}`;
      const since = this.#suspects.get(key);
      if (since === undefined || now - since < leak.patienceMs) suspects.set(key, since ?? now);
      else await this.#repair(leak);
    }
    this.#suspects = suspects;
  }

  async #ask(finder: LeakFinder): Promise<readonly Leak[]> {
    try {
      return await finder.find();
    } catch (error) {
      // What is being stopped may be closed already.
      if (!this.#stopped) this.#options.onFailure("look for leaks", error);
      return [];
    }
  }

  async #repair(leak: Leak): Promise<void> {
    this.#repaired += 1;
    this.#options.onRepaired(leak);
    try {
      await leak.repair();
    } catch (error) {
      this.#options.onFailure(`repair a leak (${leak.kind} ${leak.name})`, error);
    }
  }
}
