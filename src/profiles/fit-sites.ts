import { isEmpty } from "./browser-state.ts";
import { siteOf } from "./site-of.ts";
import type { SiteState } from "./site-protocol.ts";

/** Something that can be left out by itself. */
interface Part {
  readonly origin: string;
  /** Of a database; null for all items of localStorage and sessionStorage. */
  readonly database: string | null;
  readonly bytes: number;
}

/** What one owner has. */
interface Share {
  bytes: number;
  /** What is left out last is first: items, then databases, the largest last. */
  readonly parts: Part[];
}

export interface FittedSites {
  readonly sites: readonly SiteState[];
  /** In words. */
  readonly leftOut: readonly string[];
}

/**
 * Makes sites fit into so many bytes of JSON: whoever has most gives up its largest database, again and
 * again, and its items when it has no more. So one that takes less than its share loses nothing, whatever
 * others do.
 */
export function fitSites(sites: readonly SiteState[], mostBytes: number): FittedSites {
  const shares = new Map<string, Share>();
  let total = 0;
  for (const site of sites) {
    const owner = siteOf(site.origin);
    const share = shares.get(owner) ?? { bytes: 0, parts: [] };
    shares.set(owner, share);
    const own = partsOf(site);
    share.parts.push(...own.parts);
    share.bytes += own.bytes;
    total += own.bytes;
  }
  if (total <= mostBytes) return { sites, leftOut: [] };
  for (const { parts } of shares.values()) parts.sort(compareParts);
  const dropped: Part[] = [];
  while (total > mostBytes) {
    const largest = [...shares.values()]
      .filter(({ parts }) => parts.length > 0)
      .reduce<Share | null>((most, one) => (most && most.bytes >= one.bytes ? most : one), null);
    const part = largest?.parts.pop();
    if (largest === null || part === undefined) break;
    largest.bytes -= part.bytes;
    total -= part.bytes;
    dropped.push(part);
  }
  const keyOf = (origin: string, database: string | null) => JSON.stringify([origin, database]);
  const keys = new Set(dropped.map(({ origin, database }) => keyOf(origin, database)));
  const isDropped = (origin: string, database: string | null) => keys.has(keyOf(origin, database));
  const fitted = sites.map((site) => ({
    ...site,
    ...(isDropped(site.origin, null) ? { localStorage: [], sessionStorage: [] } : {}),
    databases: site.databases.filter(({ name }) => !isDropped(site.origin, name)),
  }));
  return { sites: fitted.filter((site) => !isEmpty(site)), leftOut: dropped.map(inWords) };
}

function partsOf(site: SiteState): { readonly parts: readonly Part[]; readonly bytes: number } {
  const { origin, databases } = site;
  const parts: Part[] = databases.map((database) => ({
    ...{ origin, database: database.name, bytes: bytesOf(database) },
  }));
  const items = { localStorage: site.localStorage, sessionStorage: site.sessionStorage };
  parts.push({ origin, database: null, bytes: bytesOf(items) });
  const frame = bytesOf({ origin, databases: [] });
  return { parts, bytes: parts.reduce((sum, { bytes }) => sum + bytes, frame) };
}

function bytesOf(value: object): number {
  // With the comma after it.
  return Buffer.byteLength(JSON.stringify(value)) + 1;
}

function compareParts(left: Part, right: Part): number {
  const [isLeft, isRight] = [left.database !== null, right.database !== null];
  return isLeft === isRight ? left.bytes - right.bytes : Number(isLeft) - Number(isRight);
}

function inWords({ origin, database }: Part): string {
  const what = database === null ? "localStorage and sessionStorage" : `the database "${database}"`;
  return `${origin}: ${what} (the profile would be too large, NIGHTJAR_MAX_PROFILE_MB)`;
}
