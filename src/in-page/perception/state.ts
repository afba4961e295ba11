import type { ElementState, WalkedOption } from "../../pages/perception-protocol.ts";
import { contentOf, tidy } from "./names.ts";

/** How many options of one choice are listed. */
const mostOptions = 60;
const longestValue = 500;

/** What stands in place of a secret; its length says nothing. */
const mask = "••••••••";

/** What is known of a control from where it stands. */
export interface Surroundings {
  /** ARIA says around it that it takes no operation, or it takes no presses. */
  readonly isDisabled: boolean;
  /** What has the focus, in shadow roots too. */
  readonly focused: Element | null;
}

/** The state that a person can see of a control; null where there is nothing to say. */
export function stateOf(
  element: Element,
  role: string,
  attributes: readonly string[],
  around: Surroundings,
): ElementState | null {
  const state: Mutable<ElementState> = {};
  const checked = checkable.test(role) ? checkedOf(element) : null;
  if (checked !== null) state.checked = checked;
  readAria(element, attributes, state);
  if (stateful.test(element.localName)) readNative(element, attributes, state);
  if (around.isDisabled) state.disabled = true;
  if (around.focused === element) state.focused = true;
  for (const _ in state) return state;
  return null;
}

type Mutable<T> = { -readonly [Key in keyof T]: T[Key] };

const checkable = /^(?:checkbox|menuitemcheckbox|menuitemradio|option|radio|switch|treeitem)$/;
/** Tags that have a state without ARIA; custom elements may. */
const stateful = /^(?:input|select|textarea|option|button|summary|details)$|-/;

function readAria(
  element: Element,
  attributes: readonly string[],
  state: Mutable<ElementState>,
): void {
  for (const name of attributes) {
    if (!name.startsWith("aria-")) continue;
    const value = element.getAttribute(name) ?? "";
    const three = triState(value);
    switch (name) {
      case "aria-expanded":
        if (three !== null) state.expanded = three === true;
        break;
      case "aria-pressed":
        if (three !== null) state.pressed = three;
        break;
      case "aria-selected":
        if (three !== null) state.selected = three === true;
        break;
      case "aria-required":
        if (three === true) state.required = true;
        break;
      case "aria-readonly":
        if (three === true) state.readonly = true;
        break;
      case "aria-current":
        if (value !== "false" && value !== "") state.current = value;
        break;
      case "aria-haspopup":
        if (value !== "false" && value !== "") state.popup = value === "true" ? "menu" : value;
        break;
      case "aria-invalid":
        if (value !== "false" && value !== "") state.invalid = errorOf(element);
        break;
    }
  }
}

function readNative(
  element: Element,
  attributes: readonly string[],
  state: Mutable<ElementState>,
): void {
  const expanded = expandedOf(element);
  if (expanded !== null) state.expanded ??= expanded;
  if (element instanceof HTMLOptionElement) state.selected ??= element.selected;
  if (element.matches(":disabled")) state.disabled = true;
  if (!fields.test(element.localName)) return;
  if (attributes.includes("required")) state.required = true;
  if (attributes.includes("readonly")) state.readonly = true;
  // An untouched empty field is not wrong yet: only what the page itself would mark.
  if (element.matches(":user-invalid")) {
    state.invalid ??= (element as HTMLInputElement).validationMessage || "invalid";
  }
}

const fields = /^(?:input|select|textarea|option)$/;

/** What a control holds, masked where it is to be; null where it holds nothing. */
export function shownValueOf(element: Element, role: string, isMasked: boolean): string | null {
  const value = plainValueOf(element, role);
  if (value === null || value === "") return null;
  return isMasked ? mask : value.slice(0, longestValue);
}

/** Roles that may have a value in words. */
const speaks =
  /^(?:combobox|meter|progressbar|scrollbar|searchbox|separator|slider|spinbutton|textbox)$/;

function plainValueOf(element: Element, role: string): string | null {
  if (element instanceof HTMLInputElement) {
    switch (element.type) {
      case "checkbox":
      case "radio":
      case "submit":
      case "button":
      case "reset":
      case "image":
        return null;
      case "file":
        return [...(element.files ?? [])].map(({ name }) => name).join(", ");
      default:
        return element.value;
    }
  }
  if (element instanceof HTMLTextAreaElement) return element.value;
  if (element instanceof HTMLSelectElement) {
    return [...element.selectedOptions]
      .map((option) => tidy(option.label || option.text))
      .join(", ");
  }
  if (!speaks.test(role)) return null;
  if (element instanceof HTMLElement && element.isContentEditable) return contentOf(element);
  const text = element.getAttribute("aria-valuetext") ?? element.getAttribute("aria-valuenow");
  if (text !== null) return text;
  return role === "combobox" || role === "textbox" ? contentOf(element) : null;
}

/** The options of a choice, as far as they are listed; null for what is no choice. */
export function optionsOf(
  element: Element,
): { readonly options: readonly WalkedOption[]; readonly count: number } | null {
  if (element instanceof HTMLSelectElement) return listed(element.options);
  if (element instanceof HTMLInputElement && element.list !== null)
    return listed(element.list.options);
  return null;
}

function listed(options: HTMLOptionsCollection | HTMLCollectionOf<HTMLOptionElement>): {
  readonly options: readonly WalkedOption[];
  readonly count: number;
} {
  const found: WalkedOption[] = [];
  for (const option of options) {
    if (found.length === mostOptions) break;
    found.push([
      tidy(option.label || option.text),
      option.value,
      option.selected,
      option.disabled || option.parentElement?.matches("optgroup:disabled") === true,
    ]);
  }
  return { options: found, count: options.length };
}

function checkedOf(element: Element): boolean | "mixed" | null {
  if (element instanceof HTMLInputElement && /^(?:checkbox|radio)$/.test(element.type)) {
    return element.indeterminate ? "mixed" : element.checked;
  }
  const checked = triState(element.getAttribute("aria-checked"));
  if (checked !== null) return checked;
  // An option or an item of a tree need not be one that is checked.
  return /^(?:option|treeitem)$/.test(element.getAttribute("role") ?? "") ? null : false;
}

function expandedOf(element: Element): boolean | null {
  if (element instanceof HTMLDetailsElement) return element.open;
  if (element instanceof HTMLButtonElement) {
    return element.popoverTargetElement?.matches(":popover-open") ?? null;
  }
  const details = element.localName === "summary" ? element.parentElement : null;
  return details instanceof HTMLDetailsElement ? details.open : null;
}

/** The page's own words for what is wrong. */
function errorOf(element: Element): string {
  const ids = element.getAttribute("aria-errormessage") ?? element.getAttribute("aria-describedby");
  const root = element.getRootNode() as Document | ShadowRoot;
  const message = ids === null ? null : root.getElementById(ids.split(/\s+/)[0] ?? "");
  return message === null ? "invalid" : contentOf(message) || "invalid";
}

function triState(value: string | null): boolean | "mixed" | null {
  if (value === "true" || value === "false") return value === "true";
  return value === "mixed" ? value : null;
}
