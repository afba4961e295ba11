import type { Clip } from "./found.ts";
import type { Candidate } from "./things.ts";

/** One level of a walk; what it does not set itself it has from the one around it. */
export interface Level {
  readonly element: Element;
  /** The next child to walk, where the children follow each other. */
  next: ChildNode | null;
  /** The children, where they stand elsewhere: those that a slot shows. */
  assigned: readonly Node[] | null;
  /** How many of those have been walked. */
  at: number;
  /** Its own text can be seen. */
  readonly visible: boolean;
  readonly isInline: boolean;
  candidate: Candidate | null;
  /** What is operated around it, or by itself. */
  within: Candidate | null;
  /** The cursor over it is a hand, or would be expected to be one. */
  hand: boolean;
  layer: number;
  isInert: boolean;
  isDisabled: boolean;
  /** Its text is the name of a control, which says it. */
  isLabel: boolean;
  /** Nothing but a summary can be seen of what is directly in it. */
  isFolded: boolean;
  /** 1 to 6 inside a heading. */
  heading: number | null;
  clip: Clip | null;
}

/** What stands around the whole document. */
export function firstLevel(element: Element): Level {
  return {
    element,
    next: null,
    assigned: null,
    at: 0,
    visible: true,
    isInline: false,
    candidate: null,
    within: null,
    hand: false,
    layer: 0,
    isInert: false,
    isDisabled: false,
    isLabel: false,
    isFolded: false,
    heading: null,
    clip: null,
  };
}

/** Sets a level to the first of an element's children in the flat tree. */
export function firstChildOf(element: Element, level: Level): void {
  const shadow = element.shadowRoot;
  if (shadow !== null) {
    level.next = shadow.firstChild;
    return;
  }
  if (element.localName === "slot" && element.getRootNode() instanceof ShadowRoot) {
    const assigned = (element as HTMLSlotElement).assignedNodes({ flatten: true });
    if (assigned.length > 0) {
      level.assigned = assigned;
      return;
    }
  }
  level.next = element.firstChild;
}

/** The next child of a level in the flat tree; null after the last. */
export function nextChildOf(level: Level): Node | null {
  const { assigned } = level;
  if (assigned !== null) {
    const node = assigned[level.at] ?? null;
    level.at += 1;
    return node;
  }
  const node = level.next;
  if (node !== null) level.next = node.nextSibling;
  return node;
}
