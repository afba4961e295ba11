import type { StepRecord } from "../api/types.ts";

/** What a step did, in a few words: `Clicked B3 (button "Add")`, `Observed Checkout`. */
export function stepTitle({ type, value }: StepRecord): string {
  switch (type) {
    case "execution_result": {
      const asked = actionTitle(record(value["action"]));
      const said = firstLine(value);
      // What happened says more than what was asked, if it did.
      if (value["success"] === true) return said || asked;
      return said === "" ? asked : `${asked}: ${said}`;
    }
    case "observation": {
      const { title, url } = record(value["metadata"]);
      if (value["success"] === false) return `Observing failed: ${firstLine(value)}`;
      return `Observed ${text(title) || text(url)}`.trim();
    }
    case "screenshot":
      if (value["success"] === false) return `The screenshot failed: ${firstLine(value)}`;
      return "Took a screenshot";
    default:
      return type.replaceAll("_", " ");
  }
}

/** What a step that is under way was asked: `click B3`, `goto https://shop.example/`. */
export function runningTitle({ type, value }: StepRecord): string {
  switch (type) {
    case "execution_result":
      return actionTitle(record(value["action"]));
    case "observation":
      return `Observing ${text(value["url"])}`.trim();
    case "screenshot":
      return "Taking a screenshot";
    default:
      return type.replaceAll("_", " ");
  }
}

function firstLine(value: StepRecord["value"]): string {
  return text(value["message"]).split("\n", 1)[0]?.replace(/\.$/, "") ?? "";
}

function actionTitle(action: Readonly<Record<string, unknown>>): string {
  const name = text(action["type"]).replaceAll("_", " ") || "action";
  const target = text(action["id"]) || selectorOf(action["selector"]).slice(0, 60);
  const what = whatOf(action);
  return [name, target, what].filter((part) => part !== "").join(" ");
}

function whatOf(action: Readonly<Record<string, unknown>>): string {
  for (const field of ["url", "value", "key", "file_path", "answer", "reason"]) {
    const value = action[field];
    if (typeof value === "string" && value !== "") {
      return field === "url" ? value : `“${value.slice(0, 80)}”`;
    }
    if (typeof value === "boolean") return value ? "on" : "off";
  }
  const time = action["time_ms"];
  return typeof time === "number" ? `${time} ms` : "";
}

/** The selector of an element as a person would write it; empty where there is none. */
export function selectorOf(selector: unknown): string {
  if (typeof selector === "string") return selector;
  const { css_selector, playwright_selector } = record(selector);
  return text(css_selector) || text(playwright_selector);
}

export function record(value: unknown): Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null ? (value as Record<string, unknown>) : {};
}

export function text(value: unknown): string {
  return typeof value === "string" ? value : "";
}
