import type { ActionOf, OnElement } from "./action.ts";
import type { ActionContext, Done } from "./context.ts";
import { type Chosen, selectInList } from "./custom-choice.ts";
import { ActionFailed } from "./failure.ts";
import { fieldKind } from "./in-page-functions.ts";
import { indexOfOption, type Option, optionsInWords } from "./option-match.ts";
import { press, pressEnter, ready } from "./pressing.ts";
import { type Found, findTarget } from "./target.ts";

/** The part of a `<select>` that is read in the page. */
interface Select {
  readonly multiple: boolean;
  readonly options: Iterable<{
    readonly label: string;
    readonly text: string;
    readonly value: string;
    readonly selected: boolean;
    readonly disabled: boolean;
    readonly parentElement: { readonly disabled?: boolean };
  }>;
}

/** What stands for one option of a list that the page made itself. */
const optionRoles: ReadonlySet<string> = new Set([
  "option",
  "menuitem",
  "menuitemradio",
  "treeitem",
]);

/** Chooses an option of a `<select>`, or of a list that a page made itself, by its text or value. */
export async function selectOption(
  context: ActionContext,
  action: ActionOf<"select_dropdown_option">,
): Promise<Done> {
  const found = await findTarget(context, action.target, action.timeoutMs);
  if (found.glance?.isOption) return chooseOptionItself(context, found, action);
  const { called, id } = found;
  const role = await found.locator.getAttribute("role", { timeout: action.timeoutMs });
  if (role !== null && optionRoles.has(role)) {
    await press(context, found, action);
    await pressEnter(found, action);
    const way = { kind: "choice", from: "option", isOpened: false, option: action.value } as const;
    return { message: `Chose ${called}.`, elementId: id, way };
  }
  const { told, way } = await selectInto(context, found, action, action.value);
  await pressEnter(found, action);
  return { message: `Chose ${told} in ${called}.`, elementId: id, way };
}

/** Chooses the very option that was found. Throws `ActionFailed`. */
export async function chooseOptionItself(
  context: ActionContext,
  found: Found,
  action: OnElement,
): Promise<Done> {
  const index = await found.locator.evaluate(
    (option: { readonly index: number }) => option.index,
    undefined,
    { timeout: action.timeoutMs },
  );
  const select = { ...found, locator: found.locator.locator("xpath=ancestor::select[1]") };
  const { told } = await chooseNative(context, select, action, () => index);
  await pressEnter(select, action);
  return { message: `Chose ${told}.`, elementId: found.id };
}

/** Chooses in an element that was found. Throws `ActionFailed`. */
export async function selectInto(
  context: ActionContext,
  found: Found,
  options: OnElement,
  value: string,
): Promise<Chosen> {
  const kind = await found.locator.evaluate(fieldKind as (element: unknown) => string, undefined, {
    timeout: options.timeoutMs,
  });
  if (kind !== "select") return selectInList(context, found, options, value);
  return chooseNative(context, found, options, (all) => {
    const index = indexOfOption(all, value);
    if (index !== -1) return index;
    throw new ActionFailed(
      "no_such_option",
      all.length === 0
        ? `${found.called} has no options.`
        : `${found.called} has no option "${value}". It has: ${optionsInWords(all, value)}.`,
    );
  });
}

async function chooseNative(
  context: ActionContext,
  found: Found,
  action: OnElement,
  choose: (options: readonly Option[]) => number,
): Promise<Chosen> {
  const { locator, called } = found;
  const { multiple, options } = await locator.evaluate(
    (select: Select) => ({
      multiple: select.multiple,
      options: [...select.options].map(
        ({ label, text, value, selected, disabled, parentElement }) => ({
          label: (label || text).replace(/\s+/g, " ").trim(),
          value,
          selected,
          disabled: disabled || parentElement.disabled === true,
        }),
      ),
    }),
    undefined,
    { timeout: action.timeoutMs },
  );
  const index = choose(options);
  const option = options[index];
  if (option === undefined) throw new ActionFailed("gone", `The option of ${called} is gone.`);
  if (option.disabled) {
    throw new ActionFailed("disabled", `The option "${option.label}" of ${called} is disabled.`);
  }
  // Where several can be chosen, what was chosen before stays, as when a person adds one.
  const kept = options.flatMap(({ selected }, at) => (multiple && selected ? [{ index: at }] : []));
  await ready(context, found, action, (timeout) =>
    locator.selectOption([...kept, { index }], { timeout }),
  );
  const others = kept.filter((one) => one.index !== index).length;
  return {
    told: others === 0 ? `"${option.label}"` : `"${option.label}" beside ${others} chosen before`,
    way: { kind: "choice", from: "select", isOpened: false, option: option.label },
  };
}
