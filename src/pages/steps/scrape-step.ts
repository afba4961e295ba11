import type { ScrapeRequest } from "../actions/action.ts";
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
      effects: {
        navigatedTo: null,
        openedTabs: [],
        closedTabs: 0,
        dialogs: [],
        downloads: [],
        changed: false,
      },
      data: { markdown, images: null, structured: null },
      elementId: null,
      filled: [],
      way: null,
    },
    { url, selectors: null, isSecret: false },
  );
}
