import type { ElementWay } from "../../pages/perception-protocol.ts";

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
const namedSelector = namingAttributes.map((name) => `[${name}]`).join(",");
const longestAnchor = 80;

/** Ids that a build or a framework made up change with the next visit. */
const madeUpId = /\d{4,}|[0-9a-f]{8,}|^:.*:$|^(?:radix|headlessui|mui|ember|react|yui|ext)[-:_]/i;

/** How far up a path is written; the document of a page that nests deeper is no place for selectors. */
const longestPath = 60;

/** Where an element that nests too deep is said to be: anywhere. */
const anywhere: ElementWay = ["*", "//*"];

/** Finds the ways to elements of one document; made anew for each walk, since it remembers what is unique. */
export class WayFinder {
  readonly #ways: ElementWay[] = [];
  readonly #numbers = new Map<Element, number>();
  readonly #anchors = new Map<Node, ReadonlyMap<Element, ElementWay>>();
  readonly #steps = new Map<Element, string>();

  /** All ways that were found so far. */
  get ways(): readonly ElementWay[] {
    return this.#ways;
  }

  /**
   * The number of the way to an element from what names it, or something around it, uniquely in
   * `root`, its document or shadow root; each step by tag and position among siblings of that tag.
   */
  wayTo(element: Element, root: Node): number {
    const known = this.#numbers.get(element);
    if (known !== undefined) return known;
    const anchors = this.#anchorsIn(root);
    // From the nearest ancestor whose way is known, or that needs none, downwards.
    const below: Element[] = [];
    let way: number | null = null;
    for (let at: Element | null = element; at !== null; at = at.parentElement) {
      const anchor = anchors.get(at);
      way = this.#numbers.get(at) ?? (anchor === undefined ? null : this.#add(anchor, at));
      if (way !== null) break;
      if (below.length === longestPath) {
        way = this.#add(anywhere, at);
        break;
      }
      below.push(at);
    }
    for (let index = below.length - 1; index >= 0; index -= 1) {
      const one = below[index] as Element;
      way = this.#add([way, this.#stepTo(one)], one);
    }
    return way as number;
  }

  #add(way: ElementWay, element: Element): number {
    const number = this.#ways.push(way) - 1;
    this.#numbers.set(element, number);
    return number;
  }

  #anchorsIn(root: Node): ReadonlyMap<Element, ElementWay> {
    let anchors = this.#anchors.get(root);
    if (anchors === undefined) {
      anchors = anchorsIn(root as ParentNode);
      this.#anchors.set(root, anchors);
    }
    return anchors;
  }

  /** Its tag and, unless it is the only one of its kind, its number among its siblings of that kind. */
  #stepTo(element: Element): string {
    const known = this.#steps.get(element);
    if (known !== undefined) return known;
    const parent = element.parentNode;
    if (parent === null || parent.childElementCount === 1) return stepName(element);
    const seen = new Map<string, { count: number; first: Element }>();
    for (let child = parent.firstElementChild; child !== null; child = child.nextElementSibling) {
      const kind = seen.get(child.localName);
      if (kind === undefined) {
        seen.set(child.localName, { count: 1, first: child });
        continue;
      }
      if (kind.count === 1) this.#steps.set(kind.first, `${stepName(kind.first)}:1`);
      kind.count += 1;
      this.#steps.set(child, `${stepName(child)}:${kind.count}`);
    }
    return this.#steps.get(element) ?? stepName(element);
  }
}

/** All elements of a document or shadow root that an attribute names uniquely. */
function anchorsIn(root: ParentNode): ReadonlyMap<Element, ElementWay> {
  const anchors = new Map<Element, ElementWay>();
  const named = root.querySelectorAll(namedSelector);
  if (named.length === 0) return anchors;
  for (const name of namingAttributes) {
    const owners = new Map<string, Element | null>();
    for (let index = 0; index < named.length; index += 1) {
      const element = named[index] as Element;
      const value = element.getAttribute(name);
      if (value !== null) owners.set(value, owners.has(value) ? null : element);
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

function anchorBy(name: string, value: string, tag: string): ElementWay {
  const xpath = `//*[@${name}=${xpathText(value)}]`;
  if (name === "id") return [`#${CSS.escape(value)}`, xpath];
  return [`${CSS.escape(tag)}[${name}=${cssText(value)}]`, xpath];
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
