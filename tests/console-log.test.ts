import { chromium } from "playwright-core";
import { afterAll, beforeAll, expect, test, vi } from "vitest";
import { Nightjar } from "./support/nightjar.ts";
import { Site } from "./support/site.ts";

let server: Nightjar;
let site: Site;

beforeAll(async () => {
  site = await Site.start((request, response) => {
    if (request.url === "/script.js") {
      response.setHeader("Content-Type", "text/javascript");
      response.end(`console.log("plain", 1, true, null, undefined, { a: 1, b: "two" }, [1, "x"]);
console.info("%s is %d years old%c", "Ada", 36, "color: red");
console.warn(new Map([["k", "v"]]));
console.error(new Error("told"));
console.debug("see http://x.test/?token=planted-token-1 there");
setTimeout(() => { throw new TypeError("nobody caught this"); });
Promise.reject(new Error("rejected alone"));
fetch("/not-here");`);
      return;
    }
    if (request.url === "/not-here") response.statusCode = 404;
    response.setHeader("Content-Type", "text/html");
    response.end(
      '<!doctype html><link rel="icon" href="data:,"><script src="/script.js"></script>',
    );
  });
  server = await Nightjar.start();
});

afterAll(async () => {
  await server.dispose();
  await site.stop();
});

test("messages, exceptions and complaints are logged as DevTools shows them", async () => {
  const { id, cdpUrl } = await server.startSession();
  const browser = await chromium.connectOverCDP(cdpUrl);
  await browser.contexts()[0]?.pages()[0]?.goto(site.url);
  await browser.close();
  const items = await vi.waitFor(
    async () => {
      const { body } = await server.call("GET", `/sessions/${id}/console/logs`);
      expect(body).toMatchObject({ total: 8 });
      return body["items"] as readonly Readonly<Record<string, unknown>>[];
    },
    { timeout: 10_000, interval: 100 },
  );
  const shown = items.map(({ level, source, text }) => [
    level,
    source,
    String(text).split("\n")[0],
  ]);
  expect(shown).toEqual(
    expect.arrayContaining([
      ["log", "console", 'plain 1 true null undefined {a: 1, b: "two"} [1, "x"]'],
      ["info", "console", "Ada is 36 years old"],
      ["warning", "console", expect.stringMatching(/^Map\(1\) \{.*k.* => .*v.*\}$/)],
      ["error", "console", "Error: told"],
      ["debug", "console", "see http://x.test/?token=[masked] there"],
      ["error", "exception", "Uncaught TypeError: nobody caught this"],
      ["error", "exception", "Uncaught (in promise) Error: rejected alone"],
      ["error", "browser", expect.stringContaining("404")],
    ]),
  );
  const told = items.find(({ text }) => String(text).startsWith("Error: told"));
  expect(told).toMatchObject({ url: `${site.url}/script.js`, line: 4 });

  const errors = await server.call("GET", `/sessions/${id}/console/logs?level=error&page_size=2`);
  expect(errors.body).toMatchObject({ total: 4, has_next: true });
  const file = await fetch(`${server.url}/sessions/${id}/console/logs?download=true`, {
    headers: { Authorization: "Bearer test-key-of-the-default-tenant" },
  });
  expect(file.headers.get("content-type")).toContain("application/x-ndjson");
  const lines = (await file.text()).trim().split("\n");
  expect(lines.map((line) => JSON.parse(line) as unknown)).toEqual(items);
  await server.call("DELETE", `/sessions/${id}/stop`);
  const ended = await server.call("GET", `/sessions/${id}/console/logs`);
  expect(ended.body["items"]).toEqual(items);
});

test("a page that says too much fills its log, no more, and goes on", {
  timeout: 60_000,
}, async () => {
  const { id, cdpUrl } = await server.startSession();
  const browser = await chromium.connectOverCDP(cdpUrl);
  const page = browser.contexts()[0]?.pages()[0];
  await page?.goto(site.url);
  await page?.evaluate(`for (let i = 0; i < 1000; i += 1) console.log("z".repeat(9000));`);
  await vi.waitFor(
    async () => {
      const { body } = await server.call("GET", `/sessions/${id}/console/logs?page_size=1`);
      expect(Number(body["total"])).toBeGreaterThan(400);
    },
    { timeout: 20_000, interval: 200 },
  );
  expect(await page?.evaluate(() => 6 * 7)).toBe(42);
  const { body } = await server.call("GET", `/sessions/${id}/console/logs?page_size=1`);
  expect(Number(body["total"])).toBeLessThan(500);
  await browser.close();
  await server.call("DELETE", `/sessions/${id}/stop`);
});
