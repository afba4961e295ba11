import { TOTP } from "otpauth";
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import type { ActionOf, ActionResult } from "../src/pages/actions/action.ts";
import { Perception } from "../src/pages/observe/perception.ts";
import { bySelector, PageLab } from "./support/page-lab.ts";

let lab: PageLab;

beforeAll(async () => {
  lab = await PageLab.start();
}, 60_000);

afterAll(() => lab.dispose());

beforeEach(() => {
  lab.perception = new Perception();
});

type TextAction = ActionOf<"fill" | "multi_factor_fill" | "fallback_fill">;

const enter = (
  type: TextAction["type"],
  selector: string,
  value: string,
  more: Partial<TextAction> = {},
): Promise<ActionResult> =>
  lab.execute({ type, ...bySelector(selector), value, clearBeforeFill: true, ...more });

const fill = (selector: string, value: string, more?: Partial<TextAction>) =>
  enter("fill", selector, value, more);

const fieldValue = (selector: string): Promise<string> =>
  lab.evaluate(`document.querySelector(${JSON.stringify(selector)}).value`);

describe("fill", () => {
  test.each([
    ["text", "Ada"],
    ["email", "ada@example.org"],
    ["password", "s3cret"],
    ["number", "42"],
    ["date", "2026-12-31"],
    ["time", "17:30"],
    ["datetime-local", "2026-12-31T17:30"],
    ["month", "2026-12"],
    ["week", "2026-W52"],
    ["color", "#1a2b3c"],
    ["range", "30"],
    ["search", "birds"],
    ["tel", "+41 44 000 00 00"],
    ["url", "https://example.org"],
  ])("enters a value into an input of type %s, with the events of typing", async (type, value) => {
    await lab.open(`<input id=i type=${type} value="" oninput="document.title += 'i'"
      onchange="document.title += 'c'">`);
    expect(await fill("#i", value)).toMatchObject({ success: true, message: "Filled #i." });
    expect(await fieldValue("#i")).toBe(value);
    await lab.evaluate("document.activeElement.blur()");
    expect(await lab.evaluate("document.title")).toMatch(/^i+c$/);
  });

  test("enters a text into a text area and into what can be edited", async () => {
    await lab.open(`<textarea id=t>old</textarea><div id=e contenteditable><b>old</b></div>`);
    await fill("#t", "two\nlines");
    expect(await fieldValue("#t")).toBe("two\nlines");
    await fill("#e", "new");
    expect(await lab.evaluate("document.querySelector('#e').textContent")).toBe("new");
  });

  test("adds to what is there when it is not to clear it", async () => {
    await lab.open(`<input id=i value=Ada><textarea id=t>one\ntwo</textarea>`);
    const more = { clearBeforeFill: false };
    expect((await fill("#i", " Lovelace", more)).message).toBe("Filled #i.");
    await fill("#t", " three", more);
    expect([await fieldValue("#i"), await fieldValue("#t")]).toEqual([
      "Ada Lovelace",
      "one\ntwo three",
    ]);
  });

  test("tells what the page made of it, but never of a secret", async () => {
    const upper = `oninput="this.value = this.value.toUpperCase()"`;
    await lab.open(
      `<input id=i ${upper}><input id=p type=password ${upper}><input id=m maxlength=3>`,
    );
    expect((await fill("#i", "ada")).message).toBe('Filled #i. It holds "ADA" now.');
    const secret = await fill("#p", "hunter2");
    expect(secret.message).toBe("Filled #p. The page changed what was entered.");
    expect((await fill("#m", "12345")).message).toBe(
      "Filled #m. It takes 3 characters at most; the rest was cut off.",
    );
  });

  test("presses Enter afterwards when asked to, and follows where that leads", async () => {
    lab.serve("/found", "<title>Found</title>");
    await lab.open(`<form action="/found"><input id=i name=q></form>`);
    const result = await fill("#i", "birds", { pressEnter: true });
    expect(result.effects.navigatedTo).toBe(`${lab.site.url}/found?q=birds`);
    expect(result.message).toBe(`Filled #i. The page went to ${lab.site.url}/found?q=birds.`);
  });

  test.each([
    ["disabled", "disabled"],
    ["read_only", "readonly"],
  ])("fails as %s on a field that is %s", async (kind, attribute) => {
    await lab.open(`<input id=i ${attribute}>`);
    for (const clearBeforeFill of [true, false]) {
      const result = await fill("#i", "x", { clearBeforeFill, timeoutMs: 1000 });
      expect(result.failure?.kind).toBe(kind);
    }
    expect(await fieldValue("#i")).toBe("");
  });

  test.each([
    [`<select id=i><option>A</select>`, "select_dropdown_option"],
    [`<input id=i type=checkbox>`, "use check"],
    [`<input id=i type=radio>`, "use check"],
    [`<input id=i type=file>`, "upload_file"],
    [`<input id=i type=submit>`, "use click"],
  ])("on %s names the action for it", async (html, remedy) => {
    await lab.open(html);
    const { failure } = await fill("#i", "x");
    expect(failure?.kind).toBe("wrong_kind");
    expect(failure?.message).toContain(remedy);
  });

  test.each([
    ["date", "31.12.2026", "2026-12-31"],
    ["time", "half past five", "17:30"],
    ["color", "dusk", "#1a2b3c"],
    ["number", "many", "write a number"],
  ])("into a field of type %s says how its values are written", async (type, value, format) => {
    await lab.open(`<input id=i type=${type}>`);
    const { failure } = await fill("#i", value);
    expect(failure?.kind).toBe("invalid_value");
    expect(failure?.message).toContain(format);
  });
});

test("fallback_fill types key by key", async () => {
  await lab.open(`<input id=i value=old onkeydown="document.title += event.key">
    <div id=d tabindex=0 style="height:20px" onkeydown="this.textContent += event.key"></div>`);
  await enter("fallback_fill", "#i", "abc");
  expect(await fieldValue("#i")).toBe("abc");
  expect(await lab.evaluate("document.title")).toContain("abc");
  await enter("fallback_fill", "#d", "xyz", { clearBeforeFill: false });
  expect(await lab.evaluate("document.querySelector('#d').textContent")).toBe("xyz");
  await lab.open(`<input id=i readonly>`);
  expect((await enter("fallback_fill", "#i", "abc")).failure?.kind).toBe("read_only");
});

describe("multi_factor_fill", () => {
  test("enters a code as it stands", async () => {
    await lab.open(`<input id=i maxlength=6>`);
    const result = await enter("multi_factor_fill", "#i", "123456");
    expect(await fieldValue("#i")).toBe("123456");
    expect(result.message).not.toContain("123456");
  });

  test.each([
    ["base32 text", "JBSW Y3DP EHPK 3PXP"],
    ["an otpauth URI", "otpauth://totp/Test:ada?secret=JBSWY3DPEHPK3PXP&issuer=Test"],
  ])("makes the present code of a secret: %s", async (_kind, secret) => {
    await lab.open(`<input id=i>`);
    const totp = new TOTP({ secret: "JBSWY3DPEHPK3PXP" });
    const before = totp.generate();
    const result = await enter("multi_factor_fill", "#i", secret);
    // The code may change just between the two.
    expect([before, totp.generate()]).toContain(await fieldValue("#i"));
    expect(result.message).not.toContain("JBSW");
  });

  test.each([
    ["that move on by themselves", `oninput="this.nextElementSibling?.focus()"`],
    ["that do not", ""],
  ])("fills a row of boxes for one digit each %s", async (_kind, handler) => {
    await lab.open(Array.from({ length: 6 }, () => `<input maxlength=1 ${handler}>`).join(""));
    const selector = "input >> nth=0";
    expect((await enter("multi_factor_fill", selector, "123456")).success).toBe(true);
    expect(
      await lab.evaluate(
        `[...document.querySelectorAll("input")].map(({ value }) => value).join("")`,
      ),
    ).toBe("123456");
    const tooLong = await enter("multi_factor_fill", selector, "12345678");
    expect(tooLong.failure).toMatchObject({
      kind: "invalid_value",
      message: expect.stringContaining("6 boxes"),
    });
  });

  test("does not take a URI that is none", async () => {
    await lab.open(`<input id=i>`);
    const { failure } = await enter("multi_factor_fill", "#i", "otpauth://nothing");
    expect(failure?.kind).toBe("invalid_value");
  });
});

describe("form_fill", () => {
  const formFill = (values: ActionOf<"form_fill">["values"]) =>
    lab.execute({ type: "form_fill", values, dialog: null });
  const values = () =>
    lab.evaluate<Record<string, string>>(
      `Object.fromEntries([...document.querySelectorAll("[name]")].map(({ name, value }) => [name, value]))`,
    );

  test("finds fields by autocomplete, type, label and placeholder, and says what it filled", async () => {
    await lab.open(`
      <label>First name <input name=a></label>
      <input name=b autocomplete="family-name">
      <input name=c type=email>
      <input name=d placeholder="Street address">
      <label for=z>ZIP code</label><input id=z name=e>
      <label>Country <select name=f><option value="">Choose<option value=CH>Switzerland<option value=FR>France</select></label>`);
    const result = await formFill({
      first_name: "Ada",
      last_name: "Lovelace",
      email: "ada@example.org",
      address1: "1 Main Street",
      postal_code: "8000",
      country: "switzerland",
      phone: "044",
    });
    expect(result.success).toBe(true);
    expect(await values()).toEqual({
      a: "Ada",
      b: "Lovelace",
      c: "ada@example.org",
      d: "1 Main Street",
      e: "8000",
      f: "CH",
    });
    expect(result.message).toContain("first_name into");
    expect(result.message).toContain("No field was found for phone.");
    expect(result.filled).toHaveLength(6);
  });

  test("fills iframes of other sites, and puts names and dates together or takes them apart", async () => {
    lab.serve(
      "/card",
      `<input placeholder="Card number" name=n><input placeholder="MM / YY" name=e autocomplete=cc-exp>
       <input placeholder=CVC name=c>`,
    );
    await lab.open(
      `<input name=name autocomplete=name><iframe src="${lab.otherUrl}/card"></iframe>`,
    );
    const { page } = await lab.browser.driver.activePage();
    const card = page.frameLocator("iframe");
    await card.locator("[name=c]").waitFor();
    const result = await formFill({
      first_name: "Ada",
      last_name: "Lovelace",
      cc_number: "4111111111111111",
      cc_exp_month: "3",
      cc_exp_year: "2031",
      cc_cvv: "987",
    });
    expect(result.success).toBe(true);
    expect(result.message).not.toMatch(/4111|987/);
    expect(await values()).toEqual({ name: "Ada Lovelace" });
    expect(await card.locator("[name=n]").inputValue()).toBe("4111111111111111");
    expect(await card.locator("[name=e]").inputValue()).toBe("03/31");
    expect(await card.locator("[name=c]").inputValue()).toBe("987");
  });

  test("repeats a new password, and chooses months and years however they are listed", async () => {
    await lab.open(`<label>New password <input type=password name=p></label>
      <label>Confirm password <input type=password name=q></label>
      <label>Expiry month <select name=m><option value=01>01<option value=03>03</select></label>
      <label>Expiry year <select name=y><option>2030<option>2031</select></label>`);
    await formFill({ new_password: "s3cret-pass", cc_exp: "3/31" });
    expect(await values()).toEqual({ p: "s3cret-pass", q: "s3cret-pass", m: "03", y: "2031" });
  });

  test("prefers the form of an open dialog to what lies behind it", async () => {
    await lab.open(`<input type=email name=news><dialog id=d>
      <input type=email name=login><input type=password name=pass></dialog><script>d.showModal()</script>`);
    await formFill({ email: "ada@example.org", current_password: "pw" });
    expect(await values()).toEqual({ news: "", login: "ada@example.org", pass: "pw" });
  });

  test("fails when there is nothing to fill, and names what it did not find", async () => {
    await lab.open(`<p>No form</p>`);
    const { success, failure } = await formFill({ email: "ada@example.org" });
    expect(success).toBe(false);
    expect(failure?.message).toContain("No field was found for email.");
  });
});

describe("press_key", () => {
  const press = (key: string) => lab.execute({ type: "press_key", key, dialog: null });

  test("tells keys that go into a secret field, in shadow roots and frames of other sites, too", async () => {
    lab.serve("/frame", "<!doctype html><input type=password autofocus>");
    await lab.open(`<input id=name><x-y></x-y><iframe src="${lab.otherUrl}/frame"></iframe>
      <script>document.querySelector("x-y").attachShadow({ mode: "open" })
        .innerHTML = "<input type=password>"</script>`);
    await lab.evaluate('document.querySelector("#name").focus()');
    expect(await press("é")).toMatchObject({
      message: "Pressed é.",
      way: { kind: "key", isSecret: false },
    });
    expect(await fieldValue("#name")).toBe("é");
    await press("Tab");
    expect(await press("p")).toMatchObject({
      message: "Pressed a key in a secret field.",
      way: { isSecret: true },
    });
    expect(await press("Backspace")).toMatchObject({ way: { isSecret: false } });
    await press("Tab");
    expect(await press("Shift+W")).toMatchObject({ way: { isSecret: true } });
    await lab.evaluate('document.querySelector("#name").focus()');
    expect(await press("x")).toMatchObject({ way: { isSecret: false } });
  });
});
