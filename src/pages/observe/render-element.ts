import type { ElementState } from "../perception-protocol.ts";
import type { PageElement } from "./observation.ts";

/** How many options of a choice a line names. */
const mostOptions = 8;
/** Names and values are cut after so many characters: the list of elements has them whole. */
const longestName = 100;
const longestContext = 60;

/** Roles of which the letter of the id says enough. */
const plainRoles: ReadonlySet<string> = new Set([
  "button",
  "generic",
  "link",
  "menuitem",
  "searchbox",
  "textbox",
]);
/** Roles that are drawn as the box that is ticked. */
const boxes: Readonly<Record<string, readonly [off: string, on: string]>> = {
  checkbox: ["[ ]", "[x]"],
  menuitemcheckbox: ["[ ]", "[x]"],
  radio: ["( )", "(x)"],
  menuitemradio: ["( )", "(x)"],
};

/**
 * One element in one line for a model: id, kind, name, value, state and, unless what stands before
 * it says that already, what is around it.
 */
export function renderElement(element: PageElement, withContext: boolean): string {
  const { id, name, value, placeholder, hint, context } = element;
  const parts = [id];
  const kind = kindOf(element);
  if (kind !== "") parts.push(kind);
  if (name !== "") parts.push(quoted(name));
  else if (hint !== null) parts.push(`<${hint}>`);
  if (value !== null) parts.push(`= ${quoted(value)}`);
  else if (placeholder !== null && placeholder !== name)
    parts.push(`placeholder ${quoted(placeholder)}`);
  const choice = optionsIn(element);
  if (choice !== "") parts.push(choice);
  const notes = notesOn(element);
  if (notes.length > 0) parts.push(`(${notes.join(", ")})`);
  if (context !== null && withContext) parts.push(`in ${quoted(context, longestContext)}`);
  return parts.join(" ");
}

function kindOf({ role, state, isSecret }: PageElement): string {
  const box = boxes[role];
  if (box !== undefined) {
    return state.checked === "mixed" ? "[-]" : box[state.checked === true ? 1 : 0];
  }
  if (isSecret) return "password";
  return plainRoles.has(role) ? "" : role;
}

function notesOn(element: PageElement): readonly string[] {
  const { state, role, isDraggable, coveredBy, place } = element;
  const { checked: _, ...rest } = state;
  return [
    ...stateNotes(boxes[role] === undefined ? state : rest),
    ...(isDraggable ? ["draggable"] : []),
    ...(coveredBy === null ? [] : [`covered by ${coveredBy}`]),
    ...(place === "clipped" ? ["scrolled away"] : []),
  ];
}

/** The state of an element in words, nothing where it is as usual. */
export function stateNotes(state: ElementState): readonly string[] {
  return [
    ...(state.checked === true ? ["checked"] : []),
    ...(state.checked === false ? ["not checked"] : []),
    ...(state.checked === "mixed" ? ["partly checked"] : []),
    ...(state.expanded === true ? ["expanded"] : []),
    ...(state.expanded === false ? ["collapsed"] : []),
    ...(state.selected === true ? ["selected"] : []),
    ...(state.pressed === true ? ["pressed"] : []),
    ...(state.pressed === "mixed" ? ["partly pressed"] : []),
    ...(state.disabled === true ? ["disabled"] : []),
    ...(state.required === true ? ["required"] : []),
    ...(state.readonly === true ? ["read-only"] : []),
    ...(state.invalid === undefined ? [] : [`invalid: ${state.invalid}`]),
    ...(state.current === undefined ? [] : [`current ${state.current}`]),
    ...(state.focused === true ? ["focused"] : []),
    ...(state.popup === undefined ? [] : [`opens ${state.popup}`]),
  ];
}

function optionsIn({ options, optionCount }: PageElement): string {
  if (optionCount === 0) return "";
  const listed = options.filter(({ disabled }) => !disabled).slice(0, mostOptions);
  const more = optionCount - listed.length;
  return `of ${listed.map(({ text }) => text).join(" | ")}${more > 0 ? ` | +${more} more` : ""}`;
}

function quoted(text: string, longest = longestName): string {
  const cut = text.length > longest ? `${text.slice(0, longest - 1)}…` : text;
  return `"${cut.replaceAll('"', "'")}"`;
}
