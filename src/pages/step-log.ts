import { asKnownError } from "../sessions/errors.ts";
import type { DrivenSession } from "./driven-session.ts";
import type { PageDriver } from "./driver/page-driver.ts";
import type { FailedOperation, Step } from "./steps/step.ts";
import type { ElementNumbers, StepStore } from "./steps/step-store.ts";
import { withoutCredentials } from "./steps/url-credentials.ts";

export interface StepLogOptions {
  readonly steps: Pick<StepStore, "append">;
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

/** Writes down what was done to the pages of sessions. */
export class StepLog {
  readonly #options: StepLogOptions;

  constructor(options: StepLogOptions) {
    this.#options = options;
  }

  /** What was done was done, also when it cannot be written down: this never throws. */
  async remember(
    { sessionId, session }: Pick<LoggedOperation, "sessionId" | "session">,
    step: Step,
  ): Promise<void> {
    const { lastNumbers } = session.perception;
    const numbers = isSame(lastNumbers, session.notedNumbers) ? null : lastNumbers;
    try {
      // A page's own URL can hold the credentials that it was opened with.
      const told = { ...step, url: withoutCredentials(step.url) };
      await this.#options.steps.append(sessionId, told, numbers);
      session.notedNumbers = lastNumbers;
    } catch (error) {
      this.#options.onFailure("record a step", sessionId, error);
    }
  }

  /**
   * Does what makes a step of its own when it succeeds; where it throws, writes down the step of that.
   * None is of what was only broken off: its client hung up, or the session or this process ends.
   */
  async attempt<T>(
    operation: LoggedOperation,
    failedStep: (failed: FailedOperation) => Step,
    work: () => Promise<T>,
  ): Promise<T> {
    const { session, driver, signal } = operation;
    const [startedAt, url] = [Date.now(), driver.activeUrl];
    try {
      return await work();
    } catch (error) {
      if (!signal.aborted && !session.isOver && driver.connected) {
        const message = withoutCredentials(asKnownError(error).message);
        const failed = { startedAt, endedAt: Date.now(), url, message };
        await this.remember(operation, failedStep(failed));
      }
      throw error;
    }
  }
}

function isSame(numbers: ElementNumbers, others: ElementNumbers): boolean {
  // Letters come in the order in which they were first given.
  return JSON.stringify(numbers) === JSON.stringify(others);
}
