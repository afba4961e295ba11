import { describe, expect, test } from "vitest";
import { makeResult, makeStep } from "../../../tests/support/made-steps.ts";
import type { Action, ActionResult, FilledField } from "../actions/action.ts";
import type { ElementSelectors } from "../elements.ts";
import { secretMask } from "./secret-mask.ts";
import { actionStep } from "./step.ts";

const secret = "p@ss wörd&1";

const onElement = {
  target: { id: null, selectors: ["#field"], frames: [] },
  timeoutMs: 1000,
  pressEnter: false,
  dialog: null,
} as const;

const selectors: ElementSelectors = {
  css: "#field",
  xpath: null,
  playwright: "#field",
  frames: [],
  inShadowRoot: false,
};

function fill(type: "fill" | "fallback_fill" | "multi_factor_fill" = "fill"): Action {
  return { type, ...onElement, value: secret, clearBeforeFill: true };
}

const failed: Partial<ActionResult> = {
  success: false,
  failure: { kind: "timeout", message: `The field did not take "${secret}".` },
};

/** Everywhere that an answer may repeat what was typed. */
const repeating: Partial<ActionResult> = {
  message: `Filled. The page went to http://a/?p=p%40ss+w%C3%B6rd%261 and http://a/?p=${encodeURIComponent(secret)}.`,
  effects: {
    navigatedTo: `http://a/?p=${encodeURIComponent(secret)}`,
    openedTabs: ["http://a/?p=p%40ss+w%C3%B6rd%261"],
    closedTabs: 0,
    dialogs: [{ type: "alert", message: `You typed ${secret}`, accepted: true }],
    downloads: [`${secret}.txt`],
    changed: true,
  },
};

function expectNoSecret(step: unknown): void {
  const text = JSON.stringify(step);
  for (const part of [secret, encodeURIComponent(secret), "p%40ss+w%C3%B6rd%261"]) {
    expect(text).not.toContain(part);
  }
  expect(text).toContain(secretMask);
}

describe("the step of an action holds no secret", () => {
  test("that an observation knew to be one", () => {
    const context = { url: "http://a/", selectors, isSecret: true };
    const step = actionStep(fill(), makeResult(repeating), context);
    expectNoSecret(step);
    expect(step.hidesValue).toBe(true);
  });

  test("that the action found to be one when it was done to a selector", () => {
    const way = { kind: "text", isTyped: false, isSecret: true } as const;
    expectNoSecret(makeStep(fill(), { ...repeating, way }));
    expectNoSecret(makeStep(fill("fallback_fill"), { ...repeating, way }));
  });

  test("that was meant for a field that nobody has seen", () => {
    expectNoSecret(makeStep(fill(), failed));
  });

  test("that makes one-time codes", () => {
    expectNoSecret(makeStep(fill("multi_factor_fill"), repeating));
    expectNoSecret(makeStep(fill("multi_factor_fill"), failed));
  });

  test.each([
    "https://ada:p%40ss+w%C3%B6rd%261@site.test/x",
    `ada:${secret}@site.test/x`,
    `99:${secret}@site.test/x`,
    `https:ada:${secret}@site.test/x`,
    `https://ada:${secret}@si te.test/x`,
  ])("that stands in the URL %s", (url) => {
    for (const type of ["goto", "goto_new_tab"] as const) {
      const effects = { ...makeResult().effects, navigatedTo: url };
      const message = `Opened ${URL.parse(url)?.href ?? url}; "${url}" is no URL.`;
      expectNoSecret(makeStep({ type, url, dialog: null }, { effects, message }));
    }
  });

  test("that was pressed key by key", () => {
    const press = (key: string, changes: Partial<ActionResult>) =>
      makeStep({ type: "press_key", key, dialog: null }, changes);
    const way = { kind: "key", isSecret: true } as const;
    expect(press("x", { way })).toMatchObject({ action: { key: secretMask }, hidesValue: true });
    expect(press("x", { ...failed, way: null })).toMatchObject({ action: { key: secretMask } });
    expect(press("Enter", { way: { ...way, isSecret: false } })).toMatchObject({
      action: { key: "Enter" },
      hidesValue: false,
    });
  });

  test.each(["current_password", "new_password", "totp", "cc_number", "cc_cvv"] as const)(
    "that a form was filled with as %s",
    (meaning) => {
      const filled: readonly FilledField[] = [
        { selectors, meaning, value: secret, isChoice: false },
        { selectors, meaning: "email", value: "ada@example.org", isChoice: false },
      ];
      const action: Action = {
        type: "form_fill",
        values: { [meaning]: secret, email: "ada@example.org" },
        dialog: null,
      };
      const step = makeStep(action, { ...repeating, filled });
      expectNoSecret(step);
      expect(JSON.stringify(step)).toContain("ada@example.org");
    },
  );
});

test("what is no secret is kept as it was", () => {
  const way = { kind: "text", isTyped: false, isSecret: false } as const;
  const step = makeStep(fill(), { ...repeating, way });
  expect(step).toMatchObject({ action: fill(), hidesValue: false, message: repeating.message });
  const known = { url: "http://a/", selectors, isSecret: false };
  expect(actionStep(fill(), makeResult(failed), known)).toMatchObject({
    action: fill(),
    failure: failed.failure?.message,
  });
});

test("a secret of a letter or two does not garble the sentence that it stands in by chance", () => {
  const digit: Action = {
    type: "multi_factor_fill",
    ...onElement,
    value: "1",
    clearBeforeFill: true,
  };
  const step = makeStep(digit, { message: "Entered the code into I1." });
  expect(step).toMatchObject({
    message: "Entered the code into I1.",
    action: { value: secretMask },
  });
});

test("long content that an action brought is shortened, never in the middle of a character", () => {
  const markdown = "😀".repeat(5000);
  const data = { markdown, images: null, structured: { success: true, data: 1 } } as const;
  const step = makeStep({ type: "reload", dialog: null }, { data });
  expect(step.data?.markdown.length).toBeLessThan(2100);
  expect(step.data?.markdown.isWellFormed()).toBe(true);
  expect(step.data?.structured).toBeNull();
});
