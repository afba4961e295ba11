import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import type { ActionResult } from "../src/pages/actions/action.ts";
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

const select = (selector: string, value: string): Promise<ActionResult> =>
  lab.execute({ type: "select_dropdown_option", ...bySelector(selector), value });

describe("a native choice", () => {
  const countries = `<select id=s onchange="document.title = this.value">
    <option value="">Choose…</option><option value=CH>Switzerland</option>
    <option value=CI>Côte d'Ivoire</option><option value=FR disabled>France</option>
    <optgroup label=Islands disabled><option value=IS>Iceland</optgroup></select>`;

  test.each([
    ["its text", "Switzerland", "CH"],
    ["its value", "CH", "CH"],
    ["its text, however written", "  switzerland ", "CH"],
    ["its text without accents", "cote d ivoire", "CI"],
    ["the beginning of its text", "Switz", "CH"],
  ])("takes an option by %s", async (_way, wanted, value) => {
    await lab.open(countries);
    expect((await select("#s", wanted)).success).toBe(true);
    expect(await lab.evaluate("document.title")).toBe(value);
  });

  test("says which option it chose", async () => {
    await lab.open(countries);
    expect((await select("#s", "CH")).message).toBe('Chose "Switzerland" in #s.');
  });

  test("names its options, the closest first, when it has none of that name", async () => {
    await lab.open(countries);
    const { failure } = await select("#s", "Swizerland");
    expect(failure?.kind).toBe("no_such_option");
    expect(failure?.message).toMatch(/no option "Swizerland"\. It has: "Switzerland", /);
  });

  test.each(["France", "Iceland"])("refuses an option that is disabled: %s", async (option) => {
    await lab.open(countries);
    const { failure } = await select("#s", option);
    expect(failure).toMatchObject({ kind: "disabled", message: expect.stringContaining(option) });
  });

  test("keeps what was chosen before where several can be", async () => {
    await lab.open(`<select id=s multiple><option>A<option selected>B<option>C</select>`);
    expect((await select("#s", "C")).message).toContain('"C" beside 1 chosen before');
    const chosen = `[...document.querySelector("#s").selectedOptions].map(({ text }) => text).join()`;
    expect(await lab.evaluate(chosen)).toBe("B,C");
  });

  test("is disabled, and says so", async () => {
    await lab.open(`<select id=s disabled><option>A</select>`);
    const result = await lab.execute({
      type: "select_dropdown_option",
      ...bySelector("#s"),
      value: "A",
      timeoutMs: 500,
    });
    expect(result.failure?.kind).toBe("disabled");
  });

  test("takes the very option whose selector is given, whatever the value says", async () => {
    await lab.open(countries);
    expect((await select("option >> nth=1", "O3")).success).toBe(true);
    expect(await lab.evaluate("document.title")).toBe("CH");
  });
});

describe("a list that a page made itself", () => {
  const openList = `list.hidden = false; box.setAttribute('aria-expanded', true)`;
  const combobox = `
    <select><option>Native</option></select>
    <button id=box role=combobox aria-label=Colour aria-expanded=false aria-controls=list onclick="${openList}">Colour</button>
    <ul id=list role=listbox hidden>
      <li role=option>Red</li><li role=option aria-disabled=true>Grey</li><li role=option>Blue</li>
    </ul>
    <script>
      list.onclick = (event) => { box.textContent = event.target.textContent; list.hidden = true; };
    </script>`;

  test("is opened, and the option pressed", async () => {
    await lab.open(combobox);
    const { id } = await lab.find("Colour");
    const result = await lab.execute({ type: "select_dropdown_option", ...on(id), value: "blue" });
    expect(result.message).toBe(`Chose "Blue" in ${id} (combobox "Colour").`);
    expect(await lab.evaluate("box.textContent")).toBe("Blue");
  });

  test("names its own options, not those of others, when it has none of that name", async () => {
    await lab.open(combobox);
    const { failure } = await select("#box", "Native");
    expect(failure?.kind).toBe("no_such_option");
    expect(failure?.message).toContain('It has: "Red", "Grey", "Blue".');
    expect((await select("#box", "Grey")).failure?.kind).toBe("disabled");
  });

  test("that comes later, elsewhere on the page and in an iframe is waited for", async () => {
    lab.serve(
      "/inner",
      `<div id=box role=combobox tabindex=0 onclick="setTimeout(() => document.body.insertAdjacentHTML('beforeend',
        '<div role=listbox><div role=option onclick=&quot;box.textContent=1&quot;>One</div></div>'), 200)">Pick</div>`,
    );
    await lab.open(`<div role=option>Not this</div><iframe src="/inner"></iframe>`);
    const result = await lab.execute({
      type: "select_dropdown_option",
      ...bySelector(),
      target: { id: null, selectors: ["#box"], frames: ["iframe"] },
      value: "One",
    });
    expect(result.success).toBe(true);
    const { page } = await lab.browser.driver.activePage();
    expect(await page.frameLocator("iframe").locator("#box").textContent()).toBe("1");
  });

  test("is narrowed by typing where that is how it finds its options", async () => {
    await lab.open(`<input id=box role=combobox aria-controls=list aria-expanded=false onclick="show()" oninput="show()">
      <ul id=list role=listbox></ul><script>
      const all = ["Amsterdam", "Berlin", "Bern", "Zürich"];
      const show = () => {
        const found = all.filter((city) => box.value && city.startsWith(box.value));
        list.replaceChildren(...(found.length ? found : ["Amsterdam"]).map((city) => {
          const option = document.createElement("li");
          option.role = "option"; option.textContent = city;
          option.onclick = () => { box.value = city; list.replaceChildren(); };
          return option;
        }));
      };</script>`);
    expect((await select("#box", "Bern")).success).toBe(true);
    expect(await lab.evaluate("box.value")).toBe("Bern");
  });

  test("is the list itself, where that is the target", async () => {
    await lab.open(
      `<ul id=list role=listbox><li role=option onclick="document.title='A'">A</li></ul>`,
    );
    expect((await select("#list", "A")).success).toBe(true);
    expect(await lab.evaluate("document.title")).toBe("A");
  });

  test("takes the very option whose id is given", async () => {
    await lab.open(
      `<ul role=listbox aria-label=L><li role=option tabindex=0 onclick="document.title='A'">A</li></ul>`,
    );
    const { id } = await lab.find("A");
    expect(id).toMatch(/^O/);
    const result = await lab.execute({ type: "select_dropdown_option", ...on(id), value: id });
    expect(result.success).toBe(true);
    expect(await lab.evaluate("document.title")).toBe("A");
  });

  test("that never opens is no choice, and what to do instead is said", async () => {
    await lab.open(`<button id=b>Idle</button>`);
    const { failure } = await select("#b", "A");
    expect(failure?.kind).toBe("wrong_kind");
    expect(failure?.message).toContain("Click it, observe the page");
  });
});
