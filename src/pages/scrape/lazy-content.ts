import { Activity } from "../actions/activity.ts";
import { type DrivenPage, FrameGoneError } from "../driver/driven-page.ts";

/** How often the end of a page is gone to, and how long that may take in all, in ms. */
const mostRounds = 8;
const longestMs = 4000;
/** What a page fetches when its end comes into view is waited for so long, in ms. */
const fetchMs = 1500;
const pollMs = 100;

interface Extent {
  readonly height: number;
  readonly elements: number;
  readonly canScroll: boolean;
}

/**
 * Has a page load what it only loads when it is scrolled to: goes to its end until nothing comes any
 * more, within bounds, and back to where it was.
 */
export async function loadLazyContent(page: DrivenPage, signal: AbortSignal): Promise<void> {
  const [main] = page.frames();
  if (main === undefined) return;
  const deadline = Date.now() + longestMs;
  const activity = new Activity(page.connection);
  const start = await page.call<{ readonly x: number; readonly y: number }>(
    main,
    "perception",
    "scrollPosition",
    [],
  );
  try {
    let before = await page.call<Extent>(main, "perception", "goToEnd", []);
    if (!before.canScroll) return;
    for (let round = 0; round < mostRounds && Date.now() < deadline; round += 1) {
      signal.throwIfAborted();
      const fetched = Math.min(deadline, Date.now() + fetchMs);
      while (activity.isFetching(page.sessionIds()) && Date.now() < fetched) {
        await activity.change(pollMs);
      }
      const after = await page.call<Extent>(main, "perception", "goToEnd", []);
      if (after.height === before.height && after.elements === before.elements) break;
      before = after;
    }
  } catch (error) {
    if (!(error instanceof FrameGoneError)) throw error;
  } finally {
    activity.stop();
    await page.call(main, "perception", "scrollToPosition", [start]).catch(() => {});
  }
}
