import type { Clock } from "./ports.ts";
import { type ActiveSession, type Deadline, deadlineOf } from "./session.ts";

/**
 * One timer for the deadlines of all sessions. A touch only ever moves a deadline later, so it costs
 * nothing here: when the timer fires early for a touched session, it looks again and re-arms.
 */
export class Deadlines {
  readonly #clock: Clock;
  readonly #sessions: () => Iterable<ActiveSession>;
  readonly #onDue: (session: ActiveSession, deadline: Deadline) => void;
  #armedFor = Number.POSITIVE_INFINITY;
  #cancel: (() => void) | null = null;

  constructor(options: {
    readonly clock: Clock;
    readonly sessions: () => Iterable<ActiveSession>;
    readonly onDue: (session: ActiveSession, deadline: Deadline) => void;
  }) {
    this.#clock = options.clock;
    this.#sessions = options.sessions;
    this.#onDue = options.onDue;
  }

  /** Tells of a session that is new or whose limits changed. */
  consider(session: ActiveSession): void {
    const { at } = deadlineOf(session);
    if (at < this.#armedFor) this.#arm(at);
  }

  stop(): void {
    this.#cancel?.();
    this.#cancel = null;
    this.#armedFor = Number.POSITIVE_INFINITY;
  }

  #arm(at: number): void {
    this.#cancel?.();
    this.#armedFor = at;
    this.#cancel = this.#clock.callAt(at, () => this.#fire());
  }

  #fire(): void {
    this.stop();
    const now = this.#clock.now();
    let next = Number.POSITIVE_INFINITY;
    for (const session of [...this.#sessions()]) {
      const deadline = deadlineOf(session);
      if (deadline.at <= now) this.#onDue(session, deadline);
      else next = Math.min(next, deadline.at);
    }
    if (next < this.#armedFor) this.#arm(next);
  }
}
