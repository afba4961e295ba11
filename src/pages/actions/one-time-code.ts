import { TOTP, URI } from "otpauth";
import type { Locator } from "playwright-core";
import type { OnElement } from "./action.ts";
import type { ActionContext } from "./context.ts";
import { ActionFailed } from "./failure.ts";
import type { Found } from "./target.ts";
import { enterText } from "./text-entry.ts";

/** The part of a code field that is read in the page. */
interface CodeBox {
  readonly maxLength: number;
  readonly form: { querySelectorAll(selector: string): Iterable<unknown> } | null;
}

/** A code as it stands, or the present code of a secret: base32 text or an `otpauth:` URI. Throws `ActionFailed`. */
export function codeOf(value: string): string {
  const text = value.trim();
  try {
    if (/^otpauth:/i.test(text)) {
      const parsed = URI.parse(text);
      if (parsed instanceof TOTP) return parsed.generate();
      throw new ActionFailed(
        "invalid_value",
        "Codes by counter (HOTP) are not supported, only those by time (TOTP).",
      );
    }
    const secret = text.replaceAll(/[\s-]/g, "");
    if (/^[A-Z2-7]{16,}=*$/i.test(secret)) {
      return new TOTP({ secret: secret.toUpperCase() }).generate();
    }
  } catch (error) {
    if (error instanceof ActionFailed) throw error;
    throw new ActionFailed("invalid_value", "This is no otpauth: URI that a code can be made of.");
  }
  return text;
}

/** Enters a code; into a row of boxes for one character each, box by box. Throws `ActionFailed`. */
export async function enterCode(
  context: ActionContext,
  found: Found,
  action: OnElement,
  code: string,
): Promise<void> {
  const options = { ...action, clearBeforeFill: true };
  const boxes = await boxesFrom(found.locator, action.timeoutMs);
  if (boxes.length < 2) {
    await enterText(context, found, options, code);
    return;
  }
  const characters = [...code.replaceAll(/[\s-]/g, "")];
  if (characters.length > boxes.length) {
    throw new ActionFailed(
      "invalid_value",
      `${found.called} begins a row of ${boxes.length} boxes for one character each; the code has ${characters.length}.`,
    );
  }
  for (const [index, character] of characters.entries()) {
    const box = boxes[index];
    if (box !== undefined) await enterText(context, { ...found, locator: box }, options, character);
  }
}

/** The boxes for one character each that an element begins, itself the first; none where it is not one. */
async function boxesFrom(locator: Locator, timeoutMs: number): Promise<readonly Locator[]> {
  const maxLength = await locator.evaluate((box: CodeBox) => box.maxLength, undefined, {
    timeout: timeoutMs,
  });
  if (maxLength !== 1) return [];
  const following = locator.locator(
    "xpath=following::input[@maxlength='1'][not(@type='hidden')][not(@type='checkbox')][not(@type='radio')]",
  );
  return [locator, ...(await following.all())];
}
