import { failureTo } from "../../sessions/egress-failures.ts";
import type { Browser } from "../../sessions/ports.ts";
import { ActionFailed } from "./failure.ts";

/**
 * Why a page did not open, where its browser's way out knows: it did not let the connection
 * through, or none came about. Browsers say no more than that there was no tunnel. `since` (epoch
 * ms) is when the navigation began; null where nothing is known.
 */
export function egressReason(browser: Browser, url: string, since: number): ActionFailed | null {
  const own = failureTo(browser.egressFailures, url, since);
  // The server of a page that redirects is another one.
  const failure = own ?? browser.egressFailures.at(-1);
  if (failure === undefined || failure.at < since) return null;
  const { kind, host, port, message } = failure;
  const where = own === null ? `it leads to ${host}:${port}, and ` : "";
  return new ActionFailed(
    kind === "refused" ? "refused_by_policy" : "navigation_failed",
    `${url} could not be opened: ${where}${message}.`,
  );
}

/** Why the page that is shown is a refusal; null where it is what its server answered. */
export function refusalOf(browser: Browser, url: string, since: number): ActionFailed | null {
  const failure = failureTo(browser.egressFailures, url, since);
  if (failure?.kind !== "refused") return null;
  return new ActionFailed("refused_by_policy", `${url} could not be opened: ${failure.message}.`);
}
