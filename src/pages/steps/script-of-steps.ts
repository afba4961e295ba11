import { Script as NodeScript } from "node:vm";
import type { Action } from "../actions/action.ts";
import { checkedUrl } from "../actions/navigation-actions.ts";
import type { Script, ScriptTarget, ScriptValue, Statement } from "./script.ts";
import { targetBy, targetBySelector, targetOf } from "./script-target.ts";
import { secretMask } from "./secret-mask.ts";
import { SecretNames, secretCalled } from "./secret-names.ts";
import { type ActionStep, isSecretField, type Step } from "./step.ts";

/** Opens pages as far as the actions do. */
const opened: ScriptValue = { option: "waitUntil", is: "domcontentloaded" };

/** Actions that go somewhere by themselves. */
const navigations: ReadonlySet<Action["type"]> = new Set([
  "goto",
  "goto_new_tab",
  "switch_tab",
  "close_tab",
  "go_back",
  "go_forward",
  "reload",
]);

/** A script that does again what succeeded, and says what it leaves out. */
export function scriptOfSteps(steps: readonly Step[]): Script {
  const actions = steps.filter((step) => step.kind === "action");
  const done = actions.filter(({ success }) => success);
  const secrets = new SecretNames();
  let before: ActionStep | undefined;
  const statements = steps.flatMap((step) => {
    if (step.kind === "cookies_set") {
      return [comment("set cookies: left out, the values of cookies are not remembered.")];
    }
    if (step.kind !== "action" || !step.success) return [];
    const goesOn = goesOnTyping(step, before);
    before = step;
    return goesOn ? [] : statementsOf(step, secrets);
  });
  // What was broken off told nothing; what became of it is not known.
  const failed = actions.filter(
    ({ success, isInterrupted }) => !success && isInterrupted !== true,
  ).length;
  return {
    statements,
    secrets: secrets.all,
    answersDialogs: done.some(
      ({ action, effects }) => action.dialog !== null || effects.dialogs.length > 0,
    ),
    scrolls: statements.some((statement) => statement.do === "scroll"),
    uploads: done.some(({ action }) => action.type === "upload_file"),
    notes:
      failed === 0 ? [] : [`Left out: ${failed} ${failed === 1 ? "step" : "steps"} that failed.`],
  };
}

/** Keys that were pressed one after the other into a secret field are one secret. */
function goesOnTyping(step: ActionStep, before: ActionStep | undefined): boolean {
  return (
    isSecretKey(step) &&
    before !== undefined &&
    isSecretKey(before) &&
    before.effects.navigatedTo === null
  );
}

function isSecretKey({ action, hidesValue }: ActionStep): boolean {
  return action.type === "press_key" && hidesValue;
}

function statementsOf(step: ActionStep, secrets: SecretNames): readonly Statement[] {
  const { action, effects, isCut } = step;
  if (isCut) return [comment(`${action.type}: left out, it was too large to be remembered whole.`)];
  const body = bodyOf(step, secrets);
  if (body.every((statement) => statement.do === "comment")) return body;
  const waiting = navigations.has(action.type) ? body : withWaits(body, effects);
  if (action.dialog === null) return waiting;
  return [
    { do: "answer_dialogs", answer: action.dialog },
    ...waiting,
    { do: "answer_dialogs", answer: null },
  ];
}

/** What follows must not begin before what the action brought about is there. */
function withWaits(
  body: readonly Statement[],
  { openedTabs, closedTabs, navigatedTo }: ActionStep["effects"],
): readonly Statement[] {
  const loaded = call("page", "waitForLoadState", "domcontentloaded");
  if (closedTabs > 0) return [{ do: "expect", event: "close", body }];
  if (openedTabs.length > 0) return [{ do: "expect", event: "tab", body }, loaded];
  if (navigatedTo !== null) return [{ do: "expect", event: "navigation", body }, loaded];
  return body;
}

function bodyOf(step: ActionStep, secrets: SecretNames): readonly Statement[] {
  const { action } = step;
  if (isOnElement(action)) {
    const target = targetOf(step);
    if (target === null) return [comment(`${action.type}: its element is not known any more.`)];
    const enter = action.pressEnter ? [call(target, "press", "Enter")] : [];
    return [...onElement(step, action, target, secrets), ...enter];
  }
  switch (action.type) {
    case "goto":
      if (step.effects.downloads.length > 0) {
        return [comment(`goto: left out, ${action.url} is a download.`)];
      }
      return [...loginNote(step), call("page", "goto", urlOf(step, action.url, secrets), opened)];
    case "goto_new_tab":
      return [...loginNote(step), { do: "open_tab", url: urlOf(step, action.url, secrets) }];
    case "close_tab":
      return [{ do: "close_tab" }];
    case "switch_tab":
      return [{ do: "switch_tab", index: action.tabIndex }];
    case "go_back":
      return [call("page", "goBack", opened)];
    case "go_forward":
      return [call("page", "goForward", opened)];
    case "reload":
      return [call("page", "reload", opened)];
    case "wait":
      return [call("page", "waitForTimeout", action.timeMs)];
    case "press_key":
      return step.hidesValue
        ? [call("keyboard", "type", { secret: secrets.take(secretCalled(step)) })]
        : [call("keyboard", "press", action.key)];
    case "scroll_up":
      return [{ do: "scroll", direction: -1, amount: action.amount }];
    case "scroll_down":
      return [{ do: "scroll", direction: 1, amount: action.amount }];
    case "evaluate_js":
      return [{ do: "evaluate", code: asExpression(action.code) }];
    case "scrape": {
      const target = targetBySelector(action.request.selector ?? "body", []);
      return target === null ? [] : [{ do: "print_text", target: { ...target, pick: "first" } }];
    }
    case "form_fill":
      return fieldStatements(step, secrets);
    case "help":
      return [comment(`Asked for help: ${action.reason}`)];
    case "completion":
      return [comment(`${action.success ? "Done" : "Given up"}: ${action.answer}`)];
  }
}

/** What the script opens; credentials that were left out of the URL come from the environment. */
function urlOf({ hidesValue }: ActionStep, kept: string, secrets: SecretNames): ScriptValue {
  const url = checkedUrl(kept);
  const [before, after] = url.split(secretMask, 2);
  if (!hidesValue || before === undefined || after === undefined) return url;
  return { before, secret: secrets.take(`login ${new URL(url).hostname}`), after };
}

function loginNote({ hidesValue }: ActionStep): readonly Statement[] {
  return hidesValue ? [comment("The login is written as in a URL: user:password")] : [];
}

type ElementAction = Extract<Action, { readonly target: unknown }>;

function isOnElement(action: Action): action is ElementAction {
  return "target" in action;
}

function onElement(
  step: ActionStep,
  action: ElementAction,
  target: ScriptTarget,
  secrets: SecretNames,
): readonly Statement[] {
  const { way, effects } = step;
  switch (action.type) {
    case "click":
    case "download_file":
      if (way?.kind === "download" && way.isShown) {
        return [comment("The browser shows this file."), call(target, "click")];
      }
      return action.type === "download_file" || effects.downloads.length > 0
        ? [{ do: "download", target }]
        : [call(target, "click")];
    case "fill":
    case "multi_factor_fill":
    case "fallback_fill": {
      const value = step.hidesValue ? { secret: secrets.take(secretCalled(step)) } : action.value;
      const isTyped = way?.kind === "text" ? way.isTyped : action.type === "fallback_fill";
      if (isTyped) {
        const clear = [
          call("keyboard", "press", "ControlOrMeta+A"),
          call("keyboard", "press", "Delete"),
        ];
        return [
          call(target, "click"),
          ...(action.clearBeforeFill ? clear : []),
          call("keyboard", "type", value),
        ];
      }
      return action.clearBeforeFill
        ? [call(target, "fill", value)]
        : [call(target, "press", "End"), call("keyboard", "insertText", value)];
    }
    case "check":
      return [call(target, "setChecked", action.value)];
    case "select_dropdown_option":
      return choiceStatements(step, target, action.value);
    case "upload_file":
      return uploadStatements(step, target, action.fileName);
    case "drag": {
      const known = way?.kind === "drag" ? way.onto : null;
      const { selectors, frames } = action.onto;
      const onto = known === null ? targetBySelector(selectors[0], frames) : targetBy(known);
      return onto === null
        ? [comment("drag: where to is not known any more.")]
        : [call(target, "dragTo", { element: onto })];
    }
  }
}

function choiceStatements(
  { way }: ActionStep,
  target: ScriptTarget,
  wanted: string,
): readonly Statement[] {
  if (way?.kind !== "choice") return [call(target, "selectOption", wanted)];
  switch (way.from) {
    case "select":
      return [call(target, "selectOption", { option: "label", is: way.option })];
    case "option":
      return [call(target, "click")];
    case "list": {
      const option: ScriptTarget = {
        frames: target.frames,
        locator: { by: "role", role: "option", name: way.option },
        // A `<select>` has options by that name, too, but none that is shown.
        pick: "first_visible",
      };
      return [...(way.isOpened ? [call(target, "click")] : []), call(option, "click")];
    }
  }
}

function uploadStatements(
  { way }: ActionStep,
  target: ScriptTarget,
  file: string,
): readonly Statement[] {
  const through = way?.kind === "files" ? way.through : "input";
  // File inputs are often hidden behind something that looks better.
  const hidden: ScriptTarget = { ...target, pick: target.pick === null ? null : "first" };
  switch (through) {
    case "input":
      return [call(hidden, "setInputFiles", file)];
    case "inner_input":
      return [call(within(hidden, "input[type=file]"), "setInputFiles", file)];
    case "chooser":
      return [{ do: "choose_file", target, file }];
  }
}

/** The first match of a CSS selector inside an element. */
function within({ frames, locator }: ScriptTarget, css: string): ScriptTarget {
  const outer =
    locator.by === "selector"
      ? locator.selector
      : `internal:role=${locator.role}[name=${JSON.stringify(locator.name)}s]`;
  return { frames, locator: { by: "selector", selector: `${outer} >> ${css}` }, pick: "first" };
}

function fieldStatements({ filled }: ActionStep, secrets: SecretNames): readonly Statement[] {
  const names = new Map<string, string>();
  const secretOf = (meaning: string): ScriptValue => {
    // A new password is typed twice.
    const name = names.get(meaning) ?? secrets.take(meaning);
    names.set(meaning, name);
    return { secret: name };
  };
  return filled.flatMap(({ selectors, meaning, value, isChoice }) => {
    const field = targetBy(selectors);
    if (field === null)
      return [comment(`form_fill: the field for ${meaning} is not known any more.`)];
    if (isChoice) return [call(field, "selectOption", { option: "label", is: value })];
    return [call(field, "fill", isSecretField(meaning) ? secretOf(meaning) : value)];
  });
}

/** A script as the one expression that Playwright takes: the action takes statements, too. */
function asExpression(code: string): string {
  const forms = [code, `(async () => (${code}\n))()`, `(async () => { ${code}\n})()`];
  return forms.find(isScript) ?? code;
}

function isScript(code: string): boolean {
  try {
    // Only parsed, never run.
    return new NodeScript(code) instanceof NodeScript;
  } catch {
    return false;
  }
}

function call(
  on: "page" | "keyboard" | ScriptTarget,
  method: string,
  ...values: readonly ScriptValue[]
): Statement {
  return { do: "call", on, method, values };
}

function comment(text: string): Statement {
  return { do: "comment", text };
}
