import { type Action, noEffects } from "../actions/action.ts";
import type { ElementSelectors } from "../elements.ts";
import { cutValue } from "./fitted-step.ts";
import { actionBeforeDone, actionStep, type Step } from "./step.ts";
import { withoutCredentials } from "./url-credentials.ts";

/** How much is told of each text and each list of what was asked. */
const toldSize = { characters: 300, items: 5 } as const;

/** What is asked of a session's pages. */
export type Asked =
  | {
      readonly kind: "action";
      readonly action: Action;
      /** Of its element, as an observation named it; null where none did. */
      readonly selectors: ElementSelectors | null;
    }
  | { readonly kind: Extract<Step, { readonly kind: "failure" }>["asked"] };

/** A step that is under way, as it may be told and kept: bounded, and without what may be secret. */
export interface StartedStep {
  /** Epoch ms. */
  readonly startedAt: number;
  /** Where the active tab was then. */
  readonly url: string;
  readonly asked: Asked;
}

/** Why a step did not succeed. */
export interface StepFailure {
  /** Epoch ms. */
  readonly endedAt: number;
  /** Without the credentials of URLs. */
  readonly message: string;
  /** It was broken off: nobody knows how far it came. */
  readonly isInterrupted: boolean;
}

export function startedStep(asked: Asked, url: string, startedAt: number): StartedStep {
  const told = {
    startedAt,
    url: withoutCredentials(url),
    asked: asked.kind === "action" ? { ...asked, action: actionBeforeDone(asked.action) } : asked,
  };
  return cutValue(told, toldSize) as StartedStep;
}

/** The step of one that was started and did not succeed. */
export function failedStep({ asked, url, startedAt }: StartedStep, failure: StepFailure): Step {
  const { endedAt, message, isInterrupted } = failure;
  const interrupted = isInterrupted ? { isInterrupted } : {};
  if (asked.kind !== "action") {
    return {
      kind: "failure",
      asked: asked.kind,
      startedAt,
      endedAt,
      url,
      message,
      ...interrupted,
    };
  }
  const { action, selectors } = asked;
  const step = actionStep(
    action,
    {
      startedAt,
      endedAt,
      success: false,
      message,
      failure: { kind: "failed", message },
      effects: noEffects,
      data: null,
      elementId: null,
      filled: [],
      way: null,
    },
    // Whether its element holds a secret was perhaps not found out any more.
    { url, selectors, isSecret: true },
  );
  return { ...step, ...interrupted };
}
