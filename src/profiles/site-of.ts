import { isIP } from "node:net";

/** The longest second part of a country's names that is taken for one of its registries, e.g. `co.uk`. */
const longestRegistry = 3;

/** The origin of a URL of the web; null for others. */
export function originOf(url: string): string | null {
  if (!/^https?:/.test(url) || !URL.canParse(url)) return null;
  return new URL(url).origin;
}

/**
 * The part of an origin's name that one owner has, e.g. `example.co.uk` of `https://a.example.co.uk`.
 * Near enough to share out room by, and not for anything that trust hangs on: it knows no list of registries.
 */
export function siteOf(origin: string): string {
  const { hostname } = new URL(origin);
  if (isIP(hostname) !== 0 || hostname.startsWith("[")) return hostname;
  const parts = hostname.split(".");
  const [country = "", registry = ""] = parts.toReversed();
  const isShort = country.length === 2 && registry.length <= longestRegistry;
  return parts.slice(isShort ? -3 : -2).join(".");
}

/**
 * Puts origins, of which the one that was used last is last, in the order in which they are served: the
 * newest first, but sites in turns, so that one with hundreds of names keeps nobody else waiting.
 */
export function byTurns(origins: Iterable<string>): readonly string[] {
  const turns = new Map<string, number>();
  return [...origins]
    .reverse()
    .map((origin) => {
      const site = siteOf(origin);
      const turn = turns.get(site) ?? 0;
      turns.set(site, turn + 1);
      return { origin, turn };
    })
    .sort((left, right) => left.turn - right.turn)
    .map(({ origin }) => origin);
}
