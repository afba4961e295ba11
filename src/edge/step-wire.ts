import type { ActionTarget, ScrapeRequest } from "../pages/actions/action.ts";
import type { ElementSelectors } from "../pages/elements.ts";
import type { StartedStep } from "../pages/steps/started-step.ts";
import type { ActionStep, Step } from "../pages/steps/step.ts";
import { categoryOf } from "./action-wire.ts";
import { toNodeSelectors } from "./observation-wire.ts";
import { wireTime } from "./wire-time.ts";

type CookiesStep = Extract<Step, { readonly kind: "cookies_read" | "cookies_set" }>;

/** How many steps a session's answer carries: the last ones. */
export const stepsInAnswers = 500;

/** Answers are asked for again and again: of long texts they carry so many characters. */
const longestInAnswers = 1000;

/** A step as the contract has it: `{type, value}`. */
export function toWireStep(step: Step): Record<string, unknown> {
  const times = { started_at: wireTime(step.startedAt), ended_at: wireTime(step.endedAt) };
  switch (step.kind) {
    case "action":
      return {
        type: "execution_result",
        value: {
          ...times,
          url: shortened(step.url),
          action: shortTexts(toWireAction(step)),
          success: step.success,
          message: shortened(step.message),
          exception: step.failure === null ? null : shortened(step.failure),
          data:
            step.data === null
              ? null
              : { markdown: shortened(step.data.markdown), images: null, structured: null },
          ...interruption(step),
        },
      };
    case "observation":
      return {
        type: "observation",
        value: {
          ...times,
          metadata: { title: shortened(step.title), url: shortened(step.url) },
          nb_actions: step.elementCount,
        },
      };
    case "screenshot":
      return {
        type: "screenshot",
        value: { ...times, url: shortened(step.url), size: step.sizeBytes },
      };
    case "pdf":
      return otherStep(step, { type: "pdf", size: step.sizeBytes }, "Made a PDF of the page.");
    case "cookies_read":
    case "cookies_set":
      return otherStep(
        step,
        { type: step.kind, count: step.count, cookies: step.cookies },
        cookiesInWords(step),
      );
    case "failure":
      return failureOf(step);
  }
}

/** What is under way, as the step will be: what is asked and where, nothing of what comes of it. */
export function toWireStartedStep({ startedAt, url, asked }: StartedStep): Record<string, unknown> {
  const at = { started_at: wireTime(startedAt), url: shortened(url) };
  switch (asked.kind) {
    case "action": {
      const action = shortTexts(toWireAction({ ...asked, way: null }));
      return { type: "execution_result", value: { ...at, action } };
    }
    case "observation":
    case "screenshot":
      return { type: asked.kind, value: at };
    default:
      return { type: "execution_result", value: { ...at, action: otherAction(asked.kind) } };
  }
}

/** What is no action of the contract, in the words of one. */
function otherStep(
  step: Step,
  action: Readonly<Record<string, unknown>> & { readonly type: string },
  message: string,
): Record<string, unknown> {
  return {
    type: "execution_result",
    value: {
      started_at: wireTime(step.startedAt),
      ended_at: wireTime(step.endedAt),
      url: shortened(step.url),
      action: { ...otherAction(action.type), ...action },
      success: true,
      message,
      exception: null,
      data: null,
    },
  };
}

function otherAction(type: string): Record<string, unknown> {
  return { type, category: "Special Browser Actions", description: "" };
}

function cookiesInWords({ kind, count, cookies }: CookiesStep): string {
  const sites = new Set(cookies.map(({ domain }) => domain));
  const of = sites.size === 1 ? ` of ${[...sites][0]}` : "";
  return `${kind === "cookies_set" ? "Set" : "Read"} ${count} ${count === 1 ? "cookie" : "cookies"}${of}.`;
}

function failureOf(step: Extract<Step, { readonly kind: "failure" }>): Record<string, unknown> {
  const { asked } = step;
  if (asked === "observation" || asked === "screenshot") {
    const times = { started_at: wireTime(step.startedAt), ended_at: wireTime(step.endedAt) };
    return { type: asked, value: { ...times, ...failureFields(step), ...interruption(step) } };
  }
  const message = shortened(step.message);
  const { type, value } = otherStep(step, { type: asked }, message) as {
    readonly type: string;
    readonly value: object;
  };
  return { type, value: { ...value, success: false, exception: message, ...interruption(step) } };
}

/** An addition to the contract, where there is something to tell. */
function interruption({ isInterrupted }: Step): Record<string, unknown> {
  return isInterrupted === true ? { interrupted: true } : {};
}

/** The fields of what succeeds, with nothing in them, and those of an action that failed. */
function failureFields(step: Extract<Step, { readonly kind: "failure" }>): Record<string, unknown> {
  const url = shortened(step.url);
  const message = shortened(step.message);
  const none =
    step.asked === "observation"
      ? { metadata: { title: "", url }, nb_actions: 0 }
      : { url, size: 0 };
  return { ...none, success: false, message, exception: message };
}

/** The action of a step in the contract's words, its element by id and selectors. */
function toWireAction(
  step: Pick<ActionStep, "action" | "selectors" | "way">,
): Record<string, unknown> {
  const { action } = step;
  const head = { type: action.type, category: categoryOf(action.type), description: "" };
  const dialog = action.dialog === null ? {} : { dialog: { ...action.dialog } };
  if (!("target" in action)) return { ...head, ...fieldsOf(step), ...dialog };
  return {
    ...head,
    id: action.target.id ?? "",
    selector: selectorOf(action.target, step.selectors),
    ...(action.pressEnter && { press_enter: true }),
    timeout: action.timeoutMs,
    ...fieldsOf(step),
    ...dialog,
  };
}

/**
 * The action of a step as it can be sent again, to whatever session: ids name other elements there.
 * Null for one that failed, or that cannot be done again.
 */
export function toReplayableAction(step: ActionStep): Record<string, unknown> | null {
  if (!step.success || step.isCut) return null;
  const action = toWireAction(step);
  if (!("target" in step.action)) return action;
  if (action["selector"] === null) return null;
  if (step.action.type !== "drag") return { ...action, id: "" };
  return action["target_selector"] === null ? null : { ...action, id: "", target_id: "" };
}

/** The selectors of an element, by the observation that named it or else as the client gave them. */
function selectorOf(target: ActionTarget, known: ElementSelectors | null) {
  if (known !== null) return toNodeSelectors(known);
  const { selectors, frames } = target;
  const [first, ...others] = selectors;
  if (first === undefined) return null;
  if (others.length === 0 && frames.length === 0) return first;
  return toNodeSelectors({
    playwright: first,
    css: others.find((selector) => !selector.startsWith("xpath=")) ?? null,
    xpath: others.find((selector) => selector.startsWith("xpath=")) ?? null,
    frames,
    inShadowRoot: false,
  });
}

function fieldsOf({ action, way }: Pick<ActionStep, "action" | "way">): Record<string, unknown> {
  switch (action.type) {
    case "goto":
    case "goto_new_tab":
      return { url: action.url };
    case "switch_tab":
      return { tab_index: action.tabIndex };
    case "wait":
      return { time_ms: action.timeMs };
    case "press_key":
      return { key: action.key };
    case "scroll_up":
    case "scroll_down":
      return { amount: action.amount };
    case "help":
      return { reason: action.reason };
    case "completion":
      return { success: action.success, answer: action.answer };
    case "form_fill":
      return { value: action.values };
    case "evaluate_js":
      return { code: action.code };
    case "scrape":
      return scrapeFieldsOf(action.request);
    case "fill":
    case "multi_factor_fill":
    case "fallback_fill":
      return { value: action.value, clear_before_fill: action.clearBeforeFill };
    case "check":
    case "select_dropdown_option":
      return { value: action.value };
    case "upload_file":
      return { file_path: action.fileName };
    case "drag":
      return {
        target_id: action.onto.id ?? "",
        target_selector: selectorOf(action.onto, way?.kind === "drag" ? way.onto : null),
      };
    default:
      return {};
  }
}

function scrapeFieldsOf(request: ScrapeRequest): Record<string, unknown> {
  return {
    selector: request.selector,
    only_main_content: request.onlyMainContent,
    only_images: request.onlyImages,
    scrape_links: request.includeLinks,
    scrape_images: request.includeImages,
    ignored_tags: request.ignoredTags,
    response_format: request.responseFormat,
    instructions: request.instructions,
    ...(request.useLinkPlaceholders && { use_link_placeholders: true }),
  };
}

/** The texts of an action, each shortened; what is nested deeper is small. */
function shortTexts(action: Record<string, unknown>): Record<string, unknown> {
  return Object.fromEntries(
    Object.entries(action).map(([key, value]) => [
      key,
      typeof value === "string" ? shortened(value) : value,
    ]),
  );
}

function shortened(text: string): string {
  return text.length <= longestInAnswers
    ? text
    : `${text.slice(0, longestInAnswers).toWellFormed()}…`;
}
