import type { PageElement } from "../observe/observation.ts";
import type { ActionContext } from "./context.ts";
import { ActionFailed } from "./failure.ts";
import { callOf, type Found } from "./target.ts";

/** How many things to press a message names. */
const mostNamed = 4;

/**
 * A failure with what helps to mend it, as far as the page tells: what covers an element and how to
 * get it out of the way, or that the element is gone. Errors of other kinds come back as they are.
 */
export async function explained(
  context: ActionContext,
  found: Found,
  error: unknown,
): Promise<unknown> {
  if (!(error instanceof ActionFailed)) return error;
  if (error.kind === "not_found" || error.kind === "gone") {
    return new ActionFailed(
      "gone",
      `${found.called} went away while the action waited for it: the page has changed. Observe it again and use the new ids.`,
    );
  }
  if (error.kind !== "covered") return error;
  const elements = await context.look(context.signal).catch((): readonly PageElement[] => []);
  const cover = elements.find(({ id }) => id === found.id)?.coveredBy ?? null;
  const ways = waysOut(elements, found.id);
  const remedy =
    ways.length === 0
      ? "Close or move what covers it first."
      : `In front of it there are ${ways.map(callOf).join(", ")}: deal with that first.`;
  const what = cover === null ? error.message : `${found.called} is covered by ${cover}.`;
  return new ActionFailed("covered", `${what.replace(/ Close or move .*$/, "")} ${remedy}`);
}

/** What can be pressed in the layer that is on top of the page. */
function waysOut(elements: readonly PageElement[], id: string | null): readonly PageElement[] {
  const top = Math.max(0, ...elements.map(({ layer }) => layer));
  if (top === 0) return [];
  return elements
    .filter((element) => element.layer === top && element.id !== id)
    .filter(({ role }) => role === "button" || role === "link")
    .slice(0, mostNamed);
}
