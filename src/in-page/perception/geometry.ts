import type { Box, Place } from "../../pages/perception-protocol.ts";
import type { FoundText } from "./found.ts";
import { inlineTags } from "./inline-tags.ts";
import { elementAt, flatContains, flatParent } from "./tree.ts";

/** How many elements inside one without a size are asked for theirs. */
const mostInner = 20;
/** Less high than this, a text has one line. */
const leastOfTwoLines = 22;
/** How many lines of a text are tried for a place to press. */
const mostLines = 4;

/** Whether an element is drawn, were it not for its place: `visibility` and closed parts are known. */
export function isVisible(element: Element): boolean {
  // Asking `checkVisibility` for both takes longer: it reads its options from an object each time.
  return element.checkVisibility() && getComputedStyle(element).visibility === "visible";
}

/**
 * Where an element is drawn; null when nothing of it can be seen or hit. One without a size of its
 * own, e.g. a link around a block, has the size of what is in it.
 */
export function boxOf(element: Element): Box | null {
  const own = element.getBoundingClientRect();
  if (own.width >= 1 && own.height >= 1) return rounded(own);
  const { overflow, display } = getComputedStyle(element);
  const isCut = !overflow.startsWith("visible") && display !== "inline" && display !== "contents";
  return isCut ? null : innerBoxOf(element, display);
}

function innerBoxOf(element: Element, display: string): Box | null {
  const found = (element.shadowRoot ?? element).querySelectorAll("*");
  for (let index = 0; index < Math.min(found.length, mostInner); index += 1) {
    const inner = found[index] as Element;
    const rectangle = inner.getBoundingClientRect();
    if (rectangle.width >= 1 && rectangle.height >= 1 && isVisible(inner))
      return rounded(rectangle);
  }
  if (display !== "contents") return null;
  const range = document.createRange();
  range.selectNodeContents(element);
  const text = range.getBoundingClientRect();
  return text.width >= 1 && text.height >= 1 ? rounded(text) : null;
}

export function intersectionOf(a: Box, b: Box): Box {
  const x = Math.max(a.x, b.x);
  const y = Math.max(a.y, b.y);
  return {
    x,
    y,
    width: Math.max(0, Math.min(a.x + a.width, b.x + b.width) - x),
    height: Math.max(0, Math.min(a.y + a.height, b.y + b.height) - y),
  };
}

/** Whether no part of a box lies in another. */
export function isOutside(box: Box, around: Box): boolean {
  return (
    box.x >= around.x + around.width ||
    box.x + box.width <= around.x ||
    box.y >= around.y + around.height ||
    box.y + box.height <= around.y
  );
}

function rounded({ x, y, width, height }: DOMRect): Box {
  return { x: tenth(x), y: tenth(y), width: tenth(width), height: tenth(height) };
}

function tenth(value: number): number {
  return Math.round(value * 10) / 10;
}

/** Where a box lies, seen from the viewport. */
export function placeOf({ x, y, width, height }: Box): Place {
  if (y >= innerHeight) return "below";
  if (y + height <= 0) return "above";
  if (x >= innerWidth) return "right";
  if (x + width <= 0) return "left";
  return "viewport";
}

/** Where a run of text begins, as far as its block tells. */
export function placeOfText({ block, node, clip }: FoundText): Place {
  let rectangle = block.getBoundingClientRect();
  // A block that is larger than the viewport does not tell where in it the text stands.
  if (rectangle.height > innerHeight || rectangle.height < 1) {
    const begin = node ?? block.firstChild;
    if (begin !== null) {
      const range = document.createRange();
      range.selectNode(begin);
      rectangle = range.getBoundingClientRect();
    }
  }
  return clip !== null && isOutside(rectangle, clip.box) ? "clipped" : placeOf(rectangle);
}

/** How a press on an element would fare. */
export interface Reach {
  /** What the press would meet instead; null when it reaches the element. */
  readonly obstacle: Element | null;
  /** The box around it that has it scrolled or cut away; null where none has. */
  readonly clipper: Element | null;
}

const reached: Reach = { obstacle: null, clipper: null };

/** Where in a box a press is tried: in the middle, then towards the edges. */
const points = [
  [0.5, 0.5],
  [0.15, 0.5],
  [0.85, 0.5],
  [0.5, 0.15],
  [0.5, 0.85],
] as const;

/** Whether a press on an element in the viewport reaches it, or the label that stands for it. */
export function reachOf(element: Element, box: Box, label: Element | null): Reach {
  let obstacle: Element | null = null;
  const pressed = label ?? element;
  for (const part of partsOf(pressed, box)) {
    const left = Math.max(part.x, 0);
    const top = Math.max(part.y, 0);
    const width = Math.min(part.x + part.width, innerWidth) - left;
    const height = Math.min(part.y + part.height, innerHeight) - top;
    if (width <= 0 || height <= 0) continue;
    for (const [across, down] of points) {
      const hit = elementAt(left + width * across, top + height * down);
      if (hit === null) continue;
      if (meets(hit, element) || (label !== null && flatContains(label, hit))) return reached;
      obstacle ??= hit;
    }
  }
  if (obstacle === null) return reached;
  const clipper = clipperOf(element, box);
  return clipper === null ? { obstacle, clipper: null } : { obstacle: null, clipper };
}

/** A text that runs over several lines fills only parts of the box around them. */
function partsOf(element: Element, box: Box): readonly Box[] {
  if (box.height < leastOfTwoLines || !inlineTags.has(element.localName)) return [box];
  const lines = element.getClientRects();
  if (lines.length < 2) return [box];
  return [...lines].slice(0, mostLines);
}

/** A press on what is inside an element reaches it, and so does one on a label of its. */
function meets(hit: Element, element: Element): boolean {
  if (flatContains(element, hit)) return true;
  if (element.localName === "area") return hit.localName === "img";
  const label = hit.closest("label");
  return label !== null && (label as HTMLLabelElement).control === element;
}

function clipperOf(element: Element, box: Box): Element | null {
  const x = box.x + box.width / 2;
  const y = box.y + box.height / 2;
  for (
    let at = flatParent(element);
    at !== null && at !== document.documentElement;
    at = flatParent(at)
  ) {
    const edge = at.getBoundingClientRect();
    const outside = x < edge.left || x > edge.right || y < edge.top || y > edge.bottom;
    if (outside && getComputedStyle(at).overflow !== "visible") return at;
  }
  return null;
}
