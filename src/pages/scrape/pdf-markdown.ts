/** A piece of text on a page of a PDF, in points from its lower left corner. */
export interface PdfPiece {
  readonly text: string;
  readonly x: number;
  readonly y: number;
  readonly width: number;
  readonly fontSize: number;
}

interface Line {
  readonly text: string;
  readonly y: number;
  readonly fontSize: number;
}

/** Pieces whose base lines differ by less, in parts of the size of the font, are of one line. */
const sameLine = 0.5;
/** A gap between pieces that is wider, in the same measure, is a space; far wider, another column. */
const spaceWidth = 0.2;
const columnGap = 2;
/** Lines that are further apart, in the same measure, are of different paragraphs. */
const paragraphGap = 1.65;
/** So much larger than most of the text is a heading, if it is as short as one. */
const headingSize = 1.15;
const longestHeading = 200;
const deepestHeading = 4;

const bullet = /^[•◦‣▪●○∙·–]\s*/u;

/**
 * The text of a PDF as markdown, by what its layout tells: sizes make headings, gaps paragraphs.
 * Lines stand in the order of the file, which is that of reading in nearly all of them.
 */
export function markdownOfPdf(pages: readonly (readonly PdfPiece[])[]): string {
  const all = pages.map(linesOf);
  const usual = usualSize(all.flat());
  const sizes = [...new Set(all.flat().flatMap((line) => headingSizeOf(line, usual)))];
  sizes.sort((a, b) => b - a);
  return all
    .map((lines) => pageOf(lines, usual, sizes))
    .filter((page) => page !== "")
    .join("\n\n");
}

function linesOf(pieces: readonly PdfPiece[]): readonly Line[] {
  const lines: { text: string; y: number; end: number; fontSize: number }[] = [];
  for (const { text, x, y, width, fontSize } of pieces) {
    // The reader puts a space into every gap, however wide.
    if (text.trim() === "") continue;
    const line = lines.at(-1);
    const size = Math.max(fontSize, 1);
    if (line === undefined || Math.abs(line.y - y) > sameLine * Math.max(size, line.fontSize)) {
      lines.push({ text, y, end: x + width, fontSize: size });
      continue;
    }
    const gap = x - line.end;
    if (gap > columnGap * size) line.text += "   ";
    else if (gap > spaceWidth * size && !line.text.endsWith(" ")) line.text += " ";
    line.text += text;
    line.end = x + width;
    line.fontSize = Math.max(line.fontSize, size);
  }
  return lines.map(({ text, y, fontSize }) => ({
    text: text.trim(),
    y,
    fontSize: round(fontSize),
  }));
}

/** The size that most of the text has. */
function usualSize(lines: readonly Line[]): number {
  const characters = new Map<number, number>();
  for (const { text, fontSize } of lines) {
    characters.set(fontSize, (characters.get(fontSize) ?? 0) + text.length);
  }
  const [most] = [...characters].sort(([, a], [, b]) => b - a);
  return most?.[0] ?? 0;
}

function headingSizeOf({ text, fontSize }: Line, usual: number): readonly number[] {
  const isHeading =
    fontSize >= usual * headingSize && text.length <= longestHeading && /\p{L}/u.test(text);
  return isHeading ? [fontSize] : [];
}

function pageOf(lines: readonly Line[], usual: number, sizes: readonly number[]): string {
  const blocks: string[] = [];
  let before: Line | null = null;
  for (const line of lines) {
    const [size] = headingSizeOf(line, usual);
    const [sizeBefore] = before === null ? [] : headingSizeOf(before, usual);
    const goesOn =
      before !== null && size === sizeBefore && isNext(before, line) && !bullet.test(line.text);
    const last = blocks.at(-1);
    if (goesOn && last !== undefined) {
      blocks[blocks.length - 1] = joined(last, line.text);
    } else if (size !== undefined) {
      const level = Math.min(sizes.indexOf(size) + 1, deepestHeading);
      blocks.push(`${"#".repeat(level)} ${line.text}`);
    } else {
      blocks.push(bullet.test(line.text) ? line.text.replace(bullet, "- ") : escaped(line.text));
    }
    before = line;
  }
  return blocks.reduce((page, block, index) => {
    const isListed = block.startsWith("- ") && blocks[index - 1]?.startsWith("- ") === true;
    return index === 0 ? block : `${page}${isListed ? "\n" : "\n\n"}${block}`;
  }, "");
}

/** Whether a line is the next one of the same paragraph. */
function isNext(before: Line, line: Line): boolean {
  const gap = before.y - line.y;
  return gap >= 0 && gap <= paragraphGap * Math.max(before.fontSize, line.fontSize);
}

/** A word that was divided at the end of a line is one again. */
function joined(text: string, next: string): string {
  return /\p{L}-$/u.test(text) && /^\p{Ll}/u.test(next)
    ? `${text.slice(0, -1)}${next}`
    : `${text} ${next}`;
}

/** What would be taken for a heading or a quote. */
function escaped(text: string): string {
  return /^[#>]/.test(text) ? `\\${text}` : text;
}

function round(size: number): number {
  return Math.round(size * 2) / 2;
}
