import { TOTP } from "otpauth";
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { Perception } from "../src/pages/observe/perception.ts";
import { bySelector, on, PageLab } from "./support/page-lab.ts";

let lab: PageLab;

beforeAll(async () => {
  lab = await PageLab.start();
}, 60_000);

afterAll(() => lab.dispose());

beforeEach(() => {
  lab.perception = new Perception();
});

const dialog = null;

async function click(name: string) {
  return lab.execute({ type: "click", ...on((await lab.find(name)).id) });
}

async function fill(name: string, value: string) {
  const { id } = await lab.find(name);
  return lab.execute({ type: "fill", ...on(id), value, clearBeforeFill: true });
}

describe("click", () => {
  test("presses the very element, though the page has moved it since", async () => {
    await lab.open(`<div id=list><button>A</button><button>B</button></div>
      <script>list.onclick = (event) => { document.title = event.target.textContent }</script>`);
    const { id } = await lab.find("B");
    await lab.evaluate(`list.prepend(list.lastElementChild)`);
    expect(await lab.execute({ type: "click", ...on(id) })).toMatchObject({
      success: true,
      elementId: id,
    });
    expect(await lab.evaluate("document.title")).toBe("B");
  });

  test("says where it led, and waits for what the new page fetches", async () => {
    lab.serve(
      "/next",
      `<!doctype html><p id=p></p><script>fetch("/data").then((r) => r.text()).then((t) => { p.textContent = t })</script>`,
    );
    lab.serve("/data", "loaded");
    await lab.open(`<a href="/next">Next</a>`);
    const result = await click("Next");
    expect(result.effects.navigatedTo).toBe(`${lab.site.url}/next`);
    expect(result.message).toContain("/next");
    expect(await lab.evaluate("p.textContent")).toBe("loaded");
  });

  test("waits for what the page does about it", async () => {
    lab.serve("/slow", "slow answer");
    await lab.open(
      `<button onclick="fetch('/slow').then((r) => r.text()).then((t) => { out.textContent = t })">Load</button><p id=out></p>`,
    );
    expect((await click("Load")).effects.changed).toBe(true);
    expect(await lab.evaluate("out.textContent")).toBe("slow answer");
  });

  test("says when nothing changed", async () => {
    await lab.open(`<button>Dead</button>`);
    expect((await click("Dead")).message).toContain("Nothing on the page changed.");
  });

  test("follows a tab that it opens", async () => {
    lab.serve("/popup", "<!doctype html><title>Popup</title>");
    await lab.open(`<a href="/popup" target=_blank>Open</a>`);
    const result = await click("Open");
    expect(result.effects.openedTabs).toEqual([`${lab.site.url}/popup`]);
    expect((await lab.observe()).title).toBe("Popup");
    expect(await lab.execute({ type: "close_tab", dialog })).toMatchObject({ success: true });
    expect((await lab.observe()).elements.map(({ name }) => name)).toEqual(["Open"]);
  });

  test("is told in words by what an element is covered", async () => {
    await lab.open(
      `<button>Under</button><div id=cover style="position:fixed;inset:0;background:#eee">Please wait</div>`,
    );
    const result = await click("Under");
    expect(result).toMatchObject({ success: false, failure: { kind: "covered" } });
    expect(result.message).toMatch(/covered by .*cover/);
  });

  test("fails soon and says so when an element is disabled, gone or in another tab", async () => {
    await lab.open(`<button disabled>Off</button><button>Here</button>`);
    expect(await click("Off")).toMatchObject({ success: false, failure: { kind: "disabled" } });
    const here = await lab.find("Here");
    await lab.evaluate(`document.querySelectorAll("button")[1].remove()`);
    const gone = await lab.execute({ type: "click", ...on(here.id) });
    expect(gone).toMatchObject({ success: false, failure: { kind: "gone" } });
    expect(gone.message).toContain('button "Here"');
    const off = await lab.find("Off");
    await lab.execute({ type: "goto_new_tab", url: lab.site.url, dialog });
    const other = await lab.execute({ type: "click", ...on(off.id) });
    expect(other).toMatchObject({ success: false, failure: { kind: "other_tab" } });
    expect(other.message).toContain("tab_index 0");
    await lab.execute({ type: "close_tab", dialog });
  });

  test("with an id that nobody gave, or a selector that matches nothing, says what to do", async () => {
    await lab.open(`<p>Nothing</p>`);
    const unknown = await lab.execute({ type: "click", ...on("B99") });
    expect(unknown.message).toMatch(/^Action with id 'B99' is invalid/);
    const missing = await lab.execute({ type: "click", ...bySelector(".no") });
    expect(missing).toMatchObject({ success: false, failure: { kind: "not_found" } });
    const broken = await lab.execute({ type: "click", ...bySelector("p[[") });
    expect(broken.success).toBe(false);
  }, 40_000);

  test("takes CSS, XPath, role and text selectors, and the visible one of several", async () => {
    await lab.open(
      `<button hidden>Save</button><button onclick="n.value++">Save</button><output id=n>0</output>`,
    );
    for (const selector of [
      "button:visible",
      "xpath=//button[2]",
      'internal:role=button[name="Save"i]',
      "~Save",
      "button",
    ]) {
      expect(await lab.execute({ type: "click", ...bySelector(selector) })).toMatchObject({
        success: true,
      });
    }
    expect(await lab.evaluate("n.value")).toBe("5");
  });

  test("works in an iframe of another site, and in shadow roots", async () => {
    lab.serve(
      "/inner",
      `<!doctype html><button onclick="this.textContent='Pressed'">Inner</button>`,
    );
    await lab.open(`<iframe src="${lab.otherUrl}/inner"></iframe><my-box></my-box><script>
      document.querySelector("my-box").attachShadow({ mode: "open" }).innerHTML = "<button onclick=\\"this.textContent='Done'\\">Shadow</button>";
    </script>`);
    expect(await click("Inner")).toMatchObject({ success: true });
    expect(await click("Shadow")).toMatchObject({ success: true });
    expect((await lab.observe()).elements.map(({ name }) => name)).toEqual(["Pressed", "Done"]);
  });
});

describe("text", () => {
  test("goes into fields of every kind, in the form that they take", async () => {
    await lab.open(`<input aria-label=Text><textarea aria-label=Area></textarea><div contenteditable aria-label=Editor></div>
      <input type=date aria-label=Date><input type=time aria-label=Time><input type=color aria-label=Colour>
      <input type=range aria-label=Range min=0 max=10><input type=number aria-label=Number><input type=password aria-label=Password>`);
    for (const [name, value] of [
      ["Text", "Ada"],
      ["Area", "two\nlines"],
      ["Editor", "rich"],
      ["Date", "2026-12-31"],
      ["Time", "17:30"],
      ["Colour", "#1a2b3c"],
      ["Range", "7"],
      ["Number", "42"],
      ["Password", "secret"],
    ] as const) {
      expect(await fill(name, value), name).toMatchObject({ success: true });
    }
    expect(
      await lab.evaluate(
        `[...document.querySelectorAll("input, textarea")].map((field) => field.value)`,
      ),
    ).toEqual(["Ada", "two\nlines", "2026-12-31", "17:30", "#1a2b3c", "7", "42", "secret"]);
    expect(await lab.evaluate(`document.querySelector("[contenteditable]").textContent`)).toBe(
      "rich",
    );
  });

  test("is added where nothing is cleared, and Enter is pressed where it is asked for", async () => {
    await lab.open(
      `<form onsubmit="event.preventDefault(); document.title = q.value"><input id=q aria-label=Query value="a "></form>`,
    );
    const { id } = await lab.find("Query");
    await lab.execute({
      type: "fill",
      ...on(id),
      pressEnter: true,
      value: "b",
      clearBeforeFill: false,
    });
    expect(await lab.evaluate("document.title")).toBe("a b");
  });

  test("that a field changes or refuses is told", async () => {
    await lab.open(`<input aria-label=Upper oninput="this.value = this.value.toUpperCase()"><input type=date aria-label=Date>
      <select aria-label=Pick><option>x</select><input aria-label=Fixed readonly>`);
    expect((await fill("Upper", "abc")).message).toContain('holds "ABC"');
    expect(await fill("Date", "tomorrow")).toMatchObject({ failure: { kind: "invalid_value" } });
    expect(await fill("Pick", "x")).toMatchObject({ failure: { kind: "wrong_kind" } });
    expect(await fill("Fixed", "x")).toMatchObject({ failure: { kind: "read_only" } });
  }, 40_000);

  test("typed key by key raises the events of keys", async () => {
    await lab.open(`<input aria-label=Keys><script>
      let keys = ""; document.querySelector("input").onkeydown = (event) => { keys += event.key };</script>`);
    const { id } = await lab.find("Keys");
    await lab.execute({ type: "fallback_fill", ...on(id), value: "abc", clearBeforeFill: false });
    expect(await lab.evaluate("keys")).toBe("abc");
  });

  test("of a second factor is the present code of a secret, box by box where there are boxes", async () => {
    await lab.open(`<input aria-label=Code><div id=boxes></div><script>
      for (let i = 0; i < 6; i++) boxes.innerHTML += "<input maxlength=1 aria-label='Digit " + i + "'>";
      boxes.oninput = (event) => event.target.nextElementSibling?.focus();</script>`);
    const secret = "JBSWY3DPEHPK3PXP";
    const { id } = await lab.find("Code");
    const before = new TOTP({ secret }).generate();
    await lab.execute({
      type: "multi_factor_fill",
      ...on(id),
      value: secret,
      clearBeforeFill: true,
    });
    expect([before, new TOTP({ secret }).generate()]).toContain(
      await lab.evaluate(`document.querySelector("input").value`),
    );
    const first = await lab.find("Digit 0");
    await lab.execute({
      type: "multi_factor_fill",
      ...on(first.id),
      value: "123456",
      clearBeforeFill: true,
    });
    expect(await lab.evaluate(`[...boxes.children].map((box) => box.value).join("")`)).toBe(
      "123456",
    );
  });
});

describe("choices", () => {
  test("are made by text, by value and loosely, and a missing one is answered with those there are", async () => {
    await lab.open(
      `<select aria-label=Land><option value=at>Österreich</option><option value=fr>France (Métropole)</option><option disabled>Atlantis</option></select>`,
    );
    const { id } = await lab.find("Land");
    const choose = (value: string) =>
      lab.execute({ type: "select_dropdown_option", ...on(id), value });
    for (const value of ["Österreich", "fr", "france"])
      expect(await choose(value)).toMatchObject({ success: true });
    expect(await lab.evaluate(`document.querySelector("select").value`)).toBe("fr");
    const missing = await choose("Spain");
    expect(missing).toMatchObject({ failure: { kind: "no_such_option" } });
    expect(missing.message).toContain('"Österreich"');
    expect(await choose("Atlantis")).toMatchObject({ failure: { kind: "disabled" } });
  });

  test("work in a list that the page made itself", async () => {
    await lab.open(`<div role=combobox tabindex=0 aria-label=Colour onclick="list.hidden = false">Pick</div>
      <ul role=listbox id=list hidden>${["Red", "Green"].map((c) => `<li role=option onclick="document.title='${c}'">${c}</li>`).join("")}</ul>`);
    const { id } = await lab.find("Colour");
    expect(
      await lab.execute({ type: "select_dropdown_option", ...on(id), value: "Green" }),
    ).toMatchObject({ success: true });
    expect(await lab.evaluate("document.title")).toBe("Green");
  });

  test("check boxes, switches and what a label hides, and say what cannot be checked", async () => {
    await lab.open(`<label><input type=checkbox id=a> Plain</label>
      <input type=checkbox id=b style="display:none"><label for=b>Hidden</label>
      <button role=switch aria-checked=false onclick="this.ariaChecked = 'true'">Switch</button><button>No box</button>`);
    const check = async (name: string, value: boolean) =>
      lab.execute({ type: "check", ...on((await lab.find(name)).id), value });
    for (const name of ["Plain", "Hidden", "Switch"])
      expect(await check(name, true), name).toMatchObject({ success: true });
    expect(await lab.evaluate("[a.checked, b.checked]")).toEqual([true, true]);
    expect((await check("Plain", true)).message).toContain("already");
    expect(await check("Plain", false)).toMatchObject({ success: true });
    expect(await check("No box", true)).toMatchObject({ failure: { kind: "wrong_kind" } });
  });
});

test("a form is filled by what its fields are for, in frames too, and what has no field is told", async () => {
  lab.serve("/card", `<!doctype html><input autocomplete=cc-number aria-label=Card>`);
  await lab.open(`<label>First name <input></label><label>Surname <input></label><input name=email>
    <label>Country <select><option>France<option>Austria</select></label>
    <input type=password name=password><input type=password placeholder="Repeat password">
    <iframe src="${lab.otherUrl}/card"></iframe>`);
  const result = await lab.execute({
    type: "form_fill",
    dialog,
    values: {
      first_name: "Ada",
      last_name: "Lovelace",
      email: "ada@example.org",
      country: "Austria",
      current_password: "pw",
      cc_number: "4242",
      company: "Engines",
    },
  });
  expect(result).toMatchObject({ success: true });
  expect(result.message).toContain("No field was found for company");
  expect(
    await lab.evaluate(
      `[...document.querySelectorAll("input, select")].map((field) => field.value)`,
    ),
  ).toEqual(["Ada", "Lovelace", "ada@example.org", "Austria", "pw", ""]);
  expect((await lab.find("Card")).value).toBe("4242");
});

describe("tabs and history", () => {
  test("are gone through, and what is not there is told", async () => {
    await lab.open("<title>One</title>", "/one");
    lab.serve("/two", "<!doctype html><title>Two</title>");
    expect(await lab.execute({ type: "goto", url: `${lab.site.url}/two`, dialog })).toMatchObject({
      success: true,
    });
    expect((await lab.execute({ type: "go_back", dialog })).message).toContain("/one");
    expect((await lab.execute({ type: "go_forward", dialog })).message).toContain("/two");
    expect(await lab.execute({ type: "go_forward", dialog })).toMatchObject({
      failure: { kind: "no_history" },
    });
    expect(await lab.execute({ type: "reload", dialog })).toMatchObject({ success: true });
    await lab.execute({ type: "goto_new_tab", url: `${lab.site.url}/one`, dialog });
    expect(await lab.execute({ type: "switch_tab", tabIndex: 0, dialog })).toMatchObject({
      success: true,
    });
    expect((await lab.observe()).title).toBe("Two");
    const missing = await lab.execute({ type: "switch_tab", tabIndex: 7, dialog });
    expect(missing.message).toMatch(/There is no tab 7\. The tabs are 0: .*two, 1: .*one/);
    expect(await lab.execute({ type: "switch_tab", tabIndex: -1, dialog })).toMatchObject({
      success: true,
    });
    await lab.execute({ type: "close_tab", dialog });
  });

  test("the last tab leaves an empty one behind", async () => {
    await lab.open("<title>Only</title>");
    expect((await lab.execute({ type: "close_tab", dialog })).message).toContain("only tab");
    expect(await lab.observe()).toMatchObject({ url: "about:blank", tabs: [{ isActive: true }] });
  });

  test("a URL that cannot or must not be opened says why", async () => {
    const open = (url: string) => lab.execute({ type: "goto", url, dialog });
    expect(await open("http://127.0.0.1:9/")).toMatchObject({
      failure: { kind: "navigation_failed" },
    });
    expect((await open("http://no-such-host.invalid/")).message).toContain(
      "no server has this name",
    );
    for (const url of ["file:///etc/passwd", "chrome://version", "javascript:alert(1)"]) {
      expect(await open(url), url).toMatchObject({ failure: { kind: "refused_url" } });
    }
    expect(await open("http://[")).toMatchObject({ failure: { kind: "invalid_url" } });
  });
});

describe("keys, scrolling and scripts", () => {
  test("keys go to what has the focus, and an unknown one is told", async () => {
    await lab.open(
      `<input autofocus><script>document.onkeydown = (event) => { document.title += event.key }</script>`,
    );
    await lab.execute({ type: "press_key", key: "Shift+A", dialog });
    expect(await lab.evaluate("document.title")).toBe("ShiftA");
    expect(await lab.execute({ type: "press_key", key: "Nope", dialog })).toMatchObject({
      failure: { kind: "invalid_key" },
    });
  });

  test("scrolls the page, or the box that scrolls in its place, and fails at the end", async () => {
    await lab.open(`<div style="height:3000px">x</div>`);
    expect((await lab.execute({ type: "scroll_down", amount: 500, dialog })).message).toContain(
      "down by 500 px",
    );
    expect(await lab.evaluate("scrollY")).toBe(500);
    expect(await lab.execute({ type: "scroll_up", amount: null, dialog })).toMatchObject({
      success: true,
    });
    expect(await lab.execute({ type: "scroll_up", amount: null, dialog })).toMatchObject({
      failure: { kind: "no_effect" },
    });
    await lab.open(
      `<style>body { margin: 0; overflow: hidden }</style><div id=box style="height:100vh;overflow:auto"><p style="height:3000px">x</p></div>`,
    );
    expect(await lab.execute({ type: "scroll_down", amount: 300, dialog })).toMatchObject({
      success: true,
    });
    expect(await lab.evaluate("box.scrollTop")).toBe(300);
  });

  test("scripts answer as the contract says", async () => {
    await lab.open("<title>T</title>");
    const run = async (code: string) => {
      const { data, failure } = await lab.execute({ type: "evaluate_js", code, dialog });
      return data?.markdown ?? failure?.message;
    };
    expect(await run("document.title")).toBe("T");
    expect(await run("null")).toBe("null");
    expect(await run("({ a: [1] })")).toBe('{\n  "a": [\n    1\n  ]\n}');
    expect(await run("const x = 2; return x * 3;")).toBe("6");
    expect(await run("await Promise.resolve(5)")).toBe("5");
    expect(await run("fetch('/').then((r) => r.status)")).toBe("200");
    expect(await run("throw new Error('broken')")).toContain("broken");
    expect(await run("alert('x'); 'after'")).toBe("after");
  });
});

describe("whatever a page does", () => {
  test("dialogs are answered as asked, and told", async () => {
    await lab.open(
      `<button onclick="document.title = [confirm('Sure?'), prompt('Name?', 'nobody')].map(String)">Ask</button>`,
    );
    const { id } = await lab.find("Ask");
    const result = await lab.execute({ type: "click", ...on(id) });
    expect(await lab.evaluate("document.title")).toBe("true,nobody");
    expect(result.effects.dialogs).toEqual([
      { type: "confirm", message: "Sure?", accepted: true },
      { type: "prompt", message: "Name?", accepted: true },
    ]);
    await lab.execute({ type: "click", ...on(id), dialog: { accept: false, text: null } });
    expect(await lab.evaluate("document.title")).toBe("false,null");
    await lab.execute({ type: "click", ...on(id), dialog: { accept: true, text: "Ada" } });
    expect(await lab.evaluate("document.title")).toBe("true,Ada");
  });

  test("a page that asks before it is left is left", async () => {
    await lab.open(`<button onclick="onbeforeunload = () => 'stay'">Arm</button>`);
    await click("Arm");
    lab.serve("/left", "<!doctype html><title>Left</title>");
    expect(await lab.execute({ type: "goto", url: `${lab.site.url}/left`, dialog })).toMatchObject({
      success: true,
    });
    expect((await lab.observe()).title).toBe("Left");
  });

  test("an element that comes and becomes ready in time is waited for", async () => {
    await lab.open(
      `<button disabled id=b onclick="document.title='ok'">Soon</button><script>setTimeout(() => { b.disabled = false }, 300)</script>`,
    );
    expect(await click("Soon")).toMatchObject({ success: true });
    expect(await lab.evaluate("document.title")).toBe("ok");
  });

  test("a wait ends when its client is gone", async () => {
    await lab.open("");
    const controller = new AbortController();
    const waiting = lab.execute({ type: "wait", timeMs: 30_000, dialog }, controller.signal);
    controller.abort(new Error("the client is gone"));
    await expect(waiting).rejects.toThrow("the client is gone");
  });

  test("cards are dragged, by HTML's events and by the pointer's", async () => {
    await lab.open(`<div id=a draggable=true>Card</div><div id=to aria-label=Target tabindex=0 style="height:80px">Drop</div>
      <div id=h style="cursor:grab;width:60px;height:30px">Handle</div><div id=zone tabindex=0 style="height:80px">Zone</div>
      <script>
        a.ondragstart = (event) => event.dataTransfer.setData("text", "card");
        to.ondragover = (event) => event.preventDefault();
        to.ondrop = (event) => { to.textContent = event.dataTransfer.getData("text") };
        h.onpointerdown = () => { onpointerup = (event) => { zone.textContent = String(document.elementFromPoint(event.clientX, event.clientY) === zone) } };
      </script>`);
    const drag = async (from: string, to: string) =>
      lab.execute({
        type: "drag",
        ...on((await lab.find(from)).id),
        onto: { id: (await lab.find(to)).id, selectors: [], frames: [] },
      });
    expect(await drag("Card", "Target")).toMatchObject({ success: true });
    expect(await lab.evaluate("to.textContent")).toBe("card");
    expect(await drag("Handle", "Zone")).toMatchObject({ success: true });
    expect(await lab.evaluate("zone.textContent")).toBe("true");
  });
});
