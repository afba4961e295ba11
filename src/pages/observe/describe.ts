import type { PageElement, PageItem, PageLayer } from "./observation.ts";

/** The page as the contract describes it: `ID[:]<tag attr="...">text</tag>` an element, `_[:]text` a text. */
export function describePage(
  items: readonly PageItem[],
  layers: readonly PageLayer[],
  listed: ReadonlySet<string>,
): string {
  const lines: string[] = [];
  for (const layer of [...layers].reverse()) {
    const inside = linesOf(items, layer.number, listed);
    if (inside.length === 0) continue;
    lines.push(`# ${layer.role}${layer.name === "" ? "" : ` "${layer.name}"`}`, ...inside);
  }
  const page = linesOf(items, 0, listed);
  if (lines.length > 0 && page.length > 0) lines.push("# page");
  return [...lines, ...page].join("\n");
}

function linesOf(
  items: readonly PageItem[],
  layer: number,
  listed: ReadonlySet<string>,
): readonly string[] {
  return items.flatMap((item) => {
    if (item.layer !== layer || item.kind === "note") return [];
    if (item.kind === "text") return [`_[:]${item.text}`];
    return listed.has(item.element.id) ? [`${item.element.id}[:]${tagOf(item.element)}`] : [];
  });
}

/** The attributes that the contract keeps, beside the value. */
const keptAttributes: ReadonlySet<string> = new Set(
  "alt aria-expanded aria-label href name placeholder role src tabindex title type".split(" "),
);

/** An element that is as it was is the same object. */
const writtenTags = new WeakMap<PageElement, string>();

function tagOf(element: PageElement): string {
  let written = writtenTags.get(element);
  if (written === undefined) {
    written = writeTag(element);
    writtenTags.set(element, written);
  }
  return written;
}

function writeTag({ tag, attributes, value, name }: PageElement): string {
  let written = `<${tag}`;
  for (const key in attributes) {
    if (!keptAttributes.has(key)) continue;
    written += ` ${key}="${attributes[key]?.replaceAll('"', "'")}"`;
  }
  if (value !== null) written += ` value="${value.replaceAll('"', "'")}"`;
  return `${written}>${name}</${tag}>`;
}
