import { noEffects, type ScrapeRequest } from "../actions/action.ts";
import { type ActionStep, actionStep } from "./step.ts";

/** The step of a scrape that was asked for by itself: as that of the action. */
export function scrapeStep(
  request: ScrapeRequest,
  { url, markdown }: { readonly url: string; readonly markdown: string },
  startedAt: number,
): ActionStep {
  return actionStep(
    { type: "scrape", request, dialog: null },
    {
      startedAt,
      endedAt: Date.now(),
      success: true,
      message: `Scraped ${url}.`,
      failure: null,
      effects: noEffects,
      data: { markdown, images: null, structured: null },
      elementId: null,
      filled: [],
      way: null,
    },
    { url, selectors: null, isSecret: false },
  );
}
