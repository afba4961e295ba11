import { isEmpty, type Unrestored } from "./browser-state.ts";
import { fitSites } from "./fit-sites.ts";
import { byTurns } from "./site-of.ts";
import type { ReadAnswer, SiteState } from "./site-protocol.ts";

/** Origins that are kept. */
export const mostSites = 200;

export interface SiteShelfOptions {
  /** What the profile holds so far: it stays where nothing else is put in its place. */
  readonly previous: readonly SiteState[];
  /** What the browser was not given: that it is not there does not mean that it was removed. */
  readonly unrestored: Unrestored;
  /** What is held of sites, in bytes of JSON; while they are put in, up to twice as much is. */
  readonly mostBytes: number;
}

/** The sites of a profile, while they are read anew. */
export class SiteShelf {
  readonly #options: SiteShelfOptions;
  readonly #leftOut: string[] = [];
  #sites: Map<string, SiteState>;
  /** Characters of what was put in since it was last made to fit. */
  #unmeasured = 0;

  constructor(options: SiteShelfOptions) {
    this.#options = options;
    this.#sites = new Map(options.previous.map((site) => [site.origin, site]));
  }

  /**
   * Puts in what an origin keeps now. `isTab`: it was read in a tab of the session's, whose
   * sessionStorage it has. `size`: characters of JSON. Throws where it is another origin's.
   */
  put(origin: string, answer: ReadAnswer, isTab: boolean, size: number): void {
    const { site, unread, leftOut } = answer;
    if (site.origin !== origin) throw new Error(`it is ${site.origin} now`);
    const before = this.#sites.get(origin);
    let kept: SiteState = {
      ...site,
      sessionStorage: isTab ? site.sessionStorage : (before?.sessionStorage ?? []),
    };
    if (before !== undefined) {
      const stays = (name: string) => unread.includes(name);
      kept = this.#options.unrestored.origins.includes(origin)
        ? merged(before, kept, () => true)
        : { ...kept, databases: merged(before, kept, stays).databases };
    }
    this.#sites.delete(origin);
    if (!isEmpty(kept)) this.#sites.set(origin, kept);
    for (const what of leftOut) this.#leftOut.push(`${origin}: ${what}`);
    this.#unmeasured += size;
    if (this.#unmeasured > this.#options.mostBytes) this.#fit();
  }

  /**
   * What is there now, and what was left out, in words. `order`: origins, the one that was used last is
   * last; the others stay ahead of them as they were.
   */
  take(order: readonly string[]): {
    readonly sites: readonly SiteState[];
    readonly leftOut: readonly string[];
  } {
    const used = new Set(order);
    const others = [...this.#sites.keys()].filter((origin) => !used.has(origin));
    const origins = [...others, ...order].filter((origin) => this.#sites.has(origin));
    const served = new Set(byTurns(origins).slice(0, mostSites));
    const leftOut = [
      ...this.#leftOut,
      ...origins
        .filter((origin) => !served.has(origin))
        .map((origin) => `${origin}: all of it (a profile holds ${mostSites} origins)`),
    ];
    const kept = new Set(origins.filter((origin) => served.has(origin)));
    return { sites: [...kept].flatMap((origin) => this.#sites.get(origin) ?? []), leftOut };
  }

  #fit(): void {
    const { sites, leftOut } = fitSites([...this.#sites.values()], this.#options.mostBytes);
    this.#sites = new Map(sites.map((site) => [site.origin, site]));
    this.#leftOut.push(...leftOut);
    this.#unmeasured = 0;
  }
}

/** What is there now, and of what was there before the items, and the databases that stay, beside it. */
function merged(before: SiteState, now: SiteState, stays: (name: string) => boolean): SiteState {
  const names = new Set(now.databases.map(({ name }) => name));
  return {
    origin: now.origin,
    localStorage: [...new Map([...before.localStorage, ...now.localStorage])],
    sessionStorage: [...new Map([...before.sessionStorage, ...now.sessionStorage])],
    databases: [
      ...now.databases,
      ...before.databases.filter(({ name }) => !names.has(name) && stays(name)),
    ],
  };
}
