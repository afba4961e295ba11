import { NightjarError } from "./errors.ts";
import type { IdempotencyClaim, SessionStore } from "./ports.ts";
import type { Session } from "./session.ts";

interface StartInFlight {
  readonly fingerprint: string;
  readonly result: Promise<Session>;
}

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
   * `start` answers null when its claim turned out to be taken. Throws `idempotency_conflict` when
   * the key was used for another request.
   */
  async run(
    tenantId: string,
    claim: IdempotencyClaim | null,
    start: () => Promise<Session | null>,
  ): Promise<Session> {
    if (claim === null) return this.#track(this.#required(start));
    const slot = JSON.stringify([tenantId, claim.key]);
    const first = this.#inFlight.get(slot);
    if (first !== undefined) {
      checkFingerprint(claim, first.fingerprint);
      return first.result;
    }
    const result = this.#track(this.#once(tenantId, claim, start));
    this.#inFlight.set(slot, { fingerprint: claim.fingerprint, result });
    try {
      return await result;
    } finally {
      this.#inFlight.delete(slot);
    }
  }

  /** Resolves when every start that is under way has ended, well or badly. */
  async settled(): Promise<void> {
    await Promise.allSettled([...this.#all]);
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

function checkFingerprint(claim: IdempotencyClaim, fingerprint: string): void {
  if (claim.fingerprint === fingerprint) return;
  throw new NightjarError(
    "idempotency_conflict",
    "This Idempotency-Key was used before with a different request; use a new key.",
  );
}
