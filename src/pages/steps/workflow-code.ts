import { toJavaScript } from "./javascript-script.ts";
import { toPython } from "./python-script.ts";
import { scriptOfSteps } from "./script-of-steps.ts";
import type { Step } from "./step.ts";

/** A session's steps as Playwright scripts in each language. */
export interface WorkflowCode {
  readonly javascript: string;
  readonly python: string;
}

/**
 * Scripts that do again what succeeded: whole programs, or with `isWhole` false their statements
 * alone, for a `page` and its `context`. What was secret comes from environment variables.
 */
export function workflowCode(steps: readonly Step[], isWhole: boolean): WorkflowCode {
  const script = scriptOfSteps(steps);
  return { javascript: toJavaScript(script, isWhole), python: toPython(script, isWhole) };
}
