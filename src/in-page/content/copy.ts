/**
 * Copies what a person sees of a page into a document of its own, which has no scripts and is
 * subject to none of the page's policies: hidden parts left out, shadow roots in place of their
 * hosts' children, URLs absolute. The page itself is never touched.
 */

/** What is no content, or only makes sense in a live page. */
export const droppedTags: ReadonlySet<string> = new Set(
  "script style noscript template link meta base iframe frame object embed applet canvas audio video source track input select textarea datalist option map area".split(
    " ",
  ),
);

/** Elements that hold a page of their own. */
export const frameTags: ReadonlySet<string> = new Set(["iframe", "frame"]);

/** Deeper than this, wrappers are left out: no page that means to be read nests so far. */
export const deepest = 250;

/** What is kept of every element as it is. */
export const keptAttributes: readonly string[] =
  "class id role lang colspan rowspan start itemprop aria-hidden title".split(" ");

export interface CopyOptions {
  /** Whether the nodes are drawn, so that what is hidden can be told. */
  readonly hasLayout: boolean;
  readonly baseUrl: string;
  readonly ignoredTags: ReadonlySet<string>;
  /** Says what an iframe holds, in the box that stands for it, this deep; null leaves iframes out. */
  readonly fillFrame: ((frame: Element, box: Element, depth: number) => void) | null;
}

/** The copy of an element in a new document's body. */
export function copyOf(root: Element, options: CopyOptions): Document {
  const copy = document.implementation.createHTMLDocument("");
  const { title } = root.ownerDocument;
  copy.title = title;
  const stack: { readonly node: Node; readonly parent: Element; readonly depth: number }[] = [];
  const pushChildren = (node: Element, parent: Element, depth: number): void => {
    const children = childrenOf(node);
    // Backwards, so that the first child is taken off the stack first.
    for (let index = children.length - 1; index >= 0; index -= 1) {
      const child = children[index];
      if (child !== undefined) stack.push({ node: child, parent, depth });
    }
  };
  pushChildren(root, copy.body, 0);
  if (root !== root.ownerDocument.body) {
    // The element itself is part of what was asked for, e.g. a table.
    stack.length = 0;
    stack.push({ node: root, parent: copy.body, depth: 0 });
  }
  for (let item = stack.pop(); item !== undefined; item = stack.pop()) {
    const { node, parent, depth } = item;
    if (node.nodeType === Node.TEXT_NODE) {
      parent.append(copy.createTextNode(node.nodeValue ?? ""));
      continue;
    }
    if (node.nodeType !== Node.ELEMENT_NODE) continue;
    const element = node as Element;
    const tag = element.localName;
    const isFilled = options.fillFrame !== null && frameTags.has(tag);
    if ((droppedTags.has(tag) && !isFilled) || options.ignoredTags.has(tag)) continue;
    if (!(options.hasLayout ? isShown(element) : isMeantToShow(element))) continue;
    if (isFilled) {
      const box = copyElement(element, "div", copy, options.baseUrl);
      options.fillFrame?.(element, box, depth + 1);
      if (box.hasChildNodes()) parent.append(box);
      continue;
    }
    if (tag === "svg" || tag === "math") {
      copyDrawing(element, tag, parent, copy);
      continue;
    }
    const target = depth < deepest ? copyElement(element, tag, copy, options.baseUrl) : parent;
    if (target !== parent) parent.append(target);
    pushChildren(element, target, depth + 1);
  }
  return copy;
}

function isShown(element: Element): boolean {
  if (element.checkVisibility({ visibilityProperty: true })) return true;
  if (element.checkVisibility()) return element.childElementCount > 0;
  // Closed parts of a page are content that the reader has not opened yet.
  const details = element.closest("details:not([open])");
  if (details !== null && details !== element) return true;
  return getComputedStyle(element).display === "contents";
}

/** Without a layout only what the element itself says can tell. */
function isMeantToShow(element: Element): boolean {
  if (element.hasAttribute("hidden")) return false;
  return !/display\s*:\s*none|visibility\s*:\s*hidden/i.test(element.getAttribute("style") ?? "");
}

function childrenOf(element: Element): ArrayLike<Node> {
  if (element.shadowRoot !== null) return element.shadowRoot.childNodes;
  if (element.localName === "slot" && element.getRootNode() instanceof ShadowRoot) {
    const assigned = (element as HTMLSlotElement).assignedNodes({ flatten: true });
    if (assigned.length > 0) return assigned;
  }
  return element.childNodes;
}

function copyElement(element: Element, tag: string, copy: Document, baseUrl: string): Element {
  // What is unknown to HTML is a box with text in it.
  const name = /^[a-z][a-z0-9]*$/.test(tag) ? tag : "div";
  const target = copy.createElement(name);
  for (const kept of keptAttributes) {
    const value = element.getAttribute(kept);
    if (value !== null) target.setAttribute(kept, value);
  }
  if (tag === "a") {
    const href = absolute(element.getAttribute("href"), baseUrl);
    if (href !== null) target.setAttribute("href", href);
  }
  if (tag === "img") {
    const source = imageSource(element as HTMLImageElement, baseUrl);
    if (source !== null) target.setAttribute("src", source);
    target.setAttribute("alt", element.getAttribute("alt") ?? "");
    for (const kept of ["width", "height"]) {
      const value = element.getAttribute(kept);
      if (value !== null) target.setAttribute(kept, value);
    }
  }
  return target;
}

/** Formulas as their source, drawings as their title. */
function copyDrawing(element: Element, tag: string, parent: Element, copy: Document): void {
  if (tag === "math") {
    const source = element.querySelector('annotation[encoding="application/x-tex"]')?.textContent;
    parent.append(
      copy.createTextNode(source == null ? (element.textContent ?? "") : `$${source}$`),
    );
    return;
  }
  const title = element.querySelector(":scope > title")?.textContent?.trim() ?? "";
  if (title !== "" && element.getAttribute("aria-hidden") !== "true") {
    parent.append(copy.createTextNode(` ${title} `));
  }
}

/** Where the image really is, also while it waits to be scrolled to. */
export function imageSource(image: Element, baseUrl: string): string | null {
  const own = image.getAttribute("src");
  const lazy =
    image.getAttribute("data-src") ??
    image.getAttribute("data-original") ??
    image.getAttribute("data-lazy-src");
  const isPlaceholder = own === null || own === "" || /^data:/.test(own);
  if (isPlaceholder && lazy !== null) return absolute(lazy, baseUrl);
  if (isPlaceholder) {
    const set = image.getAttribute("srcset") ?? image.getAttribute("data-srcset");
    const [first] = set?.trim().split(/\s+/, 1) ?? [];
    if (first !== undefined && first !== "") return absolute(first, baseUrl);
  }
  return own === null || /^data:/.test(own) ? null : absolute(own, baseUrl);
}

/** Null for what is no URL, or none that leads anywhere. */
function absolute(url: string | null, baseUrl: string): string | null {
  if (url === null || /^\s*(?:javascript|data|blob):/i.test(url)) return null;
  return URL.parse(url, baseUrl)?.href ?? null;
}
