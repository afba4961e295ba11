import type { Browser, EgressFailure } from "../../sessions/ports.ts";
import { ActionFailed } from "./failure.ts";

/**
 * Why a page did not open, where its browser's way out knows: it did not let the connection
 * through, or none came about. Browsers say no more than that there was no tunnel. `since` (epoch
 * ms) is when the navigation began; null where nothing is known.
 */
export function egressReason(browser: Browser, url: string, since: number): ActionFailed | null {
  const failures = browser.egressFailures.filter(({ at }) => at >= since);
  const own = failures.findLast((failure) => isOf(failure, url));
  // The server of a page that redirects is another one.
  const failure = own ?? failures.at(-1);
  if (failure === undefined) return null;
  const { kind, host, port, message } = failure;
  const where = own === undefined ? `it leads to ${host}:${port}, and ` : "";
  return new ActionFailed(
    kind === "refused" ? "refused_by_policy" : "navigation_failed",
    `${url} could not be opened: ${where}${message}.`,
  );
}

/** Why the page that is shown is a refusal; null where it is what its server answered. */
export function refusalOf(browser: Browser, url: string, since: number): ActionFailed | null {
  const failure = browser.egressFailures.findLast((candidate) => isOf(candidate, url));
  if (failure?.kind !== "refused" || failure.at < since) return null;
  return new ActionFailed("refused_by_policy", `${url} could not be opened: ${failure.message}.`);
}

function isOf({ host, port }: EgressFailure, url: string): boolean {
  const parsed = URL.parse(url);
  if (parsed === null) return false;
  const usual = parsed.protocol === "https:" ? 443 : 80;
  const named = parsed.hostname.toLowerCase().replace(/^\[|\]$/g, "");
  return named.replace(/\.$/, "") === host && (Number(parsed.port) || usual) === port;
}
