import { isVisible } from "./geometry.ts";
import { inlineTags } from "./inline-tags.ts";
import { labelsOf, wasSeen } from "./reading.ts";
import { isSecret } from "./secrets.ts";
import { shownBySlot } from "./tree.ts";

/**
 * Accessible names by the AccName algorithm (https://www.w3.org/TR/accname-1.2/), without the parts
 * that need a computed style for each node: generated content is left out, and what is hidden is
 * known by `checkVisibility`.
 */

/** Names and texts are cut after so many characters. */
const longestName = 200;
/** How many nodes are looked at for the content of one element, and how deep in it. */
const mostNodes = 400;
const deepest = 60;

/** Roles that are named by what they contain. */
const namedByContent: ReadonlySet<string> = new Set([
  "button",
  "cell",
  "checkbox",
  "columnheader",
  "generic",
  "gridcell",
  "heading",
  "link",
  "listitem",
  "menuitem",
  "menuitemcheckbox",
  "menuitemradio",
  "option",
  "radio",
  "row",
  "rowheader",
  "switch",
  "tab",
  "tooltip",
  "treeitem",
]);

/**
 * The accessible name of an element with this role; empty where it has none. `attributes`: the
 * names of its attributes, where they are known.
 */
export function nameOf(
  element: Element,
  role: string,
  attributes: readonly string[] = element.getAttributeNames(),
): string {
  const given = attributes.length === 0 ? "" : givenName(element, attributes);
  return tidy(
    given ||
      nativeName(element) ||
      (namedByContent.has(role) ? contentOf(element) : "") ||
      (attributes.includes("title") ? attribute(element, "title") : "") ||
      (attributes.includes("placeholder") ? attribute(element, "placeholder") : ""),
  );
}

/** As `nameOf`, for a box that holds controls with names of their own: what it is about beside them. */
export function nameOfHolder(element: Element, attributes: readonly string[]): string {
  return tidy(givenName(element, attributes) || subjectOf(element) || contentOf(element));
}

function givenName(element: Element, attributes: readonly string[]): string {
  const referred = attributes.includes("aria-labelledby") ? labelledBy(element) : "";
  return referred || (attributes.includes("aria-label") ? attribute(element, "aria-label") : "");
}

/** What describes an element beside its name: `aria-describedby`, or a title that is not its name. */
export function descriptionOf(
  element: Element,
  name: string,
  attributes: readonly string[],
): string {
  const described = attributes.includes("aria-describedby")
    ? tidy(textOfIds(element, attribute(element, "aria-describedby")))
    : "";
  const written = attributes.includes("aria-description")
    ? tidy(attribute(element, "aria-description"))
    : "";
  const title = attributes.includes("title") ? attribute(element, "title") : "";
  const text = described || written || title;
  return text === name ? "" : text;
}

export function isNamedByContent(role: string): boolean {
  return namedByContent.has(role);
}

/** The visible text of an element, with the alternatives of images, white space collapsed. */
export function contentOf(element: Element): string {
  return textIn(element, isSilent);
}

/** As `contentOf`, with what is hidden from assistive technology but not from the eye. */
export function seenTextOf(element: Element): string {
  return textIn(element, isUnseen);
}

/** As `contentOf`, without the controls: what a row or item is about. */
export function subjectOf(element: Element): string {
  return textIn(element, (node) => isSilent(node) || isControl(node));
}

function isControl(element: Element): boolean {
  const role = element.getAttribute("role");
  return /^(?:button|input|label)$/.test(element.localName)
    ? true
    : role !== null && /^(?:button|checkbox|menuitem|radio|switch|tab)$/.test(role);
}

function textIn(element: Element, isLeftOut: (node: Element) => boolean): string {
  if (element.firstElementChild === null && element.shadowRoot === null) {
    if (element.localName !== "slot") return tidy(element.textContent ?? "");
  }
  const reading: Reading = { text: "", left: mostNodes, isLeftOut };
  readInside(element, reading, 0);
  return tidy(reading.text);
}

/** A text that is being put together. */
interface Reading {
  text: string;
  /** How many nodes are still looked at. */
  left: number;
  readonly isLeftOut: (node: Element) => boolean;
}

function readInside(element: Element, reading: Reading, depth: number): void {
  const assigned = shownBySlot(element);
  if (assigned !== null) {
    for (const node of assigned) readNode(node, reading, depth);
    return;
  }
  const { firstChild } = element.shadowRoot ?? element;
  for (let node = firstChild; node !== null; node = node.nextSibling) {
    readNode(node, reading, depth);
  }
}

function readNode(node: Node, reading: Reading, depth: number): void {
  if (reading.left <= 0 || reading.text.length > longestName * 2 || depth > deepest) return;
  reading.left -= 1;
  if (node.nodeType === Node.TEXT_NODE) reading.text += collapsed((node as Text).data);
  else if (node.nodeType === Node.ELEMENT_NODE && !reading.isLeftOut(node as Element)) {
    readElement(node as Element, reading, depth);
  }
}

function readElement(element: Element, reading: Reading, depth: number): void {
  const tag = element.localName;
  const own =
    attribute(element, "aria-label") ||
    (tag === "img" || tag === "area" ? attribute(element, "alt") : "");
  if (own !== "") reading.text += ` ${own} `;
  else if (tag === "svg") {
    reading.text += ` ${element.querySelector(":scope > title")?.textContent ?? ""} `;
  } else if (inlineTags.has(tag)) readInside(element, reading, depth + 1);
  else {
    reading.text += " ";
    readInside(element, reading, depth + 1);
    reading.text += " ";
  }
}

/** What holds no text for a person. */
const silentTags: ReadonlySet<string> = new Set(
  "script style noscript template head meta link title datalist select textarea iframe object embed".split(
    " ",
  ),
);

function isSilent(element: Element): boolean {
  return isUnseen(element) || element.getAttribute("aria-hidden") === "true";
}

function isUnseen(element: Element): boolean {
  if (silentTags.has(element.localName)) return true;
  return !wasSeen(element) && !isVisible(element) && !isContents(element);
}

function isContents(element: Element): boolean {
  return getComputedStyle(element).display === "contents";
}

function labelledBy(element: Element): string {
  const ids = attribute(element, "aria-labelledby");
  return ids === "" ? "" : tidy(textOfIds(element, ids));
}

function textOfIds(element: Element, ids: string): string {
  const root = element.getRootNode() as Document | ShadowRoot;
  return ids
    .split(/\s+/)
    .map((id) => root.getElementById(id))
    .filter((found) => found !== null)
    .map((found) => attribute(found, "aria-label") || textEvenIfHidden(found))
    .join(" ");
}

/** A label may point at something hidden; its text counts all the same (AccName 2A). */
function textEvenIfHidden(element: Element): string {
  if (element instanceof HTMLInputElement) return isSecret(element) ? "" : element.value;
  if (element.checkVisibility()) return contentOf(element) || attribute(element, "alt");
  return (element.textContent ?? "").slice(0, longestName * 2);
}

/** HTML-AAM: labels, alternatives, legends, captions and the words on buttons. */
function nativeName(element: Element): string {
  switch (element.localName) {
    case "input":
      return nameOfInput(element as HTMLInputElement);
    case "select":
    case "textarea":
    case "meter":
    case "progress":
    case "button":
      return labelText(element);
    case "img":
    case "area":
      return attribute(element, "alt");
    case "fieldset":
      return textOfChild(element, "legend");
    case "figure":
      return textOfChild(element, "figcaption");
    case "table":
      return textOfChild(element, "caption");
    case "details":
      // As the browser calls the summary that it shows where the page has none.
      return "Details";
    case "canvas":
      return (element.textContent ?? "").slice(0, longestName);
    case "iframe":
      return attribute(element, "title") || attribute(element, "name");
    default:
      return "";
  }
}

function nameOfInput(input: HTMLInputElement): string {
  switch (input.type) {
    case "submit":
      return input.value || labelText(input) || "Submit";
    case "reset":
      return input.value || labelText(input) || "Reset";
    case "button":
      return input.value || labelText(input);
    case "image":
      return attribute(input, "alt") || input.value || labelText(input) || "Submit";
    default:
      return labelText(input);
  }
}

function textOfChild(element: Element, tag: string): string {
  const child = element.querySelector(`:scope > ${tag}`);
  return child === null ? "" : contentOf(child);
}

function labelText(control: Element): string {
  const labels = labelsOf(control);
  return labels.length === 0 ? "" : labels.map(contentOf).join(" ");
}

function attribute(element: Element, name: string): string {
  return element.getAttribute(name)?.trim() ?? "";
}

/** White space collapsed, and cut to the longest name. */
export function tidy(text: string): string {
  const tidied = collapsed(text).trim();
  return tidied.length > longestName ? `${tidied.slice(0, longestName - 1)}…` : tidied;
}

export function collapsed(text: string): string {
  // A single blank, as most are, stays: a text without others is answered as it is.
  return text.replace(/[\s\u200b]{2,}|[^\S ]|\u200b/g, " ");
}
