import { readFile } from "node:fs/promises";
import { invalidField, NightjarError } from "../../sessions/errors.ts";
import type { ScrapeRequest } from "../actions/action.ts";
import type { SessionFiles } from "../actions/ports.ts";
import { type DrivenPage, FrameGoneError } from "../driver/driven-page.ts";
import { fetchShown } from "../driver/shown-file.ts";
import { readPdf } from "./pdf-text.ts";
import type { ScrapeResult } from "./scrape-result.ts";

export const pdfType = "application/pdf";

const largestBytes = 32 * 1024 * 1024;
const fetchTimeoutMs = 30_000;
const mostCharacters = 2_000_000;

/** A PDF that a navigation led to, and that the browser downloaded instead of showing it. */
export interface OpenedFile {
  readonly url: string;
  /** Its name among the session's downloads. */
  readonly name: string;
}

/** Scrapes the PDF that a tab shows. Throws `page_failed`, and `invalid_request` for a selector. */
export async function scrapeShownPdf(
  page: DrivenPage,
  request: ScrapeRequest,
  signal: AbortSignal,
): Promise<ScrapeResult> {
  const [main] = page.frames();
  if (main === undefined) throw new FrameGoneError();
  const url = page.page.url();
  const limits = { mostBytes: largestBytes, timeoutMs: fetchTimeoutMs };
  const file = await fetchShown(page, main, limits);
  if ("error" in file) throw failure(`The PDF at ${url} could not be fetched: ${file.error}.`);
  return scrapePdf(file.bytes, url, request, signal);
}

/** The same for one that was downloaded. */
export async function scrapeOpenedPdf(
  { url, name }: OpenedFile,
  files: SessionFiles,
  request: ScrapeRequest,
  signal: AbortSignal,
): Promise<ScrapeResult> {
  const file = await files.download(name);
  if (file === null) {
    throw failure(`The PDF at ${url} was removed from the session's downloads; open it again.`);
  }
  if (file.sizeBytes > largestBytes) {
    throw failure(`The PDF at ${url} is larger than ${largestBytes} bytes.`);
  }
  return scrapePdf(await readFile(file.path, { signal }), url, request, signal);
}

async function scrapePdf(
  bytes: Buffer,
  url: string,
  request: ScrapeRequest,
  signal: AbortSignal,
): Promise<ScrapeResult> {
  if (request.selector !== null) {
    throw invalidField("selector", "selector: a PDF has no elements; leave it out.", "selector");
  }
  const pdf = await readPdf(bytes, mostCharacters, signal);
  switch (pdf.kind) {
    case "locked":
      throw failure(`The PDF at ${url} is protected by a password, so it cannot be read.`);
    case "unreadable":
      throw failure(`The PDF at ${url} cannot be read: ${pdf.reason.replace(/\.$/, "")}.`);
    case "text": {
      const { markdown, title, pageCount, isTruncated } = pdf;
      if (markdown === "") {
        throw failure(
          `The PDF at ${url} holds no text: its ${pageCount} ${pageCount === 1 ? "page is a picture" : "pages are pictures"}, as of a scan.`,
        );
      }
      const asked = request.onlyImages || request.includeImages;
      return {
        url,
        title: title === "" ? nameIn(url) : title,
        markdown: request.onlyImages ? "" : markdown,
        images: asked ? [] : null,
        structured: null,
        links: {},
        isTruncated,
      };
    }
  }
}

function nameIn(url: string): string {
  return URL.parse(url)?.pathname.split("/").at(-1) ?? "";
}

function failure(message: string): NightjarError {
  return new NightjarError("page_failed", message);
}
