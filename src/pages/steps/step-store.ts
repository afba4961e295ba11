import type { StartedStep } from "./started-step.ts";
import type { Step } from "./step.ts";

/** The last number that was given for each letter of elements' ids. */
export type ElementNumbers = Readonly<Record<string, number>>;

/** A step and where it stands among those of its session: from 0, without gaps. */
export interface PlacedStep {
  readonly position: number;
  readonly step: Step;
}

/** Where the steps of sessions are remembered. Every method has committed when its promise resolves. */
export interface StepStore {
  /**
   * Adds a step at the end, cut where it is too large. A session that has its fill keeps what it
   * has, and this one is not kept. Answers its position; null where it was not kept. New numbers of
   * elements are noted in either case; null where there are none. With `endsStarted` nothing is noted
   * as started any more.
   */
  append(
    sessionId: string,
    step: Step,
    numbers: ElementNumbers | null,
    endsStarted?: boolean,
  ): Promise<number | null>;
  /** Notes that a step of a session has started, in place of what was noted so before. */
  noteStarted(sessionId: string, step: StartedStep): Promise<void>;
  /** What is noted as started in the sessions of a node. */
  started(
    nodeId: string,
  ): Promise<readonly { readonly sessionId: string; readonly step: StartedStep }[]>;
  /** The numbers that were noted last; empty before any. */
  elementNumbers(sessionId: string): Promise<ElementNumbers>;
  /** How many steps there are. */
  count(sessionId: string): Promise<number>;
  /** All steps, in order. */
  list(sessionId: string): Promise<readonly Step[]>;
  /** The steps after a position (-1: from the first one), in order, at most so many. */
  after(sessionId: string, position: number, most: number): Promise<readonly PlacedStep[]>;
  /** The last steps of several sessions, in order, by session id; without those that have none. */
  latest(
    sessionIds: readonly string[],
    most: number,
  ): Promise<ReadonlyMap<string, readonly Step[]>>;
}
