import type { ElementPath } from "../../pages/perception-protocol.ts";

/** Attributes that people and tests name elements by, best first. */
const namingAttributes = [
  "id",
  "data-testid",
  "data-test",
  "data-test-id",
  "data-cy",
  "data-qa",
  "name",
  "aria-label",
];
const longestAnchor = 80;

/** Ids that a build or a framework made up change with the next visit. */
const madeUpId = /\d{4,}|[0-9a-f]{8,}|^:.*:$|^(?:radix|headlessui|mui|ember|react|yui|ext)[-:_]/i;

/** How far up a path is written; the document of a page that nests deeper is no place for selectors. */
const longestPath = 60;

/** Writes paths to elements of one document; made anew for each walk, since it remembers what is unique. */
export class PathWriter {
  readonly #anchors = new WeakMap<Node, ReadonlyMap<Element, ElementPath>>();
  readonly #positions = new WeakMap<Node, Map<Element, number>>();
  readonly #paths = new WeakMap<Element, ElementPath>();

  /**
   * The way to an element from what names it, or something around it, uniquely in its document or
   * shadow root: `["#main", "//*[@id=\"main\"]", "ul/li:2/a"]`, the last part by tag and position
   * among siblings of that tag. The first two are empty where the way begins at the root.
   */
  path(element: Element): ElementPath {
    const known = this.#paths.get(element);
    if (known !== undefined) return known;
    // From the nearest ancestor whose path is known, or that needs none, downwards.
    const below: Element[] = [];
    let path: ElementPath | undefined;
    let at: Element | null = element;
    while (path === undefined && at !== null && below.length < longestPath) {
      path = this.#paths.get(at) ?? this.#anchorOf(at) ?? undefined;
      if (path !== undefined) break;
      below.push(at);
      at = at.parentElement;
    }
    const [css, xpath, begun] = path ?? (at === null ? ["", "", ""] : ["*", "//*", ""]);
    let steps = begun;
    for (const one of below.reverse()) {
      const step = this.#stepOf(one);
      steps = steps === "" ? step : `${steps}/${step}`;
      this.#paths.set(one, [css, xpath, steps]);
    }
    return [css, xpath, steps];
  }

  #stepOf(element: Element): string {
    const position = this.#positionOf(element);
    const name = stepName(element);
    return position === null ? name : `${name}:${position}`;
  }

  /** What names the element by itself; null where nothing does. */
  #anchorOf(element: Element): ElementPath | null {
    const root = element.getRootNode();
    let anchors = this.#anchors.get(root);
    if (anchors === undefined) {
      anchors = anchorsIn(root as ParentNode);
      this.#anchors.set(root, anchors);
    }
    return anchors.get(element) ?? null;
  }

  /** Its number among the siblings of its kind; null where it is the only one. */
  #positionOf(element: Element): number | null {
    const parent = element.parentNode;
    if (parent === null) return null;
    let positions = this.#positions.get(parent);
    if (positions === undefined) {
      positions = new Map();
      const seen = new Map<string, number>();
      for (const child of parent.children) {
        const position = (seen.get(child.localName) ?? 0) + 1;
        seen.set(child.localName, position);
        positions.set(child, position);
      }
      for (const [child, position] of positions) {
        if (position === 1 && seen.get(child.localName) === 1) positions.set(child, 0);
      }
      this.#positions.set(parent, positions);
    }
    return positions.get(element) || null;
  }
}

/** All elements of a document or shadow root that an attribute names uniquely. */
function anchorsIn(root: ParentNode): ReadonlyMap<Element, ElementPath> {
  const anchors = new Map<Element, ElementPath>();
  for (const name of namingAttributes) {
    const owners = new Map<string, Element | null>();
    const found = root.querySelectorAll(`[${name}]`);
    for (let index = 0; index < found.length; index += 1) {
      const element = found[index] as Element;
      const value = element.getAttribute(name) ?? "";
      owners.set(value, owners.has(value) ? null : element);
    }
    for (const [value, element] of owners) {
      if (element === null || anchors.has(element) || !isTelling(name, value)) continue;
      anchors.set(element, anchorBy(name, value, element.localName));
    }
  }
  return anchors;
}

function isTelling(name: string, value: string): boolean {
  if (value === "" || value.length > longestAnchor) return false;
  return name !== "id" || !madeUpId.test(value);
}

function anchorBy(name: string, value: string, tag: string): ElementPath {
  const xpath = `//*[@${name}=${xpathText(value)}]`;
  if (name === "id") return [`#${CSS.escape(value)}`, xpath, ""];
  return [`${CSS.escape(tag)}[${name}=${cssText(value)}]`, xpath, ""];
}

function cssText(text: string): string {
  return `"${text.replace(/["\\]/g, "\\$&").replaceAll("\n", "\\a ")}"`;
}

/** XPath 1.0 has no escapes in its texts. */
function xpathText(text: string): string {
  if (!text.includes('"')) return `"${text}"`;
  return `concat(${text
    .split('"')
    .map((part) => `"${part}"`)
    .join(`, '"', `)})`;
}

/** Names that neither CSS nor XPath reads as they stand, e.g. `foo:bar`, are passed over. */
function stepName(element: Element): string {
  const { localName, namespaceURI } = element;
  if (!/^[a-z][\w-]*$/i.test(localName)) return "*";
  return namespaceURI === "http://www.w3.org/1999/xhtml" ? localName : `svg|${localName}`;
}
