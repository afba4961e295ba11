import { messageOf, NightjarError } from "../../sessions/errors.ts";
import { readStream } from "../driver/cdp-stream.ts";
import type { DrivenPage } from "../driver/driven-page.ts";

/** Paper sizes in inches, upright. */
export const paperSizes = {
  A3: { width: 11.69, height: 16.54 },
  A4: { width: 8.27, height: 11.69 },
  A5: { width: 5.83, height: 8.27 },
  Letter: { width: 8.5, height: 11 },
  Legal: { width: 8.5, height: 14 },
  Tabloid: { width: 11, height: 17 },
} as const;
export type PaperSize = keyof typeof paperSizes;

export interface PdfRequest {
  readonly paper: PaperSize;
  readonly isLandscape: boolean;
  /** Whether colours and pictures behind the text are printed. */
  readonly printsBackground: boolean;
  /** 0.1 to 2. */
  readonly scale: number;
  /** On each side, in inches. */
  readonly marginInches: number;
  /** E.g. `1-3, 5`; empty for all. */
  readonly pageRanges: string;
}

const printTimeoutMs = 30_000;
const largestBytes = 100 * 1024 * 1024;

/** Prints a page as PDF. Throws `page_failed`, `answer_too_large` or `invalid_request`. */
export async function printPdf(page: DrivenPage, request: PdfRequest): Promise<Buffer> {
  const options = { sessionId: page.sessionId, timeoutMs: printTimeoutMs };
  const { width, height } = paperSizes[request.paper];
  const { marginInches } = request;
  try {
    const { stream } = await page.connection.command(
      "Page.printToPDF",
      {
        paperWidth: width,
        paperHeight: height,
        landscape: request.isLandscape,
        printBackground: request.printsBackground,
        scale: request.scale,
        marginTop: marginInches,
        marginBottom: marginInches,
        marginLeft: marginInches,
        marginRight: marginInches,
        pageRanges: request.pageRanges,
        transferMode: "ReturnAsStream",
      },
      options,
    );
    const bytes = await readStream(page, stream ?? "", largestBytes, printTimeoutMs);
    if (bytes !== null) return bytes;
    throw new NightjarError(
      "answer_too_large",
      `The PDF has more than ${largestBytes / 1024 / 1024} MB. Ask for some of its pages with page_ranges.`,
    );
  } catch (error) {
    if (error instanceof NightjarError) throw error;
    if (/page range|Page range/i.test(messageOf(error))) {
      const message = `page_ranges: "${request.pageRanges}" names no pages of this document; write it as 1-3, 5.`;
      throw new NightjarError("invalid_request", message, {
        issues: [{ location: ["body", "page_ranges"], message, kind: "page_ranges" }],
        cause: error,
      });
    }
    throw new NightjarError("page_failed", `The page could not be printed: ${messageOf(error)}.`, {
      cause: error,
    });
  }
}
