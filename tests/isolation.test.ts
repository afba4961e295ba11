import { readdir, stat } from "node:fs/promises";
import path from "node:path";
import { type Browser, chromium, type Page } from "playwright-core";
import { afterAll, beforeAll, expect, test } from "vitest";
import { Nightjar } from "./support/nightjar.ts";
import { browserProcesses } from "./support/processes.ts";
import { pageTitledByPath, Site } from "./support/site.ts";

let server: Nightjar;
let site: Site;
let browser: Browser;
/** The DevTools ports of all browsers of the server. */
let ports: readonly number[];

beforeAll(async () => {
  server = await Nightjar.start();
  site = await Site.start(pageTitledByPath);
  await server.startSession();
  const { cdpUrl } = await server.startSession();
  browser = await chromium.connectOverCDP(cdpUrl);
  const commandLines = (await browserProcesses(server.dataDir)).map((entry) => entry.commandLine);
  ports = commandLines.flatMap((line) => {
    const port = /--remote-debugging-port=(\d+) .*--user-data-dir/.exec(line)?.[1];
    return port === undefined ? [] : [Number(port)];
  });
});

afterAll(async () => {
  await browser?.close();
  await site?.stop();
  await server?.dispose();
});

async function newPage(): Promise<Page> {
  const context = browser.contexts()[0];
  if (context === undefined) throw new Error("the session has no context");
  return context.newPage();
}

/** Playwright words a refusal in one of several ways, by how far the error page has come. */
function outcomeOf(page: Page, url: string): Promise<string> {
  return page.goto(url).then(
    (response) => `answered ${response?.status()}`,
    () => "refused",
  );
}

test("a page cannot get to the DevTools port of its own or any other session, by no name", async () => {
  const page = await newPage();
  expect(ports.length).toBeGreaterThanOrEqual(2);
  const hosts = ["127.0.0.1", "localhost", "127.1", "0.0.0.0", "[::ffff:127.0.0.1]", "x.localhost"];
  for (const port of ports) {
    // The port is open: only pages are kept from it.
    expect((await fetch(`http://127.0.0.1:${port}/json/version`)).status).toBe(200);
    for (const host of hosts) {
      expect(await outcomeOf(page, `http://${host}:${port}/json/version`)).toBe("refused");
    }
  }
});

test("a page cannot reach a DevTools port by fetch, WebSocket or redirect, and other ports it can", async () => {
  const page = await newPage();
  await page.goto(site.url);
  const [port] = ports;
  const reached = await page.evaluate(async (to) => {
    const fetched = await fetch(`http://127.0.0.1:${to}/json/version`, { mode: "no-cors" }).then(
      () => true,
      () => false,
    );
    const socket = new WebSocket(`ws://127.0.0.1:${to}/devtools/browser/x`);
    const opened = await new Promise((resolve) => {
      socket.onopen = () => resolve(true);
      socket.onerror = () => resolve(false);
    });
    return { fetched, opened };
  }, port);
  expect(reached).toEqual({ fetched: false, opened: false });
  const redirecting = await Site.start((_request, response) => {
    response.writeHead(302, { Location: `http://127.0.0.1:${port}/json/version` }).end();
  });
  expect(await outcomeOf(page, redirecting.url)).toBe("refused");
  await redirecting.stop();
  expect((await (await newPage()).goto(`${site.url}/other`))?.status()).toBe(200);
});

test("the database and each browser's directory are closed to other users", async () => {
  const modeOf = async (...parts: string[]) =>
    (await stat(path.join(server.dataDir, ...parts))).mode & 0o777;
  expect(await modeOf("nightjar.db")).toBe(0o600);
  const ids = await readdir(path.join(server.dataDir, "browsers"));
  expect(ids.length).toBeGreaterThanOrEqual(2);
  for (const id of ids) expect(await modeOf("browsers", id)).toBe(0o700);
});

test.runIf(process.getuid?.() === 0)(
  "as root, each browser runs as a user of its own, sandboxed",
  async () => {
    const directory = path.join(server.dataDir, "browsers");
    const owners = await Promise.all(
      (await readdir(directory)).map(async (id) => (await stat(path.join(directory, id))).uid),
    );
    expect(new Set(owners).size).toBe(owners.length);
    expect(owners).not.toContain(0);
    expect((await server.call("GET", "/health")).body).toMatchObject({ sandbox: true });
  },
);
