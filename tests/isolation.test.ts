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
/** The DevTools ports of all browsers of the server, and those of their ways out. */
let ports: readonly number[];
let proxyPorts: readonly number[];

beforeAll(async () => {
  // A browser that is just being launched does not listen yet.
  server = await Nightjar.start({ NIGHTJAR_WARM_POOL: "0" });
  site = await Site.start(pageTitledByPath);
  await server.startSession();
  const { cdpUrl } = await server.startSession();
  browser = await chromium.connectOverCDP(cdpUrl);
  const commandLines = (await browserProcesses(server.dataDir)).map((entry) => entry.commandLine);
  const portsIn = (pattern: RegExp): readonly number[] =>
    commandLines.flatMap((line) => {
      const port = pattern.exec(line)?.[1];
      return port === undefined ? [] : [Number(port)];
    });
  ports = portsIn(/--remote-debugging-port=(\d+) .*--user-data-dir/);
  proxyPorts = portsIn(/--remote-debugging-port=.*--proxy-server=127\.0\.0\.1:(\d+) /);
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

/** A refusal is an answer of the browser's own proxy; what is there would answer 200 or 400. */
function outcomeOf(page: Page, url: string): Promise<string> {
  return page.goto(url).then(
    (response) =>
      response?.status() === 403
        ? `refused: ${response.headers()["x-nightjar-refused"]}`
        : "answered",
    (error: Error) => error.message,
  );
}

test("a page cannot get to the ports of its own or any other session's browser, by no name", async () => {
  const page = await newPage();
  expect(ports.length).toBeGreaterThanOrEqual(2);
  expect(proxyPorts.length).toBe(ports.length);
  const hosts = ["127.0.0.1", "localhost", "127.1", "0.0.0.0", "[::ffff:127.0.0.1]", "x.localhost"];
  for (const port of ports) {
    // The port is open: only pages are kept from it.
    expect((await fetch(`http://127.0.0.1:${port}/json/version`)).status).toBe(200);
  }
  // Loopback is allowed on this server.
  for (const port of [...ports, ...proxyPorts].slice(0, 4)) {
    for (const host of hosts) {
      const outcome = await outcomeOf(page, `http://${host}:${port}/json/version`);
      // "Unspecified" is refused as an address, before its port is looked at.
      expect(outcome).toBe(host === "0.0.0.0" ? "refused: address" : "refused: port");
    }
  }
  expect(await outcomeOf(page, `https://127.0.0.1:${ports[0]}/`)).toContain("ERR_TUNNEL");
});

test("a page cannot reach a DevTools port by fetch, WebSocket or redirect, and other ports it can", async () => {
  const page = await newPage();
  await page.goto(site.url);
  const [port] = ports;
  const [answer, opened] = await Promise.all([
    page.waitForResponse((response) => response.url().endsWith("/json/version")),
    page.evaluate(async (to) => {
      await fetch(`http://127.0.0.1:${to}/json/version`, { mode: "no-cors" });
      const socket = new WebSocket(`ws://127.0.0.1:${to}/devtools/browser/x`);
      return new Promise((resolve) => {
        socket.onopen = () => resolve(true);
        socket.onerror = () => resolve(false);
      });
    }, port),
  ]);
  expect(answer.status()).toBe(403);
  expect(opened).toBe(false);
  const redirecting = await Site.start((_request, response) => {
    response.writeHead(302, { Location: `http://127.0.0.1:${port}/json/version` }).end();
  });
  expect(await outcomeOf(page, redirecting.url)).toBe("refused: port");
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
