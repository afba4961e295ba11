import type { EgressFailure } from "./ports.ts";

/** The last failure of a connection to a URL's server, at or after `since` (epoch ms); null where there is none. */
export function failureTo(
  failures: readonly EgressFailure[],
  url: string,
  since: number,
): EgressFailure | null {
  const parsed = URL.parse(url);
  if (parsed === null) return null;
  const usual = /^(?:https|wss):$/.test(parsed.protocol) ? 443 : 80;
  const port = Number(parsed.port) || usual;
  const host = parsed.hostname
    .toLowerCase()
    .replace(/^\[|\]$/g, "")
    .replace(/\.$/, "");
  const last = failures.findLast((failure) => failure.host === host && failure.port === port);
  return last === undefined || last.at < since ? null : last;
}
