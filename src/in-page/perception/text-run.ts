import type { WalkedText } from "../../pages/perception-protocol.ts";
import type { Clip } from "./found.ts";
import { isOutside, placeOf } from "./geometry.ts";

/** Text that is collected until something ends its line. */
export class TextRun {
  #parts: string[] = [];
  #block: Element | null = null;
  #node: Node | null = null;
  #heading: number | null = null;

  get isEmpty(): boolean {
    return this.#block === null;
  }

  /** White space between what is inline. */
  space(): void {
    if (this.#block !== null) this.#parts.push(" ");
  }

  /** A cell of a table ends where the next begins. */
  endCell(): void {
    if (this.#block !== null) this.#parts.push(" | ");
  }

  /** `node`: the text itself, where it is known. */
  add(text: string, block: Element, node: Node | null, heading: number | null): void {
    if (this.#block === null) {
      this.#block = block;
      this.#node = node;
      this.#heading = heading;
    }
    this.#parts.push(text);
  }

  /** What was collected, and begins anew; null where nothing was. */
  take(layer: number, clip: Clip | null): WalkedText | null {
    const block = this.#block;
    if (block === null) return null;
    const text = this.#parts
      .join("")
      .replace(/[\s\u00a0\u200b]+/g, " ")
      .replace(/(?: \|)+ *$/, "")
      .trim();
    const place = this.#placeIn(block, clip);
    const heading = this.#heading;
    this.drop();
    if (text === "") return null;
    return { kind: "text", text, ...(heading !== null && { level: heading }), place, layer };
  }

  drop(): void {
    this.#parts = [];
    this.#block = null;
    this.#node = null;
  }

  #placeIn(block: Element, clip: Clip | null): WalkedText["place"] {
    let rectangle = block.getBoundingClientRect();
    // A block that is larger than the viewport does not tell where in it the text stands.
    if (rectangle.height > innerHeight || rectangle.height < 1) {
      const node = this.#node ?? block.firstChild;
      if (node !== null) {
        const range = document.createRange();
        range.selectNode(node);
        rectangle = range.getBoundingClientRect();
      }
    }
    const { x, y, width, height } = rectangle;
    const box = { x, y, width, height };
    return clip !== null && isOutside(box, clip.box) ? "clipped" : placeOf(box);
  }
}
