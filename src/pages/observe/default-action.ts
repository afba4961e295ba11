import type { Action } from "../actions/action.ts";
import type { PageElement } from "./observation.ts";

/** What is done to an element when nobody says what. */
export type DefaultAction = "click" | "fill" | "check" | "select_dropdown_option" | "upload_file";

/** The action that an element is offered with: the contract's table, section 4. */
export function defaultActionOf(element: PageElement): DefaultAction {
  if (element.inputType === "file") return "upload_file";
  if (element.role === "option") return "select_dropdown_option";
  if (element.isEditable) return "fill";
  if (element.role === "combobox" || element.role === "listbox") return "select_dropdown_option";
  return element.id.startsWith("I") ? "fill" : "click";
}

/** The default action of an element with this value: what a client means that gives only an id and a text. */
export function defaultActionWith(
  element: PageElement,
  value: string | null,
  pressEnter: boolean,
  timeoutMs: number,
): Action {
  const target = { id: element.id, selectors: [], frames: [] };
  const common = { target, timeoutMs, pressEnter, dialog: null };
  const type = defaultActionOf(element);
  if (value === null || type === "click" || type === "check") return { type: "click", ...common };
  switch (type) {
    case "fill":
      return { type, ...common, value, clearBeforeFill: true };
    case "select_dropdown_option":
      return { type, ...common, value };
    case "upload_file":
      return { type, ...common, fileName: value };
  }
}
