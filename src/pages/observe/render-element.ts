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

/** One element in one line for a model, in the parts that depend on what stands around it. */
export interface RenderedElement {
  /** Id, kind, name and value. */
  readonly head: string;
  /** What can be chosen; empty for what is no choice. */
  readonly options: string;
  /** Its state, in words. */
  readonly notes: readonly string[];
  /** What is around it; empty where nothing tells. */
  readonly context: string;
}

export function renderElement(element: PageElement): RenderedElement {
  const { id, name, value, placeholder, hint, context } = element;
  let head = id;
  const kind = kindOf(element);
  if (kind !== "") head += ` ${kind}`;
  if (name !== "") head += ` ${cut(name, longestName)}`;
  else if (hint !== null) head += ` <${hint}>`;
  if (value !== null) head += ` = ${quoted(value, longestName)}`;
  else if (placeholder !== null && placeholder !== name) {
    head += ` placeholder ${quoted(placeholder, longestName)}`;
  }
  return {
    head,
    options: optionsIn(element),
    notes: notesOn(element),
    context: context === null ? "" : ` in ${quoted(context, longestContext)}`,
  };
}

function kindOf({ role, tag, state, isSecret }: PageElement): string {
  const box = boxes[role];
  if (box !== undefined) {
    return state.checked === "mixed" ? "[-]" : box[state.checked === true ? 1 : 0];
  }
  if (isSecret) return "password";
  if (tag === "select") return "select";
  return plainRoles.has(role) ? "" : role;
}

function notesOn(element: PageElement): readonly string[] {
  const { state, role, isDraggable, coveredBy } = element;
  const notes = boxes[role] === undefined ? stateNotes(state) : otherNotes(state);
  if (isDraggable) notes.push("draggable");
  if (coveredBy !== null) notes.push(`covered by ${coveredBy}`);
  return notes;
}

/** The state of an element in words, nothing where it is as usual. */
export function stateNotes(state: ElementState): string[] {
  const { checked } = state;
  if (checked === undefined) return otherNotes(state);
  const note = checked === "mixed" ? "partly checked" : checked ? "checked" : "not checked";
  return [note, ...otherNotes(state)];
}

/** As `stateNotes`, but for whether it is checked. */
function otherNotes(state: ElementState): string[] {
  const notes: string[] = [];
  if (state.expanded !== undefined) notes.push(state.expanded ? "expanded" : "collapsed");
  if (state.selected === true) notes.push("selected");
  if (state.pressed === true) notes.push("pressed");
  if (state.pressed === "mixed") notes.push("partly pressed");
  if (state.disabled === true) notes.push("disabled");
  if (state.required === true) notes.push("required");
  if (state.readonly === true) notes.push("read-only");
  if (state.invalid !== undefined) notes.push(`invalid: ${state.invalid}`);
  if (state.current !== undefined) notes.push(`current ${state.current}`);
  if (state.focused === true) notes.push("focused");
  if (state.popup !== undefined) notes.push(`opens ${state.popup}`);
  return notes;
}

function optionsIn({ options, optionCount }: PageElement): string {
  if (optionCount === 0) return "";
  const listed = options.filter(({ disabled }) => !disabled).slice(0, mostOptions);
  const more = optionCount - listed.length;
  return `${listed.map(({ text }) => text).join(" | ")}${more > 0 ? ` | +${more} more` : ""}`;
}

function quoted(text: string, longest: number): string {
  return `"${cut(text, longest).replaceAll('"', "'")}"`;
}

function cut(text: string, longest: number): string {
  return text.length > longest ? `${text.slice(0, longest - 1)}…` : text;
}
