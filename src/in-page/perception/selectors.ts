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
const namingRanks = new Map(namingAttributes.map((name, rank) => [name, rank]));
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
  /** How many elements have a value of an attribute, by root and attribute. */
  readonly #counts = new Map<Node, Map<string, ReadonlyMap<string, number>>>();
  readonly #positions = new Map<Element, number>();

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
    // From the nearest ancestor whose way is known, or that needs none, downwards.
    const below: Element[] = [];
    let way: number | null = null;
    for (let at: Element | null = element; at !== null; at = at.parentElement) {
      way = this.#numbers.get(at) ?? null;
      if (way !== null) break;
      const anchor = this.#anchorOf(at, root);
      if (anchor !== null) way = this.#add(anchor, at);
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

  /** What names the element by itself; null where nothing does. */
  #anchorOf(element: Element, root: Node): ElementWay | null {
    let best = namingAttributes.length;
    let named: string | null = null;
    for (const name of element.getAttributeNames()) {
      const rank = namingRanks.get(name) ?? best;
      if (rank >= best) continue;
      const value = element.getAttribute(name) ?? "";
      if (!isTelling(name, value) || this.#countsOf(name, root).get(value) !== 1) continue;
      best = rank;
      named = value;
    }
    return named === null ? null : anchorBy(namingAttributes[best] ?? "id", named, element);
  }

  #countsOf(name: string, root: Node): ReadonlyMap<string, number> {
    let inRoot = this.#counts.get(root);
    if (inRoot === undefined) {
      inRoot = new Map();
      this.#counts.set(root, inRoot);
    }
    let counts = inRoot.get(name);
    if (counts === undefined) {
      counts = countValues(root as ParentNode, name);
      inRoot.set(name, counts);
    }
    return counts;
  }

  /** Its tag and, unless it is the only one of its kind, its number among its siblings of that kind. */
  #stepTo(element: Element): string {
    const position = this.#positionOf(element);
    const name = stepName(element);
    if (position === 1 && !hasLikeAfter(element)) return name;
    return `${name}:${position}`;
  }

  #positionOf(element: Element): number {
    const { localName } = element;
    let position = 1;
    for (
      let before = element.previousElementSibling;
      before !== null;
      before = before.previousElementSibling
    ) {
      if (before.localName !== localName) continue;
      const known = this.#positions.get(before);
      if (known !== undefined) {
        position += known;
        break;
      }
      position += 1;
    }
    this.#positions.set(element, position);
    return position;
  }
}

/** Whether a sibling of the same kind follows. */
function hasLikeAfter(element: Element): boolean {
  const { localName } = element;
  for (let after = element.nextElementSibling; after !== null; after = after.nextElementSibling) {
    if (after.localName === localName) return true;
  }
  return false;
}

function countValues(root: ParentNode, name: string): ReadonlyMap<string, number> {
  const counts = new Map<string, number>();
  const owners = root.querySelectorAll(`[${name}]`);
  for (let index = 0; index < owners.length; index += 1) {
    const value = owners[index]?.getAttribute(name) ?? "";
    counts.set(value, (counts.get(value) ?? 0) + 1);
  }
  return counts;
}

function isTelling(name: string, value: string): boolean {
  if (value === "" || value.length > longestAnchor) return false;
  return name !== "id" || !madeUpId.test(value);
}

function anchorBy(name: string, value: string, { localName }: Element): ElementWay {
  const xpath = `//*[@${name}=${xpathText(value)}]`;
  if (name === "id") return [`#${CSS.escape(value)}`, xpath];
  return [`${CSS.escape(localName)}[${name}=${cssText(value)}]`, xpath];
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
