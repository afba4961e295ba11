import type { DrivenPage } from "../driver/driven-page.ts";
import type { FrameWorld } from "../driver/frame-tracker.ts";
import type { ListenerReport } from "../perception-protocol.ts";

/** Asking is worth so much time at most: the walk does well without. In ms. */
const timeoutMs = 500;

/**
 * Runs among the page's own scripts, since only there `getEventListeners` (of the inspector, out of
 * reach of pages) sees their listeners. Counts elements as `allElements` of the perception script does.
 */
const expression = `(() => {
  const click = [], press = [];
  let count = 0;
  const visit = (root) => {
    for (const element of root.querySelectorAll("*")) {
      const listeners = getEventListeners(element);
      if (listeners.click) click.push(count);
      else if (listeners.pointerdown || listeners.mousedown || listeners.touchstart || listeners.mouseup || listeners.pointerup) press.push(count);
      count += 1;
      if (element.shadowRoot) visit(element.shadowRoot);
    }
  };
  visit(document);
  return { count, click, press };
})()`;

/** What the page's own scripts listen to in a frame; null where that cannot be told. */
export async function listenersOf(
  page: DrivenPage,
  world: FrameWorld,
): Promise<ListenerReport | null> {
  if (world.mainContextId === null) return null;
  try {
    return await page.evaluate<ListenerReport>(world, world.mainContextId, expression, timeoutMs, {
      commandLineApi: true,
    });
  } catch {
    // A page that broke its own `querySelectorAll`, or is busy, is walked without.
    return null;
  }
}
