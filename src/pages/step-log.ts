import { asKnownError, NightjarError } from "../sessions/errors.ts";
import type { DrivenSession } from "./driven-session.ts";
import type { PageDriver } from "./driver/page-driver.ts";
import { RunningStep } from "./running-step.ts";
import { type Asked, failedStep, type StartedStep, startedStep } from "./steps/started-step.ts";
import type { Step } from "./steps/step.ts";
import type { ElementNumbers, StepStore } from "./steps/step-store.ts";
import { withoutCredentials } from "./steps/url-credentials.ts";

export interface StepLogOptions {
  readonly steps: Pick<StepStore, "append" | "noteStarted" | "started">;
  /** Told of each step as it starts. */
  readonly onStarted: (sessionId: string, step: StartedStep) => void;
  /** Told of what could not be written down. */
  readonly onFailure: (what: string, sessionId: string, error: unknown) => void;
}

/** What an operation's steps are written down with. */
export interface LoggedOperation {
  readonly sessionId: string;
  readonly session: Pick<DrivenSession, "perception" | "notedNumbers" | "isOver">;
  readonly driver: Pick<PageDriver, "activeUrl" | "connected">;
  readonly signal: AbortSignal;
}

/** What came of an operation, and the step of that. */
export interface Finished<T> {
  readonly value: T;
  readonly step: Step;
}

interface Attempt {
  readonly running: RunningStep;
  readonly operation: LoggedOperation;
  /** What was asked, all of it. */
  readonly asked: Asked;
  readonly url: string;
}

/**
 * Writes down what is done to the pages of sessions, and knows what is under way: one step at most in
 * each session. Whatever starts ends with a step, done, failed or interrupted.
 */
export class StepLog {
  readonly #options: StepLogOptions;
  readonly #attempts = new Map<string, Attempt>();
  readonly #writing = new Map<string, Promise<void>>();
  /** Sessions that have their fill of steps. */
  readonly #full = new Set<string>();
  /** Those of operations that nobody waits for any more. */
  readonly #givenUp = new WeakSet<AbortSignal>();

  constructor(options: StepLogOptions) {
    this.#options = options;
  }

  /** The step of a session that is under way; null where none is. */
  runningIn(sessionId: string): StartedStep | null {
    return this.#attempts.get(sessionId)?.running.started ?? null;
  }

  /** Does what makes a step, and writes that down: of what throws, why. Throws what the work throws. */
  async attempt<T>(
    operation: LoggedOperation,
    asked: Asked,
    work: (startedAt: number) => Promise<Finished<T>>,
  ): Promise<T> {
    const attempt = this.#begin(operation, asked);
    try {
      const { value, step } = await work(attempt.running.started.startedAt);
      await this.#end(attempt, () => step);
      return value;
    } catch (error) {
      await this.#fail(attempt, error);
      throw error;
    }
  }

  /** An operation was given up, with its step still under way: nobody waits for it any more. */
  async giveUp(sessionId: string, signal: AbortSignal, error: unknown): Promise<void> {
    this.#givenUp.add(signal);
    const attempt = this.#attempts.get(sessionId);
    if (attempt?.operation.signal === signal) await this.#fail(attempt, error);
  }

  /** The session ended. Resolves when the step that was under way is written down; null where none was. */
  breakOff(sessionId: string, reason: string): Promise<void> | null {
    this.#full.delete(sessionId);
    const attempt = this.#attempts.get(sessionId);
    if (attempt !== undefined) void this.#interrupt(attempt, `the session ended: ${reason}`);
    return this.#writing.get(sessionId) ?? null;
  }

  /** Resolves when all that has ended is written down. */
  async settled(): Promise<void> {
    await Promise.all(this.#writing.values());
  }

  /** Writes down what was under way in the sessions of a node when its process ended. */
  async interruptLeft(nodeId: string): Promise<void> {
    const { steps, onFailure } = this.#options;
    for (const { sessionId, step } of await steps.started(nodeId)) {
      const interrupted = failedStep(step, {
        endedAt: Date.now(),
        message: "Interrupted: the server went down.",
        isInterrupted: true,
      });
      await steps
        .append(sessionId, interrupted, null, true)
        .catch((error: unknown) => onFailure("record a step", sessionId, error));
    }
  }

  #begin(operation: LoggedOperation, asked: Asked): Attempt {
    const { steps, onStarted, onFailure } = this.#options;
    const { sessionId, session, driver, signal } = operation;
    // It may go on by itself, but the session's turn is another's now, or over.
    if (session.isOver || this.#givenUp.has(signal)) {
      throw new NightjarError("page_failed", "The operation was given up.");
    }
    const url = driver.activeUrl;
    const started = startedStep(asked, url, Date.now());
    const running = new RunningStep({
      sessionId,
      started,
      steps,
      onFailure: (error) => onFailure("note that a step started", sessionId, error),
    });
    const attempt = { running, operation, asked, url };
    this.#attempts.set(sessionId, attempt);
    // Of a session that has its fill of steps, no end would be told.
    if (!this.#full.has(sessionId)) onStarted(sessionId, started);
    return attempt;
  }

  #fail(attempt: Attempt, error: unknown): Promise<void> {
    const { session, driver, signal } = attempt.operation;
    if (session.isOver || !driver.connected) {
      return this.#interrupt(attempt, asKnownError(error).message);
    }
    if (signal.aborted) return this.#interrupt(attempt, "the client hung up");
    return this.#endInVain(attempt, asKnownError(error).message, false);
  }

  #interrupt(attempt: Attempt, why: string): Promise<void> {
    return this.#endInVain(attempt, `Interrupted: ${why.replace(/\.?$/, ".")}`, true);
  }

  #endInVain(attempt: Attempt, told: string, isInterrupted: boolean): Promise<void> {
    const { asked, url, running } = attempt;
    const { startedAt } = running.started;
    const message = withoutCredentials(told);
    return this.#end(attempt, () =>
      failedStep({ asked, url, startedAt }, { endedAt: Date.now(), message, isInterrupted }),
    );
  }

  async #end(attempt: Attempt, step: () => Step): Promise<void> {
    const { running, operation } = attempt;
    if (!running.end()) return;
    const { sessionId } = operation;
    if (this.#attempts.get(sessionId) === attempt) this.#attempts.delete(sessionId);
    const writing = this.#remember(attempt, step()).finally(() => {
      if (this.#writing.get(sessionId) === writing) this.#writing.delete(sessionId);
    });
    this.#writing.set(sessionId, writing);
    await writing;
  }

  /** What was done was done, also when it cannot be written down: this never throws. */
  async #remember({ running, operation }: Attempt, step: Step): Promise<void> {
    const { sessionId, session } = operation;
    const { lastNumbers } = session.perception;
    const numbers = isSame(lastNumbers, session.notedNumbers) ? null : lastNumbers;
    try {
      // A page's own URL can hold the credentials that it was opened with.
      const told = { ...step, url: withoutCredentials(step.url) };
      const { steps } = this.#options;
      const position = await steps.append(sessionId, told, numbers, await running.noted);
      if (position === null && !session.isOver) this.#full.add(sessionId);
      session.notedNumbers = lastNumbers;
    } catch (error) {
      this.#options.onFailure("record a step", sessionId, error);
    }
  }
}

function isSame(numbers: ElementNumbers, others: ElementNumbers): boolean {
  // Letters come in the order in which they were first given.
  return JSON.stringify(numbers) === JSON.stringify(others);
}
