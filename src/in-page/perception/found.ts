import type {
  Box,
  WalkedFrame,
  WalkedLayer,
  WalkedScroller,
} from "../../pages/perception-protocol.ts";

/** A box on the page that shows only a part of what is in it. */
export interface Clip {
  readonly element: Element;
  /** What can be seen of it, boxes around it considered. */
  readonly box: Box;
}

/** Something operable, before it is described. */
export interface FoundElement {
  readonly element: Element;
  /** The names of its attributes. */
  readonly attributes: readonly string[];
  readonly role: string;
  readonly name: string;
  readonly box: Box;
  readonly layer: number;
  /** The visible label that stands for a control that cannot be seen itself. */
  readonly label: Element | null;
  readonly clip: Clip | null;
  /** ARIA says, on it or around it, that it takes no operation. */
  readonly isDisabled: boolean;
}

export interface FoundFrame extends WalkedFrame {
  readonly clip: Clip | null;
}

/** A run of text. Many turn out to be the name of a control, so where they stand is found out later. */
export interface FoundText {
  readonly kind: "text";
  readonly text: string;
  /** 1 to 6 inside a heading. */
  readonly level: number | null;
  readonly layer: number;
  /** The element in which it begins. */
  readonly block: Element;
  /** Where it begins in that, as far as that is known. */
  readonly node: Node | null;
  readonly clip: Clip | null;
}

export type FoundItem = FoundElement | FoundText | FoundFrame | WalkedScroller;

export interface Found {
  /** In reading order; null for what turned out to be nothing. */
  readonly items: readonly (FoundItem | null)[];
  readonly layers: readonly WalkedLayer[];
  /** What blocks the page behind it, in document order. */
  readonly modals: readonly Element[];
  readonly elementCount: number;
  readonly truncated: boolean;
}

export function isFoundElement(item: FoundItem | null): item is FoundElement {
  return item !== null && "element" in item;
}

export function isText(item: FoundItem | null): item is FoundText {
  return item !== null && "kind" in item && item.kind === "text";
}
