import { setTimeout as delay } from "node:timers/promises";
import type { ActionOf } from "./action.ts";
import type { ActionContext, Done } from "./context.ts";
import { ActionFailed, asActionFailure } from "./failure.ts";

interface ScrollOutcome {
  readonly moved: number;
  readonly position: number;
  readonly end: number;
  readonly what: string;
}

export async function wait(context: ActionContext, action: ActionOf<"wait">): Promise<Done> {
  await delay(action.timeMs, undefined, { signal: context.signal });
  return { message: `Waited ${action.timeMs} ms.` };
}

export async function pressKey(
  context: ActionContext,
  action: ActionOf<"press_key">,
): Promise<Done> {
  try {
    await context.page.page.keyboard.press(action.key);
  } catch (error) {
    throw asActionFailure(error, `"${action.key}"`);
  }
  return { message: `Pressed ${action.key}.` };
}

export async function scroll(
  context: ActionContext,
  action: ActionOf<"scroll_up" | "scroll_down">,
): Promise<Done> {
  const { page } = context;
  const [main] = page.frames();
  if (main === undefined) throw new ActionFailed("loading", "The page is just loading; try again.");
  const direction = action.type === "scroll_up" ? -1 : 1;
  const outcome = await page.call<ScrollOutcome>(main, "perception", "scrollPage", [
    action.amount,
    direction,
  ]);
  if (outcome.moved === 0) {
    const edge = direction === 1 ? "bottom" : "top";
    throw new ActionFailed(
      "no_effect",
      `Nothing moved: ${outcome.what} is at its ${edge} already.`,
    );
  }
  const way = direction === 1 ? "down" : "up";
  return {
    message: `Scrolled ${outcome.what} ${way} by ${Math.abs(outcome.moved)} px; it is at ${outcome.position} of ${outcome.end} px.`,
  };
}

export async function help(_context: ActionContext, action: ActionOf<"help">): Promise<Done> {
  return { message: `Asked for help: ${action.reason}` };
}

export async function completion(
  _context: ActionContext,
  action: ActionOf<"completion">,
): Promise<Done> {
  return { message: `Completed ${action.success ? "with" : "without"} success: ${action.answer}` };
}

export async function scrape(context: ActionContext, action: ActionOf<"scrape">): Promise<Done> {
  const data = await context.scrape(context.page, action.request, context.signal);
  return { message: `Scraped ${context.page.page.url()}.`, data };
}
