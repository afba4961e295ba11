import type { Browser } from "../sessions/ports.ts";
import type { Principal, SessionService } from "../sessions/session-service.ts";
import type { Tracer } from "../sessions/tracer.ts";
import { DrivenSession } from "./driven-session.ts";
import type { PageDriver } from "./driver/page-driver.ts";
import { Perception } from "./observe/perception.ts";
import type { StepLog } from "./step-log.ts";
import type { StepStore } from "./steps/step-store.ts";

export interface DrivenSessionsOptions {
  readonly sessions: SessionService;
  readonly steps: Pick<StepStore, "elementNumbers">;
  readonly log: StepLog;
  readonly tracer: Tracer;
  /** Told of each tab that an operation addresses, by its id in CDP. */
  readonly onTabUsed: (sessionId: string, targetId: string) => void;
  /** Whether somebody controls the session's pages by hand now, and answers their dialogs. */
  readonly isControlled: (sessionId: string) => boolean;
}

/** The sessions whose pages this process operates: each runs one operation after the other. */
export class DrivenSessions {
  readonly #options: DrivenSessionsOptions;
  readonly #driven = new Map<string, Promise<DrivenSession>>();

  constructor(options: DrivenSessionsOptions) {
    this.#options = options;
  }

  /**
   * Runs an operation of this name in its turn, as an access to the session. Throws
   * `session_not_found`, `session_ended`, `browser_unavailable`, `too_many_operations`, `page_failed`
   * where it does not end, and what the operation throws.
   */
  operate<T>(
    name: string,
    principal: Principal,
    sessionId: string,
    signal: AbortSignal,
    operation: (session: DrivenSession, driver: PageDriver) => Promise<T>,
  ): Promise<T> {
    return this.#options.tracer.span(name, { "nightjar.session_id": sessionId }, () =>
      this.#inTurn(principal, sessionId, signal, operation),
    );
  }

  async #inTurn<T>(
    principal: Principal,
    sessionId: string,
    signal: AbortSignal,
    operation: (session: DrivenSession, driver: PageDriver) => Promise<T>,
  ): Promise<T> {
    const { sessions, log } = this.#options;
    const browser = await sessions.browserOf(sessionId, principal);
    let opening = this.#driven.get(sessionId);
    if (opening === undefined) {
      opening = this.#begin(sessionId, browser);
      this.#driven.set(sessionId, opening);
      opening.catch(() => this.#driven.delete(sessionId));
    }
    const driven = await opening;
    sessions.touch(sessionId);
    try {
      return await driven.run(signal, (driver) => operation(driven, driver));
    } catch (error) {
      await log.giveUp(sessionId, signal, error);
      throw error;
    } finally {
      sessions.touch(sessionId);
    }
  }

  async #begin(sessionId: string, browser: Browser): Promise<DrivenSession> {
    const { sessions, steps, onTabUsed, isControlled } = this.#options;
    const driven = new DrivenSession(
      browser,
      new Perception(await steps.elementNumbers(sessionId)),
      {
        onTabUsed: (targetId) => onTabUsed(sessionId, targetId),
        isForPerson: () => isControlled(sessionId),
      },
    );
    const cancel = sessions.onEnd(sessionId, (ended) => {
      this.#driven.delete(sessionId);
      driven.end(ended);
    });
    // It has ended meanwhile: this says how.
    if (cancel === null) await sessions.browserOf(sessionId, null);
    return driven;
  }
}
