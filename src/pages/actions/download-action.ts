import type { Page } from "playwright-core";
import { fetchShown } from "../driver/shown-file.ts";
import type { ActionOf } from "./action.ts";
import type { ActionContext, Done } from "./context.ts";
import { ActionFailed } from "./failure.ts";
import type { DownloadOutcome, DownloadWatch } from "./ports.ts";
import { press } from "./pressing.ts";
import { findTarget } from "./target.ts";

/** How long a press may take to begin a download where nothing else goes on, in ms. */
const beginTimeoutMs = 3000;
/** How long the server may take to begin it, in ms: reports are written when they are asked for. */
const serverTimeoutMs = 20_000;
const endTimeoutMs = 30_000;
const pollMs = 250;
/** What a page shows instead of downloading is fetched again up to this size. */
const largestShownBytes = 50 * 1024 * 1024;
/** Documents that are pages, not files. */
const pageTypes: ReadonlySet<string> = new Set(["text/html", "application/xhtml+xml"]);

/** Presses something and waits until the file that it brings is kept. */
export async function downloadFile(
  context: ActionContext,
  action: ActionOf<"click" | "download_file">,
): Promise<Done> {
  const found = await findTarget(context, action.target, action.timeoutMs);
  const { called, id: elementId } = found;
  const tabs = new Set(context.driver.tabs());
  const watch = context.files.watchDownloads();
  try {
    await press(context, found, action);
    const outcome = await firstDownload(context, watch, tabs);
    if (outcome.kind === "stored") {
      return {
        message: `Downloaded "${outcome.name}" (${outcome.sizeBytes} bytes).`,
        elementId,
        way: { kind: "download", isShown: false },
      };
    }
    if (outcome.kind === "failed") {
      throw new ActionFailed("download_failed", `The download failed: ${outcome.reason}.`);
    }
    if (outcome.begun !== null) {
      throw new ActionFailed(
        "timeout",
        `The download of "${outcome.begun}" is still going on; it will be among the session's downloads when it is done.`,
      );
    }
    const name = await keepShown(context, called, tabs);
    return {
      message: `Downloaded "${name}", which the browser shows.`,
      elementId,
      way: { kind: "download", isShown: true },
    };
  } finally {
    watch.stop();
  }
}

/** What comes of the first download; `late` once it is plain that none begins. */
async function firstDownload(
  { activity, page, driver, signal }: ActionContext,
  watch: DownloadWatch,
  tabsBefore: ReadonlySet<Page>,
): Promise<DownloadOutcome> {
  const began = Date.now();
  for (;;) {
    const outcome = await watch.first({ beginTimeoutMs: pollMs, endTimeoutMs, signal });
    if (outcome.kind !== "late" || outcome.begun !== null) return outcome;
    const spentMs = Date.now() - began;
    const isShown =
      activity.hasNavigated(page.targetId) || driver.tabs().some((tab) => !tabsBefore.has(tab));
    const isBusy = activity.isLoading(page.targetId) || activity.isFetching(page.sessionIds());
    if (spentMs >= serverTimeoutMs || (!isBusy && (isShown || spentMs >= beginTimeoutMs))) {
      return outcome;
    }
  }
}

/** Fetches what the press had the browser show once more, with the page's own cookies, and keeps it. */
async function keepShown(
  { driver, page, activity, files }: ActionContext,
  called: string,
  tabsBefore: ReadonlySet<Page>,
): Promise<string> {
  const opened = driver.tabs().find((tab) => !tabsBefore.has(tab));
  if (opened === undefined && !activity.hasNavigated(page.targetId)) {
    throw new ActionFailed("no_download", `Clicking ${called} began no download.`);
  }
  const shown = opened === undefined ? page : await driver.driven(opened);
  await shown.page
    .waitForLoadState("domcontentloaded", { timeout: beginTimeoutMs })
    .catch(() => {});
  const url = shown.page.url();
  const [main] = shown.frames();
  if (main === undefined) throw new ActionFailed("loading", "The page is just loading; try again.");
  const type = await shown.evaluate<string>(main, main.contextId, "document.contentType");
  if (pageTypes.has(type)) {
    throw new ActionFailed(
      "no_download",
      `Clicking ${called} began no download: it led to the page ${url}.`,
    );
  }
  const limits = { mostBytes: largestShownBytes, timeoutMs: endTimeoutMs };
  const answer = await fetchShown(shown, main, limits);
  if ("error" in answer) {
    throw new ActionFailed("download_failed", `${url} could not be fetched: ${answer.error}.`);
  }
  return files.keep(nameOf(url), answer.bytes);
}

/** The last part of a URL's path, as a name; the storage makes it a safe one. */
function nameOf(url: string): string {
  const last = URL.parse(url)?.pathname.split("/").at(-1) ?? "";
  try {
    return decodeURIComponent(last) || "download";
  } catch {
    return last;
  }
}
