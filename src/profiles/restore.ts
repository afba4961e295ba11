import { messageOf, NightjarError } from "../sessions/errors.ts";
import type { Browser, BrowserWatch, OwnTab } from "../sessions/ports.ts";
import { BlankTab, visitAll } from "./blank-tab.ts";
import { writeBrowserCookies } from "./browser-cookies.ts";
import type { BrowserState } from "./browser-state.ts";
import type { SiteState } from "./site-protocol.ts";
import { writeSite } from "./storage-script.ts";

const writeTimeoutMs = 5000;

/** How long it may take as a whole, in ms: a start must be answered in time. */
const restoreTimeoutMs = 20_000;

/**
 * Puts a state into a browser that nobody has used yet: cookies, the storage of every origin, and in
 * its first tab what was a tab's own. Answers in words what the browser did not take. Throws
 * `browser_unavailable` where it cannot be done: a session without its state would write nothing back
 * that is worth having.
 */
export async function restoreState(
  browser: Browser,
  { cookies, sites }: BrowserState,
): Promise<readonly string[]> {
  const leftOut: string[] = [];
  const signal = AbortSignal.timeout(restoreTimeoutMs);
  const failed = (site: SiteState, error: unknown): void => {
    signal.throwIfAborted();
    leftOut.push(`${site.origin}: ${messageOf(error)}`);
  };
  try {
    const watch = await browser.watch();
    const refused = await writeBrowserCookies(watch, cookies);
    leftOut.push(...refused.map(({ domain }) => `a cookie of ${domain}`));
    await visitAll(
      sites.filter((site) => site.localStorage.length > 0 || site.databases.length > 0),
      () => BlankTab.open(browser),
      async (tab, site) => {
        const timing = { timeoutMs: writeTimeoutMs };
        const { leftOut: without } = await writeSite(tab.send, { site, part: "local" }, timing);
        leftOut.push(...without.map((what) => `${site.origin}: ${what}`));
      },
      failed,
      signal,
    );
    await restoreFirstTab(watch, sites, failed, signal);
    return leftOut;
  } catch (error) {
    throw new NightjarError(
      "browser_unavailable",
      `The browser did not take the profile's state: ${messageOf(error)}.`,
      { cause: error },
    );
  }
}

/** What is a tab's own can only be put into the tab itself. */
async function restoreFirstTab(
  watch: BrowserWatch,
  sites: readonly SiteState[],
  onFailure: (site: SiteState, error: unknown) => void,
  signal: AbortSignal,
): Promise<void> {
  const own = sites.filter((site) => site.sessionStorage.length > 0);
  const [first] = watch.tabs;
  if (own.length === 0 || first === undefined) return;
  const { tab, release } = borrow(watch, first.sessionId, first.targetId);
  try {
    const blank = await BlankTab.over(tab);
    for (const site of own) {
      try {
        signal.throwIfAborted();
        await blank.goTo(site.origin);
        await writeSite(tab.send, { site, part: "session" }, { timeoutMs: writeTimeoutMs });
      } catch (error) {
        onFailure(site, error);
      }
    }
    await blank.handBack();
  } finally {
    release();
  }
}

/** A tab of the browser's, as one of our own. */
function borrow(
  watch: BrowserWatch,
  sessionId: string,
  targetId: string,
): { readonly tab: OwnTab; readonly release: () => void } {
  let listener: (method: string, params: unknown) => void = () => {};
  const release = watch.onEvent(({ method, params, target }) => {
    if (target?.targetId === targetId) listener(method, params);
  });
  const tab: OwnTab = {
    targetId,
    send: (method, params, timeoutMs) =>
      watch.send(method, params, { sessionId, ...(timeoutMs === undefined ? {} : { timeoutMs }) }),
    onEvent: (callback) => {
      listener = callback;
    },
    close: async () => {},
  };
  return { tab, release };
}
