import { type DrivenPage, FrameGoneError } from "../driver/driven-page.ts";
import type { Activity } from "./activity.ts";

/** A page that loads may take so long, in ms; then it is shown as it is. */
const navigationMs = 10_000;
/** What a page fetches after an action is waited for so long in all, in ms: some of it never ends. */
const requestMs = 3000;
/** A page that does not draw is not waited for longer, in ms. */
const frameTimeoutMs = 1000;
const pollMs = 250;

/**
 * Waits until a page has come to rest after an action: no document is on its way, nothing is fetched
 * that the page waits for, and it has drawn once since. Bounded; when nothing happened, about one frame.
 */
export async function settle(
  page: DrivenPage,
  activity: Activity,
  signal: AbortSignal,
): Promise<void> {
  const began = Date.now();
  /** Since when only requests have been waited for; a document that comes begins anew. */
  let restsSince = began;
  for (;;) {
    await drawnOnce(page);
    signal.throwIfAborted();
    if (page.page.isClosed()) return;
    const now = Date.now();
    if (now - began >= navigationMs) return;
    if (activity.isLoading(page.targetId)) restsSince = now;
    else if (now - restsSince >= requestMs || !isBusy(page, activity)) return;
    await activity.change(pollMs);
  }
}

function isBusy(page: DrivenPage, activity: Activity): boolean {
  if (page.frames().some(({ frameId }) => activity.isLoading(frameId))) return true;
  return activity.isFetching(page.sessionIds());
}

/** The page's scripts ran and it drew, or it is too busy or too hidden to draw. */
async function drawnOnce(page: DrivenPage): Promise<void> {
  const [main] = page.frames();
  if (main === undefined) return;
  try {
    await page.call(main, "perception", "drawn", [], frameTimeoutMs);
  } catch (error) {
    if (error instanceof FrameGoneError) return;
    // It blocks its own thread, or shows a dialog: there is nothing to wait for.
  }
}
