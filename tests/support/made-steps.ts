import { type Action, type ActionResult, noEffects } from "../../src/pages/actions/action.ts";
import { type ActionStep, actionStep } from "../../src/pages/steps/step.ts";

/** What comes of an action that succeeds and brings about nothing, with whatever a test changes. */
export function makeResult(changes: Partial<ActionResult> = {}): ActionResult {
  return {
    startedAt: 1_764_000_000_000,
    endedAt: 1_764_000_000_050,
    success: true,
    message: "Done.",
    failure: null,
    effects: noEffects,
    data: null,
    elementId: null,
    filled: [],
    way: null,
    ...changes,
  };
}

/** The step of an action, as it is recorded when nothing is known of its element. */
export function makeStep(action: Action, changes: Partial<ActionResult> = {}): ActionStep {
  const context = { url: "http://site.test/", selectors: null, isSecret: false };
  return actionStep(action, makeResult(changes), context);
}
