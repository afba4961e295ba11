import { invalidField, messageOf, NightjarError } from "../../sessions/errors.ts";
import type { ScrapeRequest } from "../actions/action.ts";
import { ActionFailed, asActionFailure } from "../actions/failure.ts";
import { type ContentRequest, mostImages, type PageContent } from "../content-protocol.ts";
import { type DrivenPage, FrameGoneError } from "../driver/driven-page.ts";
import { readFrames } from "./frame-contents.ts";
import { loadLazyContent } from "./lazy-content.ts";
import { pdfType, scrapeShownPdf } from "./scrape-pdf.ts";
import type { ScrapeResult } from "./scrape-result.ts";
import type { StructuredExtractor } from "./structured-extractor.ts";

/** No reader, and no model, takes more of one page. */
const mostCharacters = 2_000_000;
const scrapeTimeoutMs = 15_000;
const navigationTimeoutMs = 10_000;
const mostAttempts = 3;

/** HTML that somebody sends to be scraped, instead of a page. */
export interface HtmlSource {
  readonly html: string;
  readonly url: string;
}

/** Whether a scrape asks for data, which takes a model. */
function wantsData(request: ScrapeRequest): boolean {
  return request.responseFormat !== null || request.instructions !== null;
}

/** Throws `not_supported` when data is asked for and no model is configured. */
export function checkExtractor(
  request: ScrapeRequest,
  extractor: StructuredExtractor | null,
): void {
  if (!wantsData(request) || extractor !== null) return;
  throw new NightjarError(
    "not_supported",
    "This server has no model, so it cannot extract data by `response_format` or `instructions`. Leave them out, or ask the operator to set NIGHTJAR_MODEL.",
  );
}

/**
 * Scrapes a page, or HTML in a page's place; data is left to `withData`. Throws `invalid_request`
 * for a selector that matches nothing, and `page_failed`.
 */
export async function scrapePage(
  page: DrivenPage,
  request: ScrapeRequest,
  source: HtmlSource | null,
  signal: AbortSignal,
): Promise<ScrapeResult> {
  const content = await contentOf(page, request, source, signal);
  if (content.contentType === pdfType) return scrapeShownPdf(page, request, signal);
  return {
    url: content.url,
    title: content.title,
    markdown: request.onlyImages ? "" : content.markdown,
    images: request.onlyImages || request.includeImages ? content.images : null,
    structured: null,
    links: content.links,
    isTruncated: content.isTruncated,
  };
}

/** The result with the data that was asked for. Needs no page any more, and may take its time. */
export async function withData(
  result: ScrapeResult,
  request: ScrapeRequest,
  extractor: StructuredExtractor | null,
  signal: AbortSignal,
): Promise<ScrapeResult> {
  if (!wantsData(request) || extractor === null) return result;
  const structured = await extractor.extract(
    {
      content: result.markdown,
      url: result.url,
      title: result.title,
      schema: request.responseFormat,
      instructions: request.instructions,
    },
    signal,
  );
  return { ...result, structured };
}

async function contentOf(
  page: DrivenPage,
  request: ScrapeRequest,
  source: HtmlSource | null,
  signal: AbortSignal,
): Promise<PageContent> {
  for (let attempt = 1; ; attempt += 1) {
    signal.throwIfAborted();
    try {
      if (source === null) await loadLazyContent(page, signal);
      return await readContent(page, request, source);
    } catch (error) {
      if (error instanceof NightjarError) throw error;
      if (!(error instanceof FrameGoneError) || attempt === mostAttempts) {
        throw new NightjarError(
          "page_failed",
          `The page could not be scraped: ${messageOf(error).split("\n", 1)[0]}.`,
          { cause: error },
        );
      }
      await page.page
        .waitForLoadState("domcontentloaded", { timeout: navigationTimeoutMs })
        .catch(() => {});
    }
  }
}

async function readContent(
  page: DrivenPage,
  request: ScrapeRequest,
  source: HtmlSource | null,
): Promise<PageContent> {
  const [main] = page.frames();
  if (main === undefined) throw new FrameGoneError();
  const root =
    source === null && request.selector !== null ? await rootOf(page, request.selector) : null;
  const rootKey = root?.key ?? null;
  const ignoredTags = request.ignoredTags.map((tag) => tag.toLowerCase());
  const inFrames =
    source === null && !ignoredTags.includes("iframe")
      ? await readFrames(page, main, { rootKey, ignoredTags })
      : null;
  const content: ContentRequest = {
    rootKey,
    source: source === null ? null : { ...source, selector: request.selector },
    onlyMainContent: request.onlyMainContent,
    includeLinks: request.includeLinks,
    includeImages: request.includeImages,
    ignoredTags,
    useLinkPlaceholders: request.useLinkPlaceholders,
    maxCharacters: mostCharacters,
    frames: inFrames?.frames ?? {},
  };
  const read = await page.call<PageContent>(
    main,
    "content",
    "contentOf",
    [content],
    scrapeTimeoutMs,
  );
  if (inFrames === null) return read;
  return {
    ...read,
    images: withImages(read.images, inFrames.images),
    isTruncated: read.isTruncated || inFrames.isCut,
  };
}

/** Those of the page and those in its iframes, each once. */
function withImages(
  own: PageContent["images"],
  inFrames: PageContent["images"],
): PageContent["images"] {
  if (inFrames.length === 0) return own;
  const known = new Set(own.map(({ url }) => url));
  const others = inFrames.filter(({ url }) => {
    const isNew = url === null || !known.has(url);
    known.add(url);
    return isNew;
  });
  return [...own, ...others].slice(0, mostImages);
}

/** The key of the first element that a Playwright selector matches in the main frame. */
async function rootOf(page: DrivenPage, selector: string): Promise<{ readonly key: string }> {
  const key = await page.keyOfSelector(selector).catch((error: unknown) => {
    const failure = asActionFailure(error, `selector: "${selector}"`);
    if (!(failure instanceof ActionFailed) || error instanceof FrameGoneError) throw error;
    throw invalidField("selector", failure.message, "selector");
  });
  if (key !== null) return { key };
  throw invalidField(
    "selector",
    `selector: nothing on the page matches "${selector}".`,
    "selector",
  );
}
