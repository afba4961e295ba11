import type { PageItem } from "./observation.ts";
import { type RenderedElement, renderElement } from "./render-element.ts";

/** A line of the rendering, before it is known whether there is room for it. */
export interface Line {
  readonly item: PageItem;
  /** Null for what is no element. */
  readonly element: RenderedElement | null;
  /** All of it, but what is around an element. */
  readonly text: string;
  /** Smaller goes first when there is not room for all. */
  readonly rank: number;
  /** The lines near it that say what is around it; empty where none do. */
  sayers: readonly Line[];
}

/** How many lines before and after it may say what an element belongs to. */
const linesBefore = 8;
const linesAfter = 4;
/** Texts longer than this are said once: carousels and print versions repeat them. */
const repeatable = 30;
/** How many words of a context tell whether it was said. */
const tellingWords = 4;

/** The lines of a page in reading order, without what says nothing new. */
export function linesOf(items: readonly PageItem[], longestText: number | null): readonly Line[] {
  const lines: Line[] = [];
  const said = new Set<string>();
  for (const item of items) {
    if (item.kind === "text" && item.text.length > repeatable) {
      if (said.has(item.text)) continue;
      said.add(item.text);
    }
    lines.push(lineOf(item, longestText));
  }
  findSayers(lines);
  return lines;
}

function lineOf(item: PageItem, longestText: number | null): Line {
  switch (item.kind) {
    case "element": {
      const element = renderElement(item.element);
      const rank = rankOf(item, item.element.coveredBy !== null);
      const text = elementText(element, element.options, item.place === "clipped");
      return { item, element, text, rank, sayers: [] };
    }
    case "text": {
      const { text, level } = item;
      const cut =
        longestText === null || text.length <= longestText
          ? text
          : `${text.slice(0, longestText - 1)}…`;
      const marked = level === null ? cut : `${"#".repeat(Math.min(level + 1, 6))} ${cut}`;
      return { item, element: null, text: marked, rank: rankOf(item, false), sayers: [] };
    }
    case "note": {
      const text = `(${item.text})`;
      return { item, element: null, text, rank: rankOf(item, false), sayers: [] };
    }
  }
}

/** The line of an element without what is around it. */
export function elementText(
  { head, notes }: RenderedElement,
  options: string,
  isScrolledAway: boolean,
): string {
  let text = head;
  if (options !== "") text += ` of ${options}`;
  if (isScrolledAway) text += ` (${[...notes, "scrolled away"].join(", ")})`;
  else if (notes.length > 0) text += ` (${notes.join(", ")})`;
  return text;
}

/**
 * Finds which lines say already what an element belongs to: a heading anywhere before it, since the
 * order of the lines tells the rest, or the lines around it, e.g. the other cells of its row.
 */
function findSayers(lines: readonly Line[]): void {
  const headings = new Map<string, Line>();
  const words = new Map<Line, string>();
  const wordsIn = (line: Line): string => {
    let known = words.get(line);
    if (known === undefined) {
      known = ` ${tellingWordsOf(line.text).join(" ")} `;
      words.set(line, known);
    }
    return known;
  };
  for (const [index, line] of lines.entries()) {
    const { item } = line;
    if (item.kind === "text" && item.level !== null) {
      headings.set(tellingWordsOf(item.text).slice(0, tellingWords).join(" "), line);
    }
    if (item.kind !== "element" || item.element.context === null) continue;
    const wanted = tellingWordsOf(item.element.context).slice(0, tellingWords);
    const heading = headings.get(wanted.join(" "));
    if (heading !== undefined) {
      line.sayers = [heading];
      continue;
    }
    const around = (from: number, to: number, step: number): readonly Line[] => {
      const missing = new Set(wanted);
      const found: Line[] = [];
      for (let at = from; at !== to && missing.size > 0; at += step) {
        const other = lines[at];
        if (other === undefined) break;
        const inside = wordsIn(other);
        let isTelling = false;
        for (const word of missing) {
          if (!inside.includes(` ${word} `)) continue;
          missing.delete(word);
          isTelling = true;
        }
        if (isTelling) found.push(other);
      }
      return missing.size === 0 ? found : [];
    };
    line.sayers = around(index - 1, index - 1 - linesBefore, -1);
    if (line.sayers.length === 0) line.sayers = around(index + 1, index + 1 + linesAfter, 1);
  }
}

function tellingWordsOf(text: string): readonly string[] {
  return text.toLowerCase().match(/[\p{L}\p{N}]+/gu) ?? [];
}

/** What is open first, then the viewport, then the rest; what can be operated before what can only be read. */
function rankOf(item: PageItem, isCovered: boolean): number {
  const where = item.layer > 0 ? 0 : item.place === "viewport" ? 10 : 20;
  if (isCovered) return where + 5;
  if (item.kind === "text") return where + (item.level === null ? 3 : 1);
  return where + (item.kind === "element" ? 2 : 4);
}
