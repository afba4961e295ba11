import type { Locator } from "playwright-core";
import type { ActionWay, OnElement, WithText } from "./action.ts";
import type { ActionContext } from "./context.ts";
import { ActionFailed } from "./failure.ts";
import { fieldKind } from "./in-page-functions.ts";
import { ready } from "./pressing.ts";
import type { Found } from "./target.ts";

export type TextWay = Extract<ActionWay, { readonly kind: "text" }>;

/** How an element takes a text. */
type TextOptions = OnElement & Pick<WithText, "clearBeforeFill">;

/** Between keys, in ms: fast, but in an order that pages keep up with. */
const keyDelayMs = 5;
/** The longest text that is typed key by key. */
const longestTyped = 500;

/** What to do with controls that take no text. */
const otherActions: Readonly<Partial<Record<string, string>>> = {
  select: "is a choice: use select_dropdown_option with one of its options",
  option: "is an option of a choice: use select_dropdown_option",
  checkbox: "is to be checked, not filled: use check",
  radio: "is to be checked, not filled: use check",
  file: "takes a file: use upload_file",
  button: "is a button: use click",
  submit: "is a button: use click",
  reset: "is a button: use click",
  image: "is a button: use click",
};

/** The inputs that Chromium gives a control of its own, and how their values are written. */
const formats: Readonly<Partial<Record<string, string>>> = {
  date: "write a date as 2026-12-31",
  time: "write a time as 17:30",
  "datetime-local": "write date and time as 2026-12-31T17:30",
  month: "write a month as 2026-12",
  week: "write a week as 2026-W52",
  color: "write a colour as #1a2b3c",
  number: "write a number",
  range: "write a number within its limits",
};

/** Enters a text into any kind of field, with the events that typing would raise; answers how. Throws `ActionFailed`. */
export async function enterText(
  context: ActionContext,
  found: Found,
  options: TextOptions,
  value: string,
): Promise<TextWay> {
  const { locator, called } = found;
  const { timeoutMs } = options;
  const way: TextWay = {
    kind: "text",
    isTyped: false,
    isSecret: await holdsSecret(locator, timeoutMs),
  };
  const kind = await locator.evaluate(fieldKind as (element: unknown) => string, undefined, {
    timeout: timeoutMs,
  });
  const other = otherActions[kind];
  if (other !== undefined) throw new ActionFailed("wrong_kind", `${called} ${other}.`);
  if (kind === "other") {
    await typeText(context, found, options, value);
    return { ...way, isTyped: true };
  }
  if (options.clearBeforeFill || kind in formats) {
    try {
      await ready(context, found, options, (timeout) => locator.fill(value, { timeout }));
    } catch (error) {
      if (!(error instanceof ActionFailed) || error.kind !== "invalid_value") throw error;
      throw notInFormat(called, kind, value);
    }
    if (kind in formats && isEmptied(kind, value, await locator.inputValue())) {
      throw notInFormat(called, kind, value);
    }
    return way;
  }
  await ready(context, found, options, (timeout) => locator.click({ timeout, noWaitAfter: true }));
  await refuseReadOnly(found, timeoutMs);
  await context.page.page.keyboard.press("ControlOrMeta+End");
  await context.page.page.keyboard.insertText(value);
  return way;
}

/** Whether what is entered into a field is nobody's business but the page's. */
export async function holdsSecret(locator: Locator, timeoutMs: number): Promise<boolean> {
  return locator.evaluate(
    (field: { readonly type?: string; readonly autocomplete?: string }) =>
      field.type === "password" || /(?:current|new)-password|cc-csc/.test(field.autocomplete ?? ""),
    undefined,
    { timeout: timeoutMs },
  );
}

/** Controls with a format of their own go empty, or black, when they are given another. */
function isEmptied(kind: string, value: string, held: string): boolean {
  if (kind === "color") return held === "#000000" && !/^(?:#0+|black)$/i.test(value.trim());
  return held === "" && value !== "";
}

function notInFormat(called: string, kind: string, value: string): ActionFailed {
  return new ActionFailed(
    "invalid_value",
    `${called} is a field of type ${kind} and does not take "${value}": ${formats[kind] ?? "it has another format"}.`,
  );
}

/** Types a text key by key, for fields that take nothing else. Throws `ActionFailed`. */
export async function typeText(
  context: ActionContext,
  found: Found,
  options: TextOptions,
  value: string,
): Promise<void> {
  const { keyboard } = context.page.page;
  const { locator } = found;
  await ready(context, found, options, (timeout) => locator.click({ timeout, noWaitAfter: true }));
  await refuseReadOnly(found, options.timeoutMs);
  if (options.clearBeforeFill) {
    await keyboard.press("ControlOrMeta+A");
    await keyboard.press("Delete");
  }
  await keyboard.type(value.slice(0, longestTyped), { delay: keyDelayMs });
  if (value.length > longestTyped) await keyboard.insertText(value.slice(longestTyped));
}

/** A press does not fail on a field that shows its text but takes none. */
async function refuseReadOnly({ locator, called }: Found, timeoutMs: number): Promise<void> {
  const isReadOnly = await locator.evaluate(
    (element: { readonly readOnly?: boolean; getAttribute(name: string): string | null }) =>
      element.readOnly === true || element.getAttribute("aria-readonly") === "true",
    undefined,
    { timeout: timeoutMs },
  );
  if (isReadOnly) throw new ActionFailed("read_only", `${called} is read-only.`);
}
