import type { Step } from "./step.ts";

/** Where the steps of sessions are remembered. Every method has committed when its promise resolves. */
export interface StepStore {
  /**
   * Adds a step at the end, cut where it is too large. A session that has its fill keeps what it
   * has, and this one is not kept.
   */
  append(sessionId: string, step: Step): Promise<void>;
  /** How many steps there are. */
  count(sessionId: string): Promise<number>;
  /** All steps, in order. */
  list(sessionId: string): Promise<readonly Step[]>;
  /** The last steps of several sessions, in order, by session id; without those that have none. */
  latest(
    sessionIds: readonly string[],
    most: number,
  ): Promise<ReadonlyMap<string, readonly Step[]>>;
}
