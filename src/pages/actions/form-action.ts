import { locatorOf } from "../elements.ts";
import type { PageElement } from "../observe/observation.ts";
import {
  type ActionOf,
  type FilledField,
  type FormField,
  formFields,
  type OnElement,
} from "./action.ts";
import { selectInto } from "./choice-actions.ts";
import type { ActionContext, Done } from "./context.ts";
import { ActionFailed, asActionFailure } from "./failure.ts";
import { meaningOf } from "./field-meaning.ts";
import { fitValues, otherWays } from "./form-values.ts";
import { codeOf, enterCode } from "./one-time-code.ts";
import { callOf, type Found } from "./target.ts";
import { enterText } from "./text-entry.ts";

/** How long each field may take to be ready, in ms. */
const fieldTimeoutMs = 5000;

/** Other fields that a value goes into where the page has none of its own kind. */
const standIns: Readonly<Partial<Record<FormField, readonly FormField[]>>> = {
  username: ["email"],
  email: ["username"],
  full_name: ["cc_name"],
  current_password: ["new_password"],
};

/** Fills the fields of the page's forms by what they are for, in all frames. */
export async function formFill(
  context: ActionContext,
  action: ActionOf<"form_fill">,
): Promise<Done> {
  const fields = (await context.look(context.signal))
    .filter(({ isEditable, role }) => isEditable || role === "combobox")
    .map((element) => ({ element, meaning: meaningOf(element) }))
    // What lies behind an open dialog is not what the values are for.
    .sort((a, b) => Number(a.element.coveredBy !== null) - Number(b.element.coveredBy !== null));
  const asked = new Set(fields.flatMap(({ meaning }) => (meaning === null ? [] : [meaning])));
  const values = fitValues(action.values, asked);
  const used = new Set<PageElement>();
  const filled: FilledField[] = [];
  const told: string[] = [];
  const missing: string[] = [];
  const failed: string[] = [];
  for (const meaning of formFields) {
    const value = values[meaning];
    if (value === undefined) continue;
    const places = [meaning, ...(standIns[meaning] ?? [])]
      .map((one) => fields.filter((field) => field.meaning === one && !used.has(field.element)))
      .find((candidates) => candidates.length > 0);
    if (places === undefined) {
      missing.push(meaning);
      continue;
    }
    // A new password is asked for twice; anything else goes into the first field of its kind.
    const isRepeated = places[0]?.meaning === "new_password";
    for (const { element } of isRepeated ? places : places.slice(0, 1)) {
      context.signal.throwIfAborted();
      used.add(element);
      try {
        const chosen = await fillOne(context, element, meaning, value);
        filled.push({
          selectors: element.selectors,
          meaning,
          value: chosen ?? value,
          isChoice: chosen !== null && element.tag === "select",
        });
        told.push(`${meaning} into ${callOf(element)}`);
      } catch (error) {
        const failure = asActionFailure(error, callOf(element));
        if (!(failure instanceof ActionFailed)) throw failure;
        failed.push(`${meaning}: ${failure.message}`);
      }
    }
  }
  const notes = [
    ...(missing.length > 0 ? [`No field was found for ${missing.join(", ")}.`] : []),
    ...(failed.length > 0 ? [`Not taken: ${failed.join(" ")}`] : []),
  ];
  if (filled.length === 0) {
    throw new ActionFailed("not_found", ["No field of the page was filled.", ...notes].join(" "));
  }
  return { message: [`Filled ${told.join(", ")}.`, ...notes].join(" "), filled };
}

/** Answers the text of the option, where the field is a choice. */
async function fillOne(
  context: ActionContext,
  element: PageElement,
  meaning: FormField,
  value: string,
): Promise<string | null> {
  const found = {
    locator: locatorOf(context.page.page, element),
    called: callOf(element),
    id: element.id,
  };
  const options = {
    target: { id: element.id, selectors: [], frames: [] },
    timeoutMs: fieldTimeoutMs,
    pressEnter: false,
    clearBeforeFill: true,
  };
  if (element.tag === "select" || (element.role === "combobox" && !element.isEditable)) {
    return selectOneOf(context, found, options, [value, ...otherWays(meaning, value)]);
  }
  if (meaning === "totp") await enterCode(context, found, options, codeOf(value));
  else await enterText(context, found, options, value);
  return null;
}

/** Chooses the first of several ways to write a value that a choice has. */
async function selectOneOf(
  context: ActionContext,
  found: Found,
  options: OnElement,
  [first = "", ...others]: readonly string[],
): Promise<string> {
  try {
    return (await selectInto(context, found, options, first)).way.option;
  } catch (error) {
    const isNone = error instanceof ActionFailed && error.kind === "no_such_option";
    if (!isNone || others.length === 0) throw error;
    return selectOneOf(context, found, options, others);
  }
}
