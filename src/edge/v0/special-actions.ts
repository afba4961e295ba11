import type { Action } from "../../pages/actions/action.ts";
import { checkedRequestUrl } from "../../pages/actions/navigation-actions.ts";
import { invalidField } from "../../sessions/errors.ts";
import { toScrapeRequest } from "../action-wire.ts";

/** What a special action takes as its value; null for nothing. */
interface Parameter {
  readonly name: string;
  readonly type: "string" | "integer";
}

export interface SpecialAction {
  readonly id: string;
  readonly description: string;
  readonly parameter: Parameter | null;
}

const url: Parameter = { name: "url", type: "string" };
const amount: Parameter = { name: "amount", type: "integer" };

/** The browser actions of the first API, by its last table; their ids never change. */
export const specialActions: readonly SpecialAction[] = [
  { id: "S1", description: "Goes to a URL", parameter: url },
  { id: "S2", description: "Scrapes the page", parameter: null },
  { id: "S3", description: "Goes back to the previous page", parameter: null },
  { id: "S4", description: "Goes forward to the next page", parameter: null },
  { id: "S5", description: "Loads the page again", parameter: null },
  { id: "S6", description: "Goes to a URL in a new tab", parameter: url },
  { id: "S7", description: "Switches to a tab", parameter: { name: "tab_index", type: "integer" } },
  { id: "S8", description: "Presses a key", parameter: { name: "key", type: "string" } },
  { id: "S9", description: "Scrolls up by so many pixels, or most of a screen", parameter: amount },
  {
    id: "S10",
    description: "Scrolls down by so many pixels, or most of a screen",
    parameter: amount,
  },
  {
    id: "S11",
    description: "Waits for so many milliseconds",
    parameter: { name: "time_ms", type: "integer" },
  },
  {
    id: "S12",
    description: "Says that the task is over",
    parameter: { name: "answer", type: "string" },
  },
];

/** The names of the special actions, which are taken in place of their ids. */
const idOfName: Readonly<Record<string, string>> = {
  goto: "S1",
  scrape: "S2",
  go_back: "S3",
  back: "S3",
  go_forward: "S4",
  forward: "S4",
  reload: "S5",
  refresh: "S5",
  goto_new_tab: "S6",
  switch_tab: "S7",
  press_key: "S8",
  scroll_up: "S9",
  scroll_down: "S10",
  wait: "S11",
  completion: "S12",
  terminate: "S12",
};

/** The action of a special id with its value; null for the id of an element. Throws `invalid_request`. */
export function specialActionOf(actionId: string, value: string | null): Action | null {
  const dialog = null;
  switch (idOfName[actionId] ?? actionId) {
    case "S1":
      return { type: "goto", url: checkedRequestUrl(value ?? ""), dialog };
    case "S2":
      return { type: "scrape", request: toScrapeRequest({}, true), dialog };
    case "S3":
      return { type: "go_back", dialog };
    case "S4":
      return { type: "go_forward", dialog };
    case "S5":
      return { type: "reload", dialog };
    case "S6":
      return { type: "goto_new_tab", url: checkedRequestUrl(value ?? ""), dialog };
    case "S7":
      return { type: "switch_tab", tabIndex: wholeNumber(value, -1000, 1000) ?? 0, dialog };
    case "S8":
      return { type: "press_key", key: requiredValue(value), dialog };
    case "S9":
      return { type: "scroll_up", amount: wholeNumber(value, 1, 1_000_000), dialog };
    case "S10":
      return { type: "scroll_down", amount: wholeNumber(value, 1, 1_000_000), dialog };
    case "S11":
      return { type: "wait", timeMs: wholeNumber(value, 0, 30_000) ?? 1000, dialog };
    case "S12":
      return { type: "completion", success: true, answer: value ?? "", dialog };
    default:
      return null;
  }
}

function requiredValue(value: string | null): string {
  if (value !== null && value !== "") return value;
  throw invalidField("value", "value is required: this action takes one.", "missing");
}

function wholeNumber(value: string | null, least: number, most: number): number | null {
  if (value === null || value === "") return null;
  const number = Number(value);
  if (Number.isInteger(number) && number >= least && number <= most) return number;
  throw invalidField(
    "value",
    `value must be a whole number from ${least} to ${most}; got "${value}".`,
  );
}
