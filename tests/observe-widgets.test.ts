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

async function listed(): Promise<readonly string[]> {
  const { elements } = await lab.observe();
  return elements.map(({ role, name }) => `${role} ${name}`);
}

describe("each once:", () => {
  test("a label that points like a hand is its control, wherever that is", async () => {
    await lab.open(`
      <style>label { cursor: pointer }</style>
      <label for=a>First</label><p>between</p><input id=a>
      <label><input type=checkbox> Second <b>bold</b></label>
      <label><span>Third</span><input type=checkbox style="position:absolute;left:-9999px"></label>
      <input type=file id=f style="visibility:hidden;position:absolute"><label for=f tabindex=0 role=button>Fourth</label>
      <label for=s>Fifth</label><input type=radio id=s style="position:absolute;clip:rect(0 0 0 0);width:1px;height:1px">`);
    expect([...(await listed())].sort()).toEqual([
      "checkbox Second bold",
      "checkbox Third",
      "file Fourth",
      "radio Fifth",
      "textbox First",
    ]);
    const { elements } = await lab.observe();
    for (const name of ["Third", "Fourth", "Fifth"]) {
      const found = elements.find((element) => element.name === name);
      expect([name, found?.place, found?.coveredBy]).toEqual([name, "viewport", null]);
    }
  });

  test("things that only point, inside a box whose listener is for all of them", async () => {
    await lab.open(`
      <style>.item { cursor: pointer; width: 200px }</style>
      <div id=root><ul id=list><li class=item>Apples<li class=item>Pears</ul>
        <div class=item>Alone</div></div>
      <script>
        for (const id of ["root", "list"]) document.getElementById(id).addEventListener("click", () => {});
      </script>`);
    expect(await listed()).toEqual(["listitem Apples", "listitem Pears", "generic Alone"]);
  });

  test("a card that listens without a hand, and what is in it", async () => {
    await lab.open(`
      <div id=card style="width:300px"><h3>Lamp</h3><p>Bright.</p><button>Buy</button></div>
      <script>card.addEventListener("click", () => {})</script>`);
    expect(await listed()).toEqual(["generic Lamp Bright.", "button Buy"]);
  });

  test("a link or button whose inside listens for it; a smaller part that does something else", async () => {
    await lab.open(`
      <a href="/x"><span id=whole>All of it</span></a>
      <div role=tab style="width:300px">Tab <span id=close>x</span></div>
      <script>for (const it of [whole, document.getElementById("close")]) it.addEventListener("click", () => {})</script>`);
    expect(await listed()).toEqual(["link All of it", "tab Tab x", "generic x"]);
  });

  test("the input in a wrapper with an older combobox pattern, a list item around its link", async () => {
    await lab.open(`
      <div role=combobox aria-expanded=false><input aria-label=City><button aria-label=Open></button></div>
      <ul role=menubar><li role=menuitem><a href="/a">File</a></li></ul>
      <div role=listbox tabindex=-1 aria-label=Sizes><div role=option>S</div><div role=option>M</div></div>
      <div role=listbox tabindex=0 aria-label=Colours><div role=option>Red</div></div>`);
    expect(await listed()).toEqual([
      "textbox City",
      "button Open",
      "link File",
      "option S",
      "option M",
      "listbox Colours",
      "option Red",
    ]);
  });

  test("areas of an image map where they are drawn", async () => {
    await lab.open(`
      <img usemap="#m" src="data:image/gif;base64,R0lGODlhAQABAAAAACw=" width=200 height=100 alt=Map>
      <map name=m><area href="/north" alt=North shape=rect coords="0,0,100,50">
      <area href="/south" alt=South shape=circle coords="150,75,20"></map>`);
    const { elements } = await lab.observe();
    expect(elements.map(({ role, name, coveredBy }) => [role, name, coveredBy])).toEqual([
      ["link", "North", null],
      ["link", "South", null],
    ]);
    expect(elements[0]?.box).toMatchObject({ width: 100, height: 50 });
  });

  test("links and shapes in drawings, details without a summary, frames of a frameset's kind", async () => {
    await lab.open(`
      <svg width=100 height=100><a href="/s"><text y=20>Drawn</text></a>
        <circle id=dot r=20 cx=50 cy=60 /></svg>
      <svg width=20 height=20 style="cursor:pointer" aria-label=Icon></svg>
      <details>Hidden text</details>
      <script>dot.addEventListener("click", () => {})</script>`);
    const observation = await lab.observe();
    expect(observation.elements.map(({ role, name }) => `${role} ${name}`)).toEqual([
      "link Drawn",
      "generic ",
      "generic Icon",
      "button Details",
    ]);
    expect(observation.text).not.toContain("Hidden text");
  });

  test("what a link of display: contents holds, and what stands in for hidden boxes", async () => {
    await lab.open(`
      <a href="/c" style="display:contents">Contents</a>
      <a href="/d" style="display:contents"><div>Block</div></a>
      <a href="/e"><div style="float:left">Floated</div></a>`);
    expect(await listed()).toEqual(["link Contents", "link Block", "link Floated"]);
  });

  test("nothing in folded, clear or inert parts; what is only clear", async () => {
    await lab.open(`
      <div style="height:0;overflow:hidden"><button>Folded</button></div>
      <div style="opacity:0;pointer-events:none"><button>Ghost</button></div>
      <div hidden=until-found>until <button>Found</button></div>
      <div style="content-visibility:hidden"><button>Skipped</button></div>
      <div style="visibility:hidden"><button style="visibility:visible">Shown</button></div>
      <div style="opacity:0"><button>On hover</button></div>
      <div inert><label for=t>Inert</label></div><input id=t aria-label=Typed>`);
    const observation = await lab.observe();
    expect(observation.elements.map(({ name }) => name)).toEqual(["Shown", "On hover", "Typed"]);
    expect(observation.text).not.toContain("until");
  });

  test("editors as a whole, and what is around text that can be focused", async () => {
    await lab.open(`
      <div contenteditable aria-label=Body>Dear <a href="/x">you</a></div>
      <pre tabindex=0>code of some kind</pre>
      <div role=region tabindex=0 aria-label=Panel><p>Text inside.</p><button>In</button></div>`);
    const { elements, text } = await lab.observe();
    expect(elements.map(({ role, name, value }) => [role, name, value])).toEqual([
      ["textbox", "Body", "Dear you"],
      ["generic", "code of some kind", null],
      ["region", "Panel", null],
      ["button", "In", null],
    ]);
    expect(text).toContain("Text inside.");
  });
});

describe("where things are:", () => {
  test("a link over two lines is not covered by the text between its ends", async () => {
    await lab.open(`<div style="width:220px;font:16px monospace">Some words before
      <a href="/a">a link that</a> <a href="/b">another one here that wraps</a> and the rest of it</div>`);
    const { elements } = await lab.observe();
    expect(elements.map(({ coveredBy }) => coveredBy)).toEqual([null, null]);
  });

  test("what takes no presses is disabled, not covered by what is around it", async () => {
    await lab.open(`<nav><a href="/p" style="pointer-events:none">Previous</a></nav>`);
    const [link] = (await lab.observe()).elements;
    expect(link).toMatchObject({ coveredBy: null, state: { disabled: true } });
  });

  test("a switch drawn by a part of its label is not covered by it", async () => {
    await lab.open(
      `<label style="position:relative;display:block;width:60px;height:30px"><input type=checkbox aria-label=Dark style="width:60px;height:30px"><span style="position:absolute;inset:0;background:#ccc"></span></label>`,
    );
    expect((await lab.find("Dark")).coveredBy).toBeNull();
  });

  test("the box that has something scrolled away, also across and below the fold", async () => {
    await lab.open(`
      <div aria-label=Strip role=group style="width:200px;overflow-x:auto;white-space:nowrap"><button style="width:150px">One</button><button style="width:150px">Two</button><button>Three</button></div>
      <div style="height:2000px"></div><div style="height:100px;overflow:auto" aria-label=Log role=group><div style="height:300px"></div><button>Old</button></div>`);
    const { elements, text } = await lab.observe({ tokenBudget: 1000 });
    const by = new Map(elements.map((element) => [element.name, element]));
    expect(by.get("One")).toMatchObject({ place: "viewport", clippedBy: null });
    expect(by.get("Three")?.place).toBe("clipped");
    expect(by.get("Three")?.clippedBy).toContain("Strip");
    expect(by.get("Old")).toMatchObject({ place: "clipped" });
    expect(text).toMatch(/"Strip" scrolls: \d+ px right/);
  });

  test("of two modal dialogs, the upper one blocks the lower", async () => {
    await lab.open(`
      <dialog id=top aria-label=Upper><button>Yes</button></dialog>
      <dialog id=low aria-label=Lower><button>Ask</button></dialog>
      <script>low.showModal(); document.getElementById("top").showModal()</script>`);
    const { elements } = await lab.observe();
    expect(new Map(elements.map(({ name, coveredBy }) => [name, coveredBy]))).toEqual(
      new Map([
        ["Yes", null],
        ["Ask", 'the dialog "Upper"'],
      ]),
    );
  });

  test("a modal dialog in a shadow root, and a list of options opened from it beside it", async () => {
    await lab.open(`
      <button>Behind</button><div style="height:3000px"></div><a href="/f">Far</a>
      <x-dialog></x-dialog>
      <div role=listbox aria-label=Cities style="position:fixed;left:40px;top:40px;z-index:9;background:#fff"><div role=option>Oslo</div></div>
      <script>document.querySelector("x-dialog").attachShadow({ mode: "open" }).innerHTML =
        '<div role=dialog aria-modal=true aria-label=Trip style="position:fixed;inset:0;background:#eee"><button style="position:absolute;top:300px">Go</button></div>'</script>`);
    const { elements } = await lab.observe();
    expect(new Map(elements.map(({ name, coveredBy }) => [name, coveredBy]))).toEqual(
      new Map([
        ["Behind", 'the dialog "Trip"'],
        ["Far", 'the dialog "Trip"'],
        ["Go", null],
        ["Oslo", null],
      ]),
    );
  });
});

describe("secrets", () => {
  test("stay masked whatever the page does with them", async () => {
    await lab.open(`
      <input type=password aria-label=Shown value=hunter22><input name=cvv value=hunter22 aria-label=Code>
      <input style="-webkit-text-security:disc" value=hunter22 aria-label=Dots>
      <button aria-labelledby=p>x</button><input id=p type=password value=hunter22>`);
    await lab.observe();
    await lab.evaluate(`document.querySelector("input").type = "text"`);
    const observation = await lab.observe({ tokenBudget: 5000, perceptionType: "deep" });
    expect(observation.elements.filter(({ isSecret }) => isSecret)).toHaveLength(4);
    expect(JSON.stringify(observation)).not.toContain("hunter22");
    expect(observation.description).not.toContain("hunter22");
    expect(observation.text).not.toContain("hunter22");
  });
});

describe("things without a name", () => {
  test("are told by what their mark-up calls them", async () => {
    await lab.open(`<button class="btn btn-sm"><i class="fa fa-trash"></i></button>
      <button><svg width=10 height=10><use href="#icon-arrow-left"/></svg></button>
      <a href="/p"><img src="/img/shopping-cart.png" width=20 height=20></a>`);
    const { elements, text } = await lab.observe();
    expect(elements.map(({ hint }) => hint)).toEqual(["trash", "arrow left", "shopping cart"]);
    expect(text).toContain("trash");
  });
});

describe("frames", () => {
  test("that are covered or scrolled away have that said of what is in them", async () => {
    lab.serve(
      "/in",
      `<!doctype html><button>First</button><div style="height:1500px"></div><button>Second</button>`,
    );
    await lab.open(`
      <iframe src="/in" style="width:300px;height:120px"></iframe>
      <div style="position:relative"><iframe src="${lab.otherUrl}/in" style="width:300px;height:120px"></iframe>
      <div id=veil style="position:absolute;inset:0;background:#fff">veil</div></div>`);
    const { elements } = await lab.observe();
    expect(elements.map(({ name, place, coveredBy }) => [name, place, coveredBy])).toEqual([
      ["First", "viewport", null],
      ["Second", "below", null],
      ["First", "viewport", '<div#veil> "veil"'],
      ["Second", "below", '<div#veil> "veil"'],
    ]);
  });

  test("that do not answer are named, and hold nothing up", async () => {
    lab.serve("/busy", `<!doctype html><button>Busy</button>`);
    await lab.open(`<button>Top</button><iframe src="/busy"></iframe>`);
    const { driver } = lab.browser;
    const active = await driver.activePage();
    const child = active.frames()[1];
    const slow: typeof active.call = async (world, ...rest) => {
      if (world.frameId === child?.frameId) throw new Error("the page did not answer in time");
      return Reflect.apply(Object.getPrototypeOf(active).call, active, [world, ...rest]);
    };
    Object.assign(active, { call: slow });
    try {
      const observation = await lab.observe();
      expect(observation.elements.map(({ name }) => name)).toEqual(["Top"]);
      expect(observation.silentFrames).toEqual([lab.site.url]);
    } finally {
      Reflect.deleteProperty(active, "call");
    }
  });
});
