/** The tree as it is rendered: shadow roots in place of their hosts' children, slotted nodes in their slots. */

/** What a slot shows instead of its own children; null for what is no slot, or has nothing else to show. */
export function shownBySlot(element: Element): readonly Node[] | null {
  if (element.localName !== "slot" || !(element.getRootNode() instanceof ShadowRoot)) return null;
  const assigned = (element as HTMLSlotElement).assignedNodes({ flatten: true });
  return assigned.length > 0 ? assigned : null;
}

/** The parent in the flat tree; null at the top. */
export function flatParent(node: Node): Element | null {
  const slot = node instanceof Element || node instanceof Text ? node.assignedSlot : null;
  if (slot !== null) return slot;
  const parent = node.parentNode;
  if (parent instanceof ShadowRoot) return parent.host;
  return parent instanceof Element ? parent : null;
}

/** Whether `ancestor` is `node` or around it in the flat tree. */
export function flatContains(ancestor: Element, node: Node): boolean {
  for (let at: Node | null = node; at !== null; at = flatParent(at))
    if (at === ancestor) return true;
  return false;
}

/** The element that a press at this point of the viewport reaches, inside shadow roots too. */
export function elementAt(x: number, y: number): Element | null {
  let found = document.elementFromPoint(x, y);
  while (found?.shadowRoot != null) {
    const inner = found.shadowRoot.elementFromPoint(x, y);
    if (inner === null || inner === found) break;
    found = inner;
  }
  return found;
}

/** Every element in document order, those in open shadow roots after their host. */
export function allElements(): readonly Element[] {
  const found: Element[] = [];
  collect(document, found);
  return found;
}

function collect(root: Document | ShadowRoot, found: Element[]): void {
  for (const element of root.querySelectorAll("*")) {
    found.push(element);
    if (element.shadowRoot !== null) collect(element.shadowRoot, found);
  }
}
