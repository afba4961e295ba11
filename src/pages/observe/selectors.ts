import type { ElementSelectors } from "../elements.ts";
import type { ElementPath } from "../perception-protocol.ts";

/** Roles that Playwright's role selectors know. */
const playwrightRoles: ReadonlySet<string> = new Set(
  "button checkbox combobox gridcell heading img link listbox menuitem menuitemcheckbox menuitemradio option radio searchbox slider spinbutton switch tab textbox treeitem".split(
    " ",
  ),
);

export interface SelectorSource {
  readonly role: string;
  readonly name: string;
  readonly path: ElementPath;
  readonly hosts: readonly ElementPath[];
  readonly frames: readonly string[];
  /** No other element of its frame has its role and name. */
  readonly isAlone: boolean;
}

/** Writes the selectors of an element: by role and name for Playwright where that is unique. */
export function selectorsOf(source: SelectorSource): ElementSelectors {
  const { role, name, path, hosts, frames, isAlone } = source;
  const pierced = piercedCss(path, hosts);
  // A name that was cut is not the whole name.
  const isNamed = isAlone && name !== "" && !name.endsWith("…") && playwrightRoles.has(role);
  return {
    css: cssOf(path),
    xpath: xpathOf(path),
    playwright: isNamed ? `internal:role=${role}[name=${JSON.stringify(name)}s]` : pierced,
    frames,
    inShadowRoot: hosts.length > 0,
  };
}

/** CSS through shadow roots as Playwright reads it: the hosts before what is in them. */
export function piercedCss(path: ElementPath, hosts: readonly ElementPath[]): string {
  return [...hosts, path].map(cssOf).join(" >> ");
}

function cssOf([anchor, , steps]: ElementPath): string {
  const parts = stepsOf(steps).map(({ name, position }) => {
    const tag = name.replace(/^svg\|/, "");
    return position === null ? tag : `${tag}:nth-of-type(${position})`;
  });
  return [...(anchor === "" ? [] : [anchor]), ...parts].join(" > ");
}

function xpathOf([, anchor, steps]: ElementPath): string {
  const parts = stepsOf(steps).map(({ name, position }) => {
    // XPath finds elements of other namespaces only by asking for their name.
    const test = name.startsWith("svg|") ? `*[name()="${name.slice(4)}"]` : name;
    return `/${test}[${position ?? 1}]`;
  });
  return `${anchor}${parts.join("")}`;
}

function stepsOf(
  steps: string,
): readonly { readonly name: string; readonly position: number | null }[] {
  if (steps === "") return [];
  return steps.split("/").map((step) => {
    const [name = "*", position] = step.split(":");
    return { name, position: position === undefined ? null : Number(position) };
  });
}
