import { z } from "zod";
import type { Choices } from "./protocol.ts";

/** Longer lists are cut: nobody picks from them by sight. */
const mostOptions = 1000;
const longestLabel = 200;
/** In characters. */
const longestCopy = 1_000_000;

/** Finds the field that has the focus, also within shadow roots and frames of the same site. */
const focusedField = `
  let field = document.activeElement, x = 0, y = 0;
  for (;;) {
    if (field?.shadowRoot?.activeElement) field = field.shadowRoot.activeElement;
    else if (field?.contentDocument?.activeElement) {
      const frame = field.getBoundingClientRect();
      x += frame.x + field.clientLeft;
      y += frame.y + field.clientTop;
      field = field.contentDocument.activeElement;
    } else break;
  }`;

/** The value is JSON: the open list of the focused field; null where none is open. */
export const openListScript = `(() => {${focusedField}
  if (!field?.matches?.("select:open")) return null;
  const box = field.getBoundingClientRect();
  return JSON.stringify({
    options: [...field.options].slice(0, ${mostOptions}).map((option) => ({
      label: (option.label || option.text).slice(0, ${longestLabel}),
      group: option.parentElement.tagName === "OPTGROUP" ? option.parentElement.label.slice(0, ${longestLabel}) : "",
      disabled: option.disabled || option.parentElement.disabled === true || option.hidden,
    })),
    selected: field.selectedIndex,
    x: box.x + x, y: box.y + y, width: box.width, height: box.height,
  });
})()`;

/** The value is the selected text, of a field or of the page. */
export const selectedTextScript = `(() => {${focusedField}
  if (typeof field?.selectionStart === "number" && field.type !== "password") {
    return field.value.slice(field.selectionStart, field.selectionEnd).slice(0, ${longestCopy});
  }
  return String((field?.ownerDocument ?? document).getSelection()).slice(0, ${longestCopy});
})()`;

const choicesSchema = z.object({
  options: z.array(z.object({ label: z.string(), group: z.string(), disabled: z.boolean() })),
  selected: z.number(),
  x: z.number(),
  y: z.number(),
  width: z.number(),
  height: z.number(),
});

/** Reads what `openListScript` brought. */
export function toChoices(value: unknown): Choices | null {
  return typeof value === "string" ? choicesSchema.parse(JSON.parse(value)) : null;
}

/** The keys that choose an option of an open list: the browser itself then tells the page of it. */
export function keysToChoose(choices: Choices, index: number | null): readonly ListKey[] {
  const option = index === null ? undefined : choices.options[index];
  if (index === null || option === undefined || option.disabled) return ["Escape"];
  const before = choices.options.slice(0, index).filter(({ disabled }) => !disabled).length;
  return ["Home", ...Array.from({ length: before }, () => "ArrowDown" as const), "Enter"];
}

export type ListKey = "Home" | "ArrowDown" | "Enter" | "Escape";

/** As `KeyboardEvent.keyCode` has them. */
export const listKeyCodes: Readonly<Record<ListKey, number>> = {
  Enter: 13,
  Escape: 27,
  Home: 36,
  ArrowDown: 40,
};
