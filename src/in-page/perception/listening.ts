import type { ListenerReport } from "../../pages/perception-protocol.ts";
import { allElements } from "./tree.ts";

/** What the page's own scripts listen to on an element. */
export type Listening = "click" | "press" | null;

const nothing: ReadonlyMap<Element, Listening> = new Map();

/** What listens to what; empty where the two worlds do not see the same document. */
export function listeningOf(report: ListenerReport | null): ReadonlyMap<Element, Listening> {
  if (report === null || report.click.length + report.press.length === 0) return nothing;
  const elements = allElements();
  if (elements.length !== report.count) return nothing;
  const listening = new Map<Element, Listening>();
  for (const [kind, indices] of [
    ["press", report.press],
    ["click", report.click],
  ] as const) {
    for (const index of indices) {
      const element = elements[index];
      if (element !== undefined) listening.set(element, kind);
    }
  }
  return listening;
}
