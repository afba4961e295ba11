import { type Action, noEffects, type ScrapeRequest } from "../actions/action.ts";
import { type ActionStep, actionStep } from "./step.ts";

/** The step of a scrape that was asked for by itself: as that of the action. */
export function scrapeStep(
  request: ScrapeRequest,
  { url, markdown }: { readonly url: string; readonly markdown: string },
  startedAt: number,
): ActionStep {
  return actionStep(
    scrapeAction(request),
    {
      startedAt,
      endedAt: Date.now(),
      success: true,
      message: `Scraped ${url}.`,
      failure: null,
      data: { markdown, images: null, structured: null },
      effects: noEffects,
      elementId: null,
      filled: [],
      way: null,
    },
    { url, selectors: null, isSecret: false },
  );
}

/** The action that does what a scrape by itself does. */
export function scrapeAction(request: ScrapeRequest): Action {
  return { type: "scrape", request, dialog: null };
}
