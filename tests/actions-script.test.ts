import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { ActionResult } from "../src/pages/actions/action.ts";
import { bySelector, PageLab } from "./support/page-lab.ts";
import { wholePage } from "./support/scrape-request.ts";

let lab: PageLab;

beforeAll(async () => {
  lab = await PageLab.start();
  await lab.open(`<title>Lab</title><h1>Birds</h1><p id=p>Nightjars fly at night.</p>`);
}, 60_000);

afterAll(() => lab.dispose());

const evaluate = (code: string, signal?: AbortSignal): Promise<ActionResult> =>
  lab.execute({ type: "evaluate_js", code, dialog: null }, signal);

describe("evaluate_js", () => {
  test.each([
    ["document.title", "Lab"],
    ["document.title;", "Lab"],
    ["null", "null"],
    ["undefined", "undefined"],
    ["true", "true"],
    ["0.5", "0.5"],
    ["12345678901234567890n", "12345678901234567890n"],
    ["NaN", "NaN"],
    ["({ a: [1, 2] })", '{\n  "a": [\n    1,\n    2\n  ]\n}'],
    ["{ a: 1 }", '{\n  "a": 1\n}'],
    ["[]", "[]"],
    ["(() => 3)()", "3"],
    ["() => 3", "3"],
    ["return 5", "5"],
    ["const a = 2; return a * 3", "6"],
    ["const b = 2; b * 4", "8"],
    ["await Promise.resolve(9)", "9"],
    ["const c = await 4; return c", "4"],
    ["const d = await 4; d + 1", "5"],
    ["new Promise((resolve) => setTimeout(() => resolve('late'), 20))", "late"],
    ["const later = 1; Promise.resolve([later])", "[\n  1\n]"],
    ["document.querySelector('#p').textContent // with a remark", "Nightjars fly at night."],
  ])("answers the value of %j", async (code, text) => {
    const result = await evaluate(code);
    expect(result.failure).toBeNull();
    expect(result.data).toEqual({ markdown: text, images: null, structured: null });
  });

  test("lets one script declare what another declared before", async () => {
    for (const value of ["1", "2"]) {
      expect((await evaluate(`const again = ${value}; again`)).data?.markdown).toBe(value);
    }
  });

  test("runs among the page's own scripts", async () => {
    await evaluate("window.mark = 7");
    expect(await lab.evaluate("window.mark")).toBe(7);
  });

  test.each([
    ["throw new Error('broken wing')", "Error: broken wing"],
    ["throw 'text'", "text"],
    ["nope()", "ReferenceError: nope is not defined"],
    ["foo bar", "SyntaxError: Unexpected identifier 'bar'"],
    ["JSON.parse('{')", "SyntaxError: Expected property name"],
    ["Promise.reject(new TypeError('no'))", "TypeError: no"],
    ["window", "no plain data"],
  ])("tells why %j fails", async (code, words) => {
    const { success, failure, data } = await evaluate(code);
    expect(success).toBe(false);
    expect(data).toBeNull();
    expect(failure?.kind).toBe("script_error");
    expect(failure?.message).toContain(words);
    expect(failure?.message).not.toMatch(/\n\s+at /);
  });

  test("does not hang on a dialog", async () => {
    const result = await evaluate("alert('hello')");
    expect(result.message).toContain('A dialog (alert) said "hello"');
  });

  test("says that the page went away while it ran", async () => {
    lab.serve("/elsewhere", "<title>Elsewhere</title>");
    const result = await evaluate("location.href = '/elsewhere'; new Promise(() => {})");
    expect(result.failure?.kind).toBe("navigated");
    await expect.poll(() => lab.evaluate("document.title")).toBe("Elsewhere");
    await lab.open(`<title>Lab</title><h1>Birds</h1><p id=p>Nightjars fly at night.</p>`);
  });

  test("is ended when its caller goes, even in an endless loop, and the page works on", async () => {
    const caller = new AbortController();
    const reason = new Error("the client is gone");
    const running = evaluate("window.began = true; while (true);", caller.signal);
    setTimeout(() => caller.abort(reason), 300);
    await expect(running).rejects.toBe(reason);
    expect((await evaluate("1 + 1")).data?.markdown).toBe("2");
  });

  test("is ended after 45 seconds, and says so", { tags: ["long"], timeout: 90_000 }, async () => {
    const result = await evaluate("while (true);");
    expect(result.failure?.kind).toBe("timeout");
    expect((await evaluate("1 + 1")).data?.markdown).toBe("2");
  });
});

describe("waiting", () => {
  test("takes as long as asked", async () => {
    const result = await lab.execute({ type: "wait", timeMs: 60, dialog: null });
    expect(result.message).toBe("Waited 60 ms.");
    expect(result.endedAt - result.startedAt).toBeGreaterThanOrEqual(59);
  });

  test("ends when its caller goes", async () => {
    const caller = new AbortController();
    const reason = new Error("the client is gone");
    const waiting = lab.execute({ type: "wait", timeMs: 30_000, dialog: null }, caller.signal);
    caller.abort(reason);
    await expect(waiting).rejects.toBe(reason);
  });
});

test("a click whose caller goes stops waiting for its element", async () => {
  await lab.open(`<button id=b disabled onclick="document.title = 'pressed'">Wait</button>`);
  const caller = new AbortController();
  const reason = new Error("the client is gone");
  const clicking = lab.execute(
    { type: "click", ...bySelector("#b"), timeoutMs: 30_000 },
    caller.signal,
  );
  caller.abort(reason);
  await expect(clicking).rejects.toBe(reason);
});

test("scrape answers the page's content", async () => {
  await lab.open(`<title>Lab</title><h1>Birds</h1><p id=p>Nightjars fly at night.</p>`);
  const result = await lab.execute({ type: "scrape", request: wholePage, dialog: null });
  expect(result.data?.markdown).toContain("# Birds");
  expect(result.data?.markdown).toContain("Nightjars fly at night.");
});

test("help and completion are taken note of", async () => {
  const help = await lab.execute({ type: "help", reason: "A captcha", dialog: null });
  expect(help).toMatchObject({ success: true, message: "Asked for help: A captcha" });
  const done = await lab.execute({ type: "completion", success: true, answer: "42", dialog: null });
  expect(done).toMatchObject({ success: true, message: "Completed with success: 42" });
});
