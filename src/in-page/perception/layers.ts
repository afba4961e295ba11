import type { WalkedLayer } from "../../pages/perception-protocol.ts";
import { nameOf } from "./names.ts";

/** How far around a menu its positioned box may be. */
const mostWrappers = 3;

/** What is open over the page, as far as this element begins it; null where it begins nothing. */
export function layerOf(element: Element, role: string): Omit<WalkedLayer, "number"> | null {
  const kind = kindOf(element, role);
  if (kind === null) return null;
  return {
    role: kind,
    name: nameOf(element, role),
    modal: element.matches(":modal") || element.getAttribute("aria-modal") === "true",
  };
}

function kindOf(element: Element, role: string): string | null {
  if (role === "dialog" || role === "alertdialog") {
    return element.localName !== "dialog" || element.hasAttribute("open") ? role : null;
  }
  if (element.getAttribute("aria-modal") === "true") return "dialog";
  if (element.hasAttribute("popover") && element.matches(":popover-open")) {
    return role === "generic" ? "popover" : role;
  }
  // A list of options or a menu that belongs to the page itself is nothing that opened.
  if (role !== "menu" && role !== "listbox") return null;
  if (element.localName === "select") return null;
  return isPositioned(element) ? role : null;
}

function isPositioned(element: Element): boolean {
  let at: Element | null = element;
  for (let steps = 0; at !== null && steps < mostWrappers; steps += 1) {
    if (/^(?:absolute|fixed)$/.test(getComputedStyle(at).position)) return true;
    at = at.parentElement;
  }
  return false;
}
