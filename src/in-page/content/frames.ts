/** What stands in iframes: copied in the frame itself, put in its place in the page around it. */
import type { CopiedNode, FrameCopy, FrameCopyRequest } from "../../pages/content-protocol.ts";
import { deepest, droppedTags, frameTags, keptAttributes } from "./copy.ts";

/** Smaller iframes, in CSS pixels, count visits and fetch things: nobody reads in them. */
const smallestWidth = 60;
const smallestHeight = 20;

/** What those who place advertisements call their iframes, by any of these attributes. */
const adAttributes: readonly string[] = ["id", "name", "class", "title", "aria-label"];
const adName = /(?:^|[^a-z])(?:ads?|advert(?:s|isements?|ising)?|sponsored)(?:$|[^a-z])/i;

/** On a copied box: the key of the iframe element that it stands for. Pages cannot set it. */
const frameKey = "data-nightjar-frame";

/** Attributes that are made absolute, or only kept on some elements. */
const otherAttributes: readonly string[] = ["href", "src", "alt", "width", "height"];
const knownAttributes: ReadonlySet<string> = new Set([...keptAttributes, ...otherAttributes]);

/**
 * The iframes at and below an element that are there to be read, those in shadow roots after their
 * hosts. One that was named itself may be of any size.
 */
export function framesShownIn(root: Element, isNamed: boolean): readonly Element[] {
  if (frameTags.has(root.localName)) return isNamed || isReadable(root) ? [root] : [];
  const found: Element[] = [];
  collect(root, found);
  return found;
}

/** Has a copied box stand for what its iframe holds. */
export function markFrame(box: Element, key: string): void {
  box.setAttribute(frameKey, key);
  // One that holds nothing would be left out.
  box.append("");
}

/** What is below a copied body, up to the limits. */
export function nodesOf(
  body: Element,
  { maxNodes, maxCharacters }: FrameCopyRequest,
): Pick<FrameCopy, "nodes" | "isCut"> {
  const nodes: CopiedNode[] = [];
  let characters = 0;
  let open = 0;
  let at: Node | null = body.firstChild;
  while (at !== null && nodes.length + open < maxNodes && characters < maxCharacters) {
    if (at instanceof Element) {
      nodes.push(["open", at.localName, attributesOf(at)]);
      open += 1;
      const key = at.getAttribute(frameKey);
      if (key !== null) nodes.push(["frame", key]);
    } else {
      const text = (at.nodeValue ?? "").slice(0, maxCharacters - characters);
      characters += text.length;
      if (text !== "") nodes.push(["text", text]);
    }
    if (at.firstChild !== null) {
      at = at.firstChild;
      continue;
    }
    if (at instanceof Element) open -= closed(nodes);
    while (at !== null && at.nextSibling === null) {
      const parent: Element | null = at.parentElement;
      at = parent === body ? null : parent;
      if (at !== null) open -= closed(nodes);
    }
    at = at?.nextSibling ?? null;
  }
  const isCut = at !== null;
  while (open > 0) open -= closed(nodes);
  return { nodes, isCut };
}

/**
 * Puts copied nodes into a box that stands so deep. They come from a page: whatever they say, only
 * what `copyOf` would have made is made of them.
 */
export function putNodes(nodes: readonly CopiedNode[], box: Element, depth: number): void {
  const { ownerDocument } = box;
  const open: Element[] = [box];
  for (const node of nodes) {
    const parent = open.at(-1) ?? box;
    if (node[0] === "text") parent.append(ownerDocument.createTextNode(node[1]));
    if (node[0] === "close" && open.length > 1) open.pop();
    if (node[0] !== "open") continue;
    if (depth + open.length > deepest) {
      open.push(parent);
      continue;
    }
    const [, tag, attributes] = node;
    const isSafe = /^[a-z][a-z0-9]*$/.test(tag) && !droppedTags.has(tag);
    const element = ownerDocument.createElement(isSafe ? tag : "div");
    for (const [name, value] of Object.entries(attributes)) {
      if (knownAttributes.has(name)) element.setAttribute(name, value);
    }
    parent.append(element);
    open.push(element);
  }
}

function closed(nodes: CopiedNode[]): 1 {
  nodes.push(["close"]);
  return 1;
}

function attributesOf(element: Element): Record<string, string> {
  const attributes: Record<string, string> = {};
  for (const { name, value } of element.attributes) {
    if (knownAttributes.has(name)) attributes[name] = value;
  }
  return attributes;
}

function collect(root: Element | ShadowRoot, found: Element[]): void {
  if (root instanceof Element && root.shadowRoot !== null) collect(root.shadowRoot, found);
  for (const element of root.querySelectorAll("*")) {
    if (frameTags.has(element.localName) && isReadable(element)) found.push(element);
    if (element.shadowRoot !== null) collect(element.shadowRoot, found);
  }
}

/** Whether it is shown, where one can scroll to, large enough to read something, and no advertisement. */
function isReadable(frame: Element): boolean {
  if (adAttributes.some((name) => adName.test(frame.getAttribute(name) ?? ""))) return false;
  if (!frame.checkVisibility({ visibilityProperty: true, opacityProperty: true })) return false;
  const { width, height, right, bottom } = frame.getBoundingClientRect();
  if (width < smallestWidth || height < smallestHeight) return false;
  return right + scrollX > 0 && bottom + scrollY > 0;
}
