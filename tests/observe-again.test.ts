import { afterAll, beforeAll, expect, test } from "vitest";
import type { Observation } from "../src/pages/observe/observation.ts";
import { Perception } from "../src/pages/observe/perception.ts";
import { PageLab } from "./support/page-lab.ts";

let lab: PageLab;

beforeAll(async () => {
  lab = await PageLab.start();
}, 60_000);

afterAll(() => lab.dispose());

/** All that an observation says of the page, but for the ids, which each perception counts by itself. */
function said({ elements, viewport, layers, title, url, text, description }: Observation) {
  const withoutIds = (written: string) => written.replace(/\b[A-Z]\d+\b/g, "ID");
  return {
    title,
    url,
    viewport,
    layers,
    text: withoutIds(text),
    description: withoutIds(description),
    elements: elements.map((element) => ({
      ...element,
      id: null,
      selectors: element.selectors,
      href: element.href,
      limits: element.limits,
    })),
  };
}

/** What may happen to a page between two looks: what an observation says must not depend on earlier ones. */
const happenings: readonly (readonly [name: string, script: string])[] = [
  ["nothing", "0"],
  [
    "something begins to listen",
    `globalThis.listen = () => {}; document.querySelector("p").addEventListener("click", listen)`,
  ],
  ["it goes on", "0"],
  ["it listens no more", `document.querySelector("p").removeEventListener("click", listen)`],
  [
    "a row is put before all others",
    `list.insertAdjacentHTML("afterbegin", "<li><button>New</button>")`,
  ],
  ["a row goes", `list.children[2].remove()`],
  ["rows change places", `list.append(list.firstElementChild)`],
  ["a name changes", `list.querySelector("button").textContent = "Renamed"`],
  ["a text changes", `document.querySelector("p").textContent = "Other words"`],
  ["something is typed", `document.querySelector("input").value = "Ada"`],
  ["the page is scrolled", `scrollTo(0, 300)`],
  ["a box is scrolled", `box.scrollTo(0, 80)`],
  ["a dialog opens", `dialog.showModal()`],
  ["it closes", `dialog.close()`],
  ["an id that selectors begin with changes", `list.id = "other"`],
  [
    "what links are relative to changes",
    `document.head.insertAdjacentHTML("beforeend", "<base href='/elsewhere/'>")`,
  ],
  [
    "a control in a shadow root is switched off",
    `host.shadowRoot.querySelector("button").disabled = true`,
  ],
  ["the frame moves", `frame.style.marginTop = "40px"`],
  [
    "what is in the frame changes",
    `frame.contentDocument.querySelector("a").textContent = "Further"`,
  ],
  ["something covers the page", `cover.style.display = "block"`],
  [
    "all is written anew",
    `document.body.innerHTML = document.body.innerHTML;
     new Promise((resolve) => document.querySelector("#frame").addEventListener("load", resolve, { once: true })).then(() => 0)`,
  ],
];

test("looking again finds what looking for the first time does, whatever happened meanwhile", async () => {
  lab.serve("/framed", "<!doctype html><a href='/in'>In the frame</a><button>Framed</button>");
  await lab.open(`<!doctype html><title>Again</title><body style="height:3000px">
    <p>Some words</p><label>Name <input></label><a href="next">Next</a>
    <ul id=list>${Array.from({ length: 12 }, (_, row) => `<li>Row ${row} <button>Open</button>`).join("")}</ul>
    <div id=box style="height:60px;overflow:auto">${"<p><button>Boxed</button>".repeat(8)}</div>
    <div id=host></div><iframe id=frame src="/framed" style="height:80px"></iframe>
    <dialog id=dialog><button>Close</button></dialog>
    <div id=cover style="display:none;position:fixed;inset:0;background:#fff">Wait</div>
    <script>
      host.attachShadow({ mode: "open" }).innerHTML = "<button>Shadowed</button>";
    </script>`);
  const { page } = await lab.browser.driver.activePage();
  await page.frameLocator("#frame").getByText("Framed").waitFor();
  const remembering = new Perception();
  const look = (perception: Perception) => {
    lab.perception = perception;
    return lab.observe({ perceptionType: "deep" });
  };
  const first = await look(remembering);
  expect(first.elements.length).toBeGreaterThan(20);
  for (const [name, script] of happenings) {
    await page.evaluate(script);
    const again = said(await look(remembering));
    // Once more, so that the page, too, has nothing to compare with that this one knows.
    const anew = said(await look(new Perception()));
    expect(again, name).toEqual(anew);
    expect(said(await look(remembering)), `${name}, looked at twice`).toEqual(anew);
  }
});

test("elements that stay as they are need not be made again", async () => {
  await lab.open(`<a href="/one">One</a><a href="/two">Two</a><p>Words</p>`);
  lab.perception = new Perception();
  const before = await lab.observe();
  await lab.evaluate(`document.querySelector("a:last-of-type").textContent = "Three"`);
  const after = await lab.observe();
  expect(after.elements.map(({ name }) => name)).toEqual(["One", "Three"]);
  expect(after.elements[0]).toBe(before.elements[0]);
  expect(after.elements[1]?.id).toBe(before.elements[1]?.id);
  expect(after.changes?.changed).toEqual([
    { id: after.elements[1]?.id, what: `was "Two", is "Three"` },
  ]);
});

test("the selectors of a page of many frames hold in each of them", async () => {
  const frames = Array.from(
    { length: 60 },
    (_, index) => `<iframe srcdoc="<button>In ${index}</button>"></iframe>`,
  );
  await lab.open(`<button>Outside</button>${frames.join("")}`);
  const { page } = await lab.browser.driver.activePage();
  await page.frameLocator("iframe:last-of-type").getByText("In 59").waitFor();
  lab.perception = new Perception();
  for (let look = 0; look < 2; look += 1) {
    const { elements } = await lab.observe();
    expect(elements).toHaveLength(61);
    expect(new Set(elements.map(({ selectors }) => selectors.css))).toEqual(
      new Set(["html > body > button"]),
    );
    expect(new Set(elements.map(({ selectors }) => selectors.frames.join(" "))).size).toBe(61);
  }
});
