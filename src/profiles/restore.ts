import { messageOf, NightjarError } from "../sessions/errors.ts";
import type { Browser, BrowserWatch, OwnTab } from "../sessions/ports.ts";
import { BlankTab, visitAll } from "./blank-tab.ts";
import { writeBrowserCookies } from "./browser-cookies.ts";
import { type BrowserState, cookieKey, type Unrestored } from "./browser-state.ts";
import type { SiteState } from "./site-protocol.ts";
import { writeSite } from "./storage-script.ts";

const writeTimeoutMs = 5000;

/** How long it may take as a whole, in ms: a start must be answered in time. */
const restoreTimeoutMs = 20_000;

export interface Restored {
  /** In words. */
  readonly leftOut: readonly string[];
  /** Where something was left out. */
  readonly unrestored: Unrestored;
}

/**
 * Puts a state into a browser that nobody has used yet: cookies, the storage of every origin, and in
 * its first tab what was a tab's own. Answers what the browser did not take. Throws
 * `browser_unavailable` where it cannot be done: a session without its state would write nothing back
 * that is worth having.
 */
export async function restoreState(
  browser: Browser,
  { cookies, sites }: BrowserState,
): Promise<Restored> {
  const leftOut: string[] = [];
  const origins = new Set<string>();
  const signal = AbortSignal.timeout(restoreTimeoutMs);
  const leaveOut = ({ origin }: SiteState, what: string): void => {
    leftOut.push(`${origin}: ${what}`);
    origins.add(origin);
  };
  const failed = (site: SiteState, error: unknown): void => {
    signal.throwIfAborted();
    leaveOut(site, messageOf(error));
  };
  try {
    const watch = await browser.watch();
    const refused = await writeBrowserCookies(watch, cookies, signal);
    leftOut.push(...refused.map(({ domain }) => `a cookie of ${domain}`));
    await visitAll(
      sites.filter((site) => site.localStorage.length > 0 || site.databases.length > 0),
      () => BlankTab.open(browser),
      async (tab, site) => {
        const timing = { timeoutMs: writeTimeoutMs };
        const { leftOut: without } = await writeSite(tab.send, { site, part: "local" }, timing);
        for (const what of without) leaveOut(site, what);
      },
      failed,
      signal,
    );
    signal.throwIfAborted();
    await restoreFirstTab(watch, sites, failed, signal);
    return { leftOut, unrestored: { origins: [...origins], cookies: refused.map(cookieKey) } };
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
