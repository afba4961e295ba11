import type { PageItem } from "./observation.ts";
import { renderElement } from "./render-element.ts";

/** A line of the rendering, before it is known whether there is room for it. */
export interface Line {
  readonly text: string;
  /** Smaller goes first when there is not room for all. */
  readonly rank: number;
  readonly item: PageItem;
  /** With what is around it, where the lines before may say that; null where they need not. */
  readonly fullText: string | null;
  /** How many lines before it are needed to do without. */
  readonly reach: number;
}

/** How far back a line may lean on what was said. */
const mostReach = 8;
/** Texts longer than this are said once: carousels and print versions repeat them. */
const repeatable = 30;
/** How many words of a context tell whether it was said. */
const tellingWords = 4;

/** The lines of a page in reading order, without what says nothing new. */
export function linesOf(items: readonly PageItem[], longestText: number | null): readonly Line[] {
  const lines: Line[] = [];
  const said = new Set<string>();
  const recent: string[] = [];
  for (const item of items) {
    if (item.kind === "text") {
      if (item.text.length > repeatable && said.has(item.text)) continue;
      said.add(item.text);
    }
    const line = lineOf(item, longestText, recent);
    lines.push(line);
    recent.push(wordsOf(line.text));
    if (recent.length > mostReach) recent.shift();
  }
  return lines;
}

function lineOf(item: PageItem, longestText: number | null, recent: readonly string[]): Line {
  switch (item.kind) {
    case "element": {
      const { element } = item;
      const rank = rankOf(item, element.coveredBy !== null);
      const text = renderElement(element, false);
      if (element.context === null) return { text, rank, item, fullText: null, reach: 0 };
      const reach = reachFor(element.context, recent);
      const fullText = renderElement(element, true);
      return reach === 0
        ? { text: fullText, rank, item, fullText: null, reach }
        : { text, rank, item, fullText, reach };
    }
    case "text": {
      const { text, level } = item;
      const cut =
        longestText === null || text.length <= longestText
          ? text
          : `${text.slice(0, longestText - 1)}…`;
      const marked = level === null ? cut : `${"#".repeat(Math.min(level + 1, 6))} ${cut}`;
      return { text: marked, rank: rankOf(item, false), item, fullText: null, reach: 0 };
    }
    case "note": {
      const text = `(${item.text})`;
      return { text, rank: rankOf(item, false), item, fullText: null, reach: 0 };
    }
  }
}

/** How many lines back one must look to find a context said; 0 where it was not. */
function reachFor(context: string, recent: readonly string[]): number {
  const wanted = wordsOf(context).trim().split(" ").slice(0, tellingWords);
  let text = "";
  for (let back = 1; back <= recent.length; back += 1) {
    text += recent[recent.length - back] ?? "";
    if (wanted.every((word) => text.includes(` ${word} `))) return back;
  }
  return 0;
}

function wordsOf(text: string): string {
  return ` ${text.toLowerCase().replace(/[^\p{L}\p{N}]+/gu, " ")} `;
}

/** What is open first, then the viewport, then the rest; what can be operated before what can only be read. */
function rankOf(item: PageItem, isCovered: boolean): number {
  const where = item.layer > 0 ? 0 : item.place === "viewport" ? 10 : 20;
  if (isCovered) return where + 5;
  if (item.kind === "text") return where + (item.level === null ? 3 : 1);
  return where + (item.kind === "element" ? 2 : 4);
}
