import type { Locator } from "playwright-core";
import type { ActionOf } from "./action.ts";
import type { ActionContext, Done } from "./context.ts";
import { codeOf, enterCode } from "./one-time-code.ts";
import { pressEnter } from "./pressing.ts";
import { type Found, findTarget } from "./target.ts";
import { enterText, holdsSecret, type TextWay, typeText } from "./text-entry.ts";

type TextAction = ActionOf<"fill" | "multi_factor_fill" | "fallback_fill">;

/** How long a look at what a field holds may take, in ms. */
const heldTimeoutMs = 1000;
/** How much of what a field holds is told. */
const longestTold = 200;

/** `fill`: the text is put into the field at once, with the events that typing would raise. */
export async function fill(context: ActionContext, action: TextAction): Promise<Done> {
  const found = await findTarget(context, action.target, action.timeoutMs);
  const way = await enterText(context, found, action, action.value);
  return afterEntry(found, action, way);
}

/** `fallback_fill`: the text is typed key by key, for fields that take nothing else. */
export async function fallbackFill(context: ActionContext, action: TextAction): Promise<Done> {
  const found = await findTarget(context, action.target, action.timeoutMs);
  const isSecret = await holdsSecret(found.locator, action.timeoutMs);
  await typeText(context, found, action, action.value);
  return afterEntry(found, action, { kind: "text", isTyped: true, isSecret });
}

/** `multi_factor_fill`: a one-time code, or what it is made of; a row of one-digit boxes is filled box by box. */
export async function multiFactorFill(context: ActionContext, action: TextAction): Promise<Done> {
  const code = codeOf(action.value);
  const found = await findTarget(context, action.target, action.timeoutMs);
  await enterCode(context, found, action, code);
  await pressEnter(found, action);
  return {
    message: `Entered the code into ${found.called}.`,
    elementId: found.id,
    way: { kind: "text", isTyped: false, isSecret: true },
  };
}

async function afterEntry(found: Found, action: TextAction, way: TextWay): Promise<Done> {
  const message = `Filled ${found.called}.`;
  // Enter may send the form, and the field with it.
  const heldBefore = action.pressEnter ? await heldBy(found.locator) : null;
  await pressEnter(found, action);
  return {
    message,
    elementId: found.id,
    way,
    // Pages put what is typed into a form of their own, or refuse it, in their own time.
    whenSettled: async () => {
      const held = action.pressEnter ? heldBefore : await heldBy(found.locator);
      return held === null ? null : differenceInWords(held, action);
    },
  };
}

interface Held {
  readonly text: string;
  readonly isSecret: boolean;
  readonly maxLength: number;
}

/** What a field holds; null where it is gone or holds nothing of its own. */
async function heldBy(locator: Locator): Promise<Held | null> {
  return locator
    .evaluate(
      (element: {
        readonly value?: string;
        readonly type?: string;
        readonly maxLength?: number;
        readonly autocomplete?: string;
      }) => {
        if (typeof element.value !== "string") return null;
        const hidden = /password|one-time-code|cc-/.test(element.autocomplete ?? "");
        return {
          text: element.value,
          isSecret: element.type === "password" || hidden,
          maxLength: element.maxLength ?? -1,
        };
      },
      undefined,
      { timeout: heldTimeoutMs },
    )
    .catch(() => null);
}

function differenceInWords(
  { text, isSecret, maxLength }: Held,
  { value, clearBeforeFill }: TextAction,
): string | null {
  if (text === value || (!clearBeforeFill && text.endsWith(value))) return null;
  if (maxLength >= 0 && text.length === maxLength && value.startsWith(text)) {
    return `It takes ${maxLength} characters at most; the rest was cut off.`;
  }
  if (isSecret) return "The page changed what was entered.";
  return `It holds "${text.slice(0, longestTold)}" now.`;
}
