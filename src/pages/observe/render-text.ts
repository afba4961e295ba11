import type { PageItem, PageLayer, PageViewport } from "./observation.ts";
import { type Line, linesOf } from "./render-lines.ts";

/** Characters of a token, as a rule of thumb for English and markup. */
const charactersPerToken = 4;
/** What a rendering may have when nobody asks for more: the viewport of an ordinary page. */
const usualTokens = 400;
const deepTokens = 4000;
/** Longer texts are cut where the budget is the usual one. */
const usualTextLength = 160;

export interface RenderInput {
  readonly title: string;
  readonly url: string;
  readonly viewport: PageViewport;
  readonly items: readonly PageItem[];
  readonly layers: readonly PageLayer[];
  /** In tokens; null for what is usual. */
  readonly tokenBudget: number | null;
  readonly deep: boolean;
}

/**
 * The page as text for a model, in reading order, each thing that can be operated with its id. What
 * is open over the page stands first. Within the budget the viewport goes before what is beyond it;
 * the last line says what was left out and where it is.
 */
export function renderText(input: RenderInput): string {
  const { title, url, viewport, items, layers, tokenBudget, deep } = input;
  const isUsual = tokenBudget === null && !deep;
  const tokens = tokenBudget ?? (deep ? deepTokens : usualTokens);
  const head = [`# ${title === "" ? "(no title)" : title}`, url, scrollLine(viewport)].filter(
    (line) => line !== "",
  );
  // The last line needs room as well.
  let left = tokens * charactersPerToken - head.join("\n").length - 120;
  const lines = linesOf(items, isUsual ? usualTextLength : null);
  const wanted = lines
    .filter(({ item }) => !isUsual || item.layer > 0 || item.place === "viewport")
    .map((line, index) => ({ line, index }))
    .sort((a, b) => a.line.rank - b.line.rank || a.index - b.index);
  const chosen = new Set<Line>();
  for (const { line } of wanted) {
    const cost = line.text.length + 1;
    if (cost > left) continue;
    left -= cost;
    chosen.add(line);
  }
  const texts = new Map<Line, string>();
  for (const [index, line] of lines.entries()) {
    if (!chosen.has(line)) continue;
    const leansOn = lines.slice(index - line.reach, index);
    const more = (line.fullText?.length ?? 0) - line.text.length;
    const isSaid = line.fullText === null || leansOn.every((before) => chosen.has(before));
    const isFull = !isSaid && more <= left;
    if (isFull) left -= more;
    texts.set(line, isFull ? (line.fullText ?? line.text) : line.text);
  }
  const body: string[] = [];
  for (const layer of [...layers].reverse()) {
    const inside = lines.filter((line) => chosen.has(line) && line.item.layer === layer.number);
    if (inside.length === 0) continue;
    const name = layer.name === "" ? "" : ` "${layer.name}"`;
    body.push(`[${layer.role}${name}${layer.isModal ? ", blocks the page" : ""}]`);
    body.push(...inside.map((line) => `  ${texts.get(line)}`));
  }
  if (body.length > 0) body.push("[page]");
  for (const [line, text] of texts) if (line.item.layer === 0) body.push(text);
  const rest = restLine(lines.filter((line) => !chosen.has(line)));
  return [...head, "", ...body, ...(rest === "" ? [] : [rest])].join("\n");
}

function scrollLine({ scrollY, height, totalHeight }: PageViewport): string {
  const below = totalHeight - height - scrollY;
  if (scrollY <= 0 && below <= 0) return "";
  return `(scrolled ${scrollY} px, ${Math.max(0, below)} px below)`;
}

/** What was left out, by where it is. */
function restLine(lines: readonly Line[]): string {
  const groups = new Map<string, { elements: number; texts: number }>();
  for (const { item } of lines) {
    const where =
      item.place === "viewport"
        ? "here"
        : item.place === "clipped"
          ? "in boxes that scroll"
          : item.place;
    const group = groups.get(where) ?? { elements: 0, texts: 0 };
    groups.set(where, group);
    if (item.kind === "element") group.elements += 1;
    else group.texts += 1;
  }
  const parts = [...groups].map(([where, { elements, texts }]) => {
    const counts = [
      ...(elements > 0 ? [`${elements} controls`] : []),
      ...(texts > 0 ? [`${texts} texts`] : []),
    ];
    return `${counts.join(" and ")} ${where}`;
  });
  return parts.length === 0 ? "" : `(not shown: ${parts.join("; ")})`;
}
