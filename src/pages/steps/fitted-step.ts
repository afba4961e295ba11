import type { Step } from "./step.ts";

/** A step as it is stored may take this many characters of JSON. */
export const longestStepJson = 64 * 1024;

/** How much is left of each text and each list, from try to try. */
const sizes = [
  { characters: 8000, items: 100 },
  { characters: 1000, items: 30 },
  { characters: 100, items: 5 },
] as const;

const cutNote = "… (cut)";

/** A step as JSON that is stored: one that is too large is cut, and says so. */
export function fittedStepJson(step: Step): string {
  const bounded = step.kind === "action" ? withoutLargeSchema(step) : step;
  const json = JSON.stringify(bounded);
  if (json.length <= longestStepJson) return json;
  let cut = "";
  for (const size of sizes) {
    cut = JSON.stringify({ ...bounded, ...(cutValue(bounded, size) as Step), isCut: true });
    if (cut.length <= longestStepJson) break;
  }
  return cut;
}

/** The schema of a scrape can be of any size and depth, and a step can do without it. */
function withoutLargeSchema(step: Extract<Step, { readonly kind: "action" }>): Step {
  const { action } = step;
  if (action.type !== "scrape" || action.request.responseFormat === null) return step;
  if (isSmall(action.request.responseFormat)) return step;
  return {
    ...step,
    action: { ...action, request: { ...action.request, responseFormat: null } },
    isCut: true,
  };
}

function isSmall(schema: object): boolean {
  try {
    return JSON.stringify(schema).length <= longestStepJson / 4;
  } catch {
    // Nested deeper than it can be written.
    return false;
  }
}

/** A value as JSON has it, its texts and lists cut where they are longer than that. */
export function cutValue(
  value: unknown,
  size: { readonly characters: number; readonly items: number },
): unknown {
  if (typeof value === "string") {
    return value.length <= size.characters
      ? value
      : `${value.slice(0, size.characters).toWellFormed()}${cutNote}`;
  }
  if (Array.isArray(value)) return value.slice(0, size.items).map((item) => cutValue(item, size));
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(
    Object.entries(value).map(([key, inner]) => [key, cutValue(inner, size)]),
  );
}
