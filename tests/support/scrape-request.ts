import type { ScrapeRequest } from "../../src/pages/actions/action.ts";

/** A scrape of the whole page, with links and without pictures. */
export const wholePage: ScrapeRequest = {
  selector: null,
  includeLinks: true,
  includeImages: false,
  ignoredTags: [],
  onlyMainContent: false,
  onlyImages: false,
  useLinkPlaceholders: false,
  responseFormat: null,
  instructions: null,
};
