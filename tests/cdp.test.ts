import { randomBytes } from "node:crypto";
import { once } from "node:events";
import { readdir, readFile, stat } from "node:fs/promises";
import path from "node:path";
import { type Browser, chromium, type Page } from "playwright-core";
import puppeteer from "puppeteer-core";
import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";
import { WebSocket } from "ws";
import { Nightjar } from "./support/nightjar.ts";
import { residentBytes } from "./support/processes.ts";
import { RawCdp, refusalOf } from "./support/raw-cdp.ts";
import { pageTitledByPath, Site } from "./support/site.ts";

const megabyte = 1024 * 1024;
/** On a busy machine, too. */
const soon = { timeout: 20_000, interval: 50 };

let server: Nightjar;
let site: Site;
/** Undone after each test, last first. */
const cleanups: (() => unknown)[] = [];

beforeAll(async () => {
  server = await Nightjar.start({ NIGHTJAR_WARM_POOL: "2", NIGHTJAR_RECORDING: "0" });
  site = await Site.start((request, response) => {
    if (request.url !== "/download") return pageTitledByPath(request, response);
    response.setHeader("Content-Disposition", 'attachment; filename="report.txt"');
    response.end("what was downloaded");
  });
});

afterAll(async () => {
  await site?.stop();
  await server?.dispose();
});

afterEach(async () => {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup();
});

async function startSession(body: Record<string, unknown> = {}) {
  const session = await server.startSession(body);
  cleanups.push(() => server.call("DELETE", `/sessions/${session.id}/stop`));
  return session;
}

async function statusOf(id: string) {
  return (await server.call("GET", `/sessions/${id}`)).body;
}

async function connectPlaywright(url: string): Promise<Browser> {
  const browser = await chromium.connectOverCDP(url);
  cleanups.push(() => browser.close());
  return browser;
}

async function connectRaw(url: string): Promise<RawCdp> {
  const client = await RawCdp.connect(url);
  cleanups.push(() => client.close());
  return client;
}

/** The tab that every session begins with. */
function firstPage(browser: Browser): Page {
  const page = browser.contexts()[0]?.pages()[0];
  if (page === undefined) throw new Error("the session has no first tab");
  return page;
}

function asHttp(cdpUrl: string): string {
  return cdpUrl.replace(/^ws/, "http");
}

describe("Playwright", () => {
  test.each([
    { name: "the WebSocket URL", url: (cdpUrl: string) => cdpUrl },
    { name: "the http URL", url: asHttp },
  ])("drives the first tab, new tabs and new contexts over $name", async ({ url }) => {
    const { cdpUrl } = await startSession();
    const browser = await connectPlaywright(url(cdpUrl));
    const page = firstPage(browser);
    await page.goto(`${site.url}/first`);
    expect(await page.title()).toBe("/first");
    const context = await browser.newContext();
    const other = await context.newPage();
    await other.goto(`${site.url}/second`);
    expect(await other.title()).toBe("/second");
    expect((await page.screenshot()).subarray(1, 4).toString()).toBe("PNG");
    await context.close();
  });

  test("leaves the session and its tab as they are when it disconnects", async () => {
    const { id, cdpUrl } = await startSession();
    const first = await chromium.connectOverCDP(cdpUrl);
    await firstPage(first).goto(`${site.url}/kept`);
    await first.close();
    expect(await statusOf(id)).toMatchObject({ status: "active" });
    const second = await connectPlaywright(cdpUrl);
    expect(await firstPage(second).title()).toBe("/kept");
  });

  test("downloads into the session's directory and its storage, and nowhere else", async () => {
    const { id, cdpUrl } = await startSession();
    const browser = await connectPlaywright(cdpUrl);
    const page = firstPage(browser);
    await page.goto(site.url);
    const raw = await connectRaw(cdpUrl);
    const begun = page.waitForEvent("download");
    await raw.evaluate(`location.href = ${JSON.stringify(`${site.url}/download`)}`);
    const download = await begun;
    expect(download.suggestedFilename()).toBe("report.txt");
    await expect
      .poll(async () => [...(await downloadedFiles())].sort(), soon)
      .toEqual([
        expect.stringMatching(/\/browsers\/[^/]+\/downloads\/[^/]+$/),
        expect.stringMatching(new RegExp(`/files/downloads/${id}/[\\d_]+-report\\.txt$`)),
      ]);
  });

  /** Every finished download that any browser of this server wrote. */
  async function downloadedFiles(): Promise<readonly string[]> {
    const names = await readdir(server.dataDir, { recursive: true });
    const files = names.filter((name) => !name.includes("/profile"));
    const found: string[] = [];
    for (const name of files) {
      const file = path.join(server.dataDir, name);
      const about = await stat(file).catch(() => null);
      if (about?.isFile() !== true || about.size > 100 || file.endsWith(".crdownload")) continue;
      const text = await readFile(file, "utf8").catch(() => "");
      if (text === "what was downloaded") found.push(file);
    }
    return found;
  }
});

describe("Puppeteer", () => {
  test("drives a session, and its close ends it for everyone with code 4000 and the reason", async () => {
    const { id, cdpUrl } = await startSession();
    const watcher = await connectRaw(cdpUrl);
    const browser = await puppeteer.connect({ browserWSEndpoint: cdpUrl, defaultViewport: null });
    const [page] = await browser.pages();
    await page?.goto(`${site.url}/puppeteer`);
    expect(await page?.title()).toBe("/puppeteer");
    await browser.close();
    expect(await watcher.closed).toEqual({ code: 4000, reason: "session ended: client_stop" });
    expect(await statusOf(id)).toMatchObject({
      status: "closed",
      end_reason: "client_stop",
      error: null,
    });
  });

  test("disconnects without ending the session", async () => {
    const { id, cdpUrl } = await startSession();
    const browser = await puppeteer.connect({ browserWSEndpoint: cdpUrl });
    await browser.disconnect();
    expect(await statusOf(id)).toMatchObject({ status: "active" });
  });
});

describe("two clients at once", () => {
  test("see each other's tabs", async () => {
    const { cdpUrl } = await startSession();
    const playwright = await connectPlaywright(cdpUrl);
    const puppet = await puppeteer.connect({ browserWSEndpoint: cdpUrl, defaultViewport: null });
    cleanups.push(() => puppet.disconnect());
    await firstPage(playwright).goto(`${site.url}/by-playwright`);
    await expect
      .poll(async () => (await puppet.pages()).map((page) => page.url()), soon)
      .toContain(`${site.url}/by-playwright`);
    const page = await puppet.newPage();
    await page.goto(`${site.url}/by-puppeteer`);
    await expect
      .poll(
        () =>
          playwright
            .contexts()[0]
            ?.pages()
            .map((other) => other.url()),
        soon,
      )
      .toContain(`${site.url}/by-puppeteer`);
  });

  test("get only their own answers, each under its own ids", async () => {
    const { cdpUrl } = await startSession();
    const clients = await Promise.all([connectRaw(cdpUrl), connectRaw(cdpUrl)]);
    const values = await Promise.all(
      clients.map((client, index) =>
        Promise.all(
          Array.from({ length: 50 }, (_value, at) => client.evaluate(`${index} * 1000 + ${at}`)),
        ),
      ),
    );
    expect(values).toEqual(
      clients.map((_client, index) =>
        Array.from({ length: 50 }, (_value, at) => index * 1000 + at),
      ),
    );
  });
});

describe("the token", () => {
  test("is needed, must be right, and opens no other session", async () => {
    const [mine, other] = await Promise.all([startSession(), startSession()]);
    const { origin, pathname, searchParams } = new URL(mine.cdpUrl);
    const bare = `${origin}${pathname}`;
    expect(await refusalOf(bare)).toBe(401);
    expect(await refusalOf(`${bare}?token=`)).toBe(401);
    expect(await refusalOf(`${bare}?token=${"a".repeat(43)}`)).toBe(401);
    expect(await refusalOf(`${bare}${new URL(other.cdpUrl).search}`)).toBe(401);
    const token = searchParams.get("token");
    expect(await refusalOf(`${origin}/sessions/${crypto.randomUUID()}/cdp?token=${token}`)).toBe(
      401,
    );
  });

  test("stands for the key on the /json routes, and nothing else opens them", async () => {
    const { cdpUrl } = await startSession();
    const { pathname, search } = new URL(cdpUrl);
    for (const route of ["/json/version", "/json/version/", "/json/list", "/json"]) {
      const right = await server.call("GET", `${pathname}${route}${search}`, { key: null });
      expect(right.status, route).toBe(200);
      const wrong = await server.call("GET", `${pathname}${route}?token=wrong`, { key: null });
      expect(wrong.status, route).toBe(401);
      expect((await server.call("GET", `${pathname}${route}`)).status, route).toBe(401);
    }
  });

  test("works with what clients append to the URL", async () => {
    const { cdpUrl } = await startSession();
    for (const url of [`${cdpUrl}&x=y`, `${cdpUrl}?x=y`, `${cdpUrl}&launch={"a":1}`]) {
      const client = await connectRaw(url);
      expect(await client.evaluate("6 * 7"), url).toBe(42);
    }
    const version = await fetch(
      asHttp(cdpUrl).replace("/cdp?", "/cdp/json/version?").concat("?x=y"),
    );
    expect(version.status).toBe(200);
  });

  test("of a session that has ended is answered 410, with the reason", async () => {
    const { id, cdpUrl } = await startSession();
    await server.call("DELETE", `/sessions/${id}/stop`);
    expect(await refusalOf(cdpUrl)).toBe(410);
  });
});

describe("WebSocket requests", () => {
  test("to other paths are answered 404", async () => {
    const { cdpUrl } = await startSession();
    const { origin, search } = new URL(cdpUrl);
    for (const route of ["/", "/sessions", "/devtools/browser/1", "/sessions/a/b/cdp"]) {
      expect(await refusalOf(`${origin}${route}${search}`), route).toBe(404);
    }
  });

  test("with a malformed id are the client's mistake, not the server's", async () => {
    const origin = server.url.replace(/^http/, "ws");
    expect(await refusalOf(`${origin}/sessions/%zz/cdp?token=a`)).toBeLessThan(500);
  });

  test("to one tab drive that tab", async () => {
    const { cdpUrl } = await startSession();
    const { pathname, search } = new URL(cdpUrl);
    const list = await server.call("GET", `${pathname}/json/list${search}`, { key: null });
    const [tab] = list.body["items"] as readonly { readonly webSocketDebuggerUrl: string }[];
    const client = await connectRaw(tab?.webSocketDebuggerUrl ?? "");
    const answer = await client.send("Runtime.evaluate", { expression: "location.href" });
    expect(answer.result?.["result"]).toMatchObject({ value: "about:blank" });
  });
});

describe("the policy", () => {
  test("refuses file URLs with a CDP error, and the session goes on", async () => {
    const { id, cdpUrl } = await startSession();
    const browser = await connectPlaywright(cdpUrl);
    const page = firstPage(browser);
    await expect(page.goto("file:///etc/passwd")).rejects.toThrow(/not available/);
    await expect(page.goto("view-source:file:///etc/passwd")).rejects.toThrow(/not available/);
    await page.goto(`${site.url}/after`);
    expect(await page.title()).toBe("/after");
    expect(await statusOf(id)).toMatchObject({ status: "active" });
  });

  test("refuses file URLs in text that only Chromium takes for JSON", async () => {
    const { cdpUrl } = await startSession();
    const client = await connectRaw(cdpUrl);
    const method = "Target.createTarget";
    client.socket.send(
      `{"id":900,"method":"${method}","params":{"url":"file:///etc/passwd","x":"\t"}}`,
    );
    client.socket.send(
      `{"id":901,"method":"${method}","params":{"url":"data:,a","url":"file:///etc/passwd"}}`,
    );
    const urls = (await client.pages()).map(({ url }) => url);
    expect(urls).toEqual(["about:blank"]);
  });

  test("refuses download paths outside the session's directory with a CDP error", async () => {
    const { id, cdpUrl } = await startSession();
    const client = await connectRaw(cdpUrl);
    const params = { behavior: "allow", downloadPath: "/tmp" };
    expect(await client.send("Browser.setDownloadBehavior", params)).toMatchObject({
      error: { code: -32_000, message: expect.stringContaining("downloadPath") },
    });
    expect(await client.evaluate("1 + 1")).toBe(2);
    expect(await statusOf(id)).toMatchObject({ status: "active" });
  });
});

// Before the large messages: their memory, freed or not, would hide what grows here.
describe("a client that does not read", () => {
  /** Below what each test sends (140 MB and more); a server that just started grows by some 60 MB. */
  const bound = 100 * megabyte;

  /** Makes a page log texts of 1 MB, 140 in all. */
  const flood = `
    const text = "x".repeat(1024 * 1024);
    let left = 140;
    const next = () => { console.log(left + text); left -= 1; if (left > 0) setTimeout(next, 0); };
    next();
  `;

  const name = "does not make the server's memory grow while a page floods it";
  test(name, { tags: ["long"], timeout: 120_000 }, async () => {
    const { cdpUrl } = await startSession();
    const driver = await connectRaw(cdpUrl);
    const slow = await connectRaw(cdpUrl);
    await slow.send("Runtime.enable", {}, await slow.firstPage());
    slow.socket.pause();
    const before = await residentBytes(server.pid);
    let most = before;
    await driver.evaluate(flood);
    await expect
      .poll(
        async () => {
          most = Math.max(most, await residentBytes(server.pid));
          return driver.evaluate("left");
        },
        { timeout: 110_000, interval: 200 },
      )
      .toBe(0);
    expect(most - before).toBeLessThan(bound);
  });

  test("does not make the server's memory grow by commands that are refused", async () => {
    const { cdpUrl } = await startSession();
    const client = await connectRaw(cdpUrl);
    client.socket.pause();
    const before = await residentBytes(server.pid);
    const files = [`/${"x".repeat(200)}`];
    const command = JSON.stringify({ id: 1, method: "DOM.setFileInputFiles", params: { files } });
    const total = 300_000;
    let taken = 0;
    for (let count = 0; count < total; count += 1) {
      client.socket.send(command, () => {
        taken += 1;
      });
    }
    // All are taken, or the server takes no more because the client does not read the answers.
    let most = before;
    let last = -1;
    let unchanged = 0;
    await expect
      .poll(
        async () => {
          most = Math.max(most, await residentBytes(server.pid));
          unchanged = taken === last ? unchanged + 1 : 0;
          last = taken;
          return taken === total || unchanged === 10;
        },
        { timeout: 20_000, interval: 100 },
      )
      .toBe(true);
    expect(most - before).toBeLessThan(bound);
  });
});

describe("large messages", () => {
  test("of 20 MB from the browser arrive intact", async () => {
    const { cdpUrl } = await startSession();
    const browser = await connectPlaywright(cdpUrl);
    const text = await firstPage(browser).evaluate(
      (length) => "0123456789".repeat(length / 10),
      20 * 1_000_000,
    );
    expect(text === "0123456789".repeat(2_000_000)).toBe(true);
  });

  test("of 20 MB to the browser arrive intact", { timeout: 60_000 }, async () => {
    const { cdpUrl } = await startSession();
    const client = await connectRaw(cdpUrl);
    const text = randomBytes(10 * megabyte).toString("hex");
    const checksum = (all: string): string => {
      let sum = 0;
      for (let at = 0; at < all.length; at += 1) sum = (sum * 31 + all.charCodeAt(at)) | 0;
      return `${all.length}:${sum}`;
    };
    expect(await client.evaluate(`(${checksum})("${text}")`)).toBe(checksum(text));
  });

  test("of 200 MB are refused with close code 1009", async () => {
    const { id, cdpUrl } = await startSession();
    const client = await connectRaw(cdpUrl);
    client.socket.send(Buffer.alloc(200 * megabyte, " "), { binary: false });
    expect(await client.closed).toMatchObject({ code: 1009 });
    expect(await statusOf(id)).toMatchObject({ status: "active" });
  });
});

describe("an access", () => {
  test("is CDP traffic of a client; looking at the status is none", async () => {
    const { id, cdpUrl } = await startSession();
    const client = await connectRaw(cdpUrl);
    await client.send("Browser.getVersion");
    const first = (await statusOf(id))["last_accessed_at"];
    expect((await statusOf(id))["last_accessed_at"]).toBe(first);
    await server.call("GET", "/sessions");
    await server.call("GET", `/sessions/${id}/debug`);
    expect((await statusOf(id))["last_accessed_at"]).toBe(first);
    await client.send("Browser.getVersion");
    const second = (await statusOf(id))["last_accessed_at"];
    expect(Date.parse(String(second))).toBeGreaterThan(Date.parse(String(first)));
  });

  test("is no ping", async () => {
    const { id, cdpUrl } = await startSession();
    const client = await connectRaw(cdpUrl);
    await client.send("Browser.getVersion");
    const before = (await statusOf(id))["last_accessed_at"];
    const pong = once(client.socket, "pong");
    client.socket.ping();
    await pong;
    expect((await statusOf(id))["last_accessed_at"]).toBe(before);
  });
});

test("a closing handshake that the client begins is answered", async () => {
  const { cdpUrl } = await startSession();
  const socket = new WebSocket(cdpUrl);
  await once(socket, "open");
  socket.close(1000, "done");
  const [code] = (await once(socket, "close")) as [number, Buffer];
  expect(code).toBe(1000);
});
