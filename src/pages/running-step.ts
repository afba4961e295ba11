import type { StartedStep } from "./steps/started-step.ts";
import type { StepStore } from "./steps/step-store.ts";

/**
 * From when on a step under way is noted in the store, in ms: the end of a process leaves no more than
 * that untold, and what is done sooner costs no commit.
 */
const notedAfterMs = 200;

export interface RunningStepOptions {
  readonly sessionId: string;
  readonly started: StartedStep;
  readonly steps: Pick<StepStore, "noteStarted">;
  /** Told where it could not be noted. */
  readonly onFailure: (error: unknown) => void;
}

/** A step that is under way in this process. */
export class RunningStep {
  readonly started: StartedStep;
  readonly #timer: NodeJS.Timeout;
  #noted: Promise<boolean> = Promise.resolve(false);
  #ended = false;

  constructor({ sessionId, started, steps, onFailure }: RunningStepOptions) {
    this.started = started;
    this.#timer = setTimeout(() => {
      this.#noted = steps.noteStarted(sessionId, started).then(
        () => true,
        (error: unknown) => {
          onFailure(error);
          // It may have been noted all the same.
          return true;
        },
      );
    }, notedAfterMs);
    this.#timer.unref();
  }

  /** Whether it may have been noted, once that is settled. */
  get noted(): Promise<boolean> {
    return this.#noted;
  }

  /** It is over. False where it was already: then somebody else tells what came of it. */
  end(): boolean {
    if (this.#ended) return false;
    this.#ended = true;
    clearTimeout(this.#timer);
    return true;
  }
}
