import type { Box, WalkedScroller } from "../../pages/perception-protocol.ts";
import { intersectionOf, placeOf } from "./geometry.ts";
import { nameOf } from "./names.ts";

/** A box must hide at least so much to be worth scrolling, in CSS pixels. */
const leastScroll = 20;
/** A box that shows less than this is none to scroll in. */
const leastShown = 40;

/** Tags that no page scrolls by; asking each of them takes a good part of a walk's time. */
export const neverScrolls: ReadonlySet<string> = new Set(
  "body button caption col colgroup dd dt h1 h2 h3 h4 h5 h6 html label legend option p summary svg table tbody td tfoot th thead tr".split(
    " ",
  ),
);

/** A box that shows only a part of what is in it. */
export interface Boxed {
  /** Null where only the page's own scripts scroll it. */
  readonly scroller: Omit<WalkedScroller, "layer"> | null;
  /** What can be seen of it in what can be seen of the box around it. */
  visible(around: Box | null): Box;
}

/** Whether an element cuts away what is in it; `folded` where nothing of it is left. */
export function boxedBy(element: Element, style: CSSStyleDeclaration): Boxed | "folded" | null {
  // Asked first, since it is quick: most elements show all that is in them.
  const { overflowX, overflowY } = style;
  if (overflowY === "visible" && overflowX === "visible") return null;
  const { clientHeight, clientWidth } = element;
  const below = element.scrollHeight - clientHeight;
  const right = element.scrollWidth - clientWidth;
  const hasNoSize = (clientHeight === 0 && below > 0) || (clientWidth === 0 && right > 0);
  if (below < leastScroll && right < leastScroll && !hasNoSize) return null;
  const { display } = style;
  if (display === "inline" || display === "contents") return null;
  if (hasNoSize && isFolded(element, style)) return "folded";
  const cutsDown = below >= leastScroll && overflowY !== "visible";
  const cutsAcross = right >= leastScroll && overflowX !== "visible";
  if (!cutsDown && !cutsAcross) return null;
  const { x, y, width, height } = element.getBoundingClientRect();
  const box = { x, y, width, height };
  const scrolls =
    (cutsDown && canScroll(overflowY) && clientHeight >= leastShown) ||
    (cutsAcross && canScroll(overflowX) && clientWidth >= leastShown);
  return {
    scroller: scrolls ? scrollerOf(element, box, below, right) : null,
    visible: (around) => (around === null ? box : intersectionOf(around, box)),
  };
}

/** Cut away in a direction in which it has no size, with its borders. */
function isFolded(element: Element, { overflowX, overflowY }: CSSStyleDeclaration): boolean {
  const { width, height } = element.getBoundingClientRect();
  return (height < 1 && overflowY !== "visible") || (width < 1 && overflowX !== "visible");
}

function canScroll(overflow: string): boolean {
  return overflow === "auto" || overflow === "scroll";
}

function scrollerOf(
  element: Element,
  box: Box,
  hiddenDown: number,
  hiddenAcross: number,
): Omit<WalkedScroller, "layer"> {
  const above = Math.round(element.scrollTop);
  const left = Math.round(Math.abs(element.scrollLeft));
  return {
    kind: "scroller",
    name: nameOf(element, "region"),
    above,
    below: Math.max(0, Math.round(hiddenDown) - above),
    left,
    right: Math.max(0, Math.round(hiddenAcross) - left),
    place: placeOf(box),
  };
}
