/** Reads the text of a PDF in a thread of its own, which can be ended when a file takes for ever. */
import { parentPort, workerData } from "node:worker_threads";
import { getDocumentProxy } from "unpdf";
import { markdownOfPdf, type PdfPiece } from "./pdf-markdown.ts";
import type { PdfInput, PdfText } from "./pdf-text.ts";

/** What the reader throws for files that want a password. */
const passwordError = "PasswordException";

parentPort?.postMessage(await read(workerData));

async function read({ bytes, maxPages, maxCharacters }: PdfInput): Promise<PdfText> {
  try {
    const document = await getDocumentProxy(bytes, { verbosity: 0 });
    const { info } = await document.getMetadata().catch(() => ({ info: {} }));
    const title = "Title" in info && typeof info.Title === "string" ? info.Title.trim() : "";
    const pages: (readonly PdfPiece[])[] = [];
    let characters = 0;
    for (let number = 1; number <= Math.min(document.numPages, maxPages); number += 1) {
      const pieces = await piecesOf(await document.getPage(number));
      pages.push(pieces);
      characters += pieces.reduce((sum, { text }) => sum + text.length, 0);
      if (characters > maxCharacters) break;
    }
    const markdown = markdownOfPdf(pages);
    return {
      kind: "text",
      title,
      markdown: markdown.slice(0, maxCharacters).toWellFormed(),
      pageCount: document.numPages,
      isTruncated: markdown.length > maxCharacters || pages.length < document.numPages,
    };
  } catch (error) {
    if (error instanceof Error && error.name === passwordError) return { kind: "locked" };
    return { kind: "unreadable", reason: error instanceof Error ? error.message : String(error) };
  }
}

type PdfPage = Awaited<ReturnType<Awaited<ReturnType<typeof getDocumentProxy>>["getPage"]>>;

async function piecesOf(page: PdfPage): Promise<readonly PdfPiece[]> {
  const { items } = await page.getTextContent();
  page.cleanup();
  return items.flatMap((item) => {
    if (!("str" in item)) return [];
    const [, , c = 0, d = 0, x = 0, y = 0] = item.transform as readonly number[];
    return [{ text: item.str, x, y, width: item.width, fontSize: Math.hypot(c, d) }];
  });
}
