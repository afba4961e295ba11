import { z } from "zod";
import type { Browser, BrowserWatch, WatchedTarget } from "../sessions/ports.ts";
import { BlankTab, visitAll } from "./blank-tab.ts";
import { mergeCookies, readBrowserCookies } from "./browser-cookies.ts";
import {
  type BrowserState,
  cookieKey,
  nothingUnrestored,
  type StoredCookie,
  type Unrestored,
} from "./browser-state.ts";
import { byTurns, originOf, siteOf } from "./site-of.ts";
import type { ReadRequest } from "./site-protocol.ts";
import { mostSites, SiteShelf } from "./site-shelf.ts";
import { Slots, untilAborted } from "./slots.ts";
import { type ReadSite, readSite } from "./storage-script.ts";

/** How long a page that somebody uses may take to answer, in ms: one with an open dialog never does. */
const liveTimeoutMs = 2000;
const blankTimeoutMs = 4000;

/** Pages that are read at once: each answer is held until it is checked. */
const pagesAtOnce = 3;

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
  /** What the session's browser was not given; null where this process does not know. */
  readonly unrestored: Unrestored | null;
  readonly room: CaptureRoom;
  /** When it is aborted, what was read until then is answered. */
  readonly signal: AbortSignal;
}

/** In bytes of JSON. */
export interface CaptureRoom {
  /** What a profile may take; about as much again is held while it is read. */
  readonly mostBytes: number;
  /** What an origin may take: items and databases beyond it are left out. */
  readonly mostSiteBytes: number;
  /** A database that would take more is left out. */
  readonly mostDatabaseBytes: number;
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
  const { previous, openTabs, signal, room } = options;
  const { mostSiteBytes, mostDatabaseBytes } = room;
  const request = { mostBytes: mostSiteBytes, mostDatabaseBytes };
  const watch = await browser.watch();
  const byUse = await browser.pages();
  const unrestored = options.unrestored ?? previous.unrestored;
  const cookies = keptCookies(await readBrowserCookies(watch), previous.cookies, unrestored);
  const pages = await ownPages(watch, byUse);
  const shelf = new SiteShelf({ previous: previous.sites, unrestored, mostBytes: room.mostBytes });

  const open = new Map<string, WatchedTarget>();
  for (const page of pages) {
    const origin = originOf(page.url);
    if (origin !== null && !open.has(origin)) open.set(origin, page);
  }
  const read = new Set<string>();
  const reading = readPages(watch, [...open], request, (origin, { answer, size }) => {
    if (signal.aborted) return;
    shelf.put(origin, answer, true, size);
    read.add(origin);
  });
  const others = new Set<string>();
  const looking = openTabs ? addOtherOrigins(watch, pages, others) : Promise.resolve();
  await untilAborted(Promise.all([reading, looking]), signal);

  // What was pending: the server may have been started anew since it was visited.
  const been = [...previous.pending, ...others, ...options.visited, ...[...open.keys()].reverse()];
  // Each where it stands last.
  const order = [...new Set(been.toReversed())].reverse();
  const unread = new Set(
    order.filter((origin) => originOf(origin) === origin && !read.has(origin)),
  );
  if (openTabs) {
    const openTab = () => BlankTab.open(browser);
    const waiting = byTurns(unread).map((origin) => ({ origin }));
    const visit = async (tab: BlankTab, { origin }: { readonly origin: string }): Promise<void> => {
      const { answer, size } = await readSite(tab.send, request, { timeoutMs: blankTimeoutMs });
      if (signal.aborted) return;
      shelf.put(origin, answer, false, size);
      unread.delete(origin);
    };
    // Without a tab, what is open and all cookies are still worth keeping.
    await visitAll(waiting, openTab, visit, () => {}, signal).catch(() => {});
  }
  const { sites, leftOut } = shelf.take(order);
  const state: BrowserState = {
    version: 1,
    cookies,
    sites,
    pending: openTabs ? [] : byTurns(unread).slice(0, mostSites).reverse(),
    unrestored: openTabs ? nothingUnrestored : unrestored,
  };
  if (!openTabs) return { state, leftOut };
  const left = [...unread].map((origin) => `${origin}: could not be read, so it stays as it was`);
  return { state, leftOut: [...leftOut, ...left, ...inWords(unrestored)] };
}

/** What the browser has, and what it was not given. */
function keptCookies(
  cookies: readonly StoredCookie[],
  previous: readonly StoredCookie[],
  unrestored: Unrestored,
): readonly StoredCookie[] {
  if (unrestored.cookies.length === 0) return cookies;
  const keys = new Set(unrestored.cookies);
  return mergeCookies(
    previous.filter((cookie) => keys.has(cookieKey(cookie))),
    cookies,
  );
}

function inWords({ origins, cookies }: Unrestored): readonly string[] {
  const stays = "was not restored whole at the start, so what it had before stays";
  const words = origins.map((origin) => `${origin}: ${stays}`);
  if (cookies.length > 0) words.push(`${cookies.length} of the cookies: the browser refused them`);
  return words;
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

/** Reads in worlds of its own, which the pages' scripts can neither see nor change. Never rejects. */
async function readPages(
  watch: BrowserWatch,
  pages: readonly (readonly [string, WatchedTarget])[],
  request: ReadRequest,
  onRead: (origin: string, read: ReadSite) => void,
): Promise<void> {
  const slots = new Slots(pagesAtOnce);
  const readPage = async (origin: string, { sessionId, targetId }: WatchedTarget) => {
    const send = (method: string, params?: object, timeoutMs = liveTimeoutMs) =>
      watch.send(method, params, { sessionId, timeoutMs });
    // The main frame of a page has the page's id.
    const world = { frameId: targetId, worldName: "nightjar_profile" };
    // Of all pages at once: one that hangs must not hold up the others.
    const { executionContextId } = worldSchema.parse(await send("Page.createIsolatedWorld", world));
    const where = { contextId: executionContextId, timeoutMs: liveTimeoutMs };
    await slots.run(async () => onRead(origin, await readSite(send, request, where)));
  };
  // One that fails does not answer, or is elsewhere now.
  await Promise.allSettled(pages.map(([origin, page]) => readPage(origin, page)));
}

interface FrameTree {
  readonly frame: { readonly url: string };
  readonly childFrames?: readonly FrameTree[];
}

/**
 * Adds where the pages have been before, and what frames of their own site show: those of others keep what
 * they keep apart. The pages' own processes say so, who may lie: it is only where to look.
 */
async function addOtherOrigins(
  watch: BrowserWatch,
  pages: readonly WatchedTarget[],
  origins: Set<string>,
): Promise<void> {
  const add = (url: string, site: string | null): void => {
    const origin = originOf(url);
    if (origin !== null && (site === null || siteOf(origin) === site)) origins.add(origin);
  };
  await Promise.all(
    pages.map(async ({ sessionId, url: shown }) => {
      const options = { sessionId, timeoutMs: liveTimeoutMs };
      const [history, tree] = await Promise.allSettled([
        watch.send("Page.getNavigationHistory", {}, options),
        watch.send("Page.getFrameTree", {}, options),
      ]);
      if (history.status === "fulfilled") {
        const { entries } = history.value as { readonly entries: readonly { url: string }[] };
        for (const { url } of entries) add(url, null);
      }
      if (tree.status === "fulfilled") {
        const { frameTree } = tree.value as { readonly frameTree: FrameTree };
        const origin = originOf(shown);
        const site = origin === null ? null : siteOf(origin);
        if (site !== null) for (const url of urlsOf(frameTree)) add(url, site);
      }
    }),
  );
}

function urlsOf({ frame, childFrames = [] }: FrameTree): readonly string[] {
  return [frame.url, ...childFrames.flatMap(urlsOf)];
}
