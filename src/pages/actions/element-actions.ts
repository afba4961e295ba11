import { setTimeout as delay } from "node:timers/promises";
import type { Locator } from "playwright-core";
import { messageOf } from "../../sessions/errors.ts";
import type { ActionOf } from "./action.ts";
import { chooseOptionItself } from "./choice-actions.ts";
import type { ActionContext, Done } from "./context.ts";
import { ActionFailed } from "./failure.ts";
import { stateInWords } from "./in-page-functions.ts";
import { press, pressEnter, ready } from "./pressing.ts";
import { findTarget } from "./target.ts";

/** How long a control may take to show that it was checked, in ms: pages may ask their server first. */
const checkedTimeoutMs = 2000;
const pollMs = 50;
/** How long a look at an element's state may take, in ms. */
const stateTimeoutMs = 1000;

export async function click(
  context: ActionContext,
  action: ActionOf<"click" | "download_file">,
): Promise<Done> {
  const found = await findTarget(context, action.target, action.timeoutMs);
  if (found.glance?.isOption) return chooseOptionItself(context, found, action);
  const { locator, called, id, glance } = found;
  await press(context, found, action);
  await pressEnter(found, action);
  return {
    message: `Clicked ${called}.`,
    elementId: id,
    whenSettled: async () => {
      if (context.page.page.isClosed() || context.activity.hasNavigated(context.page.targetId)) {
        return null;
      }
      const now = await stateOf(locator);
      return now === "" || now === glance?.state ? null : `It is ${now} now.`;
    },
  };
}

export async function check(context: ActionContext, action: ActionOf<"check">): Promise<Done> {
  const found = await findTarget(context, action.target, action.timeoutMs);
  const { locator, called, id } = found;
  const wanted = action.value ? "checked" : "not checked";
  const isChecked = async (): Promise<boolean> => {
    try {
      return await locator.isChecked({ timeout: action.timeoutMs });
    } catch (error) {
      if (!/not a .*(?:checkbox|radio)/i.test(messageOf(error))) throw error;
      throw new ActionFailed(
        "wrong_kind",
        `${called} cannot be checked: it is no checkbox, radio button or switch. Click it instead.`,
      );
    }
  };
  if ((await isChecked()) === action.value) {
    return { message: `${called} was ${wanted} already.`, elementId: id };
  }
  await press(context, found, action);
  const deadline = Date.now() + checkedTimeoutMs;
  while ((await isChecked()) !== action.value) {
    if (Date.now() < deadline) {
      await delay(pollMs, undefined, { signal: context.signal });
      continue;
    }
    throw new ActionFailed(
      "no_effect",
      action.value
        ? `${called} was clicked, but is still not checked.`
        : `${called} was clicked, but is still checked; a radio button can only be unchecked by choosing another one.`,
    );
  }
  await pressEnter(found, action);
  return { message: `${called} is ${wanted} now.`, elementId: id };
}

export async function drag(context: ActionContext, action: ActionOf<"drag">): Promise<Done> {
  const found = await findTarget(context, action.target, action.timeoutMs);
  const onto = await findTarget(context, action.onto, action.timeoutMs);
  // First that both can take it: a drag that was begun must not be tried twice.
  for (const one of [onto, found]) {
    await ready(context, one, action, (timeout) => one.locator.hover({ timeout, trial: true }));
  }
  // In steps, since pages tell a drag from a click by the way that the pointer goes.
  await found.locator.dragTo(onto.locator, { timeout: action.timeoutMs, steps: 8 });
  const known = onto.id === null ? null : context.elements.find(onto.id);
  return {
    message: `Dragged ${found.called} onto ${onto.called}.`,
    elementId: found.id,
    way: { kind: "drag", onto: known?.selectors ?? null },
  };
}

function stateOf(locator: Locator): Promise<string> {
  return locator
    .evaluate(stateInWords as (element: unknown) => string, undefined, { timeout: stateTimeoutMs })
    .catch(() => "");
}
