import type { ListenerIndices, ListeningElements } from "../../pages/perception-protocol.ts";
import { elementByKey, keyOf } from "./registry.ts";
import { allElements } from "./tree.ts";

/** What the page's own scripts listen to on an element. */
export type Listening = "click" | "press" | null;

/** What listens to what. */
export function listeningOf(report: ListeningElements | null): ReadonlyMap<Element, Listening> {
  const listening = new Map<Element, Listening>();
  if (report === null) return listening;
  for (const kind of ["press", "click"] as const) {
    for (const key of report[kind]) {
      const element = elementByKey(key);
      if (element !== null) listening.set(element, kind);
    }
  }
  return listening;
}

/** The keys of the elements at these places; null where the two worlds do not see the same document. */
export function keysAt(indices: ListenerIndices): ListeningElements | null {
  const elements = allElements();
  if (elements.length !== indices.count) return null;
  const keyAt = (index: number): string => keyOf(elements[index] as Element);
  return { click: indices.click.map(keyAt), press: indices.press.map(keyAt) };
}

/** The keys of nodes, in their order; null for what is no element of this document. */
export function keysOf(...nodes: readonly Node[]): readonly (string | null)[] {
  return nodes.map((node) =>
    node instanceof Element && node.ownerDocument === document ? keyOf(node) : null,
  );
}
