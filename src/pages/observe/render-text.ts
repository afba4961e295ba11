import type { PageItem, PageLayer, PageViewport } from "./observation.ts";
import { elementText, type Line, linesOf } from "./render-lines.ts";

/** Characters of a token, as a rule of thumb for English and markup. */
const charactersPerToken = 4;
/** What a rendering may have when nobody asks for more: the viewport of an ordinary page. */
const usualTokens = 400;
const deepTokens = 4000;
/** Longer texts are cut where the budget is the usual one. */
const usualTextLength = 160;
/** So many in a row that are scrolled away are said to be in one line. */
const leastRun = 3;

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
  const room = tokens * charactersPerToken - head.join("\n").length - 120;
  const isWanted = ({ layer, place }: PageItem): boolean => layer > 0 || place === "viewport";
  const lines = linesOf(isUsual ? items.filter(isWanted) : items, isUsual ? usualTextLength : null);
  const { chosen, left } = choose(lines, room);
  const texts = write(chosen, left);
  const body: string[] = [];
  for (const layer of [...layers].reverse()) {
    const inside = [...texts].filter(([{ item }]) => item.layer === layer.number);
    if (inside.length === 0) continue;
    const name = layer.name === "" ? "" : ` "${layer.name}"`;
    body.push(`[${layer.role}${name}${layer.isModal ? ", blocks the page" : ""}]`);
    for (const [, written] of inside) body.push(...written.map((text) => `  ${text}`));
  }
  if (body.length > 0) body.push("[page]");
  for (const [{ item }, written] of texts) if (item.layer === 0) body.push(...written);
  const rest = restLine([
    ...(isUsual ? items.filter((item) => !isWanted(item)) : []),
    ...lines.filter((line) => !chosen.has(line)).map(({ item }) => item),
  ]);
  return [...head, "", ...body, ...(rest === "" ? [] : [rest])].join("\n");
}

/** The lines that there is room for, in their order, and the characters that are left. */
function choose(
  lines: readonly Line[],
  room: number,
): { readonly chosen: ReadonlySet<Line>; readonly left: number } {
  let left = room;
  const kept = new Set<Line>();
  const byRank = lines
    .map((line, index) => ({ line, index }))
    .sort((a, b) => a.line.rank - b.line.rank || a.index - b.index);
  for (const { line } of byRank) {
    // What nothing near it says has to be said by the line itself.
    const cost =
      line.text.length + 1 + (line.sayers.length === 0 ? (line.element?.context.length ?? 0) : 0);
    if (cost > left) continue;
    left -= cost;
    kept.add(line);
  }
  return { chosen: new Set(lines.filter((line) => kept.has(line))), left };
}

/** The chosen lines as they are at last, now that it is known what stands around them. */
function write(chosen: ReadonlySet<Line>, room: number): ReadonlyMap<Line, readonly string[]> {
  let left = room;
  const texts = new Map<Line, readonly string[]>();
  const optionsOf = new Map<string, string>();
  const runs = runsOfScrolledAway([...chosen]);
  for (const line of chosen) {
    const { item, element, sayers } = line;
    if (element === null || item.kind !== "element") {
      texts.set(line, [line.text]);
      continue;
    }
    const { id, place } = item.element;
    const run = runs.get(line);
    const options = shortestOptions(element.options, id, optionsOf);
    let text = elementText(element, options, place === "clipped" && run === undefined);
    const { context } = element;
    if (sayers.length === 0) text += context;
    else if (!sayers.every((sayer) => chosen.has(sayer)) && context.length <= left) {
      left -= context.length;
      text += context;
    }
    texts.set(line, run === undefined || run === "" ? [text] : [run, text]);
  }
  return texts;
}

/** The same options are listed once. */
function shortestOptions(options: string, id: string, known: Map<string, string>): string {
  if (options === "") return "";
  const owner = known.get(options);
  if (owner === undefined) {
    known.set(options, id);
    return options;
  }
  const reference = `${owner}'s options`;
  return reference.length < options.length ? reference : options;
}

/** For each line of a run that is scrolled away: what is said before it, empty for all but the first. */
function runsOfScrolledAway(lines: readonly Line[]): ReadonlyMap<Line, string> {
  const said = new Map<Line, string>();
  let run: Line[] = [];
  const end = (): void => {
    const [first] = run;
    const last = run.at(-1);
    if (run.length >= leastRun && first !== undefined && last !== undefined) {
      for (const line of run) said.set(line, "");
      said.set(first, `(scrolled away, up to ${idOf(last)}:)`);
    }
    run = [];
  };
  for (const line of lines) {
    if (line.item.kind !== "element") continue;
    if (line.item.place === "clipped" && line.item.layer === run[0]?.item.layer) run.push(line);
    else {
      end();
      if (line.item.place === "clipped") run = [line];
    }
  }
  end();
  return said;
}

function idOf({ item }: Line): string {
  return item.kind === "element" ? item.element.id : "";
}

function scrollLine({ scrollY, height, totalHeight }: PageViewport): string {
  const below = totalHeight - height - scrollY;
  if (scrollY <= 0 && below <= 0) return "";
  return `(scrolled ${scrollY} px, ${Math.max(0, below)} px below)`;
}

/** What was left out, by where it is. */
function restLine(items: readonly PageItem[]): string {
  const groups = new Map<string, { elements: number; texts: number }>();
  for (const item of items) {
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
