import { type ActionResult, noEffects, type ScrapeRequest } from "../actions/action.ts";
import { type ActionStep, actionStep, type FailedOperation } from "./step.ts";

/** The step of a scrape that was asked for by itself: as that of the action. */
export function scrapeStep(
  request: ScrapeRequest,
  { url, markdown }: { readonly url: string; readonly markdown: string },
  startedAt: number,
): ActionStep {
  return stepOf(request, url, {
    startedAt,
    endedAt: Date.now(),
    success: true,
    message: `Scraped ${url}.`,
    failure: null,
    data: { markdown, images: null, structured: null },
  });
}

/** The step of one that failed. */
export function failedScrapeStep(
  request: ScrapeRequest,
  { startedAt, endedAt, url, message }: FailedOperation,
): ActionStep {
  return stepOf(request, url, {
    startedAt,
    endedAt,
    success: false,
    message,
    failure: { kind: "failed", message },
    data: null,
  });
}

function stepOf(
  request: ScrapeRequest,
  url: string,
  outcome: Omit<ActionResult, "effects" | "elementId" | "filled" | "way">,
): ActionStep {
  return actionStep(
    { type: "scrape", request, dialog: null },
    { ...outcome, effects: noEffects, elementId: null, filled: [], way: null },
    { url, selectors: null, isSecret: false },
  );
}
