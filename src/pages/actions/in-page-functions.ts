/**
 * What is asked of elements in the page itself, through Playwright. These functions are sent to the
 * page as text, so each stands for itself; the types are the part of the DOM that they touch.
 */

interface Style {
  readonly opacity: string;
}

export interface PageNode {
  readonly localName: string;
  readonly type?: string;
  readonly checked?: boolean;
  readonly open?: boolean;
  readonly control?: PageNode | null;
  readonly labels?: Iterable<PageNode> | null;
  readonly parentElement: PageNode | null;
  readonly isContentEditable?: boolean;
  readonly ownerDocument: {
    readonly defaultView: { getComputedStyle(node: PageNode): Style };
    elementFromPoint(x: number, y: number): PageNode | null;
  };
  contains(other: PageNode): boolean;
  checkVisibility(options?: { readonly visibilityProperty: boolean }): boolean;
  getAttribute(name: string): string | null;
  getBoundingClientRect(): {
    readonly x: number;
    readonly y: number;
    readonly width: number;
    readonly height: number;
  };
  querySelector(selector: string): PageNode | null;
}

/** The label to press in place of a checkbox, radio button or file input that it hides; null where it hides none. */
export function labelInPlaceOf(element: PageNode): PageNode | null {
  if (element.localName !== "input") return null;
  if (element.type !== "checkbox" && element.type !== "radio" && element.type !== "file")
    return null;
  const label = [...(element.labels ?? [])].find((one) => one.checkVisibility());
  if (label === undefined) return null;
  const { x, y, width, height } = element.getBoundingClientRect();
  const { opacity } = element.ownerDocument.defaultView.getComputedStyle(element);
  const isSeen = element.checkVisibility({ visibilityProperty: true });
  if (!isSeen || opacity === "0" || width <= 1 || height <= 1) return label;
  const hit = element.ownerDocument.elementFromPoint(x + width / 2, y + height / 2);
  return hit !== null && hit !== element && label.contains(hit) ? label : null;
}

/** How a control stands, in words, e.g. `checked, expanded`; empty for what has no such state. */
export function stateInWords(element: PageNode): string {
  const control = element.localName === "label" ? (element.control ?? element) : element;
  const words: string[] = [];
  if (control.type === "checkbox" || control.type === "radio") {
    words.push(control.checked === true ? "checked" : "not checked");
  }
  for (const state of ["checked", "pressed", "expanded", "selected"]) {
    const value = control.getAttribute(`aria-${state}`);
    if (value === "true") words.push(state);
    if (value === "false") words.push(`not ${state}`);
    if (value === "mixed") words.push(`partly ${state}`);
  }
  const details = control.localName === "summary" ? control.parentElement : null;
  if (details?.localName === "details")
    words.push(details.open === true ? "expanded" : "collapsed");
  return words.join(", ");
}

/** What is asked of an element before it is acted on. */
export interface Glance {
  /** It is an option of a `<select>`, which cannot be pressed. */
  readonly isOption: boolean;
  /** A label stands in its place: `labelInPlaceOf`. */
  readonly hasLabelInPlace: boolean;
  /** As `stateInWords`. */
  readonly state: string;
}

/** All of it in one round trip. Made of text, since it takes the other functions with it. */
export const glanceAt = new Function(
  "element",
  `const labelInPlaceOf = ${labelInPlaceOf};
  const stateInWords = ${stateInWords};
  return {
    isOption: element.localName === "option",
    hasLabelInPlace: labelInPlaceOf(element) !== null,
    state: stateInWords(element),
  };`,
) as (element: unknown) => Glance;

/** What kind of control takes a text: `select`, `text`, an input's type, `editor`, or `other`. */
export function fieldKind(element: PageNode): string {
  if (element.localName === "select" || element.localName === "option") return element.localName;
  if (element.localName === "textarea") return "text";
  if (element.localName === "input") return element.type ?? "text";
  return element.isContentEditable === true ? "editor" : "other";
}
