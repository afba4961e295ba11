import type { Listening } from "./listening.ts";
import { hasWidgetRole, isNativeControl } from "./roles.ts";

/**
 * What speaks for an element being operable, strongest first: HTML itself; an ARIA role; that the
 * focus can be moved there; a hand for a cursor or something to drag; a listener, which may as well
 * be there for what is inside.
 */
export type Evidence = "native" | "role" | "focus" | "looks" | "listener";

const eventAttributes = [
  "onclick",
  "ondblclick",
  "onmousedown",
  "onpointerdown",
  "onmouseup",
  "ontouchstart",
];

/** What is known of an element from where it stands. */
export interface Standing {
  /** It has attributes, or is of a kind, that may make it operable. */
  readonly isSpecial: boolean;
  readonly listening: Listening;
  /** It is part of something that is operated already, so a hand for a cursor says nothing new. */
  readonly isInside: boolean;
  readonly hasPointer: boolean;
}

/** Whether a person may be able to operate an element, and what says so; null where nothing does. */
export function evidenceOf(element: Element, role: string, standing: Standing): Evidence | null {
  const { isSpecial, listening, isInside, hasPointer } = standing;
  if (isSpecial) {
    if (isNativeControl(element)) return "native";
    if (hasWidgetRole(element, role)) return "role";
    if (takesFocus(element)) return "focus";
    if (isDraggable(element)) return "looks";
  }
  if (element === document.body || element === document.documentElement) return null;
  if (hasPointer && !isInside) return "looks";
  if (listening !== null) return "listener";
  return isSpecial && eventAttributes.some((name) => element.hasAttribute(name))
    ? "listener"
    : null;
}

/** Whether the cursor over an element is the hand that says "press me". */
export function showsHand({ cursor }: CSSStyleDeclaration): boolean {
  return cursor === "pointer" || cursor === "grab" || cursor === "move";
}

export function isDraggable(element: Element): boolean {
  // Links and images are draggable by default, which is not what a page offers.
  return element.getAttribute("draggable") === "true";
}

export function takesFocus(element: Element): boolean {
  const tabIndex = element.getAttribute("tabindex");
  return tabIndex !== null && /^\s*\+?\d/.test(tabIndex);
}
