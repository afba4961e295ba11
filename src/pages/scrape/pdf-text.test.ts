import { describe, expect, test } from "vitest";
import { makePdf } from "../../../tests/support/pdf.ts";
import { readPdf } from "./pdf-text.ts";

const never = new AbortController().signal;

describe("a PDF is read", () => {
  test("as markdown, by the sizes and places of its texts", async () => {
    const bytes = makePdf([
      { text: "Lamps of the North", size: 24, y: 720 },
      { text: "A history", size: 16, y: 690 },
      { text: "The lamp shines all night long, and no-", size: 11, y: 660 },
      { text: "body knows why it does.", size: 11, y: 646 },
      { text: "Another paragraph begins here.", size: 11, y: 610 },
      { text: "\x95 oil", size: 11, y: 590 },
      { text: "\x95 wick", size: 11, y: 576 },
      { text: "# 1", size: 11, y: 550 },
      { text: "Price", size: 11, y: 520 },
      { text: "42", size: 11, y: 520, x: 300 },
    ]);
    expect(await readPdf(bytes, 100_000, never)).toMatchObject({
      kind: "text",
      pageCount: 1,
      isTruncated: false,
      markdown: [
        "# Lamps of the North",
        "## A history",
        "The lamp shines all night long, and nobody knows why it does.",
        "Another paragraph begins here.",
        "- oil\n- wick",
        "\\# 1",
        "Price   42",
      ].join("\n\n"),
    });
    expect(await readPdf(bytes, 10, never)).toMatchObject({ isTruncated: true });
  });

  test("and says when that cannot be done", async () => {
    const locked = makePdf([{ text: "secret", size: 11, y: 700 }], true);
    expect(await readPdf(locked, 1000, never)).toEqual({ kind: "locked" });
    expect(await readPdf(makePdf([]), 1000, never)).toMatchObject({ kind: "text", markdown: "" });
    const junk = Buffer.from("<html>not found</html>");
    expect(await readPdf(junk, 1000, never)).toMatchObject({ kind: "unreadable" });
    const aborted = AbortSignal.abort(new Error("gone"));
    await expect(readPdf(junk, 1000, aborted)).rejects.toThrow("gone");
  });
});
