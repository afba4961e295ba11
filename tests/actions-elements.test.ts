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

const click = (selector: string): Promise<ActionResult> =>
  lab.execute({ type: "click", ...bySelector(selector) });

const clickId = (id: string): Promise<ActionResult> => lab.execute({ type: "click", ...on(id) });

const failureOf = ({ success, failure }: ActionResult) => {
  expect(success).toBe(false);
  return failure;
};

describe("an element is found", () => {
  test("by the id of an observation, wherever the page has moved it since", async () => {
    await lab.open(`<div id=a><button onclick="this.textContent='pressed'">One</button></div>
      <div id=b><button>Two</button></div>`);
    const { id } = await lab.find("One");
    await lab.evaluate(`document.querySelector("#b").append(document.querySelector("#a button"))`);
    const result = await clickId(id);
    expect(result).toMatchObject({ success: true, failure: null, elementId: id });
    expect(result.message).toBe(`Clicked ${id} (button "One").`);
    expect(await lab.evaluate(`document.querySelector("#b").textContent`)).toBe("Twopressed");
  });

  test("in an iframe of another site and in a shadow root", async () => {
    lab.serve("/inner", `<button onclick="this.textContent='in frame'">Framed</button>`);
    await lab.open(`<iframe src="${lab.otherUrl}/inner"></iframe><div id=host></div><script>
      const root = host.attachShadow({ mode: "open" });
      root.innerHTML = '<button>Shadowed</button>';
      root.querySelector("button").onclick = () => root.querySelector("button").textContent = "in shadow";
    </script>`);
    const { page } = await lab.browser.driver.activePage();
    await page.frameLocator("iframe").getByRole("button").waitFor();
    const framed = await clickId((await lab.find("Framed")).id);
    expect(framed.effects.changed).toBe(true);
    expect(await page.frameLocator("iframe").getByRole("button").textContent()).toBe("in frame");
    const shadowed = await clickId((await lab.find("Shadowed")).id);
    expect(shadowed.effects.changed).toBe(true);
    expect(await page.locator("#host button").textContent()).toBe("in shadow");
  });

  test.each([
    ["CSS", "#one"],
    ["XPath", "xpath=//button[1]"],
    ["Playwright's role", 'internal:role=button[name="One"i]'],
    ["a text", "~One"],
  ])("by %s", async (_kind, selector) => {
    await lab.open(`<button id=one onclick="document.title='pressed'">One</button>`);
    expect(await click(selector)).toMatchObject({ success: true });
    expect(await lab.evaluate("document.title")).toBe("pressed");
  });

  test("by the first selector that matches, when others match nothing or are none", async () => {
    await lab.open(`<button id=one onclick="document.title='pressed'">One</button>`);
    const { success } = await lab.execute({
      type: "click",
      ...bySelector("internal:role=nonsense[", "#none", "#one"),
    });
    expect(success).toBe(true);
  });

  test("as the first visible one of several, and says so", async () => {
    await lab.open(`<button style="display:none">A</button><button onclick="document.title='B'">B</button>
      <button onclick="document.title='C'">C</button>`);
    const result = await click("button");
    expect(result.message).toContain("button (the first visible of 3 matches)");
    expect(await lab.evaluate("document.title")).toBe("B");
  });

  test("by a selector within iframes", async () => {
    lab.serve("/inner", `<button onclick="this.textContent='pressed'">Framed</button>`);
    await lab.open(`<iframe id=f src="/inner"></iframe>`);
    const result = await lab.execute({
      type: "click",
      ...bySelector("button"),
      target: { id: null, selectors: ["button"], frames: ["#f"] },
    });
    expect(result).toMatchObject({ success: true, effects: { changed: true } });
  });

  test("by its selectors when its id is not known", async () => {
    await lab.open(`<button id=one>One</button>`);
    const target = { id: "B77", selectors: ["#one"], frames: [] };
    const result = await lab.execute({ type: "click", ...bySelector(), target });
    expect(result).toMatchObject({ success: true, message: expect.stringContaining("#one") });
  });
});

describe("an element is not found, and the answer says why:", () => {
  test("an id that no observation gave", async () => {
    await lab.open("<p>Nothing</p>");
    const failure = failureOf(await clickId("X1"));
    expect(failure?.kind).toBe("invalid_id");
    expect(failure?.message).toContain("Action with id 'X1' is invalid");
    expect(failure?.message).toContain("Observe the page");
  });

  test("one that is gone since the observation, at once and by its name", async () => {
    await lab.open(`<button>Save</button>`);
    const { id } = await lab.find("Save");
    await lab.evaluate(`document.querySelector("button").remove()`);
    const result = await lab.execute({ type: "click", ...on(id, 30_000) });
    expect(failureOf(result)?.kind).toBe("gone");
    expect(result.message).toContain(`${id} (button "Save") is gone since the observation`);
    expect(result.endedAt - result.startedAt).toBeLessThan(5000);
  });

  test("one that goes away while the action waits for it", async () => {
    await lab.open(`<button disabled>Save</button>`);
    const { id } = await lab.find("Save");
    await lab.evaluate(`setTimeout(() => document.querySelector("button").remove(), 300)`);
    const result = await lab.execute({ type: "click", ...on(id, 30_000) });
    expect(failureOf(result)?.kind).toBe("gone");
    expect(result.message).toContain(`${id} (button "Save") went away`);
  });

  test("one in another tab", async () => {
    await lab.open(`<button>First</button>`);
    const { id } = await lab.find("First");
    await lab.execute({ type: "goto_new_tab", url: "about:blank", dialog: null });
    const failure = failureOf(await clickId(id));
    expect(failure).toMatchObject({ kind: "other_tab" });
    expect(failure?.message).toContain("switch_tab with tab_index 0");
    await lab.execute({ type: "close_tab", dialog: null });
  });

  test("a selector that matches nothing, or is none", async () => {
    await lab.open("<p>Nothing</p>");
    const nothing = await lab.execute({ type: "click", ...bySelector("#none"), timeoutMs: 200 });
    expect(failureOf(nothing)?.kind).toBe("not_found");
    const invalid = failureOf(await click("div[["));
    expect(invalid?.kind).toBe("invalid_selector");
    expect(invalid?.message).toContain("div[[");
  });
});

describe("an element does not take the action, and the answer says why:", () => {
  test("covered by a dialog: by which, and what to press there", async () => {
    await lab.open(`<button>Buy</button>
      <div role=dialog aria-label="Cookies" style="position:fixed;inset:0;background:white">
      <button>Accept all</button></div>`);
    const { elements } = await lab.observe();
    const id = (name: string) => elements.find((element) => element.name === name)?.id ?? "";
    const failure = failureOf(await clickId(id("Buy")));
    expect(failure?.kind).toBe("covered");
    expect(failure?.message).toMatch(/covered by .*dialog.*Cookies/i);
    expect(failure?.message).toContain(`${id("Accept all")} (button "Accept all")`);
  });

  test("covered by something without a name", async () => {
    await lab.open(`<button id=b>Buy</button><div id=veil style="position:fixed;inset:0"></div>`);
    const failure = failureOf(await click("#b"));
    expect(failure?.kind).toBe("covered");
    expect(failure?.message).toContain("veil");
    expect(failure?.message).not.toMatch(/Call log|\[2m|Timeout/);
  });

  test.each([
    ["disabled", `<button id=b disabled>Buy</button>`],
    ["not_visible", `<button id=b style="visibility:hidden">Buy</button>`],
    ["outside", `<button id=b style="position:fixed;top:-500px">Buy</button>`],
  ])("%s", async (kind, html) => {
    await lab.open(html);
    const result = await lab.execute({ type: "click", ...bySelector("#b"), timeoutMs: 15_000 });
    expect(failureOf(result)?.kind).toBe(kind);
    expect(result.message).not.toMatch(/Call log|\[2m|Timeout \d+ms/);
    // The page is at rest, so the contract's 15 seconds would be waited in vain.
    expect(result.endedAt - result.startedAt).toBeLessThan(14_000);
  });

  test("unless it comes to take it in time", async () => {
    await lab.open(`<button id=b disabled onclick="document.title='pressed'">3</button><script>
      let left = 3;
      const timer = setInterval(() => {
        left -= 1; b.textContent = left; b.disabled = left > 0;
        if (left === 0) clearInterval(timer);
      }, 900);
    </script>`);
    expect(
      await lab.execute({ type: "click", ...bySelector("#b"), timeoutMs: 15_000 }),
    ).toMatchObject({
      success: true,
    });
    expect(await lab.evaluate("document.title")).toBe("pressed");
  });
});

describe("a click", () => {
  test("says how the control stands afterwards", async () => {
    await lab.open(`<input type=checkbox id=c>
      <button id=m aria-expanded=false onclick="this.setAttribute('aria-expanded', true)">Menu</button>
      <details><summary id=s>More</summary>text</details>`);
    expect((await click("#c")).message).toBe("Clicked #c. It is checked now.");
    expect((await click("#m")).message).toBe("Clicked #m. It is expanded now.");
    expect((await click("#s")).message).toBe("Clicked #s. It is expanded now.");
  });

  test("that changes nothing says so; one that changes an iframe, a shadow root or the focus does not", async () => {
    lab.serve("/inner", `<button onclick="this.textContent='pressed'">Framed</button>`);
    await lab.open(`<button id=b>Idle</button><input id=i><iframe src="/inner"></iframe>
      <div id=host></div><script>
      host.attachShadow({ mode: "open" }).innerHTML = '<button onclick="this.textContent=1">S</button>';
    </script>`);
    const idle = await click("#b");
    expect(idle).toMatchObject({ success: true, effects: { changed: false } });
    expect(idle.message).toBe("Clicked #b. Nothing on the page changed.");
    expect((await click("#i")).effects.changed).toBe(true);
    expect((await click("#host button")).effects.changed).toBe(true);
    const framed = await lab.execute({
      type: "click",
      ...bySelector(),
      target: { id: null, selectors: ["button"], frames: ["iframe"] },
    });
    expect(framed.effects.changed).toBe(true);
  });

  test("goes to the label of a control that it hides", async () => {
    await lab.open(`
      <label id=gone>Gone <input type=checkbox id=a style="display:none"></label>
      <label for=b>Beside</label><input type=checkbox id=b style="position:absolute;opacity:0">
      <label style="position:relative">Under
        <input type=radio id=c style="position:absolute;left:0">
        <i style="position:absolute;left:0;top:0;width:30px;height:30px;background:red"></i>
      </label>`);
    for (const selector of ["#a", "#b", "#c"]) {
      expect(await click(selector)).toMatchObject({ success: true });
      expect(await lab.evaluate(`document.querySelector("${selector}").checked`)).toBe(true);
    }
  });

  test("on a page that works on it for seconds is done once", async () => {
    await lab.open(`<button id=b onclick="
      const until = Date.now() + 3500; while (Date.now() < until);
      this.textContent = Number(this.textContent) + 1">0</button>`);
    expect(
      await lab.execute({ type: "click", ...bySelector("#b"), timeoutMs: 15_000 }),
    ).toMatchObject({
      success: true,
    });
    expect(await lab.evaluate(`document.querySelector("#b").textContent`)).toBe("1");
  });

  test("on an option of a choice chooses it", async () => {
    await lab.open(`<select id=s><option>A<option id=o>B</select>`);
    expect(await click("#o")).toMatchObject({ success: true, message: 'Chose "B".' });
    expect(await lab.evaluate(`document.querySelector("#s").value`)).toBe("B");
  });

  test("can press Enter afterwards", async () => {
    await lab.open(`<input id=i onkeydown="document.title = event.key">`);
    const result = await lab.execute({ type: "click", ...bySelector("#i"), pressEnter: true });
    expect(result.success).toBe(true);
    expect(await lab.evaluate("document.title")).toBe("Enter");
  });
});

describe("check", () => {
  const check = (selector: string, value: boolean) =>
    lab.execute({ type: "check", ...bySelector(selector), value });

  test("sets checkboxes, radio buttons, switches and ARIA checkboxes, and leaves what is right", async () => {
    const toggles = `onclick="this.setAttribute('aria-checked', this.getAttribute('aria-checked') !== 'true')"`;
    await lab.open(`<input type=checkbox id=a><input type=radio id=b>
      <button role=switch aria-checked=false id=c ${toggles}>C</button>
      <div role=checkbox aria-checked=true tabindex=0 id=d ${toggles}>D</div>`);
    expect((await check("#a", true)).message).toBe("#a is checked now.");
    expect((await check("#a", true)).message).toBe("#a was checked already.");
    expect((await check("#a", false)).message).toBe("#a is not checked now.");
    expect((await check("#b", true)).success).toBe(true);
    expect((await check("#c", true)).message).toBe("#c is checked now.");
    expect((await check("#d", false)).message).toBe("#d is not checked now.");
  });

  test("waits for a switch that asks its server first", async () => {
    await lab.open(`<button role=switch aria-checked=false id=c
      onclick="fetch('/').then(() => this.setAttribute('aria-checked', true))">C</button>`);
    expect((await check("#c", true)).success).toBe(true);
  });

  test("fails on what cannot be checked, and on a radio button that is to be unchecked", async () => {
    await lab.open(`<a id=l href="#">Link</a><input type=radio id=r checked>`);
    expect(failureOf(await check("#l", true))).toMatchObject({
      kind: "wrong_kind",
      message: expect.stringContaining("Click it instead"),
    });
    expect(failureOf(await check("#r", false))).toMatchObject({
      kind: "no_effect",
      message: expect.stringContaining("choosing another one"),
    });
  });
});

test("a drag takes one thing onto another, step by step", async () => {
  await lab.open(`<div id=card draggable=true>Card</div><div id=lane style="height:200px">Lane</div><script>
    card.ondragstart = (event) => event.dataTransfer.setData("text/plain", "card");
    lane.ondragover = (event) => event.preventDefault();
    lane.ondrop = (event) => { event.preventDefault(); lane.append(card); };
  </script>`);
  const result = await lab.execute({
    type: "drag",
    ...bySelector("#card"),
    onto: { id: null, selectors: ["#lane"], frames: [] },
  });
  expect(result).toMatchObject({ success: true, effects: { changed: true } });
  expect(await lab.evaluate(`document.querySelector("#lane > #card") !== null`)).toBe(true);
});
