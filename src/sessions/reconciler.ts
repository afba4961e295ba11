import type { Clock } from "./ports.ts";

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
const lateMs = 1000;

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
  /** When each suspect was first seen, epoch ms. */
  #suspects: ReadonlyMap<string, number> = new Map();
  #cancel: (() => void) | null = null;
  #stopped = false;
  #repaired = 0;

  constructor(options: ReconcilerOptions) {
    this.#options = options;
  }

  /** How many leaks were repaired so far. */
  get repairedCount(): number {
    return this.#repaired;
  }

  start(): void {
    const { clock, everyMs } = this.#options;
    const due = clock.now() + everyMs;
    this.#cancel = clock.callAt(due, () => {
      // The machine slept, or the process was stopped: what was coming or going has had no time to.
      if (clock.now() - due > lateMs) this.#suspects = new Map();
      void this.look().finally(() => {
        if (!this.#stopped) this.start();
      });
    });
  }

  stop(): void {
    this.#stopped = true;
    this.#cancel?.();
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
