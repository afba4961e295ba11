import { z } from "zod";
import type { Browser, BrowserWatch, WatchedTarget } from "../sessions/ports.ts";
import { BlankTab, visitAll } from "./blank-tab.ts";
import { readBrowserCookies } from "./browser-cookies.ts";
import { type BrowserState, isEmpty } from "./browser-state.ts";
import type { ReadAnswer, SiteState } from "./site-protocol.ts";
import { readSite } from "./storage-script.ts";

/** How long a page that somebody uses may take to answer, in ms: one with an open dialog never does. */
const liveTimeoutMs = 2000;
const blankTimeoutMs = 4000;

/** Origins that are kept; the one that was used longest ago goes first. */
const mostSites = 200;

export interface CaptureOptions {
  /** What the profile holds so far: it stays where the session has not been. */
  readonly previous: BrowserState;
  /** Where the session has been; those that are open now may be left out. */
  readonly visited: Iterable<string>;
  /**
   * Whether tabs are opened to read what the session keeps where it is not any more. Clients of the
   * browser see them.
   */
  readonly openTabs: boolean;
  /** A database that would take more is left out, in bytes. */
  readonly mostDatabaseBytes: number;
  /** No further origin is read when it is aborted. */
  readonly signal: AbortSignal;
}

export interface Capture {
  readonly state: BrowserState;
  /** What could not be kept, in words. */
  readonly leftOut: readonly string[];
}

/**
 * Reads the state of a browser's own context: all cookies, and the storage of every origin that was
 * visited. What the browser tells decides which origin is read, and each origin is read by itself: no
 * page can put anything into the storage of another. Throws when the browser does not answer.
 */
export async function captureState(browser: Browser, options: CaptureOptions): Promise<Capture> {
  const watch = await browser.watch();
  const byUse = await browser.pages();
  const cookies = await readBrowserCookies(watch);
  const pages = await ownPages(watch, byUse);
  const sites = new Map(options.previous.sites.map((site) => [site.origin, site]));
  const leftOut: string[] = [];
  const keep = (origin: string, { site, leftOut: without }: ReadAnswer, isTab: boolean): void => {
    if (site.origin !== origin) throw new Error(`it is ${site.origin} now`);
    const sessionStorage = isTab ? site.sessionStorage : (sites.get(origin)?.sessionStorage ?? []);
    // Put last: it was used last.
    sites.delete(origin);
    const kept: SiteState = { ...site, sessionStorage };
    if (!isEmpty(kept)) sites.set(origin, kept);
    for (const what of without) leftOut.push(`${origin}: ${what}`);
  };

  const open = new Map<string, WatchedTarget>();
  for (const page of pages) {
    const origin = originOf(page.url);
    if (origin !== null && !open.has(origin)) open.set(origin, page);
  }
  const { mostDatabaseBytes, signal } = options;
  const read = new Set<string>();
  await Promise.all(
    [...open].map(async ([origin, page]) => {
      try {
        keep(origin, await readPage(watch, page, mostDatabaseBytes), true);
        read.add(origin);
      } catch {
        // It does not answer, or it is elsewhere now.
      }
    }),
  );

  const others = options.openTabs ? await otherOrigins(watch, pages) : [];
  // What was pending: the server may have been started anew since it was visited.
  const been = [...options.previous.pending, ...options.visited, ...others, ...open.keys()];
  const isUnread = (origin: string) => originOf(origin) === origin && !read.has(origin);
  const unread = new Set(been.filter(isUnread));
  if (options.openTabs) {
    const openTab = () => BlankTab.open(browser);
    const waiting = [...unread].map((origin) => ({ origin }));
    const visit = async (tab: BlankTab, { origin }: { readonly origin: string }): Promise<void> => {
      const timing = { timeoutMs: blankTimeoutMs };
      keep(origin, await readSite(tab.send, { mostDatabaseBytes }, timing), false);
      unread.delete(origin);
    };
    // Without a tab, what is open and all cookies are still worth keeping.
    await visitAll(waiting, openTab, visit, () => {}, signal).catch(() => {});
    const why = "could not be read, so it stays as it was";
    leftOut.push(...[...unread].map((origin) => `${origin}: ${why}`));
  }
  const kept = [...sites.values()].slice(-mostSites);
  const pending = options.openTabs ? [] : [...unread].slice(-mostSites);
  return { state: { version: 1, cookies, sites: kept, pending }, leftOut };
}

/** The origin of a URL of the web; null for others. */
export function originOf(url: string): string | null {
  if (!/^https?:/.test(url) || !URL.canParse(url)) return null;
  return new URL(url).origin;
}

const targetsSchema = z.object({
  targetInfos: z.array(z.object({ targetId: z.string(), browserContextId: z.string().optional() })),
});
const contextsSchema = z.object({ browserContextIds: z.array(z.string()) });

/** The pages of the browser's own context, the one that was used last first. */
async function ownPages(
  watch: BrowserWatch,
  byUse: readonly { readonly targetId: string }[],
): Promise<readonly WatchedTarget[]> {
  const [targets, contexts] = await Promise.all([
    watch.send("Target.getTargets"),
    watch.send("Target.getBrowserContexts"),
  ]);
  const { browserContextIds: made } = contextsSchema.parse(contexts);
  // Contexts that clients made are private: they leave no trace.
  const own = new Set(
    targetsSchema
      .parse(targets)
      .targetInfos.filter(({ browserContextId: id }) => id === undefined || !made.includes(id))
      .map(({ targetId }) => targetId),
  );
  const ranks = new Map(byUse.map(({ targetId }, index) => [targetId, index]));
  const rankOf = ({ targetId }: WatchedTarget) => ranks.get(targetId) ?? ranks.size;
  return watch.tabs
    .filter(({ targetId }) => own.has(targetId))
    .sort((left, right) => rankOf(left) - rankOf(right));
}

const worldSchema = z.object({ executionContextId: z.number() });

/** In a world of its own, which the page's scripts can neither see nor change. */
async function readPage(
  watch: BrowserWatch,
  { sessionId, targetId }: WatchedTarget,
  mostDatabaseBytes: number,
): Promise<ReadAnswer> {
  const send = (method: string, params?: object, timeoutMs = liveTimeoutMs) =>
    watch.send(method, params, { sessionId, timeoutMs });
  // The main frame of a page has the page's id.
  const world = { frameId: targetId, worldName: "nightjar_profile" };
  const { executionContextId } = worldSchema.parse(await send("Page.createIsolatedWorld", world));
  const where = { contextId: executionContextId, timeoutMs: liveTimeoutMs };
  return readSite(send, { mostDatabaseBytes }, where);
}

interface FrameTree {
  readonly frame: { readonly url: string };
  readonly childFrames?: readonly FrameTree[];
}

/**
 * Where the pages have been before, and what their frames show. The pages' own processes say so, who
 * may lie: it is only where to look.
 */
async function otherOrigins(
  watch: BrowserWatch,
  pages: readonly WatchedTarget[],
): Promise<ReadonlySet<string>> {
  const origins = new Set<string>();
  const add = (url: string): void => {
    const origin = originOf(url);
    if (origin !== null && origins.size < mostSites) origins.add(origin);
  };
  await Promise.all(
    pages.map(async ({ sessionId }) => {
      const options = { sessionId, timeoutMs: liveTimeoutMs };
      const [history, tree] = await Promise.allSettled([
        watch.send("Page.getNavigationHistory", {}, options),
        watch.send("Page.getFrameTree", {}, options),
      ]);
      if (history.status === "fulfilled") {
        const { entries } = history.value as { readonly entries: readonly { url: string }[] };
        for (const { url } of entries) add(url);
      }
      if (tree.status === "fulfilled") {
        const { frameTree } = tree.value as { readonly frameTree: FrameTree };
        for (const url of urlsOf(frameTree)) add(url);
      }
    }),
  );
  return origins;
}

function urlsOf({ frame, childFrames = [] }: FrameTree): readonly string[] {
  return [frame.url, ...childFrames.flatMap(urlsOf)];
}
