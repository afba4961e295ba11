import { setTimeout as delay } from "node:timers/promises";
import type { Frame, Locator } from "playwright-core";
import type { ActionWay, OnElement } from "./action.ts";
import type { ActionContext } from "./context.ts";
import { ActionFailed } from "./failure.ts";
import { fieldKind } from "./in-page-functions.ts";
import { indexOfOption, type Option, optionsInWords } from "./option-match.ts";
import { ready } from "./pressing.ts";
import type { Found } from "./target.ts";

/** How long a list of options may take to open, or to follow what was typed, in ms. */
const openTimeoutMs = 3000;
const pollMs = 50;
/** What can be chosen in lists that pages make themselves; options of a `<select>` are never seen there. */
const optionSelector =
  "[role=option]:visible, [role=menuitemradio]:visible, [role=menuitem]:visible, [role=treeitem]:visible";

interface OpenList {
  readonly options: Locator;
  readonly listed: readonly Option[];
  /** It had to be opened first. */
  readonly isOpened: boolean;
}

/** What was chosen, in words for a message, and how. */
export interface Chosen {
  readonly told: string;
  readonly way: Extract<ActionWay, { readonly kind: "choice" }>;
}

/**
 * Chooses in a list that the page made itself: opens it where it is not open, types into it where
 * that is how it finds its options, presses the option. Throws `ActionFailed`.
 */
export async function selectInList(
  context: ActionContext,
  found: Found,
  action: OnElement,
  value: string,
): Promise<Chosen> {
  const { locator, called } = found;
  const list = await openList(context, found, action);
  let { options, listed } = list;
  let index = indexOfOption(listed, value);
  if (index === -1 && (await isTypedInto(locator))) {
    await ready(context, found, action, (timeout) => locator.fill(value, { timeout }));
    const narrowed = await listedUntil(context, options, (now) => indexOfOption(now, value) !== -1);
    if (narrowed.length > 0) listed = narrowed;
    index = indexOfOption(narrowed, value);
  }
  const option = listed[index];
  if (option === undefined) {
    throw new ActionFailed(
      "no_such_option",
      `${called} has no option "${value}". It has: ${optionsInWords(listed, value)}.`,
    );
  }
  if (option.disabled) {
    throw new ActionFailed("disabled", `The option "${option.label}" of ${called} is disabled.`);
  }
  options = options.nth(index);
  await ready(context, { ...found, locator: options }, action, (timeout) =>
    options.click({ timeout, noWaitAfter: true }),
  );
  return {
    told: `"${option.label}"`,
    way: { kind: "choice", from: "list", isOpened: list.isOpened, option: option.label },
  };
}

/** The list that belongs to an element, opened by a press where it is not open. */
async function openList(
  context: ActionContext,
  found: Found,
  action: OnElement,
): Promise<OpenList> {
  const { locator, called } = found;
  const inside = locator.locator(optionSelector);
  const own = await read(inside);
  if (own.length > 0) return { options: inside, listed: own, isOpened: false };
  const handle = await locator.elementHandle({ timeout: action.timeoutMs });
  const frame = await handle?.ownerFrame();
  await handle?.dispose();
  if (frame == null) throw new ActionFailed("gone", `${called} is gone.`);
  const isOpen = (await locator.getAttribute("aria-expanded")) === "true";
  if (!isOpen) {
    await ready(context, found, action, (timeout) => locator.click({ timeout, noWaitAfter: true }));
  }
  const deadline = Date.now() + openTimeoutMs;
  for (;;) {
    const options = await listOf(locator, frame);
    const listed = await read(options);
    if (listed.length > 0) return { options, listed, isOpened: !isOpen };
    if (Date.now() >= deadline) {
      throw new ActionFailed(
        "wrong_kind",
        `${called} opened no list of options. Click it, observe the page, and click what you want to choose.`,
      );
    }
    await delay(pollMs, undefined, { signal: context.signal });
  }
}

/** The options of the list that an element names as its own; all that are to be seen where it names none. */
async function listOf(locator: Locator, frame: Frame): Promise<Locator> {
  for (const attribute of ["aria-controls", "aria-owns"]) {
    const [id] = ((await locator.getAttribute(attribute)) ?? "").split(/\s+/);
    if (id === undefined || id === "") continue;
    const named = frame.locator(`[id=${JSON.stringify(id)}]`);
    if ((await named.count()) > 0) return named.first().locator(optionSelector);
  }
  return frame.locator(optionSelector);
}

async function read(options: Locator): Promise<readonly Option[]> {
  return options.evaluateAll((elements: readonly unknown[]) =>
    (
      elements as readonly {
        readonly textContent: string;
        getAttribute(name: string): string | null;
      }[]
    ).map((element) => {
      const label = (element.getAttribute("aria-label") ?? element.textContent)
        .replace(/\s+/g, " ")
        .trim();
      return {
        label,
        value: element.getAttribute("data-value") ?? label,
        disabled: element.getAttribute("aria-disabled") === "true",
      };
    }),
  );
}

async function listedUntil(
  context: ActionContext,
  options: Locator,
  isRight: (listed: readonly Option[]) => boolean,
): Promise<readonly Option[]> {
  const deadline = Date.now() + openTimeoutMs;
  for (;;) {
    const listed = await read(options);
    if (isRight(listed) || Date.now() >= deadline) return listed;
    await delay(pollMs, undefined, { signal: context.signal });
  }
}

/** Whether its options are found by typing. */
async function isTypedInto(locator: Locator): Promise<boolean> {
  const kind = await locator.evaluate(fieldKind as (element: unknown) => string);
  return kind === "text" || kind === "search" || kind === "editor";
}
