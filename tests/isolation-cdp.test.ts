import { chmod, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { pathToFileURL } from "node:url";
import { afterAll, beforeAll, describe, expect, test, vi } from "vitest";
import { findChromium } from "../src/browsers/chromium.ts";
import { Nightjar } from "./support/nightjar.ts";
import { RawCdp } from "./support/raw-cdp.ts";
import { pageTitledByPath, Site } from "./support/site.ts";

/** Every user of this machine may read it: only the browser keeps it from a session. */
const secret = "planted in a file of the host";
let directory: string;
let fileUrl: string;
let server: Nightjar;
let site: Site;

beforeAll(async () => {
  directory = await mkdtemp(path.join(tmpdir(), "nightjar-secret-"));
  await chmod(directory, 0o755);
  const file = path.join(directory, "secret.html");
  await writeFile(file, `<p>${secret}</p>`, { mode: 0o644 });
  fileUrl = pathToFileURL(file).href;
  site = await Site.start(pageTitledByPath);
  server = await Nightjar.start();
});

afterAll(async () => {
  await server?.dispose();
  await site?.stop();
  await rm(directory, { recursive: true, force: true });
});

const { chromium: full } = await findChromium({
  chromiumPath: null,
  headlessShellPath: null,
  dataDir: "/nowhere",
});

describe.each([
  { name: "the default browser", request: {}, present: true },
  { name: "the full browser", request: { browser_type: "chrome" }, present: full !== null },
])("a CDP client of $name", ({ request, present }) => {
  let client: RawCdp;
  let page: string;

  beforeAll(async () => {
    if (!present) return;
    const { cdpUrl } = await server.startSession(request);
    client = await RawCdp.connect(cdpUrl);
    page = await client.firstPage();
    await openSite();
  }, 60_000);

  async function openSite(): Promise<void> {
    await client.send("Page.navigate", { url: site.url }, page);
    await vi.waitFor(async () => expect(await client.evaluate("document.title")).toBe("/"), {
      timeout: 10_000,
    });
  }

  async function mainFrame(): Promise<string> {
    const { result = {} } = await client.send("Page.getFrameTree", {}, page);
    return (result["frameTree"] as { readonly frame: { readonly id: string } }).frame.id;
  }

  /** Runs an expression in a world of its own that may read every origin. */
  async function evaluateWithAllRights(expression: string): Promise<unknown> {
    const world = await client.send(
      "Page.createIsolatedWorld",
      { frameId: await mainFrame(), grantUniveralAccess: true },
      page,
    );
    const { result } = await client.send(
      "Runtime.evaluate",
      {
        expression,
        contextId: world.result?.["executionContextId"],
        awaitPromise: true,
        returnByValue: true,
        userGesture: true,
      },
      page,
    );
    return (result?.["result"] as { readonly value?: unknown } | undefined)?.value;
  }

  test.runIf(present)("reads no file from a world with all rights", async () => {
    const read = await evaluateWithAllRights(`(async () => {
      const url = ${JSON.stringify(fileUrl)};
      const texts = [];
      texts.push(await fetch(url).then((answer) => answer.text(), String));
      texts.push(await new Promise((resolve) => {
        const request = new XMLHttpRequest();
        request.onloadend = () => resolve(request.responseText);
        request.open("GET", url);
        request.send();
      }));
      const frame = document.createElement("iframe");
      document.body.append(frame);
      frame.src = url;
      await new Promise((resolve) => setTimeout(resolve, 300));
      try {
        texts.push(frame.contentDocument.documentElement.textContent);
      } catch (error) {
        texts.push(String(error));
      }
      frame.remove();
      return texts;
    })()`);
    expect(read).toHaveLength(3);
    expect(JSON.stringify(read)).not.toContain(secret);
  });

  test.runIf(present)("opens no file and no page of the browser's own by a page", async () => {
    for (const url of [fileUrl, "chrome://version/", "chrome://settings/"]) {
      await evaluateWithAllRights(`void window.open(${JSON.stringify(url)})`);
      await evaluateWithAllRights(`void (location.href = ${JSON.stringify(url)})`);
    }
    const urls = (await client.pages()).map((tab) => tab.url);
    expect(urls.filter((url) => /^(file|chrome):/.test(url))).toEqual([]);
    expect(await client.evaluate("document.title")).toBe("/");
  });

  test.runIf(present)("is led to no file by a redirect that it makes up", async () => {
    await client.send("Fetch.enable", { patterns: [{ urlPattern: "*" }] }, page);
    client.onEvent("Fetch.requestPaused", ({ requestId }) => {
      void client.send(
        "Fetch.fulfillRequest",
        {
          requestId,
          responseCode: 302,
          responseHeaders: [{ name: "Location", value: fileUrl }],
        },
        page,
      );
    });
    const { result } = await client.send("Page.navigate", { url: "http://made.up/" }, page);
    expect(result?.["errorText"]).toMatch(/ERR_/);
    await client.send("Fetch.disable", {}, page);
    await openSite();
  });

  test.runIf(present)("writes a document whose frames show no file", async () => {
    const html = `<title>written</title><iframe src="${fileUrl}"></iframe>`;
    await client.send("Page.setDocumentContent", { frameId: await mainFrame(), html }, page);
    await expect.poll(() => client.evaluate("document.title")).toBe("written");
    const after = await client.send("Page.getFrameTree", {}, page);
    expect(JSON.stringify(after.result)).not.toContain(fileUrl);
    const snapshot = await client.send("Page.captureSnapshot", {}, page);
    expect(JSON.stringify(snapshot.result)).not.toContain(secret);
  });

  test.runIf(present)("has no target that is the browser's own page", async () => {
    const { result } = await client.send("Target.getTargets", { filter: [{}] });
    const infos = result?.["targetInfos"] as readonly { readonly url: string }[];
    expect(infos.length).toBeGreaterThan(0);
    expect(infos.filter(({ url }) => /^(chrome|devtools)/.test(url))).toEqual([]);
  });

  test.runIf(present)("is refused what reaches the host, with a CDP error", async () => {
    const refused: readonly [string, Record<string, unknown>][] = [
      ["Page.navigate", { url: fileUrl }],
      ["Page.navigate", { url: "chrome://settings" }],
      ["Target.createTarget", { url: `view-source:${fileUrl}` }],
      ["Network.loadNetworkResource", { url: fileUrl, options: {} }],
      ["Extensions.loadUnpacked", { path: directory }],
      ["Target.openDevTools", { targetId: (await client.pages())[0]?.targetId }],
      ["Tethering.bind", { port: 28_555 }],
      ["SystemInfo.getInfo", {}],
    ];
    for (const [method, params] of refused) {
      const target = method.startsWith("Page.") || method.startsWith("Network.") ? page : undefined;
      const { error } = await client.send(method, params, target);
      expect(error?.message, method).toMatch(/not available in a hosted session/);
    }
  });
});

test("cookies of one session are in no other", async () => {
  const [mine, other] = await Promise.all([server.startSession(), server.startSession()]);
  const [first, second] = [await RawCdp.connect(mine.cdpUrl), await RawCdp.connect(other.cdpUrl)];
  const cookie = { name: "secret", value: "mine", url: site.url };
  await first.send("Storage.setCookies", { cookies: [cookie] });
  const own = await first.send("Storage.getCookies");
  expect(own.result?.["cookies"]).toHaveLength(1);
  const seen = await second.send("Storage.getCookies");
  expect(seen.result?.["cookies"]).toEqual([]);
  first.close();
  second.close();
});
