/**
 * A script that does a session's steps again, free of any language: `script-of-steps.ts` writes it,
 * and there is one file for each language that renders it.
 */

/** The element that a statement is about. */
export interface ScriptTarget {
  /** CSS selectors of the iframes around it, outermost first. */
  readonly frames: readonly string[];
  readonly locator:
    | { readonly by: "role"; readonly role: string; readonly name: string }
    | { readonly by: "selector"; readonly selector: string };
  /** Which one is meant where several match; null where only one can. */
  readonly pick: "first" | "first_visible" | null;
}

/** A value in a script. */
export type ScriptValue =
  | string
  | number
  | boolean
  | null
  /** Read from the environment when the script runs. */
  | { readonly secret: string }
  /** A text around a secret. */
  | { readonly before: string; readonly secret: string; readonly after: string }
  | { readonly element: ScriptTarget }
  /** An option of a call, by its name in JavaScript. */
  | { readonly option: string; readonly is: string | number | boolean };

export type Statement =
  | { readonly do: "comment"; readonly text: string }
  /** A method of Playwright, by its name in JavaScript. */
  | {
      readonly do: "call";
      readonly on: "page" | "keyboard" | ScriptTarget;
      readonly method: string;
      readonly values: readonly ScriptValue[];
    }
  | { readonly do: "open_tab"; readonly url: ScriptValue }
  | { readonly do: "close_tab" }
  /** Negative indices count from the end. */
  | { readonly do: "switch_tab"; readonly index: number }
  /** In CSS pixels; null for 70 % of what is shown. */
  | { readonly do: "scroll"; readonly direction: 1 | -1; readonly amount: number | null }
  | { readonly do: "evaluate"; readonly code: string }
  | { readonly do: "print_text"; readonly target: ScriptTarget }
  | { readonly do: "download"; readonly target: ScriptTarget }
  | { readonly do: "choose_file"; readonly target: ScriptTarget; readonly file: string }
  /** From here on; null for the usual way. */
  | {
      readonly do: "answer_dialogs";
      readonly answer: { readonly accept: boolean; readonly text: string | null } | null;
    }
  /** Does `body` and waits for what it brings about: a tab to work on next, a navigation, the tab's end. */
  | {
      readonly do: "expect";
      readonly event: "tab" | "navigation" | "close";
      readonly body: readonly Statement[];
    };

export interface Script {
  readonly statements: readonly Statement[];
  /** The environment variables that it reads secrets from. */
  readonly secrets: readonly string[];
  readonly answersDialogs: boolean;
  readonly scrolls: boolean;
  readonly uploads: boolean;
  /** What is not in it and why, a line each. */
  readonly notes: readonly string[];
}

/** Scrolls as the action does: the page, otherwise the box in the middle of what is shown. */
export const scrollFunction = `([direction, amount]) => {
  const boxes = [document.scrollingElement];
  let at = document.elementFromPoint(innerWidth / 2, innerHeight / 2);
  for (; at !== null; at = at.parentElement) boxes.push(at);
  for (const box of boxes) {
    const before = box?.scrollTop;
    const height = box === document.scrollingElement ? innerHeight : box.clientHeight;
    box?.scrollBy({ top: direction * (amount ?? height * 0.7), behavior: "instant" });
    if (box?.scrollTop !== before) return;
  }
}`;

/** A comment ends with its line: what a page wrote must not go on as code. */
export function oneLine(text: string): string {
  return text
    .replace(/[\p{C}\p{Zl}\p{Zp}]+/gu, " ")
    .slice(0, 200)
    .toWellFormed();
}
