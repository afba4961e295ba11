import { afterAll, beforeAll, expect, test } from "vitest";
import { selectorOfKey } from "../src/pages/driver/element-engine.ts";
import type { WalkAnswer, WalkRequest } from "../src/pages/perception-protocol.ts";
import { DrivenBrowser } from "./support/driven-browser.ts";
import { Site } from "./support/site.ts";

const request: WalkRequest = { listeners: null, maxElements: 100, maxTexts: 100, since: null };

let driven: DrivenBrowser;
let site: Site;

const pages: Readonly<Record<string, string>> = {
  "/": `<title>Main</title><button id=one onclick="this.textContent='pressed'">One</button>
    <iframe src="/child"></iframe>`,
  "/child": `<button onclick="this.textContent='pressed'">In the frame</button>`,
  "/dialogs": `<button onclick="this.textContent = prompt('Your name?', 'nobody')">Ask</button>`,
  "/popup": `<a href="/child" target=_blank>Open</a>`,
};

beforeAll(async () => {
  site = await Site.start((request, response) => {
    response.setHeader("Content-Type", "text/html");
    response.end(pages[new URL(request.url ?? "", "http://site").pathname] ?? "");
  });
  driven = await DrivenBrowser.launch();
}, 60_000);

afterAll(async () => {
  await driven.dispose();
  await site.stop();
});

test("an element that the in-page script names is acted on in the main frame and in an iframe of another site", async () => {
  const other = site.url.replace("127.0.0.1", "localhost");
  const active = await driven.driver.activePage();
  await active.page.goto(site.url);
  await active.page.evaluate(`document.querySelector("iframe").src = "${other}/child"`);
  await active.page.frameLocator("iframe").getByText("In the frame").waitFor();
  const frames = active.frames();
  expect(frames.map(({ parentFrameId }) => parentFrameId === null)).toEqual([true, false]);
  expect(frames.map(({ origin }) => origin)).toEqual([site.url, other]);
  for (const [index, frame] of frames.entries()) {
    const { items } = await active.call<WalkAnswer>(frame, "perception", "walk", [request]);
    const [key] = items.flatMap((item) =>
      Array.isArray(item) && item[0] === "element" ? [String(item[1])] : [],
    );
    const scope = index === 0 ? active.page : active.page.frameLocator("iframe");
    const button = scope.locator(selectorOfKey(key ?? ""));
    await button.click();
    expect(await button.textContent()).toBe("pressed");
  }
});

test("a prompt is answered with its default, or as asked, and never blocks", async () => {
  const active = await driven.driver.activePage();
  await active.page.goto(`${site.url}/dialogs`);
  await active.page.getByRole("button").click();
  expect(await active.page.getByRole("button").textContent()).toBe("nobody");
  driven.driver.dialogs.answerWith({ accept: true, text: "Ada" });
  await active.page.getByRole("button").click();
  expect(await active.page.getByRole("button").textContent()).toBe("Ada");
  expect(driven.driver.dialogs.take().map(({ type, message }) => [type, message])).toEqual([
    ["prompt", "Your name?"],
    ["prompt", "Your name?"],
  ]);
});
