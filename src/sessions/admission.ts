import { type Allowance, NightjarError } from "./errors.ts";
import { FairQueue } from "./fair-queue.ts";
import { type HostRoom, roomOf } from "./host-room.ts";
import type { Clock, HostGauge, HostReading, SessionStore } from "./ports.ts";
import {
  ActiveCounts,
  type Entry,
  hostIsFull,
  OwnLimits,
  type Refusal,
  refusalError,
  type StartLimits,
  shuttingDown,
} from "./start-limits.ts";
import type { Tracer } from "./tracer.ts";

export interface AdmissionLimits extends StartLimits {
  /** Starts that may wait for room. */
  readonly queueLength: number;
  /** How long each may wait, in ms; 0 refuses at once. */
  readonly queueTimeoutMs: number;
}

/** How a wait for room ended: let in, refused, or left because the client went away. */
export type WaitOutcome = "admitted" | "refused" | "abandoned";

export interface AdmissionOptions {
  readonly store: SessionStore;
  readonly gauge: HostGauge;
  readonly clock: Clock;
  readonly nodeId: string;
  readonly tracer: Tracer;
  readonly limits: AdmissionLimits;
  readonly onWaited: (entry: Entry, waitedMs: number, outcome: WaitOutcome) => void;
}

/** While someone waits, how often it is looked for room, in ms: memory comes back unannounced. */
const lookEveryMs = 500;

interface Waiter {
  readonly entry: Entry;
  /** Epoch ms. */
  readonly since: number;
  /** Epoch ms. */
  readonly deadline: number;
  /** Why it was not let in when it was last looked at; null before. */
  refusal: Refusal | null;
  /** Lets it in, or refuses it with an error. */
  readonly settle: (error: unknown, outcome: WaitOutcome) => void;
}

/**
 * Decides whether one more session may start, and lets those wait for whom there is no room yet.
 * What runs is read from the store's rows, and what is just starting from the starts that are really
 * under way: sets of ids, so nothing is counted twice and no counter can drift.
 */
export class Admission {
  readonly #options: AdmissionOptions;
  readonly #own: OwnLimits;
  readonly #entering = new Set<Entry>();
  /** Those who came since the last look; they have not been found to have to wait yet. */
  readonly #arrived = new Set<Waiter>();
  readonly #queue = new FairQueue<Waiter>();
  #looking = false;
  #lookAgain = false;
  #cancelLook: (() => void) | null = null;
  #closed = false;

  constructor(options: AdmissionOptions) {
    this.#options = options;
    this.#own = new OwnLimits(options.limits);
  }

  /** How many starts wait for room. */
  get waitingCount(): number {
    return this.#queue.size;
  }

  /**
   * Runs `start` as soon as there is room for this session, and holds the room while it runs.
   * Throws `at_capacity`, `tenant_limit`, `too_many_starts`, `shutting_down`, or
   * `client_gone` when the signal is aborted while it waits.
   */
  async admit<T>(entry: Entry, start: () => Promise<T>, signal?: AbortSignal): Promise<T> {
    await this.#options.tracer.span("session.wait", {}, () => this.#enter(entry, signal));
    try {
      return await start();
    } finally {
      this.#entering.delete(entry);
      this.look();
    }
  }

  /** Looks whether there is room for those who wait; to be called when a session has ended. */
  look(): void {
    this.#lookAgain = true;
    if (!this.#looking) void this.#lookUntilDone();
  }

  /** Refuses those who wait, and those who come from now on, with `shutting_down`. */
  close(): void {
    this.#closed = true;
    this.#cancelLook?.();
    for (const waiter of [...this.#arrived, ...this.#queue.inTurn()]) {
      waiter.settle(shuttingDown(), "refused");
    }
  }

  /** What is left of the caller's limit on starts a minute; null where there is none. */
  allowance(caller: Pick<Entry, "tenantId" | "apiKeyId">): Allowance | null {
    return this.#own.allowance(caller, this.#options.clock.now());
  }

  /** How much room there is now beside sessions that run since then, without a look into the store. */
  async room(
    since: ReadonlyMap<string, number>,
  ): Promise<HostRoom & { readonly reading: HostReading }> {
    const reading = await this.#options.gauge.read();
    return { ...this.#roomBeside(since, [...this.#entering], reading), reading };
  }

  async #enter(entry: Entry, signal: AbortSignal | undefined): Promise<void> {
    const { clock, limits } = this.#options;
    const since = clock.now();
    if (this.#closed) throw shuttingDown();
    if (signal?.aborted === true) throw abandoned();
    // It is known when there will be room, so nobody needs to hold a place until then.
    const tooMany = this.#own.tooManyStarts(entry, since);
    if (tooMany !== null) throw refusalError(tooMany, 0, since);

    const { promise, resolve, reject } = Promise.withResolvers<void>();
    let outcome: WaitOutcome = "refused";
    const leave = (): void => waiter.settle(abandoned(), "abandoned");
    const waiter: Waiter = {
      entry,
      since,
      deadline: since + limits.queueTimeoutMs,
      refusal: null,
      settle: (error, how) => {
        const queued = this.#queue.remove(entry.tenantId, waiter);
        if (!queued && !this.#arrived.delete(waiter)) return;
        cancelTimeout();
        signal?.removeEventListener("abort", leave);
        outcome = how;
        if (how === "admitted") resolve();
        else reject(error);
      },
    };
    const cancelTimeout =
      limits.queueTimeoutMs === 0
        ? () => {}
        : clock.callAt(waiter.deadline, () => this.#refuse(waiter));
    signal?.addEventListener("abort", leave, { once: true });
    this.#arrived.add(waiter);
    this.look();
    try {
      await promise;
    } finally {
      // Here and not where it was settled, which is done on behalf of whoever looked for room.
      this.#options.onWaited(entry, clock.now() - since, outcome);
    }
  }

  async #lookUntilDone(): Promise<void> {
    this.#looking = true;
    try {
      while (this.#lookAgain) {
        this.#lookAgain = false;
        if (this.#arrived.size + this.#queue.size > 0) await this.#lookOnce();
      }
    } finally {
      // In the same turn in which nobody asked for another look, or who asks next would wait in vain.
      this.#looking = false;
    }
    this.#cancelLook?.();
    if (this.#queue.size === 0 || this.#closed) return;
    const { clock } = this.#options;
    this.#cancelLook = clock.callAt(clock.now() + lookEveryMs, () => this.look());
  }

  /** Lets in, in turn, as many as there is room for; then refuses those who may not wait longer. */
  async #lookOnce(): Promise<void> {
    const { clock, store, limits } = this.#options;
    const arrived = [...this.#arrived];
    try {
      const room = await this.#hostRoom();
      for (const waiter of arrived) {
        // It may have left meanwhile.
        if (this.#arrived.delete(waiter)) this.#queue.add(waiter.entry.tenantId, waiter);
      }
      await this.#letInAsMany(room, new ActiveCounts(store, this.#entering));
    } catch (error) {
      // The store cannot be read. Who has waited goes on waiting; who came just now is told at once.
      for (const waiter of arrived) waiter.settle(error, "refused");
      return;
    }
    const now = clock.now();
    for (const waiter of this.#queue.inTurn()) if (waiter.deadline <= now) this.#refuse(waiter);
    while (this.#queue.size > limits.queueLength) {
      const last = this.#queue.lastOfLongest();
      if (last !== undefined) this.#refuse(last);
    }
  }

  async #letInAsMany(room: HostRoom, counts: ActiveCounts): Promise<void> {
    const { clock, limits } = this.#options;
    let { free } = room;
    for (const waiter of this.#queue.inTurn()) {
      const { entry } = waiter;
      const now = clock.now();
      waiter.refusal =
        free <= 0
          ? hostIsFull(limits, room.bound, now)
          : await this.#own.refusal(entry, counts, now);
      // It may have left while its limits were read.
      if (waiter.refusal !== null || !this.#queue.has(entry.tenantId, waiter)) continue;
      this.#entering.add(entry);
      this.#own.count(entry, now);
      counts.add(entry);
      free -= 1;
      this.#queue.endTurn(entry.tenantId);
      waiter.settle(null, "admitted");
    }
  }

  #refuse(waiter: Waiter): void {
    const { clock, limits } = this.#options;
    const now = clock.now();
    const refusal = waiter.refusal ?? hostIsFull(limits, "sessions", now);
    waiter.settle(refusalError(refusal, now - waiter.since, now), "refused");
  }

  async #hostRoom(): Promise<HostRoom> {
    const { store, nodeId, gauge } = this.#options;
    // Before the rows are read: what is starting then is in one of the two, or in both.
    const starting = [...this.#entering];
    const [since, reading] = await Promise.all([store.activeSince({ nodeId }), gauge.read()]);
    return this.#roomBeside(since, starting, reading);
  }

  /** `since`: the sessions that have a row, among them some of those that are `starting`. */
  #roomBeside(
    since: ReadonlyMap<string, number>,
    starting: readonly Entry[],
    reading: HostReading,
  ): HostRoom {
    const { clock, limits } = this.#options;
    const now = clock.now();
    const running = new Map(since);
    for (const { sessionId } of starting) running.delete(sessionId);
    const agesMs = [...running.values()].map((at) => now - at);
    const sessions = { agesMs, starting: starting.length, max: limits.maxSessions };
    return roomOf(reading, limits.reserve, sessions);
  }
}

function abandoned(): NightjarError {
  return new NightjarError("client_gone", "The client went away before there was room.");
}
