import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { type Browser, chromium, type Page } from "playwright-core";
import { afterAll, beforeAll, expect, onTestFinished, test } from "vitest";
import { eventually } from "./support/eventually.ts";
import { Nightjar } from "./support/nightjar.ts";
import { Site } from "./support/site.ts";
import { launchViewerBrowser } from "./support/viewer-browser.ts";

let server: Nightjar;
let site: Site;
let viewer: Browser;

beforeAll(async () => {
  site = await Site.start((request, response) => {
    switch (request.url) {
      case "/":
        response.setHeader("Content-Type", "text/html");
        return response.end(`<!doctype html><link rel="icon" href="data:,"><script>
          fetch("/lamps?page=2&access_token=planted-token-4731");
          fetch("/order", { method: "POST", body: "lamp=1" });
          fetch("/moved");
          fetch("/broken").catch(() => {});
        </script><img src="/missing.png">`);
      case "/moved":
        response.writeHead(302, { Location: "/moved-here" });
        return response.end();
      case "/broken":
        return response.destroy();
      case "/missing.png":
        response.statusCode = 404;
        return response.end();
      default:
        response.setHeader("Content-Type", "application/json");
        return response.end(`{"of":"${request.method}"}`);
    }
  });
  [server, viewer] = await Promise.all([Nightjar.start(), launchViewerBrowser("full")]);
}, 60_000);

afterAll(async () => {
  await viewer?.close();
  await server?.dispose();
  await site?.stop();
});

interface Logged {
  readonly url: string;
  readonly method: string;
  readonly status: number | null;
  readonly duration_ms: number | null;
}

/** A session that has been to the site; its requests, once all of them are over. */
async function browsed(): Promise<{ readonly id: string; readonly requests: readonly Logged[] }> {
  const { id, cdpUrl } = await server.startSession({ record_bodies: true });
  const browser = await chromium.connectOverCDP(cdpUrl);
  await browser.contexts()[0]?.pages()[0]?.goto(site.url);
  await browser.close();
  const requests = await eventually(async () => {
    const { body } = await server.call("GET", `/sessions/${id}/network/requests`);
    const items = (body["items"] as readonly Logged[]).filter(({ url }) => url.startsWith("http"));
    expect(items).toHaveLength(7);
    for (const { duration_ms } of items) expect(duration_ms).not.toBeNull();
    return items;
  });
  await server.call("DELETE", `/sessions/${id}/stop`);
  return { id, requests };
}

/** The network panel of Chromium's DevTools, at another session, which requests nothing. */
async function networkPanel(): Promise<Page> {
  const { id } = await server.startSession();
  const { body } = await server.call("GET", `/sessions/${id}/debug`);
  const page = await viewer.newPage({ viewport: { width: 1200, height: 800 } });
  onTestFinished(() => page.close());
  await page.goto(`${String(body["debug_url"])}&panel=network`);
  return page;
}

/** What the front end has taken from the file, by its own modules: the rows do not show it all. */
const imported = `import("devtools://devtools/bundled/models/logs/logs.js").then(({ NetworkLog }) =>
  Promise.all(NetworkLog.NetworkLog.instance().requests().map(async (request) => ({
    method: request.requestMethod,
    url: request.url(),
    status: request.statusCode,
    text: (await request.requestContentData()).text ?? "",
  }))))`;

test("Chromium's DevTools import the HAR, and show its requests as the log has them", async () => {
  const { id, requests } = await browsed();
  const { body: har } = await server.call("GET", `/sessions/${id}/network/har`);
  const directory = await mkdtemp(path.join(tmpdir(), "nightjar-har-"));
  onTestFinished(() => rm(directory, { recursive: true }));
  const file = path.join(directory, `${id}.har`);
  await writeFile(file, JSON.stringify(har));

  const panel = await networkPanel();
  const [chooser] = await Promise.all([
    panel.waitForEvent("filechooser"),
    panel.getByRole("button", { name: "Import HAR" }).click(),
  ]);
  await chooser.setFiles(file);
  const rows = panel.locator("tr.network-log-row, tr.data-grid-data-grid-node");
  await eventually(async () =>
    expect(await rows.filter({ hasText: /\S/ }).count()).toBe(requests.length),
  );
  const shown = await rows.allInnerTexts();
  for (const { url, status } of requests) {
    const name = url.split("/").at(-1) || new URL(url).hostname;
    const row = shown.find((text) => text.startsWith(name));
    expect(row, `${name} in ${JSON.stringify(shown)}`).toContain(
      // The importer passes over why a request failed.
      status === null ? "Finished" : `\t${status}\t`,
    );
  }

  const taken =
    await panel.evaluate<readonly Record<"method" | "url" | "text", string>[]>(imported);
  expect(taken).toMatchObject(
    requests.map(({ method, url, status }) => ({ method, url, status: status ?? 0 })),
  );
  expect(taken.map(({ url }) => url).join(" ")).toContain("access_token=[masked]");
  expect(taken.find(({ url }) => url.endsWith("/order"))?.text).toBe(`{"of":"POST"}`);
}, 60_000);
