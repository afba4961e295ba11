import type { Clip, FoundText } from "./found.ts";
import { collapsed } from "./names.ts";

/** Text that is collected until something ends its line. */
export class TextRun {
  #text = "";
  #block: Element | null = null;
  #node: Node | null = null;
  #heading: number | null = null;

  get isEmpty(): boolean {
    return this.#block === null;
  }

  /** White space between what is inline. */
  space(): void {
    if (this.#block !== null) this.#text += " ";
  }

  /** A cell of a table ends where the next begins. */
  endCell(): void {
    if (this.#block !== null) this.#text += " | ";
  }

  /** `node`: the text itself, where it is known. */
  add(text: string, block: Element, node: Node | null, heading: number | null): void {
    if (this.#block === null) {
      this.#block = block;
      this.#node = node;
      this.#heading = heading;
    }
    this.#text += text;
  }

  /** What was collected, and begins anew; null where nothing was. */
  take(layer: number, clip: Clip | null): FoundText | null {
    const block = this.#block;
    if (block === null) return null;
    const text = collapsed(this.#text)
      .replace(/(?: \|)+ *$/, "")
      .trim();
    const found: FoundText | null =
      text === ""
        ? null
        : { kind: "text", text, level: this.#heading, layer, block, node: this.#node, clip };
    this.drop();
    return found;
  }

  drop(): void {
    this.#text = "";
    this.#block = null;
    this.#node = null;
  }
}
