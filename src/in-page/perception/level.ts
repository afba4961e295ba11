import type { Clip } from "./found.ts";
import type { Candidate } from "./things.ts";
import { shownBySlot } from "./tree.ts";

/** One level of a walk; what it does not set itself it has from the one around it. */
export class Level {
  element: Element;
  /** The next child to walk, where the children follow each other. */
  next: ChildNode | null = null;
  /** The children, where they stand elsewhere: those that a slot shows. */
  assigned: readonly Node[] | null = null;
  /** How many of those have been walked. */
  at = 0;
  /** Its own text can be seen. */
  visible = true;
  isInline = false;
  candidate: Candidate | null = null;
  /** What is operated around it, or by itself. */
  within: Candidate | null = null;
  /** The cursor over it is a hand, or would be expected to be one. */
  hand = false;
  layer = 0;
  isInert = false;
  isDisabled = false;
  /** Its text is the name of a control, which says it. */
  isLabel = false;
  /** Nothing but a summary can be seen of what is directly in it. */
  isFolded = false;
  /** 1 to 6 inside a heading. */
  heading: number | null = null;
  clip: Clip | null = null;
  /** The one that is used for each of its children in turn: a page has many elements, but nests them in few levels. */
  #inner: Level | null = null;

  /** Without more, what stands around the whole document. */
  constructor(element: Element) {
    this.element = element;
  }

  /** The level of a child; the one before is over. */
  enter(element: Element, visible: boolean, isInline: boolean): Level {
    this.#inner ??= new Level(element);
    const inner = this.#inner;
    inner.element = element;
    inner.next = null;
    inner.assigned = null;
    inner.at = 0;
    inner.visible = visible;
    inner.isInline = isInline;
    inner.candidate = null;
    inner.within = this.within;
    inner.hand = this.hand;
    inner.layer = this.layer;
    inner.isInert = this.isInert;
    inner.isDisabled = this.isDisabled;
    inner.isLabel = this.isLabel;
    inner.isFolded = false;
    inner.heading = this.heading;
    inner.clip = this.clip;
    return inner;
  }

  /** Goes to the first child in the flat tree. */
  start(): void {
    const { element } = this;
    this.assigned = shownBySlot(element);
    if (this.assigned === null) this.next = (element.shadowRoot ?? element).firstChild;
  }

  /** The next child in the flat tree; null after the last. */
  nextChild(): Node | null {
    const { assigned } = this;
    if (assigned !== null) {
      const node = assigned[this.at] ?? null;
      this.at += 1;
      return node;
    }
    const node = this.next;
    if (node !== null) this.next = node.nextSibling;
    return node;
  }
}
