import type { Page } from "playwright-core";
import type { PageDriver } from "../driver/page-driver.ts";
import type { Activity } from "./activity.ts";

/** How long a tab that a page asked for may take to appear, and to be ready to be driven, in ms. */
const appearTimeoutMs = 1000;
const readyTimeoutMs = 3000;
const pollMs = 50;

/** The tabs that have opened beside those of before; what is just opening is waited for. */
export async function openedTabs(
  driver: PageDriver,
  activity: Activity,
  before: ReadonlySet<Page>,
): Promise<readonly Page[]> {
  const began = Date.now();
  while (activity.isOpeningTab && Date.now() - began < appearTimeoutMs) {
    await activity.change(pollMs);
  }
  for (;;) {
    const opened = driver.tabs().filter((tab) => !before.has(tab));
    // Tabs that closed themselves at once are not expected any more.
    if (opened.length >= activity.openedTargets.size) return opened;
    if (Date.now() - began >= readyTimeoutMs) return opened;
    await activity.change(pollMs);
  }
}
