import { setTimeout as delay } from "node:timers/promises";
import type { Browser } from "../sessions/ports.ts";

/** As the screencast's. */
const jpegQuality = 70;

/**
 * A JPEG of a tab (of the newest one where it is not given or gone), or null where the page cannot be
 * pictured within `timeoutMs`.
 */
export async function lookAtTab(
  browser: Pick<Browser, "watch">,
  targetId: string | null,
  timeoutMs: number,
): Promise<Buffer | null> {
  const late = new AbortController();
  try {
    return await Promise.race([
      picture(browser, targetId, timeoutMs),
      delay(timeoutMs, null, { ref: false, signal: late.signal }),
    ]);
  } catch {
    // The page is busy, or it goes away just now.
    return null;
  } finally {
    late.abort();
  }
}

async function picture(
  browser: Pick<Browser, "watch">,
  targetId: string | null,
  timeoutMs: number,
): Promise<Buffer | null> {
  const watch = await browser.watch();
  const tab = watch.tabs.find((page) => page.targetId === targetId) ?? watch.tabs.at(-1);
  if (tab === undefined) return null;
  const { data } = (await watch.send(
    "Page.captureScreenshot",
    { format: "jpeg", quality: jpegQuality, optimizeForSpeed: true },
    { sessionId: tab.sessionId, timeoutMs },
  )) as { readonly data: string };
  return Buffer.from(data, "base64");
}
