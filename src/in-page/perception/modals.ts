import type { Place } from "../../pages/perception-protocol.ts";
import { elementAt, flatContains } from "./tree.ts";

/** The dialogs that block a page, as far as they do. */
export class Modals {
  /** Made modal by the browser: nothing outside can be operated. */
  readonly #native: Element | null;
  /** Modal by the page's own word: what they cover in view is seen by trying. */
  readonly #declared: readonly Element[];

  constructor(modals: readonly Element[]) {
    this.#native = topmost(modals.filter((modal) => modal.matches(":modal")));
    this.#declared = modals.filter((modal) => !modal.matches(":modal"));
  }

  /** The dialog that keeps an element from being operated; null where none does, or trying must tell. */
  blocking(element: Element, place: Place, layer: number): Element | null {
    if (this.#native !== null) return flatContains(this.#native, element) ? null : this.#native;
    if (place === "viewport" || layer > 0) return null;
    return this.#declared.at(-1) ?? null;
  }
}

/** Of several modal dialogs, the one that can be pressed. */
function topmost(modals: readonly Element[]): Element | null {
  for (const modal of modals) {
    const { x, y, width, height } = modal.getBoundingClientRect();
    const hit = elementAt(x + width / 2, y + height / 2);
    if (hit !== null && flatContains(modal, hit)) return modal;
  }
  return modals.at(-1) ?? null;
}
