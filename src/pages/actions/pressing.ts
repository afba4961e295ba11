import type { ElementHandle } from "playwright-core";
import { messageOf } from "../../sessions/errors.ts";
import { FrameGoneError } from "../driver/driven-page.ts";
import type { OnElement } from "./action.ts";
import type { ActionContext } from "./context.ts";
import { explained } from "./cover.ts";
import { ActionFailed, unresponsive } from "./failure.ts";
import { labelInPlaceOf, type PageNode } from "./in-page-functions.ts";
import { whenReady } from "./patience.ts";
import type { Found, FoundTarget } from "./target.ts";

/** How long pressing Enter may take, in ms. */
const keyTimeoutMs = 5000;

/** Presses an element, or the label that stands for it, once. Throws `ActionFailed`. */
export async function press(
  context: ActionContext,
  found: FoundTarget,
  action: OnElement,
): Promise<void> {
  const deadline = Date.now() + action.timeoutMs;
  const label = found.glance?.hasLabelInPlace === false ? null : await labelOf(found, action);
  const pressed = label ?? found.locator;
  try {
    // What the press sets off is waited for by `settle`, however it comes.
    await ready(context, found, action, (timeout) => pressed.click({ timeout, noWaitAfter: true }));
  } catch (error) {
    if (!(error instanceof ActionFailed) || error.kind !== "busy") throw error;
    await untilAnswering(context, deadline);
  } finally {
    void label?.dispose().catch(() => {});
  }
}

async function labelOf({ locator }: Found, action: OnElement): Promise<ElementHandle | null> {
  const handle = await locator.evaluateHandle(
    labelInPlaceOf as (element: unknown) => PageNode | null,
    undefined,
    { timeout: action.timeoutMs },
  );
  return handle.asElement() as ElementHandle | null;
}

/** A page that works on a press for seconds has taken it: it is not pressed again, but waited for. */
async function untilAnswering(context: ActionContext, deadline: number): Promise<void> {
  const { page } = context;
  const [main] = page.frames();
  if (main === undefined || page.page.isClosed()) return;
  try {
    await page.evaluate(main, main.contextId, "0", Math.max(1, deadline - Date.now()));
  } catch (error) {
    if (/did not answer within/.test(messageOf(error))) throw unresponsive();
    // The press led to another document.
    if (!(error instanceof FrameGoneError)) throw error;
  }
}

/** Runs an attempt until the element takes it or it is plain that it will not. Throws `ActionFailed`. */
export async function ready<T>(
  context: ActionContext,
  found: Found,
  { timeoutMs }: Pick<OnElement, "timeoutMs">,
  attempt: (timeoutMs: number) => Promise<T>,
): Promise<T> {
  try {
    return await whenReady(found.called, { ...context, timeoutMs }, attempt);
  } catch (error) {
    throw await explained(context, found, error);
  }
}

/** Presses Enter on an element, where the action asks for it. */
export async function pressEnter({ locator }: Found, action: OnElement): Promise<void> {
  if (!action.pressEnter) return;
  await locator.press("Enter", { timeout: keyTimeoutMs, noWaitAfter: true });
}
