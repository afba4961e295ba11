import type { FrameLocator, Locator, Page } from "playwright-core";
import { type KnownElement, locatorOf } from "../elements.ts";
import type { ActionTarget } from "./action.ts";
import type { ActionContext } from "./context.ts";
import { ActionFailed, asActionFailure } from "./failure.ts";
import { type Glance, glanceAt } from "./in-page-functions.ts";

/** How often a selector that matches nothing yet is tried again, in ms. */
const lookEveryMs = 100;

/** How long a first look at an element may take, in ms. */
const glanceTimeoutMs = 1000;

/** The element that an action is done to. */
export interface Found {
  readonly locator: Locator;
  /** For messages: `B3 (button "Save")`. */
  readonly called: string;
  /** Null for one that was found by a selector. */
  readonly id: string | null;
}

/** As `Found`, with how it stood when it was found. */
export interface FoundTarget extends Found {
  readonly glance: Glance | null;
}

/** How long a selector may take to match something, in ms, beside what the action itself waits. */
const selectorTimeoutMs = 5000;

/**
 * Finds the element of an action: by the id of an observation where it is known, otherwise by the
 * selectors. Throws `ActionFailed` with `invalid_id`, `gone`, `other_tab`, `not_found` or `invalid_selector`.
 */
export async function findTarget(
  context: ActionContext,
  target: ActionTarget,
  timeoutMs: number,
): Promise<FoundTarget> {
  const { id, selectors } = target;
  const known = id === null ? null : context.elements.find(id);
  if (known !== null) {
    const found = await findKnown(context, known, timeoutMs);
    if (found !== null) return found;
    if (selectors.length === 0) {
      throw new ActionFailed(
        "gone",
        `${callOf(known)} is gone since the observation: the page has changed. Observe it again and use the new ids.`,
      );
    }
  }
  if (selectors.length === 0) {
    throw new ActionFailed(
      "invalid_id",
      `Action with id '${id ?? ""}' is invalid: no observation of this session gave this id. Observe the page and use the ids that it answers.`,
    );
  }
  return findBySelectors(context, target, Math.min(timeoutMs, selectorTimeoutMs));
}

/** An element in words. */
export function callOf({ id, role, name }: Pick<KnownElement, "id" | "role" | "name">): string {
  return name === "" ? `${id} (${role})` : `${id} (${role} "${name}")`;
}

/** Null where it is gone. */
async function findKnown(
  context: ActionContext,
  known: KnownElement,
  timeoutMs: number,
): Promise<FoundTarget | null> {
  const { driver, page } = context;
  if (known.targetId !== page.targetId) {
    for (const [index, tab] of driver.tabs().entries()) {
      const { targetId } = await driver.driven(tab);
      if (targetId !== known.targetId) continue;
      throw new ActionFailed(
        "other_tab",
        `${callOf(known)} is in tab ${index}, which is not the active one: switch to it first (switch_tab with tab_index ${index}).`,
      );
    }
    return null;
  }
  const locator = locatorOf(page.page, known);
  const count = await locator.count().catch(() => 0);
  if (count === 0) return null;
  const glance = await glanceOf(locator, timeoutMs);
  return { locator, called: callOf(known), id: known.id, glance };
}

/** The first selector that matches; the first visible one of several matches. */
async function findBySelectors(
  { page, activity, signal }: ActionContext,
  target: ActionTarget,
  timeoutMs: number,
): Promise<FoundTarget> {
  let scope: Page | FrameLocator = page.page;
  for (const frame of target.frames) scope = scope.frameLocator(frame);
  const deadline = Date.now() + timeoutMs;
  const refused = new Map<string, unknown>();
  for (;;) {
    signal.throwIfAborted();
    for (const selector of target.selectors) {
      if (refused.has(selector)) continue;
      const locator: Locator = scope.locator(playwrightSelector(selector));
      try {
        const count = await locator.count();
        if (count === 0) continue;
        const chosen = count === 1 ? locator : await firstVisible(locator, count);
        const called =
          count === 1 ? selector : `${selector} (the first visible of ${count} matches)`;
        return { locator: chosen, called, id: null, glance: await glanceOf(chosen, timeoutMs) };
      } catch (error) {
        const failure = asActionFailure(error, `The selector ${selector}`);
        if (!(failure instanceof ActionFailed) || failure.kind === "page_closed") throw failure;
        // While the page navigates it may match yet; what is no selector never will.
        if (failure.kind !== "navigated") refused.set(selector, failure);
      }
    }
    const [refusal] = refused.values();
    if (refused.size === target.selectors.length) throw refusal;
    if (Date.now() >= deadline) break;
    await activity.change(lookEveryMs);
  }
  throw new ActionFailed(
    "not_found",
    `Nothing on the page matches ${target.selectors.join(" or ")}. Observe the page to see what there is.`,
  );
}

/** One that goes away just now, or is in a page that does not answer, shows nothing: the action tells. */
async function glanceOf(locator: Locator, timeoutMs: number): Promise<Glance | null> {
  try {
    const timeout = Math.min(timeoutMs, glanceTimeoutMs);
    return await locator.evaluate(glanceAt, undefined, { timeout });
  } catch {
    return null;
  }
}

async function firstVisible(locator: Locator, count: number): Promise<Locator> {
  for (let index = 0; index < Math.min(count, 50); index += 1) {
    if (await locator.nth(index).isVisible()) return locator.nth(index);
  }
  return locator.first();
}

/** The contract's way to write selectors: a leading `~` looks for a text. */
function playwrightSelector(selector: string): string {
  return selector.startsWith("~") ? `text=${selector.slice(1).trim()}` : selector;
}
