import { execFileSync } from "node:child_process";
import { runInNewContext, Script } from "node:vm";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { makeResult, makeStep } from "../../../tests/support/made-steps.ts";
import type { Action, ActionResult } from "../actions/action.ts";
import type { ElementSelectors } from "../elements.ts";
import { actionStep, type Step } from "./step.ts";
import { workflowCode } from "./workflow-code.ts";

const dialog = null;

function on(selector: string, frames: readonly string[] = []) {
  const target = { id: null, selectors: [selector], frames };
  return { target, timeoutMs: 1000, pressEnter: false, dialog } as const;
}

function selectorsFor(playwright: string | null, frames: readonly string[] = []): ElementSelectors {
  return { css: "#css", xpath: "//x", playwright, frames, inShadowRoot: false };
}

/** A step on an element that an observation named. */
function known(action: Action, selectors: ElementSelectors, changes: Partial<ActionResult> = {}) {
  const context = { url: "http://site.test/", selectors, isSecret: false };
  return actionStep(action, makeResult(changes), context);
}

function javascript(...steps: readonly Step[]): readonly string[] {
  return workflowCode(steps, false).javascript.trimEnd().split("\n");
}

function python(...steps: readonly Step[]): readonly string[] {
  return workflowCode(steps, false).python.trimEnd().split("\n");
}

const click: Action = { type: "click", ...on("#css") };

function effects(changes: Partial<ActionResult["effects"]>): Partial<ActionResult> {
  return { effects: { ...makeResult().effects, ...changes } };
}

describe("a script", () => {
  test("has no credentials of URLs and no keys of secrets", () => {
    const way = { kind: "key", isSecret: true } as const;
    const steps = [
      makeStep({ type: "goto", url: "https://ada:s3cret@site.test/a", dialog }),
      ...["p", "w"].map((key) => makeStep({ type: "press_key", key, dialog }, { way })),
      makeStep({ type: "press_key", key: "Enter", dialog }),
    ];
    expect(javascript(...steps)).toEqual([
      "// The login is written as in a URL: user:password",
      'await page.goto("https://" + process.env.SECRET_LOGIN_SITE_TEST + "@site.test/a", { waitUntil: "domcontentloaded" });',
      "await page.keyboard.type(process.env.SECRET_TYPED_KEYS);",
      'await page.keyboard.press("Enter");',
    ]);
    expect(python(...steps)[1]).toBe(
      'page.goto("https://" + os.environ["SECRET_LOGIN_SITE_TEST"] + "@site.test/a", wait_until="domcontentloaded")',
    );
  });

  test("finds an element by role and name, in its frames", () => {
    const step = known(click, selectorsFor('internal:role=button[name="Buy \\"it\\""s]', ["#pay"]));
    expect(javascript(step)).toEqual([
      String.raw`await page.frameLocator("#pay").getByRole("button", { name: "Buy \"it\"", exact: true }).click();`,
    ]);
    expect(python(step)).toEqual([
      String.raw`page.frame_locator("#pay").get_by_role("button", name="Buy \"it\"", exact=True).click()`,
    ]);
  });

  test("falls back to CSS, and to XPath", () => {
    expect(javascript(known(click, selectorsFor(null)))).toEqual([
      'await page.locator("#css").click();',
    ]);
    const xpath = { ...selectorsFor(null), css: null };
    expect(python(known(click, xpath))).toEqual(['page.locator("xpath=//x").click()']);
  });

  test("takes the first visible match of a selector that a client gave, as the action did", () => {
    expect(javascript(makeStep({ type: "click", ...on("~Buy now") }))).toEqual([
      'await page.locator("text=Buy now").filter({ visible: true }).first().click();',
    ]);
  });

  test("leaves out what failed, and says so", () => {
    const failure = { kind: "gone", message: "Gone." };
    const lines = javascript(
      makeStep({ type: "reload", dialog }),
      makeStep(click, { success: false, failure }),
    );
    expect(lines).toEqual([
      "// Left out: 1 step that failed.",
      'await page.reload({ waitUntil: "domcontentloaded" });',
    ]);
  });

  test("adds the scheme to a URL as the action does", () => {
    expect(python(makeStep({ type: "goto", url: "example.com", dialog }))).toEqual([
      'page.goto("https://example.com/", wait_until="domcontentloaded")',
    ]);
  });

  test("waits for the tab that a step opened, as often as it does", () => {
    const step = known(click, selectorsFor("#css"), effects({ openedTabs: ["http://a/"] }));
    expect(() => new Script(`async () => { ${javascript(step, step).join("\n")} }`)).not.toThrow();
    expect(python(step)).toEqual([
      "with context.expect_page() as opened:",
      '    page.locator("#css").click()',
      "page = opened.value",
      'page.wait_for_load_state("domcontentloaded")',
    ]);
  });

  test("waits for a navigation around all that a step does", () => {
    const action: Action = {
      type: "fill",
      ...on("#css"),
      pressEnter: true,
      value: "lamp",
      clearBeforeFill: true,
    };
    const step = known(action, selectorsFor("#css"), effects({ navigatedTo: "http://a/?q=lamp" }));
    expect(javascript(step)).toEqual([
      "await Promise.all([",
      '  page.waitForEvent("framenavigated", (frame) => frame === page.mainFrame()),',
      "  (async () => {",
      '    await page.locator("#css").fill("lamp");',
      '    await page.locator("#css").press("Enter");',
      "  })(),",
      "]);",
      'await page.waitForLoadState("domcontentloaded");',
    ]);
  });

  test("is not fooled by a message in which a page says that a tab opened", () => {
    const message = "A new tab opened and is active now: http://a/.";
    expect(javascript(known(click, selectorsFor("#css"), { message }))).toHaveLength(1);
  });

  test("answers dialogs as the step did, and as usual after it", () => {
    const asked: Action = { ...click, dialog: { accept: false, text: null } };
    const lines = javascript(known(asked, selectorsFor("#css")));
    expect(lines.slice(-3)).toEqual([
      "answerDialog = (dialog) => dialog.dismiss();",
      'await page.locator("#css").click();',
      "answerDialog = usualAnswer;",
    ]);
    expect(lines[2]).toContain('context.on("dialog"');
  });

  test.each([
    ["document.title", "document.title"],
    ["const a = 1; a", "const a = 1; a"],
    ["return 5", "(async () => { return 5\n})()"],
    ["await fetch('/a') // got", "(async () => (await fetch('/a') // got\n))()"],
  ])("runs %j as the action does", (code, expression) => {
    expect(javascript(makeStep({ type: "evaluate_js", code, dialog }))).toEqual([
      `console.log(await page.evaluate(${JSON.stringify(expression)}));`,
    ]);
  });

  test("types where the action typed, and adds where it added", () => {
    const fill = (isTyped: boolean, clearBeforeFill: boolean) =>
      python(
        known({ type: "fill", ...on("#css"), value: "x", clearBeforeFill }, selectorsFor("#css"), {
          way: { kind: "text", isTyped, isSecret: false },
        }),
      );
    expect(fill(false, true)).toEqual(['page.locator("#css").fill("x")']);
    expect(fill(false, false)).toEqual([
      'page.locator("#css").press("End")',
      'page.keyboard.insert_text("x")',
    ]);
    expect(fill(true, true)).toEqual([
      'page.locator("#css").click()',
      'page.keyboard.press("ControlOrMeta+A")',
      'page.keyboard.press("Delete")',
      'page.keyboard.type("x")',
    ]);
  });

  test("chooses the option that was chosen, not the words that it was asked for with", () => {
    const choose = (from: "select" | "list" | "option") =>
      javascript(
        known(
          { type: "select_dropdown_option", ...on("#css"), value: "usa" },
          selectorsFor("#css"),
          { way: { kind: "choice", from, isOpened: true, option: "U.S.A." } },
        ),
      );
    expect(choose("select")).toEqual([
      'await page.locator("#css").selectOption({ label: "U.S.A." });',
    ]);
    expect(choose("list")).toEqual([
      'await page.locator("#css").click();',
      'await page.getByRole("option", { name: "U.S.A.", exact: true }).filter({ visible: true }).first().click();',
    ]);
    expect(choose("option")).toEqual(['await page.locator("#css").click();']);
  });

  test("leaves out a step that was not remembered whole", () => {
    const cut = { ...makeStep({ type: "goto", url: "https://a/… (cut)", dialog }), isCut: true };
    expect(python(cut)).toEqual(["# goto: left out, it was too large to be remembered whole."]);
  });
});

describe("secrets of a script", () => {
  const password = (name: string) =>
    actionStep(
      { type: "fill", ...on("#x"), value: "planted", clearBeforeFill: true },
      makeResult(),
      {
        url: "http://a/",
        selectors: selectorsFor(`internal:role=textbox[name=${JSON.stringify(name)}s]`),
        isSecret: true,
      },
    );

  test("come from variables that are named after their fields, each once", () => {
    const { javascript, python } = workflowCode(
      [password("Your password"), password("Your password"), password("密码")],
      true,
    );
    for (const script of [javascript, python]) {
      expect(script).not.toContain("planted");
      expect(script).not.toContain("****");
      for (const name of ["SECRET_YOUR_PASSWORD", "SECRET_YOUR_PASSWORD_2", "SECRET_TEXT"]) {
        expect(script.match(new RegExp(`\\b${name}\\b`, "g"))).toHaveLength(2);
      }
    }
  });

  test("cannot lead to a variable of another meaning, whatever a page calls its field", () => {
    fc.assert(
      fc.property(
        fc.oneof(fc.string(), fc.constantFrom("PATH", "AWS_SECRET_ACCESS_KEY")),
        (name) => {
          const [line = ""] = javascript(password(name));
          expect(line).toMatch(/process\.env\.SECRET_[A-Z0-9_]+\)/);
          expect(line).not.toContain("planted");
        },
      ),
    );
  });

  test("of a form are one variable for a field that is filled twice", () => {
    const filled = [1, 2].map(() => ({
      selectors: selectorsFor("#p"),
      meaning: "new_password" as const,
      value: "planted",
      isChoice: false,
    }));
    const action: Action = { type: "form_fill", values: { new_password: "planted" }, dialog };
    expect(python(makeStep(action, { filled }))).toEqual([
      'page.locator("#p").fill(os.environ["SECRET_NEW_PASSWORD"])',
      'page.locator("#p").fill(os.environ["SECRET_NEW_PASSWORD"])',
    ]);
  });
});

/** Texts that try to get out of where they stand. */
const hostile = fc.oneof(
  fc.string({ unit: "binary" }),
  fc.string({ unit: "grapheme" }),
  fc
    .array(
      fc.constantFrom(
        '"',
        "'",
        "`",
        "\\",
        "\n",
        "\r",
        "\u2028",
        "\u2029",
        "\u0085",
        "\0",
        "${",
        "}",
        ")",
        ";",
        "*/",
        "//",
        "#",
        '"""',
        "\ud800",
        "\udc00",
        "😀",
        "\\u0022",
        "\\N{BULLET}",
        "\\x22",
        "a",
      ),
      { maxLength: 12 },
    )
    .map((parts) => parts.join("")),
);

/** Steps that carry such a text wherever a page or a client may put one. */
const hostileSteps = hostile.map((text): readonly Step[] => {
  const role = selectorsFor(`internal:role=button[name=${JSON.stringify(text)}s]`, [text]);
  const filled = [{ selectors: role, meaning: "email" as const, value: text, isChoice: false }];
  return [
    known(click, role, effects({ openedTabs: [text] })),
    known({ type: "fill", ...on(text), value: text, clearBeforeFill: true }, role),
    makeStep({ type: "click", ...on(text === "" ? "a" : text, [text]) }),
    makeStep({ type: "press_key", key: text, dialog: { accept: true, text } }),
    makeStep({ type: "evaluate_js", code: text, dialog }),
    makeStep({ type: "help", reason: text, dialog }),
    makeStep({ type: "completion", success: true, answer: text, dialog }),
    makeStep({ type: "upload_file", ...on("#f"), fileName: text }),
    makeStep({ type: "form_fill", values: { email: text }, dialog }, { filled }),
  ];
});

/** What stands in a script beside its texts; as much for every text, unless one broke out. */
function skeleton(script: string, comment: RegExp): string {
  return script
    .replace(/"(?:[^"\\\n\r]|\\.)*"/g, "T")
    .replace(comment, "C")
    .replace(/SECRET_\w+/g, "S");
}

describe("no text of a page or a client becomes code", () => {
  const harmless: readonly Step[] = (fc.sample(hostileSteps, { numRuns: 1, seed: 1 })[0] ?? []).map(
    (step) => JSON.parse(JSON.stringify(step)) as Step,
  );

  test("in JavaScript", () => {
    const usual = skeleton(workflowCode(harmless, false).javascript, /^\s*\/\/ .*$/gm);
    fc.assert(
      fc.property(hostileSteps, (steps) => {
        const script = workflowCode(steps, false).javascript;
        expect(() => new Script(`async () => {\n${script}\n}`)).not.toThrow();
        expect(skeleton(script, /^\s*\/\/ .*$/gm)).toBe(usual);
      }),
      { numRuns: 300 },
    );
  });

  test("and each text arrives in JavaScript as it was", () => {
    fc.assert(
      fc.property(hostile, (text) => {
        const [line = ""] = javascript(makeStep({ type: "press_key", key: text, dialog }));
        const written = line.slice("await page.keyboard.press(".length, -2);
        expect(runInNewContext(written)).toBe(text);
      }),
    );
  });

  const hasPython = isTherePython();

  test.runIf(hasPython)("in Python", () => {
    const usual = skeleton(workflowCode(harmless, true).python, /^\s*# .*$/gm);
    const scripts: string[] = [];
    fc.assert(
      fc.property(hostileSteps, (steps) => {
        const { python } = workflowCode(steps, true);
        scripts.push(python);
        expect(skeleton(python, /^\s*# .*$/gm)).toBe(usual);
      }),
      { numRuns: 300 },
    );
    const compile = "import json, sys\nfor s in json.load(sys.stdin): compile(s, 'script', 'exec')";
    execFileSync("python3", ["-c", compile], { input: JSON.stringify(scripts) });
  });

  test("nor does a comment tell Python to read it in another encoding", () => {
    // In UTF-7, +AAo- is the end of a line.
    const reason = "coding: utf-7 +AAo-import os";
    const [line = ""] = python(makeStep({ type: "help", reason, dialog }));
    expect(line).toMatch(/^# Asked for help: /);
    // As PEP 263 defines it.
    expect(line).not.toMatch(/^[ \t\f]*#.*?coding[:=][ \t]*([-_.a-zA-Z0-9]+)/);
  });

  test.runIf(hasPython)("and each text arrives in Python as it was", () => {
    const texts = fc.sample(hostile, 300).map((text) => text.toWellFormed());
    const lines = texts.map((key) => {
      const [line = ""] = python(makeStep({ type: "press_key", key, dialog }));
      return line.slice("page.keyboard.press(".length, -1);
    });
    const read = "import json, sys\nprint(json.dumps([eval(s) for s in json.load(sys.stdin)]))";
    const printed = execFileSync("python3", ["-c", read], { input: JSON.stringify(lines) });
    expect(JSON.parse(String(printed))).toEqual(texts);
  });
});

function isTherePython(): boolean {
  try {
    execFileSync("python3", ["--version"], { stdio: "ignore" });
    return true;
  } catch {
    return false;
  }
}
