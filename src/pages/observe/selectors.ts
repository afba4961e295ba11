import type { ElementSelectors } from "../elements.ts";
import type { ElementWay } from "../perception-protocol.ts";

/** Roles that Playwright's role selectors know. */
const playwrightRoles: ReadonlySet<string> = new Set(
  "button checkbox combobox gridcell heading img link listbox menuitem menuitemcheckbox menuitemradio option radio searchbox slider spinbutton switch tab textbox treeitem".split(
    " ",
  ),
);

/** Writes the ways of one frame as selectors; each begins with the way to its parent, which is written once. */
export class Ways {
  readonly #ways: readonly ElementWay[];
  readonly #css: string[] = [];
  readonly #xpath: string[] = [];

  constructor(ways: readonly ElementWay[]) {
    this.#ways = ways;
  }

  css(number: number): string {
    return this.#written(number, this.#css, 0, cssBelow);
  }

  xpath(number: number): string {
    return this.#written(number, this.#xpath, 1, xpathBelow);
  }

  /** CSS through shadow roots as Playwright reads it: the hosts before what is in them. */
  piercedCss(number: number, hosts: readonly number[]): string {
    return [...hosts, number].map((way) => this.css(way)).join(" >> ");
  }

  #written(
    number: number,
    known: string[],
    anchor: 0 | 1,
    below: (parent: string, step: string) => string,
  ): string {
    const already = known[number];
    if (already !== undefined) return already;
    const way = this.#ways[number] ?? ["*", "//*"];
    const written = isAnchor(way)
      ? way[anchor]
      : below(way[0] === null ? "" : this.#written(way[0], known, anchor, below), way[1]);
    known[number] = written;
    return written;
  }
}

function isAnchor(way: ElementWay): way is readonly [css: string, xpath: string] {
  return typeof way[0] === "string";
}

function cssBelow(parent: string, step: string): string {
  const { name, position } = partsOf(step);
  const tag = name.startsWith("svg|") ? name.slice(4) : name;
  const own = position === null ? tag : `${tag}:nth-of-type(${position})`;
  return parent === "" ? own : `${parent} > ${own}`;
}

function xpathBelow(parent: string, step: string): string {
  const { name, position } = partsOf(step);
  // XPath finds elements of other namespaces only by asking for their name.
  const test = name.startsWith("svg|") ? `*[name()="${name.slice(4)}"]` : name;
  return `${parent}/${test}[${position ?? 1}]`;
}

function partsOf(step: string): { readonly name: string; readonly position: string | null } {
  const colon = step.indexOf(":");
  return colon === -1
    ? { name: step, position: null }
    : { name: step.slice(0, colon), position: step.slice(colon + 1) };
}

export interface SelectorSource {
  readonly role: string;
  readonly name: string;
  readonly ways: Ways;
  readonly way: number;
  readonly hosts: readonly number[];
  readonly frames: readonly string[];
  /** No other element of its frame has its role and name. */
  readonly isAlone: boolean;
}

/** Writes the selectors of an element: by role and name for Playwright where that is unique. */
export function selectorsOf(source: SelectorSource): ElementSelectors {
  const { role, name, ways, way, hosts, frames, isAlone } = source;
  // A name that was cut is not the whole name.
  const isNamed = isAlone && name !== "" && !name.endsWith("…") && playwrightRoles.has(role);
  return {
    css: ways.css(way),
    xpath: ways.xpath(way),
    playwright: isNamed
      ? `internal:role=${role}[name=${JSON.stringify(name)}s]`
      : ways.piercedCss(way, hosts),
    frames,
    inShadowRoot: hosts.length > 0,
  };
}
