import type { DrivenPage } from "../../src/pages/driver/driven-page.ts";
import { globalNameOf } from "../../src/pages/driver/in-page-scripts.ts";
import type { Observation } from "../../src/pages/observe/observation.ts";

/** Gives every element a mark of its own that observations do not read. */
export const markElements = `(() => {
  let count = 0;
  const visit = (root) => {
    for (const element of root.querySelectorAll("*")) {
      element.setAttribute("data-bench", count);
      count += 1;
      if (element.shadowRoot) visit(element.shadowRoot);
    }
  };
  visit(document);
})()`;

/** Does what a framework may do to elements that it keeps: moves, wraps, takes out and puts back, restyles. */
export const renderAgain = `(() => {
  const boxes = [...document.querySelectorAll("main, ul, nav, tbody, form, fieldset, .grid, .list, article, section")];
  for (const box of boxes) box.replaceChildren(...[...box.childNodes].reverse());
  const wrapper = document.createElement("div");
  wrapper.append(...document.body.childNodes);
  document.body.append(wrapper);
  for (const element of document.querySelectorAll("[class]")) element.className += " again";
})()`;

/** The ids of an observation's elements, by their marks. */
export async function idsByMark(
  page: DrivenPage,
  { elements }: Observation,
): Promise<ReadonlyMap<string, string>> {
  const [main] = page.frames();
  if (main === undefined) throw new Error("the page is gone");
  const keys = JSON.stringify(elements.map(({ key }) => key));
  const marks = await page.evaluate<readonly (string | null)[]>(
    main,
    main.contextId,
    `${keys}.map((key) => globalThis.${globalNameOf("perception")}.elementByKey(key)?.dataset.bench ?? null)`,
  );
  const ids = new Map<string, string>();
  for (const [index, mark] of marks.entries()) {
    const id = elements[index]?.id;
    if (mark !== null && id !== undefined) ids.set(mark, id);
  }
  return ids;
}
