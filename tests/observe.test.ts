import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { Perception } from "../src/pages/observe/perception.ts";
import { PageLab } from "./support/page-lab.ts";

let lab: PageLab;

beforeAll(async () => {
  lab = await PageLab.start();
}, 60_000);

afterAll(() => lab.dispose());

beforeEach(() => {
  lab.perception = new Perception();
});

/** What an observation lists: `role name`, in order. */
async function listed(): Promise<readonly string[]> {
  const { elements } = await lab.observe();
  return elements.map(({ role, name }) => `${role} ${name}`);
}

describe("an observation lists", () => {
  test("every native control once, by its role and accessible name", async () => {
    await lab.open(`
      <a href="/x">Link</a><button>Button</button><input type=submit>
      <label>Text <input></label><label for=mail>Mail</label><input id=mail type=email>
      <input type=search aria-label=Search><input type=number title=Number>
      <input type=range aria-label=Range><input type=date aria-label=Date>
      <input type=color aria-label=Colour><input type=file aria-label=File>
      <label><input type=checkbox> Check</label><label><input type=radio> Radio</label>
      <select aria-label=Select><optgroup label=G><option>A<option>B</optgroup></select>
      <textarea placeholder=Area></textarea>
      <details><summary>Summary</summary><button>Inside</button></details>
      <canvas aria-label=Canvas></canvas><video controls aria-label=Video></video>
      <div contenteditable aria-label=Editor>text</div>`);
    expect(await listed()).toEqual([
      "link Link",
      "button Button",
      "button Submit",
      "textbox Text",
      "textbox Mail",
      "searchbox Search",
      "spinbutton Number",
      "slider Range",
      "date Date",
      "color Colour",
      "file File",
      "checkbox Check",
      "radio Radio",
      "combobox Select",
      "textbox Area",
      "button Summary",
      "canvas Canvas",
      "video Video",
      "textbox Editor",
    ]);
  });

  test("what only listens, on each of several sites that a tab goes to", async () => {
    // Each site has a process of its own, which counts its contexts from 1 again.
    lab.serve(
      "/listens",
      `<div id=listens>Listener</div>
       <script>listens.addEventListener("click", () => {})</script>`,
    );
    const found: (readonly string[])[] = [];
    const { page } = await lab.browser.driver.activePage();
    for (const url of [lab.site.url, lab.otherUrl, lab.site.url, lab.otherUrl]) {
      await page.goto(`${url}/listens`);
      found.push(await listed());
    }
    expect(found).toEqual(Array.from({ length: 4 }, () => ["generic Listener"]));
  });

  test("custom widgets: ARIA roles, listeners, pointers, drag handles, focusable boxes", async () => {
    await lab.open(`
      <div role=button>Role</div><div role=switch aria-checked=true>Switch</div>
      <div role=tab>Tab</div><div role=slider aria-valuenow=5 aria-label=Slider>x</div>
      <div tabindex=0>Focusable</div><div onclick="1">Attribute</div>
      <div style="cursor:pointer">Pointer</div><div id=listens>Listener</div>
      <div draggable=true>Card</div><div tabindex=-1>Not by Tab</div>
      <script>listens.addEventListener("click", () => {})</script>`);
    expect(await listed()).toEqual([
      "button Role",
      "switch Switch",
      "tab Tab",
      "slider Slider",
      "generic Focusable",
      "generic Attribute",
      "generic Pointer",
      "generic Listener",
      "generic Card",
    ]);
  });

  test("nothing that a person cannot operate", async () => {
    await lab.open(`
      <button hidden>a</button><button style="display:none">b</button>
      <button style="visibility:hidden">c</button><div inert><button>d</button></div>
      <details><summary>Open</summary><button>e</button></details>
      <input type=hidden><div popover><button>f</button></div><dialog><button>g</button></dialog>
      <button style="width:0;height:0;padding:0;border:0;overflow:hidden"></button>
      <template><button>h</button></template><button aria-hidden=true>Seen</button>`);
    expect(await listed()).toEqual(["button Open", "button Seen"]);
  });

  test("a wrapper of one control, a delegating container and a label not as things of their own", async () => {
    await lab.open(`
      <div style="cursor:pointer"><button>Only</button></div>
      <ul id=list><li><a href="/1">One</a><li><a href="/2">Two</a></ul>
      <label style="cursor:pointer">Name <input></label>
      <script>list.addEventListener("click", () => {}); document.body.addEventListener("click", () => {})</script>`);
    expect(await listed()).toEqual(["button Only", "link One", "link Two", "textbox Name"]);
  });

  test("a clickable card and the controls in it, each as itself", async () => {
    await lab.open(
      `<div style="cursor:pointer" onclick="1"><h3>Lamp</h3><p>Bright.</p><button>Buy</button></div>`,
    );
    expect(await listed()).toEqual(["generic Lamp Bright.", "button Buy"]);
  });

  test("a control that hides behind its styled label, where the label is", async () => {
    await lab.open(`
      <input type=checkbox id=terms style="display:none"><label for=terms>Terms</label>
      <label><input type=radio style="opacity:0;position:absolute">Visa</label>`);
    expect(await listed()).toEqual(["checkbox Terms", "radio Visa"]);
    expect((await lab.find("Terms")).box.width).toBeGreaterThan(10);
  });

  test("what is in open shadow roots and slots", async () => {
    await lab.open(`
      <my-card><button>Slotted</button></my-card>
      <script>
        const root = document.querySelector("my-card").attachShadow({ mode: "open" });
        root.innerHTML = "<button>Before</button><slot></slot><my-inner></my-inner>";
        root.querySelector("my-inner").attachShadow({ mode: "open" }).innerHTML = "<button>Deep</button>";
      </script>`);
    expect(await listed()).toEqual(["button Before", "button Slotted", "button Deep"]);
    const deep = await lab.find("Deep");
    expect(deep.selectors.inShadowRoot).toBe(true);
    const { page } = await lab.browser.driver.activePage();
    expect(await page.locator(deep.selectors.playwright ?? "").textContent()).toBe("Deep");
  });

  test("what is in iframes of the same and of another site, nested ones too, at its place", async () => {
    lab.serve("/inner", "<!doctype html><button>Inner</button>");
    lab.serve(
      "/outer",
      `<!doctype html><button>Outer</button><iframe src="${lab.otherUrl}/inner"></iframe>`,
    );
    await lab.open(`
      <button>Top</button><iframe name=same src="/outer" style="margin-left:100px"></iframe>
      <iframe src="${lab.otherUrl}/inner" style="display:none"></iframe><button>End</button>`);
    expect(await listed()).toEqual(["button Top", "button Outer", "button Inner", "button End"]);
    const inner = await lab.find("Inner");
    expect(inner.selectors.frames).toHaveLength(2);
    expect(inner.frameKeys).toHaveLength(2);
    expect(inner.box.x).toBeGreaterThan(100);
  });

  test("state and value of each control, with passwords masked everywhere", async () => {
    await lab.open(`
      <input aria-label=Name value=Ada required><input type=password aria-label=Secret value=hunter22>
      <input type=checkbox aria-label=On checked><button disabled>Off</button>
      <fieldset disabled><button>Within</button></fieldset>
      <button aria-expanded=false aria-haspopup=menu>Menu</button>
      <a href="/" aria-current=page>Here</a><input aria-label=Fixed value=1 readonly>
      <input aria-label=Wrong aria-invalid=true aria-errormessage=e><span id=e>Too short</span>
      <select aria-label=Pick><option>One<option selected>Two</select>`);
    const observation = await lab.observe();
    const by = new Map(observation.elements.map((element) => [element.name, element]));
    expect(by.get("Name")).toMatchObject({ value: "Ada", state: { required: true } });
    expect(by.get("On")?.state).toEqual({ checked: true });
    expect(by.get("Off")?.state).toEqual({ disabled: true });
    expect(by.get("Within")?.state).toEqual({ disabled: true });
    expect(by.get("Menu")?.state).toEqual({ expanded: false, popup: "menu" });
    expect(by.get("Here")?.state).toEqual({ current: "page" });
    expect(by.get("Fixed")).toMatchObject({ isEditable: false, state: { readonly: true } });
    expect(by.get("Wrong")?.state).toEqual({ invalid: "Too short" });
    expect(by.get("Pick")).toMatchObject({
      value: "Two",
      options: [
        { text: "One", value: "One", selected: false, disabled: false },
        { text: "Two", value: "Two", selected: true, disabled: false },
      ],
    });
    expect(by.get("Secret")).toMatchObject({ isSecret: true, value: "••••••••" });
    expect(JSON.stringify(observation)).not.toContain("hunter22");
  });

  test("what tells elements of one name apart", async () => {
    await lab.open(`<table>
      <tr><td>Ada Lovelace<td><button>Edit</button><tr><td>Alan Turing<td><button>Edit</button></table>`);
    const { elements } = await lab.observe();
    expect(elements.map(({ context }) => context)).toEqual(["Ada Lovelace", "Alan Turing"]);
  });

  test("where things are, and what covers them", async () => {
    await lab.open(`
      <button>Covered</button><div style="height:3000px"></div><button>Below</button>
      <div role=dialog aria-label=Cookies style="position:fixed;inset:0;background:#fff"><button>Accept</button></div>`);
    const observation = await lab.observe();
    const by = new Map(observation.elements.map((element) => [element.name, element]));
    expect(by.get("Covered")?.coveredBy).toBe('the dialog "Cookies"');
    expect(by.get("Below")?.place).toBe("below");
    expect(by.get("Accept")).toMatchObject({ coveredBy: null, layer: 1 });
    expect(observation.text.indexOf("Accept")).toBeLessThan(observation.text.indexOf("Covered"));
    expect(observation.category).toBe("manage-cookies");
  });

  test("what a modal dialog blocks as covered by it", async () => {
    await lab.open(`<button>Behind</button><dialog id=d aria-label=Sure><button>Yes</button></dialog>
      <script>d.showModal()</script>`);
    const { elements } = await lab.observe();
    const by = new Map(elements.map((element) => [element.name, element.coveredBy]));
    expect(by).toEqual(
      new Map([
        ["Behind", 'the dialog "Sure"'],
        ["Yes", null],
      ]),
    );
  });

  test("what is scrolled out of a box as clipped, and notes that the box scrolls", async () => {
    await lab.open(
      `<div style="height:100px;overflow:auto"><div style="height:500px">x</div><button>Far</button></div>`,
    );
    const observation = await lab.observe();
    expect(observation.elements.map(({ place }) => place)).toEqual(["clipped"]);
    expect(observation.text).toMatch(/scrolls: \d+ px below/);
  });
});

describe("ids", () => {
  const rows = (names: readonly string[]) =>
    `<ul id=list>${names.map((name) => `<li><button>${name}</button></li>`).join("")}</ul>`;

  test("stay with their elements when the page moves them, and never pass to others", async () => {
    await lab.open(rows(["A", "B", "C"]));
    const before = await lab.observe();
    const idOf = new Map(before.elements.map(({ name, id }) => [name, id]));
    await lab.evaluate(`{
      const [a, b, c] = list.children;
      list.prepend(c); b.remove();
      const li = document.createElement("li"); li.innerHTML = "<button>D</button>";
      a.before(li);
      const wrapper = document.createElement("section"); document.body.append(wrapper); wrapper.append(list);
    }`);
    const after = await lab.observe();
    const now = new Map(after.elements.map(({ name, id }) => [name, id]));
    expect([...now.keys()]).toEqual(["C", "D", "A"]);
    expect(now.get("A")).toBe(idOf.get("A"));
    expect(now.get("C")).toBe(idOf.get("C"));
    expect([...idOf.values()]).not.toContain(now.get("D"));
    expect(after.changes).toMatchObject({
      added: [now.get("D")],
      gone: [{ id: idOf.get("B"), role: "button", name: "B" }],
    });
  });

  test("are new after a navigation and in another tab", async () => {
    await lab.open(rows(["A"]));
    const [first] = (await lab.observe()).elements;
    await lab.open(rows(["A"]), "/second");
    const second = await lab.observe();
    expect(second.elements[0]?.id).not.toBe(first?.id);
    expect(second.changes).toBeNull();
    const { driver } = lab.browser;
    const page = await driver.context.newPage();
    await page.goto(`${lab.site.url}/second`);
    await driver.activate(page);
    const third = await lab.observe();
    expect([first?.id, second.elements[0]?.id]).not.toContain(third.elements[0]?.id);
    expect(third.tabs.map(({ isActive }) => isActive)).toEqual([false, true]);
    await page.close();
  });

  test("have the contract's letters", async () => {
    await lab.open(
      `<a href="/">L</a><button>B</button><input aria-label=I><div onclick="1">M</div><div role=option>O</div>`,
    );
    const { elements } = await lab.observe();
    expect(elements.map(({ id }) => id)).toEqual(["L1", "B1", "I1", "M1", "O1"]);
  });

  test("tell what changed on an element", async () => {
    await lab.open(`<input aria-label=Name><button>Go</button>`);
    await lab.observe();
    await lab.evaluate(
      `document.querySelector("input").value = "x"; document.querySelector("button").disabled = true`,
    );
    expect((await lab.observe()).changes?.changed).toEqual([
      { id: "I1", what: 'holds "x" now' },
      { id: "B1", what: "now disabled" },
    ]);
  });
});

describe("selectors", () => {
  test("lead to the element that they were written for", async () => {
    await lab.open(`
      <main id=app><section><div><button>One</button><button>Two</button></div></section></main>
      <form><input name=q aria-label=Query><input data-testid=t aria-label=Test></form>
      <div><button>Same</button></div><div><button>Same</button></div><button>It's "quoted"</button>`);
    const { elements } = await lab.observe();
    expect(elements).toHaveLength(7);
    const { page } = await lab.browser.driver.activePage();
    for (const { key, selectors, name } of elements) {
      const exact = page.locator(`nightjar=${key}`);
      for (const selector of [selectors.playwright, selectors.css, `xpath=${selectors.xpath}`]) {
        const found = page.locator(selector ?? "");
        expect(await found.count(), `${selector} for ${name}`).toBe(1);
        expect(await found.evaluate((a, b) => a === b, await exact.elementHandle())).toBe(true);
      }
    }
  });
});

describe("the text", () => {
  const long = Array.from(
    { length: 300 },
    (_, index) => `<p>Paragraph ${index} says something.</p><button>Button ${index}</button>`,
  ).join("");

  test("keeps to its budget, shows the viewport first and says what it leaves out", async () => {
    await lab.open(`<h1>Title</h1>${long}`);
    const usual = await lab.observe();
    expect(usual.text.length).toBeLessThanOrEqual(400 * 4);
    expect(usual.text).toMatch(/^B1 Button 0$/m);
    expect(usual.text).toMatch(/not shown: .*controls.* below/);
    const small = await lab.observe({ tokenBudget: 100 });
    expect(small.text.length).toBeLessThanOrEqual(100 * 4);
    const whole = await lab.observe({ tokenBudget: 100_000 });
    expect(whole.text).toMatch(/^B300 Button 299$/m);
    expect(whole.elements).toHaveLength(300);
  });

  test("lists as many actions as asked, those in view first", async () => {
    await lab.open(long);
    const few = await lab.observe({ maxElements: 5 });
    expect(few.elements.map(({ name }) => name)).toEqual([
      "Button 0",
      "Button 1",
      "Button 2",
      "Button 3",
      "Button 4",
    ]);
    expect((await lab.observe({ maxElements: 5, minElements: 7 })).elements).toHaveLength(7);
  });

  test("with instructions lists what has to do with them, and everything where nothing has", async () => {
    await lab.open(
      `<button>Sign in</button><input aria-label="Search flights"><button>Find flights</button>`,
    );
    const found = await lab.observe({ instructions: "search for a flight" });
    expect(found.elements.map(({ name }) => name)).toEqual(["Search flights", "Find flights"]);
    expect((await lab.observe({ instructions: "zebra" })).elements).toHaveLength(3);
  });
});

describe("an observation of", () => {
  test("an empty page is empty", async () => {
    const { page } = await lab.browser.driver.activePage();
    await page.goto("about:blank");
    expect(await lab.observe()).toMatchObject({ url: "about:blank", elements: [], category: null });
  });

  test("a page that navigates meanwhile is one of the page that it ends at", async () => {
    lab.serve("/end", "<!doctype html><title>End</title><button>There</button>");
    await lab.open(`<script>location.href = "/end"</script>`, "/start");
    const { page } = await lab.browser.driver.activePage();
    await page.waitForURL("**/end");
    expect((await lab.observe()).elements.map(({ name }) => name)).toEqual(["There"]);
  });

  test("a page of 50,000 elements, nested 2,000 deep, is bounded and says so", async () => {
    await lab.open(`<div id=host></div><script>
      let at = host; for (let i = 0; i < 2000; i++) { const div = document.createElement("div"); at.append(div); at = div; }
      at.innerHTML = "<button>Deep</button>";
      host.insertAdjacentHTML("afterend", "<button>x</button>".repeat(50000));
    </script>`);
    const observation = await lab.observe();
    expect(observation.elements.length).toBeGreaterThan(3000);
    expect(observation.isTruncated).toBe(true);
    expect(observation.elements.some(({ name }) => name === "Deep")).toBe(true);
  });
});
