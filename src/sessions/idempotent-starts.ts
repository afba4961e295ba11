import { NightjarError } from "./errors.ts";
import type { IdempotencyClaim, SessionStore } from "./ports.ts";
import type { Session } from "./session.ts";

interface StartInFlight {
  readonly fingerprint: string;
  readonly result: Promise<Session>;
  readonly interest: SharedInterest;
}

/** Starts a session. It may give up while it waits when the signal is aborted; null: its claim was taken. */
export type Start = (signal: AbortSignal | undefined) => Promise<Session | null>;

/**
 * Makes a start with an idempotency key happen once: a repeat waits for the first one or answers its
 * session. The claim's row, committed together with the session's, decides between nodes.
 */
export class IdempotentStarts {
  readonly #store: SessionStore;
  readonly #inFlight = new Map<string, StartInFlight>();
  readonly #all = new Set<Promise<unknown>>();

  constructor(store: SessionStore) {
    this.#store = store;
  }

  /**
   * The signal tells that the caller wants no session any more; a start that others repeated goes on
   * for them. Throws `idempotency_conflict` when the key was used for another request.
   */
  async run(
    tenantId: string,
    claim: IdempotencyClaim | null,
    start: Start,
    signal?: AbortSignal,
  ): Promise<Session> {
    if (claim === null) return this.#track(this.#required(() => start(signal)));
    const slot = JSON.stringify([tenantId, claim.key]);
    for (;;) {
      const first = this.#inFlight.get(slot);
      if (first === undefined) return this.#runFirst(slot, tenantId, claim, start, signal);
      checkFingerprint(claim, first.fingerprint);
      first.interest.join(signal);
      try {
        return await first.result;
      } catch (error) {
        // All who wanted it had left when this repeat came: it is a first one now.
        if (!isAbandoned(error) || signal?.aborted === true) throw error;
      }
    }
  }

  /** Resolves when every start that is under way has ended, well or badly. */
  async settled(): Promise<void> {
    await Promise.allSettled([...this.#all]);
  }

  async #runFirst(
    slot: string,
    tenantId: string,
    claim: IdempotencyClaim,
    start: Start,
    signal: AbortSignal | undefined,
  ): Promise<Session> {
    const interest = new SharedInterest();
    interest.join(signal);
    const result = this.#track(this.#once(tenantId, claim, () => start(interest.signal)));
    this.#inFlight.set(slot, { fingerprint: claim.fingerprint, result, interest });
    try {
      return await result;
    } finally {
      this.#inFlight.delete(slot);
    }
  }

  async #once(
    tenantId: string,
    claim: IdempotencyClaim,
    start: () => Promise<Session | null>,
  ): Promise<Session> {
    return (
      (await this.#claimed(tenantId, claim)) ??
      (await start()) ??
      (await this.#required(() => this.#claimed(tenantId, claim)))
    );
  }

  async #claimed(tenantId: string, claim: IdempotencyClaim): Promise<Session | null> {
    const earlier = await this.#store.findClaim(tenantId, claim.key);
    if (earlier === null) return null;
    checkFingerprint(claim, earlier.fingerprint);
    return this.#store.find(earlier.sessionId);
  }

  async #required(answer: () => Promise<Session | null>): Promise<Session> {
    const session = await answer();
    if (session === null) throw new Error("a start answered no session");
    return session;
  }

  #track<T>(work: Promise<T>): Promise<T> {
    this.#all.add(work);
    const done = (): boolean => this.#all.delete(work);
    work.then(done, done);
    return work;
  }
}

/** Aborted when the last of those who wanted something has left. */
class SharedInterest {
  readonly #controller = new AbortController();
  #interested = 0;

  get signal(): AbortSignal {
    return this.#controller.signal;
  }

  /** One more wants it; without a signal, for good. */
  join(signal: AbortSignal | undefined): void {
    this.#interested += 1;
    if (signal?.aborted === true) this.#leave();
    else signal?.addEventListener("abort", () => this.#leave(), { once: true });
  }

  #leave(): void {
    this.#interested -= 1;
    if (this.#interested === 0) this.#controller.abort();
  }
}

function isAbandoned(error: unknown): boolean {
  return error instanceof NightjarError && error.code === "start_abandoned";
}

function checkFingerprint(claim: IdempotencyClaim, fingerprint: string): void {
  if (claim.fingerprint === fingerprint) return;
  throw new NightjarError(
    "idempotency_conflict",
    "This Idempotency-Key was used before with a different request; use a new key.",
  );
}
