/**
 * Names elements for as long as they live. A key is never given twice within a document, and an
 * element keeps its key however the page moves it.
 */
const keys = new WeakMap<Element, string>();
const elements = new Map<string, WeakRef<Element>>();
let lastKey = 0;

/** The key of an element, made on first use. */
export function keyOf(element: Element): string {
  let key = keys.get(element);
  if (key === undefined) {
    lastKey += 1;
    key = String(lastKey);
    keys.set(element, key);
    elements.set(key, new WeakRef(element));
  }
  return key;
}

/** The element with this key; null when it is not in the document any more. */
export function elementByKey(key: string): Element | null {
  const element = elements.get(key)?.deref();
  return element?.isConnected === true ? element : null;
}

const notes = new Map<string, string>();

/** Remembers the first element that is noted under a token: what a selector of Playwright's matched. */
export function note(token: string, element: Node): void {
  if (element instanceof Element && !notes.has(token)) notes.set(token, keyOf(element));
}

/** The key that was noted under a token, once; null where nothing was. */
export function takeNote(token: string): string | null {
  const key = notes.get(token) ?? null;
  notes.delete(token);
  return key;
}
