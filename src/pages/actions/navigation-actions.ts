import { NightjarError } from "../../sessions/errors.ts";
import type { Browser } from "../../sessions/ports.ts";
import type { DrivenPage } from "../driver/driven-page.ts";
import type { ActionOf } from "./action.ts";
import type { ActionContext, Done } from "./context.ts";
import { wordOfDownload } from "./effects.ts";
import { egressReason, refusalOf } from "./egress-reason.ts";
import { ActionFailed, asActionFailure } from "./failure.ts";
import type { DownloadWatch } from "./ports.ts";

/** As the contract has it, in ms. */
const navigationTimeoutMs = 10_000;
const otherTimeoutMs = 8000;
/** How long a PDF may take to come whole, in ms. */
const pdfTimeoutMs = 12_000;
/** How long a busy page may take to answer once its script was ended, in ms, and how often that is tried. */
const busyTimeoutMs = 500;
const mostAttempts = 5;
const pollMs = 100;

/** What a session may open: the web, and pages that stand in their own URL. */
const allowedSchemes: ReadonlySet<string> = new Set(["http:", "https:", "data:", "blob:"]);

export async function goto(
  context: ActionContext,
  action: ActionOf<"goto" | "goto_new_tab">,
): Promise<Done> {
  const url = checkedUrl(action.url);
  await freeIfBusy(context);
  return open(context, context.page, url);
}

export async function gotoNewTab(
  context: ActionContext,
  action: ActionOf<"goto" | "goto_new_tab">,
): Promise<Done> {
  const url = checkedUrl(action.url);
  const page = await context.driver.context.newPage();
  const done = await open(context, await context.driver.activate(page), url);
  return { ...done, message: `In a new tab: ${done.message}` };
}

export async function closeTab(context: ActionContext): Promise<Done> {
  const { driver, page } = context;
  const last = driver.tabs().length === 1;
  // A session always has a tab, and its browser would end with the last one.
  const next = last ? await driver.context.newPage() : null;
  await page.page.close({ runBeforeUnload: false });
  const active = await driver.activate(next ?? driver.tabs().at(-1) ?? page.page);
  return {
    message: last
      ? "Closed the only tab; an empty one took its place."
      : `Closed the tab; the active one is ${driver.tabs().indexOf(active.page)} now, at ${active.page.url()}.`,
  };
}

export async function switchTab(
  context: ActionContext,
  action: ActionOf<"switch_tab">,
): Promise<Done> {
  const { driver } = context;
  const tabs = driver.tabs();
  const index = action.tabIndex < 0 ? tabs.length + action.tabIndex : action.tabIndex;
  const tab = tabs[index];
  if (tab === undefined) {
    const listed = tabs.map((page, at) => `${at}: ${page.url()}`).join(", ");
    throw new ActionFailed(
      "no_such_tab",
      `There is no tab ${action.tabIndex}. The tabs are ${listed}.`,
    );
  }
  await driver.activate(tab);
  return { message: `Tab ${index} is active now, at ${tab.url()}.` };
}

export async function goBack(context: ActionContext): Promise<Done> {
  return travel(context, "back", -1);
}

export async function goForward(context: ActionContext): Promise<Done> {
  return travel(context, "forward", 1);
}

export async function reload(context: ActionContext): Promise<Done> {
  await freeIfBusy(context);
  const { page } = context.page;
  const { browser } = context.driver;
  const since = Date.now();
  try {
    await page.reload({ timeout: otherTimeoutMs, waitUntil: "domcontentloaded" });
  } catch (error) {
    throw withReason(late(error, page.url(), otherTimeoutMs), browser, page.url(), since);
  }
  return { message: `Reloaded ${page.url()}.` };
}

/** Opens a URL and says what came of it. A page that is slow to load is left as far as it got. */
async function open(context: ActionContext, page: DrivenPage, url: string): Promise<Done> {
  const { browser } = context.driver;
  const since = Date.now();
  const downloads = context.files.watchDownloads();
  try {
    const response = await page.page.goto(url, {
      timeout: navigationTimeoutMs,
      waitUntil: "domcontentloaded",
    });
    const status = response?.status() ?? 200;
    const shown = page.page.url();
    const refusal = status === 403 ? refusalOf(browser, shown, since) : null;
    if (refusal !== null) throw refusal;
    if (status >= 400)
      return { message: `Opened ${shown}, which answers with the error ${status}.` };
    return { message: `Opened ${shown}.` };
  } catch (error) {
    // Chromium drops a navigation that turns out to be a download, or to have nothing to show.
    if (/ERR_ABORTED|Download is starting/.test(String(error))) {
      return await withoutPage(context, downloads, url, since);
    }
    throw withReason(late(error, url, navigationTimeoutMs), browser, url, since);
  } finally {
    downloads.stop();
  }
}

/** What a navigation brought that shows no page: of a PDF the text can be read all the same. */
async function withoutPage(
  { activity, signal }: ActionContext,
  downloads: DownloadWatch,
  url: string,
  since: number,
): Promise<Done> {
  const message = `${url} shows no page; the tab stays where it was.`;
  await wordOfDownload(activity, downloads);
  if (!downloads.begun.some((name) => /\.pdf$/i.test(name))) return { message };
  const endTimeoutMs = Math.max(0, since + pdfTimeoutMs - Date.now());
  const outcome = await downloads.first({ beginTimeoutMs: 0, endTimeoutMs, signal });
  if (outcome.kind !== "stored") return { message };
  return {
    message: `${url} is a PDF, which this browser does not show; the tab stays where it was. Scrape it to read its text.`,
    way: { kind: "pdf", name: outcome.name },
  };
}

/** A navigation that came to nothing, with what the browser's way out has to say about it. */
function withReason(error: unknown, browser: Browser, url: string, since: number): unknown {
  if (!(error instanceof ActionFailed) || error.kind !== "navigation_failed") return error;
  return egressReason(browser, url, since) ?? error;
}

/**
 * Ends the scripts of a page that does not answer, so that it can be left: another page of the same
 * site would be shown by the same busy process. Before the navigation, since the browser holds
 * commands back while one is under way; and repeatedly, since a page that was freed takes up the
 * input that it missed, and may hang anew.
 */
async function freeIfBusy({ page, changes, signal }: ActionContext): Promise<void> {
  if (!changes.isSilent) return;
  const { sessionId, connection } = page;
  const options = { sessionId, timeoutMs: busyTimeoutMs };
  for (let attempt = 0; attempt < mostAttempts; attempt += 1) {
    signal.throwIfAborted();
    await connection.command("Runtime.terminateExecution", undefined, options).catch(() => {});
    try {
      await connection.command("Runtime.evaluate", { expression: "0" }, options);
      return;
    } catch {
      // Still busy, or busy again.
    }
  }
}

/** What went wrong with a navigation; a page that did not come in time is left as it is. */
function late(error: unknown, url: string, timeoutMs: number): unknown {
  const failure = asActionFailure(error, url);
  if (!(failure instanceof ActionFailed) || failure.kind !== "timeout") return failure;
  return new ActionFailed(
    "timeout",
    `${url} did not load within ${timeoutMs / 1000} seconds. What has come so far is shown; try again or go elsewhere.`,
  );
}

async function travel(
  context: ActionContext,
  direction: "back" | "forward",
  by: -1 | 1,
): Promise<Done> {
  await freeIfBusy(context);
  const { page, activity } = context;
  const { sessionId, connection, targetId } = page;
  const { currentIndex, entries } = await connection.command(
    "Page.getNavigationHistory",
    undefined,
    { sessionId },
  );
  const entry = entries[currentIndex + by];
  if (entry === undefined) {
    throw new ActionFailed("no_history", `There is no page to go ${direction} to.`);
  }
  await connection.command("Page.navigateToHistoryEntry", { entryId: entry.id }, { sessionId });
  const deadline = Date.now() + otherTimeoutMs;
  while (!activity.hasNavigated(targetId) && Date.now() < deadline) {
    await activity.change(pollMs);
  }
  if (!activity.hasNavigated(targetId)) {
    throw new ActionFailed(
      "timeout",
      `${entry.url} did not come within ${otherTimeoutMs / 1000} seconds. The tab is still at ${page.page.url()}.`,
    );
  }
  return { message: `Went ${direction} to ${entry.url}.` };
}

/** A URL as somebody wrote it, with `https:` where it has no scheme. */
export function withScheme(text: string): string {
  const given = text.trim();
  // `localhost:3000` has no scheme, though it looks as if.
  return /^[a-z][a-z0-9+.-]*:(?!\d)/i.test(given) ? given : `https://${given}`;
}

/** A URL that may be opened, with a scheme where none was given. Throws `ActionFailed`. */
export function checkedUrl(text: string): string {
  const given = text.trim();
  const url = URL.parse(withScheme(given));
  if (url === null || given === "") {
    throw new ActionFailed(
      "invalid_url",
      `"${given}" is no URL. Write it as https://example.com/page.`,
    );
  }
  if (url.href === "about:blank") return url.href;
  const inner = url.protocol === "blob:" ? URL.parse(url.pathname)?.protocol : undefined;
  if (!allowedSchemes.has(url.protocol) || inner === "file:") {
    throw new ActionFailed(
      "refused_url",
      `URLs of the kind ${url.protocol} are not opened in a hosted session; use http: or https: (or about:blank).`,
    );
  }
  return url.href;
}

/** The same for URLs of requests that answer errors instead of failed actions. Throws `invalid_request`. */
export function checkedRequestUrl(text: string): string {
  try {
    return checkedUrl(text);
  } catch (error) {
    const message = error instanceof ActionFailed ? error.message : String(error);
    throw new NightjarError("invalid_request", `url: ${message}`, {
      issues: [{ location: ["body", "url"], message, kind: "url" }],
    });
  }
}
