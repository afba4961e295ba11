import { boxOf, isVisible } from "./geometry.ts";

/** Controls that pages like to hide behind a styled label. */
const hideable = /^(?:checkbox|radio|file)$/;

/** The visible label of a control that is itself too small, too clear or too far out to be seen; null where it has none. */
export function labelInPlaceOf(element: Element): Element | null {
  if (element.localName !== "input") return null;
  const input = element as HTMLInputElement;
  if (!hideable.test(input.type)) return null;
  const { x, y, width, height } = input.getBoundingClientRect();
  const isSeen =
    width > 4 &&
    height > 4 &&
    x + scrollX + width > 0 &&
    y + scrollY + height > 0 &&
    input.checkVisibility({ opacityProperty: true }) &&
    !isCutAway(input);
  return isSeen ? null : visibleLabelOf(input);
}

function visibleLabelOf(control: HTMLInputElement): Element | null {
  for (const label of control.labels ?? []) {
    if (isVisible(label) && boxOf(label) !== null) return label;
  }
  return null;
}

function isCutAway(element: Element): boolean {
  const style = getComputedStyle(element);
  if (style.position !== "absolute" && style.position !== "fixed") return false;
  const { clip, clipPath } = style;
  return (
    /rect\((?:0|1)px, (?:0|1)px, (?:0|1)px, (?:0|1)px\)/.test(clip) ||
    /inset\((?:50|100)%/.test(clipPath)
  );
}

/** The control that a label is there for; null for one that names nothing. */
export function controlOf(label: Element): HTMLElement | null {
  return (label as HTMLLabelElement).control;
}

/** Whether the text of a label is what its control is called. */
export function namesControl(label: Element): boolean {
  const control = controlOf(label);
  if (control === null) return false;
  return !control.hasAttribute("aria-label") && !control.hasAttribute("aria-labelledby");
}
