import type { ElementSelectors } from "../elements.ts";
import type { ScriptTarget } from "./script.ts";
import type { ActionStep } from "./step.ts";

/** Playwright's own form of a role selector, as observations write it. */
const roleSelector = /^internal:role=([a-z]+)\[name=("(?:[^"\\]|\\.)*")s\]$/;

/** The element of a step as a script finds it again: by role and name where that was unique. Null without one. */
export function targetOf({ action, selectors }: ActionStep): ScriptTarget | null {
  if (selectors !== null) return targetBy(selectors);
  if (!("target" in action)) return null;
  const { selectors: given, frames } = action.target;
  return targetBySelector(given[0], frames);
}

/** The same for selectors of an observation; null where there are none. */
export function targetBy({
  playwright,
  css,
  xpath,
  frames,
}: Pick<ElementSelectors, "playwright" | "css" | "xpath" | "frames">): ScriptTarget | null {
  const best = playwright ?? css ?? (xpath === null ? null : `xpath=${xpath}`);
  if (best === null || best === "") return null;
  const role = asRole(best);
  return { frames, locator: role ?? { by: "selector", selector: best }, pick: null };
}

/** The same for a selector that a client gave, which may match several elements. */
export function targetBySelector(
  selector: string | undefined,
  frames: readonly string[],
): ScriptTarget | null {
  if (selector === undefined || selector === "") return null;
  const role = asRole(selector);
  if (role !== null) return { frames, locator: role, pick: null };
  // The contract's way to look for a text.
  const plain = selector.startsWith("~") ? `text=${selector.slice(1).trim()}` : selector;
  return { frames, locator: { by: "selector", selector: plain }, pick: "first_visible" };
}

function asRole(selector: string): ScriptTarget["locator"] | null {
  const [, role, name] = roleSelector.exec(selector) ?? [];
  if (role === undefined || name === undefined) return null;
  try {
    return { by: "role", role, name: JSON.parse(name) as string };
  } catch {
    return null;
  }
}
