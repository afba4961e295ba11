import type { StartedStep } from "../pages/steps/started-step.ts";
import type { Step } from "../pages/steps/step.ts";
import type { ElementNumbers, PlacedStep, StepStore } from "../pages/steps/step-store.ts";

/** A store of steps that tells of each one that it has kept. */
export class ToldSteps implements StepStore {
  readonly #store: StepStore;
  readonly #onKept: (sessionId: string, position: number) => void;

  constructor(store: StepStore, onKept: (sessionId: string, position: number) => void) {
    this.#store = store;
    this.#onKept = onKept;
  }

  async append(
    sessionId: string,
    step: Step,
    numbers: ElementNumbers | null,
    endsStarted?: boolean,
  ): Promise<number | null> {
    const position = await this.#store.append(sessionId, step, numbers, endsStarted);
    if (position !== null) this.#onKept(sessionId, position);
    return position;
  }

  noteStarted(sessionId: string, step: StartedStep): Promise<void> {
    return this.#store.noteStarted(sessionId, step);
  }

  started(nodeId: string) {
    return this.#store.started(nodeId);
  }

  elementNumbers(sessionId: string): Promise<ElementNumbers> {
    return this.#store.elementNumbers(sessionId);
  }

  count(sessionId: string): Promise<number> {
    return this.#store.count(sessionId);
  }

  list(sessionId: string): Promise<readonly Step[]> {
    return this.#store.list(sessionId);
  }

  after(sessionId: string, position: number, most: number): Promise<readonly PlacedStep[]> {
    return this.#store.after(sessionId, position, most);
  }

  latest(sessionIds: readonly string[], most: number) {
    return this.#store.latest(sessionIds, most);
  }
}
