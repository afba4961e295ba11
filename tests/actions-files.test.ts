import { readdir } from "node:fs/promises";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from "vitest";
import type { ActionResult } from "../src/pages/actions/action.ts";
import { bySelector, PageLab } from "./support/page-lab.ts";
import { Site } from "./support/site.ts";
import { StoredFiles } from "./support/stored-files.ts";

let lab: PageLab;
let site: Site;
let files: StoredFiles;

beforeAll(async () => {
  lab = await PageLab.start();
  site = await Site.start((request, response) => {
    const { pathname } = new URL(request.url ?? "/", "http://site");
    if (pathname === "/") {
      response.setHeader("Content-Type", "text/html");
      response.setHeader("Set-Cookie", "who=ada");
      response.end(`<!doctype html><a id=report href="/report">Report</a>
        <a id=image href="/bird.svg">Image</a><a id=tab href="/bird.svg" target=_blank>In a tab</a>
        <a id=text href="/private.txt">Text</a><a id=page href="/page">Page</a>
        <a id=broken href="/broken">Broken</a><button id=idle>Idle</button>
        <button id=made onclick="
          const link = document.createElement('a');
          link.href = window.URL.createObjectURL(new Blob(['made here']));
          link.download = 'made.txt';
          setTimeout(() => link.click(), 300)">Made</button>`);
      return;
    }
    if (pathname === "/report" || pathname === "/broken") {
      response.setHeader("Content-Disposition", 'attachment; filename="report.csv"');
      response.setHeader("Content-Length", 9);
      response.write("a,b\n");
      if (pathname === "/report") response.end("1,2\n\n");
      else setTimeout(() => response.destroy(), 100);
      return;
    }
    if (pathname === "/bird.svg") {
      response.setHeader("Content-Type", "image/svg+xml");
      response.end(`<svg xmlns="http://www.w3.org/2000/svg"/>`);
      return;
    }
    if (pathname === "/private.txt") {
      response.setHeader("Content-Type", "text/plain");
      response.end(`for ${request.headers.cookie}`);
      return;
    }
    response.setHeader("Content-Type", "text/html");
    response.end("<!doctype html>A page");
  });
}, 60_000);

afterAll(async () => {
  await lab.dispose();
  await site.stop();
});

beforeEach(async () => {
  files = await StoredFiles.open(lab.browser.browser);
  lab.files = files.access;
});

afterEach(() => files.dispose());

describe("upload_file", () => {
  const upload = (selector: string, fileName: string): Promise<ActionResult> =>
    lab.execute({ type: "upload_file", ...bySelector(selector), timeoutMs: 2000, fileName });
  const given = () =>
    lab.evaluate(
      `(async () => [...document.querySelector("input").files].map(({ name }) => name) + " " +
        await document.querySelector("input").files[0]?.text())()`,
    );

  beforeEach(() => files.upload("notes.txt", "seen at dusk"));

  test.each([
    ["a file input", `<input id=f type=file onchange="document.title = 'changed'">`],
    ["one that is hidden", `<input id=f type=file hidden onchange="document.title = 'changed'">`],
    [
      "the label around one",
      `<label id=f>Choose<input type=file hidden onchange="document.title = 'changed'"></label>`,
    ],
    [
      "the label beside one",
      `<label id=f for=i>Choose</label><input type=file id=i hidden onchange="document.title = 'changed'">`,
    ],
    [
      "a button that opens the chooser",
      `<input type=file hidden onchange="document.title = 'changed'"><button id=f
        onclick="document.querySelector('input').click()">Choose</button>`,
    ],
  ])("gives a file to %s", async (_kind, html) => {
    await lab.open(html);
    const result = await upload("#f", "notes.txt");
    expect(result.message).toBe('Gave "notes.txt" to #f.');
    expect(await given()).toBe("notes.txt seen at dusk");
    expect(await lab.evaluate("document.title")).toBe("changed");
  });

  test.each([
    [".png, image/*", true],
    [".txt", false],
    ["text/plain", false],
    ["text/*,.pdf", false],
    ["application/pdf", true],
  ])("tells when a page asks for %s and gets something else: %s", async (accept, told) => {
    await lab.open(`<input id=f type=file accept="${accept}">`);
    const { success, message } = await upload("#f", "notes.txt");
    expect(success).toBe(true);
    expect(message.includes(`files of the kind ${accept}, which this one is not`)).toBe(told);
  });

  test("names the uploads there are when there is none of that name", async () => {
    await lab.open(`<input id=f type=file>`);
    const { failure } = await upload("#f", "other.txt");
    expect(failure?.kind).toBe("no_such_file");
    expect(failure?.message).toContain("There are: notes.txt.");
    expect((await upload("#f", "../../etc/passwd")).failure?.kind).toBe("no_such_file");
  });

  test("fails on what opens no chooser, and on an input that is disabled", async () => {
    await lab.open(`<button id=b>Idle</button><input id=f type=file disabled>`);
    expect((await upload("#b", "notes.txt")).failure?.kind).toBe("wrong_kind");
    expect((await upload("#f", "notes.txt")).failure?.kind).toBe("disabled");
  });

  test("keeps copies for the browser within bounds", async () => {
    await lab.open(`<input id=f type=file>`);
    for (let round = 0; round < 22; round += 1) await upload("#f", "notes.txt");
    const entries = await readdir(lab.browser.browser.directory ?? "");
    expect(entries.filter((name) => name.startsWith("upload-"))).toHaveLength(20);
  });
});

describe("download_file", () => {
  const download = (selector: string): Promise<ActionResult> =>
    lab.execute({ type: "download_file", ...bySelector(selector) });

  beforeEach(async () => {
    const { page } = await lab.browser.driver.activePage();
    await page.goto(site.url);
  });

  afterEach(async () => {
    const { driver } = lab.browser;
    for (const tab of driver.tabs().slice(1)) await tab.close();
  });

  test("keeps what a link downloads, and answers when it is there", async () => {
    const result = await download("#report");
    expect(result.message).toMatch(/^Downloaded ".*report\.csv" \(9 bytes\)\.$/);
    expect(result.effects.downloads).toEqual(["report.csv"]);
    expect(await files.downloads()).toEqual({ "report.csv": "a,b\n1,2\n\n" });
  });

  test("keeps what a page makes itself, a moment later", async () => {
    expect((await download("#made")).success).toBe(true);
    expect(await files.downloads()).toEqual({ "made.txt": "made here" });
  });

  test.each([
    ["in the same tab", "#image"],
    ["in a tab of its own", "#tab"],
  ])("keeps what the browser shows instead, %s", async (_where, selector) => {
    const result = await download(selector);
    expect(result.message).toContain("which the browser shows");
    expect(await files.downloads()).toEqual({
      "bird.svg": `<svg xmlns="http://www.w3.org/2000/svg"/>`,
    });
  });

  test("fetches that with the cookies of the page", async () => {
    expect((await download("#text")).success).toBe(true);
    expect(await files.downloads()).toEqual({ "private.txt": "for who=ada" });
  });

  test("fails where nothing is downloaded, and says where the press led", async () => {
    const idle = await download("#idle");
    expect(idle.failure?.kind).toBe("no_download");
    const page = await download("#page");
    expect(page.failure?.message).toContain(`it led to the page ${site.url}/page`);
    expect(await files.downloads()).toEqual({});
  });

  test("fails when the server breaks it off", async () => {
    expect((await download("#broken")).failure?.kind).toBe("download_failed");
  });
});

test("a click that begins a download says so", async () => {
  const { page } = await lab.browser.driver.activePage();
  await page.goto(site.url);
  const result = await lab.execute({ type: "click", ...bySelector("#report") });
  expect(result.message).toContain("A download began: report.csv.");
  expect(result.effects.navigatedTo).toBeNull();
});
