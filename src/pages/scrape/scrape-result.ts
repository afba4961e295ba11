import type { ActionData } from "../actions/action.ts";

/** What a scrape brings. */
export interface ScrapeResult extends ActionData {
  readonly url: string;
  readonly title: string;
  /** URLs by placeholder, where placeholders were asked for. */
  readonly links: Readonly<Record<string, string>>;
  readonly isTruncated: boolean;
}
