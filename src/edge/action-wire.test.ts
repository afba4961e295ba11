import type { ActionParameter, NodeSelectors, PageExecuteData } from "notte-sdk";
import { describe, expect, test } from "vitest";
import { makeStep } from "../../tests/support/made-steps.ts";
import { NightjarError } from "../sessions/errors.ts";
import { actionBody } from "./action-schemas.ts";
import { toAction } from "./action-wire.ts";
import { toReplayableAction, toWireStep } from "./step-wire.ts";

type ClientBody = PageExecuteData["body"];

/** What the official client may send with every action. */
const common = { category: "Interaction Actions", description: "Does it" };

const selector: NodeSelectors = {
  css_selector: "#a",
  xpath_selector: "//a",
  in_iframe: true,
  in_shadow_root: false,
  notte_selector: null,
  iframe_parent_css_selectors: ["iframe"],
  playwright_selector: "internal:text=a",
  python_selector: null,
};

const param: ActionParameter = { name: "value", type: "str", default: null, values: ["a"] };

const onElement = {
  ...common,
  id: "B1",
  selector,
  press_enter: true,
  text_label: "Save",
  param,
  timeout: 2000,
};

/** One body of each type, with everything that the official client's own types allow in it. */
const supported: readonly ClientBody[] = [
  { type: "goto", ...common, url: "https://example.com" },
  { type: "goto_new_tab", ...common, url: "https://example.com" },
  { type: "close_tab", ...common },
  { type: "switch_tab", ...common, tab_index: -1 },
  { type: "go_back", ...common },
  { type: "go_forward", ...common },
  { type: "reload", ...common },
  { type: "wait", ...common, time_ms: 30_000 },
  { type: "press_key", ...common, key: "Control+A" },
  { type: "scroll_up", ...common, amount: null },
  { type: "scroll_down", ...common, amount: 100 },
  { type: "help", ...common, reason: "stuck" },
  { type: "completion", ...common, success: true, answer: "42" },
  { type: "form_fill", ...common, value: { email: "ada@example.org", cc_cvv: "123" } },
  {
    type: "scrape",
    ...common,
    instructions: null,
    only_main_content: true,
    selector: null,
    only_images: false,
    scrape_links: true,
    scrape_images: false,
    ignored_tags: null,
    response_format: { type: "object" },
  },
  { type: "evaluate_js", ...common, code: "document.title" },
  { type: "click", ...onElement },
  { type: "fill", ...onElement, value: "a", clear_before_fill: false },
  { type: "multi_factor_fill", ...onElement, value: "a", clear_before_fill: true },
  { type: "fallback_fill", ...onElement, value: "a", clear_before_fill: true },
  { type: "check", ...onElement, value: true },
  { type: "select_dropdown_option", ...onElement, value: "a" },
  { type: "upload_file", ...onElement, file_path: "a.txt" },
  { type: "download_file", ...onElement },
];

const foreign: readonly ClientBody[] = [
  { type: "captcha_solve", ...common, captcha_type: "press&hold" },
  { type: "email_read", ...common, limit: 10, timedelta: "PT5M", only_unread: true },
  { type: "sms_read", ...common, limit: 10, timedelta: null, only_unread: true },
];

const target = { id: "B1", selectors: ["internal:text=a", "#a", "xpath=//a"], frames: ["iframe"] };

function actionOf(body: unknown) {
  return toAction(actionBody.parse(body));
}

function codeOf(body: unknown): unknown {
  try {
    actionOf(body);
  } catch (error) {
    return error instanceof NightjarError ? error.code : error;
  }
  return null;
}

describe("an action of the official client", () => {
  test.each(supported.map((body) => [body.type, body] as const))("%s is taken", (type, body) => {
    expect(actionOf(body).type).toBe(type);
  });

  test.each(foreign.map((body) => [body.type, body] as const))(
    "%s parses and is refused by its name, since it needs a third party",
    (type, body) => {
      expect(() => actionOf(body)).toThrow(type);
      expect(codeOf(body)).toBe("not_supported");
    },
  );

  test("is known in each of its types", () => {
    const types = actionBody.options.map((option) => option.shape.type.value);
    const ours = ["drag"];
    const named = [...supported, ...foreign].map(({ type }) => type);
    expect(types.filter((type) => !ours.includes(type)).toSorted()).toEqual(named.toSorted());
  });
});

describe("an element", () => {
  test("is known by its id and all its selectors, in the order that they are tried", () => {
    expect(actionOf({ type: "click", ...onElement })).toEqual({
      type: "click",
      target,
      timeoutMs: 2000,
      pressEnter: true,
      dialog: null,
    });
  });

  test.each(["B1", "@B1", "B1[:]", " @B1[:] "])("is B1 when it is called %j", (id) => {
    expect(actionOf({ type: "click", id })).toMatchObject({ target: { id: "B1", selectors: [] } });
  });

  test("is found by the one selector that Python fills in", () => {
    const empty = {
      css_selector: "",
      xpath_selector: "",
      in_iframe: false,
      in_shadow_root: false,
      iframe_parent_css_selectors: [],
      playwright_selector: "button >> nth=1",
    };
    expect(actionOf({ type: "click", id: "", selector: empty })).toMatchObject({
      target: { id: null, selectors: ["button >> nth=1"], frames: [] },
    });
  });

  test.each([
    { type: "click" },
    { type: "click", id: "" },
    { type: "click", id: "@", selector: " " },
    { type: "click", id: null, selector: null },
    { type: "check", value: true, selector: { css_selector: "", xpath_selector: "" } },
  ])("has to be named: %j", (body) => {
    expect(() => actionOf(body)).toThrow(/id or selector is required/);
    expect(codeOf(body)).toBe("invalid_request");
  });

  test.each([
    [undefined, 15_000],
    [null, 15_000],
    [0, 15_000],
    [1, 1],
    [60_000, 40_000],
  ])("that is given %j ms to be ready has %i", (timeout, timeoutMs) => {
    expect(actionOf({ type: "click", id: "B1", timeout })).toMatchObject({ timeoutMs });
  });
});

describe("what clients are in the habit of", () => {
  test("`clear`, as one calls it, is `clear_before_fill`", () => {
    const fill = { type: "fill", id: "I1", value: "a" };
    expect(actionOf({ ...fill, clear: false })).toMatchObject({ clearBeforeFill: false });
    expect(actionOf(fill)).toMatchObject({ clearBeforeFill: true });
  });

  test.each([
    ["cat.png", "cat.png"],
    ["/home/ada/cat.png", "cat.png"],
    ["C:\\Users\\ada\\cat.png", "cat.png"],
    ["../../etc/passwd", "passwd"],
  ])("of the path %s the file's name is taken", (file_path, fileName) => {
    expect(actionOf({ type: "upload_file", id: "I1", file_path })).toMatchObject({ fileName });
  });

  test("a path without a name is refused", () => {
    expect(() => actionOf({ type: "upload_file", id: "I1", file_path: "a/" })).toThrow(/file_path/);
  });

  test("`password` is the current one; both at once, or none at all, are refused", () => {
    const form = (value: Record<string, unknown>) => ({ type: "form_fill", value });
    expect(actionOf(form({ password: "a", email: null }))).toMatchObject({
      values: { current_password: "a" },
    });
    expect(() => actionOf(form({ password: "a", current_password: "b" }))).toThrow(/same field/);
    expect(() => actionOf(form({ email: null }))).toThrow(/at least one/);
  });

  test("anything else is refused, and named", () => {
    for (const { type } of supported) {
      const body = { ...supported.find((one) => one.type === type), nope: 1 };
      const { error } = actionBody.safeParse(body);
      expect(JSON.stringify(error?.issues), type).toContain('"nope"');
    }
  });
});

describe("a step on the wire", () => {
  const fill = actionOf({ type: "fill", ...onElement, value: "x".repeat(5000) });

  test("is the contract's execution result, long texts shortened", () => {
    const { type, value } = toWireStep(makeStep(fill)) as Record<string, unknown>;
    expect(type).toBe("execution_result");
    expect(value).toMatchObject({
      started_at: "2025-11-24T16:00:00.000+00:00",
      action: { type: "fill", category: "Interaction Actions", id: "B1", timeout: 2000 },
      success: true,
      message: "Done.",
      exception: null,
      data: null,
    });
    expect(JSON.stringify(value).length).toBeLessThan(2500);
  });

  test("of what failed has the fields of what succeeds, and says why", () => {
    const failed = {
      kind: "failure",
      startedAt: 1_764_000_000_000,
      endedAt: 1_764_000_000_050,
      url: "http://a/",
      message: "The page is busy.",
    } as const;
    const told = { success: false, message: failed.message, exception: failed.message };
    expect(toWireStep({ ...failed, asked: "observation" })).toMatchObject({
      type: "observation",
      value: { metadata: { title: "", url: "http://a/" }, nb_actions: 0, ...told },
    });
    expect(toWireStep({ ...failed, asked: "screenshot" })).toMatchObject({
      type: "screenshot",
      value: { url: "http://a/", size: 0, started_at: "2025-11-24T16:00:00.000+00:00", ...told },
    });
  });

  test("can be sent again as the same action, its element named by selectors alone", () => {
    for (const body of supported) {
      const action = actionOf(body);
      const sent = toReplayableAction(makeStep(action));
      const again = actionOf(sent);
      if ("target" in action) {
        const value = "value" in action && action.type === "multi_factor_fill" ? "********" : null;
        expect(again, body.type).toEqual({
          ...action,
          target: { ...target, id: null },
          ...(value !== null && { value }),
        });
      } else if (body.type === "form_fill") {
        expect(again).toMatchObject({ values: { email: "ada@example.org", cc_cvv: "********" } });
      } else expect(again, body.type).toEqual(action);
    }
  });

  test("is not sent again when it failed, was cut, or nothing but an id names its element", () => {
    const step = makeStep(fill);
    expect(toReplayableAction({ ...step, success: false })).toBeNull();
    expect(toReplayableAction({ ...step, isCut: true })).toBeNull();
    expect(toReplayableAction(makeStep(actionOf({ type: "click", id: "B1" })))).toBeNull();
  });

  test("keeps how dialogs were answered", () => {
    const dialog = { accept: true, text: "Ada" };
    const sent = toReplayableAction(makeStep(actionOf({ type: "reload", dialog })));
    expect(actionOf(sent)).toEqual({ type: "reload", dialog });
  });
});
