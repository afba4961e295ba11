import { access, chmod, mkdir, mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import type { IncomingHttpHeaders } from "node:http";
import { tmpdir } from "node:os";
import path from "node:path";
import { type Browser, chromium, type Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from "vitest";
import WebSocket from "ws";
import { z } from "zod";
import { findChromium } from "../src/browsers/chromium.ts";
import { type Answer, Nightjar } from "./support/nightjar.ts";
import { pageTitledByPath, Site } from "./support/site.ts";

const time = z.iso.datetime({ offset: true });

/** Every field of a session in today's API, as the contract has it and our additions to it. */
const sessionRecord = z.strictObject({
  session_id: z.uuid(),
  idle_timeout_minutes: z.int(),
  timeout_minutes: z.int(),
  max_duration_minutes: z.int(),
  created_at: time,
  last_accessed_at: time,
  closed_at: time.nullable(),
  duration: z.string().regex(/^PT\d+(\.\d+)?S$/),
  status: z.enum(["active", "closed", "error", "timed_out"]),
  steps: z.array(z.record(z.string(), z.unknown())),
  error: z.string().nullable(),
  proxies: z.boolean(),
  browser_type: z.enum(["chromium", "chrome", "chrome-nightly", "chrome-turbo"]),
  use_file_storage: z.boolean(),
  headless: z.boolean(),
  web_bot_auth: z.boolean(),
  network_request_bytes: z.int(),
  network_response_bytes: z.int(),
  user_agent: z.string().nullable(),
  viewport_width: z.int().nullable(),
  viewport_height: z.int().nullable(),
  solve_captchas: z.boolean().nullable(),
  cdp_url: z.string().startsWith("ws://").nullable(),
  viewer_url: z.string().nullable(),
  replay_status: z.enum(["none", "recording", "processing", "ready", "failed"]),
  record_bodies: z.boolean(),
  auth_ids: z.array(z.string()),
  system_hidden: z.boolean(),
  end_reason: z.string().nullable(),
  keep_alive: z.boolean(),
});

const sessionPage = z.strictObject({
  items: z.array(sessionRecord),
  page: z.int(),
  page_size: z.int(),
  has_next: z.boolean(),
  has_previous: z.boolean(),
});

const debugInfo = z.object({
  debug_url: z.string(),
  ws: z.strictObject({ cdp: z.string(), recording: z.string(), logs: z.string() }),
  tabs: z.array(
    z.object({
      metadata: z.object({ tab_id: z.int(), title: z.string(), url: z.string() }),
      debug_url: z.string(),
      ws_url: z.string(),
    }),
  ),
});

const validationError = z.strictObject({
  status: z.literal(422),
  code: z.string(),
  message: z.string().min(1),
  error: z.string().min(1),
  request_id: z.string().optional(),
  detail: z
    .array(
      z.object({ loc: z.array(z.union([z.string(), z.int()])), msg: z.string(), type: z.string() }),
    )
    .min(1),
});

const plainError = z.object({
  status: z.int(),
  message: z.string().min(1),
  error: z.string().min(1),
  detail: z.string().min(1),
});

const installed = await findChromium({
  chromiumPath: null,
  headlessShellPath: null,
  dataDir: path.join(tmpdir(), "nightjar-none"),
});
const hasFullBrowser = installed.chromium !== null;

let nightjar: Nightjar;
/** May attach to nothing on this machine; its sessions are what the other one attaches to. */
let elsewhere: Nightjar;
/** Of a tenant there that may reach nothing but the public internet. */
let strictKey: string;
let site: Site;
const requests: { readonly url: string; readonly headers: IncomingHttpHeaders }[] = [];

beforeAll(async () => {
  site = await Site.start((request, response) => {
    requests.push({ url: request.url ?? "", headers: request.headers });
    if (request.url?.endsWith(".js") === true) {
      response.setHeader("Content-Type", "text/javascript");
      response.end("fetch('/from-worker').then(() => postMessage(navigator.userAgent));");
      return;
    }
    pageTitledByPath(request, response);
  });
  [nightjar, elsewhere] = await Promise.all([
    Nightjar.start({ NIGHTJAR_EGRESS_ALLOW: "127.0.0.1", NIGHTJAR_RECORDING: "0" }),
    Nightjar.start({ NIGHTJAR_WARM_POOL: "0", NIGHTJAR_EGRESS_ALLOW: "", NIGHTJAR_RECORDING: "0" }),
  ]);
  await elsewhere.cli("tenants", "allow", "default", "127.0.0.1");
  strictKey = (await elsewhere.cli("keys", "create", "--tenant", "strict")).stdout.trim();
}, 60_000);

afterAll(async () => {
  await Promise.all([nightjar.dispose(), elsewhere.dispose(), site.stop()]);
});

function start(body: unknown, options: Parameters<Nightjar["call"]>[2] = {}): Promise<Answer> {
  return nightjar.call("POST", "/sessions/start", { body, ...options });
}

/** Starts a session that the test's end stops. */
async function started(body: Record<string, unknown> = {}, server = nightjar) {
  const answer = await server.call("POST", "/sessions/start", { body });
  expect(answer.body).toMatchObject({ status: "active" });
  const session = sessionRecord.parse(answer.body);
  onTestFinished(async () => {
    await server.call("DELETE", `/sessions/${session.session_id}/stop`);
  });
  return { ...session, cdp_url: session.cdp_url ?? "" };
}

async function firstTab(cdpUrl: string): Promise<{ browser: Browser; page: Page }> {
  const browser = await chromium.connectOverCDP(cdpUrl);
  const page = browser.contexts()[0]?.pages()[0];
  if (page === undefined) throw new Error("the session has no first tab");
  return { browser, page };
}

async function popupOf(page: Page, url: string): Promise<Page> {
  const [popup] = await Promise.all([
    page.waitForEvent("popup"),
    page.evaluate((target) => {
      (globalThis as unknown as { open(url: string): void }).open(target);
    }, url),
  ]);
  await popup.waitForLoadState();
  return popup;
}

function innerSize(page: Page): Promise<unknown> {
  return page.evaluate("({ width: innerWidth, height: innerHeight })");
}

function headersOf(url: string): IncomingHttpHeaders | undefined {
  return requests.findLast((request) => request.url === url)?.headers;
}

/** All processes of the browsers of a server. */
async function browserProcesses(dataDir: string): Promise<readonly number[]> {
  const pids = (await readdir("/proc")).filter((name) => /^\d+$/.test(name));
  const found = await Promise.all(
    pids.map(async (pid) => {
      const args = await readFile(`/proc/${pid}/cmdline`, "utf8").catch(() => "");
      return args.includes(dataDir) && args.includes("--user-data-dir") ? [Number(pid)] : [];
    }),
  );
  return found.flat();
}

/** Where the browsers of the server listen, as each writes into its profile once it does. */
async function devtoolsAddresses(): Promise<readonly { port: string; route: string }[]> {
  const directory = path.join(nightjar.dataDir, "browsers");
  const found = await Promise.all(
    (await readdir(directory)).map(async (name) => {
      const file = path.join(directory, name, "profile", "DevToolsActivePort");
      const [port = "", route = ""] = (await readFile(file, "utf8").catch(() => "")).split("\n");
      return route === "" ? [] : [{ port, route }];
    }),
  );
  return found.flat();
}

/** Whether every browser that there is serves a session or is ready to. */
async function isSettled(): Promise<boolean> {
  const { body } = await nightjar.call("GET", "/health", { key: null });
  const ready = Number(body["warm_browsers"]) + Number(body["active_sessions"]);
  const directories = await readdir(path.join(nightjar.dataDir, "browsers"));
  return Number(body["warm_browsers"]) > 0 && directories.length === ready;
}

async function newKey(tenant: string): Promise<string> {
  return (await nightjar.cli("keys", "create", "--tenant", tenant)).stdout.trim();
}

function expectInvalid(answer: Answer, field: string): z.infer<typeof validationError> {
  expect(answer.status).toBe(422);
  const body = validationError.parse(answer.body);
  expect(body.message).toContain(field);
  expect(body.detail.map(({ loc }) => loc.join("."))).toContainEqual(
    expect.stringContaining(field),
  );
  return body;
}

function expectError(answer: Answer, status: number): z.infer<typeof plainError> {
  expect(answer.status).toBe(status);
  const body = plainError.parse(answer.body);
  expect(body).toMatchObject({ status, error: body.message, detail: body.message });
  return body;
}

describe("a start", () => {
  test("takes {} , no body, and an empty body, and answers every field with its default", async () => {
    const answers = [
      await start({}),
      await nightjar.call("POST", "/sessions/start"),
      await nightjar.call("POST", "/sessions/start", {
        headers: { "Content-Type": "application/json" },
      }),
    ];
    for (const answer of answers) {
      expect(answer.status).toBe(200);
      expect(answer.headers.get("content-type")).toContain("application/json");
      const session = sessionRecord.parse(answer.body);
      expect(session).toMatchObject({
        status: "active",
        idle_timeout_minutes: 3,
        timeout_minutes: 3,
        max_duration_minutes: 15,
        browser_type: "chromium",
        headless: true,
        user_agent: null,
        viewport_width: 1280,
        viewport_height: 1080,
        closed_at: null,
        end_reason: null,
        steps: [],
      });
      expect(session.cdp_url).toContain(`/sessions/${session.session_id}/cdp`);
      await nightjar.call("DELETE", `/sessions/${session.session_id}/stop`);
    }
  });

  test("takes all that the Python client sends by default and answers what is true", async () => {
    const session = await started({
      headless: true,
      solve_captchas: true,
      max_duration_minutes: 15,
      idle_timeout_minutes: 3,
      proxies: false,
      browser_type: "chromium",
      use_file_storage: true,
      screenshot_type: "last_action",
      web_bot_auth: false,
      auth_ids: [],
      wait_for_authentication: true,
    });
    expect(session).toMatchObject({
      solve_captchas: false,
      use_file_storage: true,
      proxies: false,
      web_bot_auth: false,
      auth_ids: [],
    });
  });

  test("takes null for every field that may be left out", async () => {
    const names =
      "user_agent chrome_args viewport_width viewport_height aspect_ratio cdp_url profile vault_id extra_http_headers proxies";
    const body = Object.fromEntries(names.split(" ").map((name) => [name, null]));
    expect(await started(body)).toMatchObject({ status: "active", viewport_width: 1280 });
  });

  test("reads both names of the idle timeout, and the maximum duration", async () => {
    expect(await started({ timeout_minutes: 7, max_duration_minutes: 20 })).toMatchObject({
      idle_timeout_minutes: 7,
      timeout_minutes: 7,
      max_duration_minutes: 20,
    });
    expect(await started({ idle_timeout_minutes: 30, max_duration_minutes: 1440 })).toMatchObject({
      idle_timeout_minutes: 30,
      timeout_minutes: 30,
      max_duration_minutes: 1440,
    });
  });

  test.each(["raw", "full", "last_action"])("takes screenshot_type %s", async (screenshot_type) => {
    expect(await started({ screenshot_type })).toMatchObject({ status: "active" });
  });
});

describe("the browser that a start asks for", () => {
  test("has the default page size on its first tab", async () => {
    const { browser, page } = await firstTab((await started()).cdp_url);
    expect(await innerSize(page)).toEqual({ width: 1280, height: 1080 });
    await browser.close();
  });

  test("has the viewport on the first tab, on a new tab and in a popup", async () => {
    const session = await started({ viewport_width: 801, viewport_height: 603 });
    expect(session).toMatchObject({ viewport_width: 801, viewport_height: 603 });
    const { browser, page } = await firstTab(session.cdp_url);
    const size = { width: 801, height: 603 };
    expect(await innerSize(page)).toEqual(size);
    await page.goto(`${site.url}/viewport`);
    expect(await innerSize(page)).toEqual(size);
    const tab = await page.context().newPage();
    await tab.goto(`${site.url}/tab`);
    expect(await innerSize(tab)).toEqual(size);
    expect(await innerSize(await popupOf(page, `${site.url}/popup`))).toEqual(size);
    await browser.close();
  });

  test.each([
    ["5:4", { width: 1280, height: 1024 }],
    ["16:9", { width: 1280, height: 720 }],
  ])("has the page size of aspect_ratio %s", async (aspect_ratio, size) => {
    const session = await started({ aspect_ratio });
    expect(session).toMatchObject({ viewport_width: size.width, viewport_height: size.height });
    const { browser, page } = await firstTab(session.cdp_url);
    expect(await innerSize(page)).toEqual(size);
    await browser.close();
  });

  test("has the user agent in pages, workers and requests", async () => {
    const user_agent = "Mozilla/5.0 (Nightjar test) Agent/1.0";
    const session = await started({ user_agent });
    expect(session).toMatchObject({ user_agent });
    const { browser, page } = await firstTab(session.cdp_url);
    await page.goto(`${site.url}/agent`);
    expect(await page.evaluate("navigator.userAgent")).toBe(user_agent);
    expect(headersOf("/agent")).toMatchObject({ "user-agent": user_agent });
    const inWorker = `new Promise((resolve) => {
      new Worker("/agent-worker.js").onmessage = ({ data }) => resolve(data);
    })`;
    expect(await page.evaluate(inWorker)).toBe(user_agent);
    expect(headersOf("/agent-worker.js")).toMatchObject({ "user-agent": user_agent });
    expect(headersOf("/from-worker")).toMatchObject({ "user-agent": user_agent });
    const popup = await popupOf(page, `${site.url}/agent-popup`);
    expect(await popup.evaluate("navigator.userAgent")).toBe(user_agent);
    expect(headersOf("/agent-popup")).toMatchObject({ "user-agent": user_agent });
    await browser.close();
  });

  test("sends the extra headers with navigations, subresources, popups and workers", async () => {
    const { cdp_url } = await started({ extra_http_headers: { "X-Team": "night", "x-two": "2" } });
    const { browser, page } = await firstTab(cdp_url);
    const expected = { "x-team": "night", "x-two": "2" };
    await page.goto(`${site.url}/headers`);
    expect(headersOf("/headers")).toMatchObject(expected);
    await page.evaluate("fetch('/subresource').then((answer) => answer.text())");
    expect(headersOf("/subresource")).toMatchObject(expected);
    await popupOf(page, `${site.url}/headers-popup`);
    expect(headersOf("/headers-popup")).toMatchObject(expected);
    const tab = await page.context().newPage();
    await tab.goto(`${site.url}/headers-tab`);
    expect(headersOf("/headers-tab")).toMatchObject(expected);
    await page.evaluate(`new Promise((resolve) => {
      new Worker("/headers-worker.js").onmessage = resolve;
    })`);
    expect(headersOf("/headers-worker.js")).toMatchObject(expected);
    expect(headersOf("/from-worker")).toMatchObject(expected);
    await browser.close();
  });

  test("has the language of chrome_args --lang", async () => {
    const { cdp_url } = await started({ chrome_args: ["--lang=de", "--no-first-run"] });
    const { browser, page } = await firstTab(cdp_url);
    expect(await page.evaluate("navigator.language")).toBe("de");
    await browser.close();
  });

  test.each([
    "--no-sandbox",
    "--remote-debugging-port=9222",
    "--remote-debugging-address=0.0.0.0",
    "--user-data-dir=/etc",
    "--load-extension=/tmp/x",
    "--proxy-server=http://127.0.0.1:1",
    "--host-resolver-rules=MAP * 127.0.0.1",
    "--disable-web-security",
    "--allow-file-access-from-files",
    "--renderer-cmd-prefix=/bin/sh",
    "--LANG=de",
    "file:///etc/passwd",
    "-no-sandbox",
    "",
  ])("is refused with the argument %j, which is named", async (argument) => {
    const answer = await start({ chrome_args: ["--lang=de", argument] });
    expect(expectInvalid(answer, "chrome_args").message).toContain(`"${argument}"`);
  });

  test.skipIf(!hasFullBrowser)("is the full browser for browser_type chrome", async () => {
    const session = await started({ browser_type: "chrome" });
    expect(session).toMatchObject({ browser_type: "chrome", headless: true });
    const { browser } = await firstTab(session.cdp_url);
    const client = await browser.newBrowserCDPSession();
    expect((await client.send("Browser.getVersion")).product).toMatch(/^Chrome\//);
    await browser.close();
  });

  test.skipIf(!hasFullBrowser)("has the page size that the answer says, full as well", async () => {
    const session = await started({ browser_type: "chrome" });
    const { browser, page } = await firstTab(session.cdp_url);
    expect(await innerSize(page)).toEqual({
      width: session.viewport_width,
      height: session.viewport_height,
    });
    await browser.close();
  });

  test.skipIf(process.env["DISPLAY"] !== undefined || process.platform === "darwin")(
    "is refused with headless false where there is no display",
    async () => {
      expect(expectError(await start({ headless: false }), 501).message).toContain("headless");
    },
  );
});

describe("cdp_url of a start", () => {
  test("attaches to the browser there, and a stop lets go of it", async () => {
    const theirs = await started({}, elsewhere);
    const { browser, page } = await firstTab(theirs.cdp_url);
    await page.goto(`${site.url}/elsewhere`);
    const ours = await started({ cdp_url: theirs.cdp_url });
    expect(ours).toMatchObject({ viewport_width: null, viewport_height: null });
    expect(ours.cdp_url).toContain(nightjar.url.replace("http", "ws"));
    const attached = await firstTab(ours.cdp_url);
    expect(await attached.page.title()).toBe("/elsewhere");
    await attached.page.goto(`${site.url}/driven-from-afar`);
    expect(await page.title()).toBe("/driven-from-afar");
    const { body } = await nightjar.call("DELETE", `/sessions/${ours.session_id}/stop`);
    expect(body).toMatchObject({ status: "closed", end_reason: "client_stop" });
    const still = await elsewhere.call("GET", `/sessions/${theirs.session_id}`);
    expect(still.body).toMatchObject({ status: "active" });
    expect(await page.evaluate("6 * 7")).toBe(42);
    await browser.close();
  });

  test("takes the http address of a browser's DevTools", async () => {
    const theirs = await started({}, elsewhere);
    const address = new URL(theirs.cdp_url.replace("ws", "http"));
    // A session has its DevTools beneath its cdp_url; only the token in the query is in the way.
    const front = await Site.start((request, response) => {
      const answer = fetch(`${address.origin}${address.pathname}${request.url}${address.search}`);
      answer.then(
        async (found) => response.end(await found.text()),
        () => response.destroy(),
      );
    });
    onTestFinished(() => front.stop());
    const ours = await started({ cdp_url: front.url });
    const { browser, page } = await firstTab(ours.cdp_url);
    expect(await page.evaluate("6 * 7")).toBe(42);
    await browser.close();
  });

  test("turns the session into error when the browser there goes away", async () => {
    const theirs = await started({}, elsewhere);
    const ours = await started({ cdp_url: theirs.cdp_url });
    await elsewhere.call("DELETE", `/sessions/${theirs.session_id}/stop`);
    await expect
      .poll(async () => (await nightjar.call("GET", `/sessions/${ours.session_id}`)).body)
      .toMatchObject({ status: "error", end_reason: "browser_crash" });
  });

  test.each([
    "http://127.0.0.1:9222",
    "ws://127.0.0.1:9222/devtools/browser/x",
    "http://localhost:9222",
    "http://[::1]:9222",
    "http://[::ffff:127.0.0.1]:9222",
    "http://2130706433:9222",
    "http://169.254.169.254/latest/meta-data",
    "http://10.0.0.1:9222",
    "http://0.0.0.0:9222",
  ])("is refused with 403 for %s unless the operator allows it", async (cdp_url) => {
    const key = strictKey;
    const answer = await elsewhere.call("POST", "/sessions/start", { body: { cdp_url }, key });
    expect(expectError(answer, 403).message).toContain("NIGHTJAR_EGRESS_ALLOW");
  });

  test("is refused with 403 for a DevTools answer that leads to a refused address", async () => {
    const lure = await Site.start((_request, response) => {
      response.end(JSON.stringify({ webSocketDebuggerUrl: "ws://10.0.0.1:1/devtools/browser/x" }));
    });
    onTestFinished(() => lure.stop());
    expectError(await start({ cdp_url: lure.url }), 403);
  });

  test("is refused with 403 for the browsers of this server, serving and warm", async () => {
    await started();
    await expect.poll(isSettled, { timeout: 15_000 }).toBe(true);
    const own = await devtoolsAddresses();
    expect(own.length).toBeGreaterThan(0);
    for (const { port, route } of own) {
      for (const cdp_url of [`http://127.0.0.1:${port}`, `ws://127.0.0.1:${port}${route}`]) {
        const { status } = await start({ cdp_url });
        expect({ cdp_url, status }).toEqual({ cdp_url, status: 403 });
      }
    }
  });

  test("is refused with 403 for the browsers of this server behind another address", async () => {
    await started();
    await expect.poll(isSettled, { timeout: 15_000 }).toBe(true);
    for (const { port, route } of await devtoolsAddresses()) {
      const lure = await Site.start((_request, response) => {
        response.end(JSON.stringify({ webSocketDebuggerUrl: `ws://127.0.0.1:${port}${route}` }));
      });
      onTestFinished(() => lure.stop());
      expectError(await start({ cdp_url: lure.url }), 403);
    }
  });

  test("is refused with 403 for a browser of this server that is just being launched", async () => {
    await expect.poll(isSettled, { timeout: 15_000 }).toBe(true);
    const before = new Set((await devtoolsAddresses()).map(({ port }) => port));
    const launched = async () =>
      (await devtoolsAddresses()).find(({ port }) => !before.has(port))?.port;
    // Its hand-over makes the pool launch another one.
    await started();
    await expect.poll(launched, { interval: 1, timeout: 10_000 }).toBeDefined();
    expectError(await start({ cdp_url: `http://127.0.0.1:${await launched()}` }), 403);
  });

  test("is 502 where nothing listens and where no browser answers", async () => {
    expectError(await start({ cdp_url: "http://127.0.0.1:1" }), 502);
    expectError(await start({ cdp_url: "ws://127.0.0.1:1/devtools/browser/x" }), 502);
    expectError(await start({ cdp_url: site.url }), 502);
  });

  test.each(["nonsense", "ftp://example.com", "file:///etc/passwd"])(
    "is 422 for %s",
    async (cdp_url) => {
      expectInvalid(await start({ cdp_url }), "cdp_url");
    },
  );

  test.each([
    ["user_agent", { user_agent: "x" }],
    ["chrome_args", { chrome_args: ["--lang=de"] }],
    ["headless", { headless: false }],
    ["viewport_width", { viewport_width: 800, viewport_height: 600 }],
  ])("is 422 together with %s", async (field, fields) => {
    expectInvalid(await start({ cdp_url: "http://127.0.0.1:1", ...fields }), field);
  });
});

describe("a start that asks for something wrong", () => {
  test.each([
    ["viewport_height", { viewport_width: 800 }],
    ["viewport_width", { viewport_height: 600 }],
    ["aspect_ratio", { aspect_ratio: "16:9", viewport_width: 800, viewport_height: 600 }],
    ["aspect_ratio", { aspect_ratio: "4:3" }],
    ["idle_timeout_minutes", { idle_timeout_minutes: 10, max_duration_minutes: 5 }],
    ["idle_timeout_minutes", { idle_timeout_minutes: 0 }],
    ["idle_timeout_minutes", { idle_timeout_minutes: 31 }],
    ["idle_timeout_minutes", { idle_timeout_minutes: 1.5 }],
    ["timeout_minutes", { timeout_minutes: "5" }],
    ["max_duration_minutes", { max_duration_minutes: 0 }],
    ["max_duration_minutes", { max_duration_minutes: 1441 }],
    ["headless", { headless: "yes" }],
    ["user_agent", { user_agent: "a\nb" }],
    ["chrome_args", { chrome_args: "--lang=de" }],
    ["viewport_width", { viewport_width: 12.5, viewport_height: 600 }],
    ["viewport_width", { viewport_width: -1, viewport_height: 600 }],
    ["extra_http_headers", { extra_http_headers: { "a b": "c" } }],
    ["extra_http_headers", { extra_http_headers: { a: "b\r\nc: d" } }],
    ["extra_http_headers", { extra_http_headers: { a: 1 } }],
    ["screenshot_type", { screenshot_type: "none" }],
    ["proxies", { proxies: [{ type: "other" }] }],
    ["proxies", { proxies: true }],
    ["proxies", { proxies: [{ type: "external" }] }],
    ["proxies", { proxies: [{ type: "external", server: "ftp://proxy.example:21" }] }],
    ["proxies", { proxies: [{ type: "external", server: "http://proxy.example/path" }] }],
    ["proxies", { proxies: [{ type: "external", server: "http://a", bypass: "a b/c" }] }],
    ["proxies", { proxies: ["a", "b"].map((server) => ({ type: "external", server })) }],
    [
      "proxies",
      { proxies: [{ type: "external", server: "http://a" }], cdp_url: "http://127.0.0.1:1" },
    ],
    ["profile", { profile: {} }],
    ["auth_ids", { auth_ids: "abcdefghijk".split("") }],
  ])("is 422 naming %s: %j", async (field, body) => {
    expectInvalid(await start(body), field);
  });

  test("is 422 naming an unknown field, in the form that FastAPI has", async () => {
    const answer = await start({ timeoutMinutes: 5, viewport: { width: 1 } });
    expect(answer.status).toBe(422);
    expect(validationError.parse(answer.body).detail).toEqual([
      { loc: ["body", "timeoutMinutes"], msg: expect.any(String), type: "extra_forbidden" },
      { loc: ["body", "viewport"], msg: expect.any(String), type: "extra_forbidden" },
    ]);
  });

  test("is told the wrong browser_type and those there are", async () => {
    const { message } = expectInvalid(await start({ browser_type: "netscape" }), "browser_type");
    for (const word of ["netscape", "chromium", "chrome-nightly"]) expect(message).toContain(word);
  });

  test.each(['{"headless": ', "[]", '"text"', "5"])("is 422 for the body %s", async (rawBody) => {
    const answer = await nightjar.call("POST", "/sessions/start", { rawBody });
    expect(validationError.parse(answer.body).detail[0]?.loc[0]).toBe("body");
  });

  test("is 415 for a body that is not JSON", async () => {
    const answer = await nightjar.call("POST", "/sessions/start", {
      rawBody: "headless=true",
      headers: { "Content-Type": "application/x-www-form-urlencoded" },
    });
    expectError(answer, 415);
  });

  test.each([
    ["proxies", { proxies: [{ type: "notte", country: "us" }] }],
    ["proxies", { proxies: [{ type: "tailnet", oauth_client_id: "id" }] }],
    ["profile", { profile: { id: "notte-profile-0123456789abcdef", persist: true } }],
    ["web_bot_auth", { web_bot_auth: true }],
    ["vault_id", { vault_id: "vault" }],
    ["auth_ids", { auth_ids: ["a"] }],
  ])("is 501 naming %s: %j", async (field, body) => {
    expect(expectError(await start(body), 501).message).toContain(field);
  });

  test("makes no session", async () => {
    const key = await newKey("wrong-asks");
    await start({ headless: "yes" }, { key });
    await start({ web_bot_auth: true }, { key });
    await start({ chrome_args: ["--no-sandbox"] }, { key });
    const { body } = await nightjar.call("GET", "/sessions?only_active=false", { key });
    expect(sessionPage.parse(body).items).toEqual([]);
  });
});

describe("GET /sessions", () => {
  let key: string;
  /** Newest first. */
  const ids: string[] = [];

  beforeAll(async () => {
    key = await newKey("lists");
    for (let count = 0; count < 4; count += 1) {
      ids.unshift((await nightjar.startSession({}, key)).id);
    }
    await nightjar.call("DELETE", `/sessions/${ids[1]}/stop`, { key });
  });

  afterAll(async () => {
    for (const id of ids) await nightjar.call("DELETE", `/sessions/${id}/stop`, { key });
  });

  async function list(query: string, withKey = key) {
    const answer = await nightjar.call("GET", `/sessions${query}`, { key: withKey });
    expect(answer.status).toBe(200);
    const { items, ...paging } = sessionPage.parse(answer.body);
    return { ids: items.map((item) => item.session_id), ...paging };
  }

  test("lists active sessions, newest first, ten a page", async () => {
    expect(await list("")).toEqual({
      ids: [ids[0], ids[2], ids[3]],
      page: 1,
      page_size: 10,
      has_next: false,
      has_previous: false,
    });
  });

  test.each(["only_active=true", "only_active=True", "only_active=1"])(
    "leaves out ended sessions with %s",
    async (query) => {
      expect((await list(`?${query}`)).ids).toEqual([ids[0], ids[2], ids[3]]);
    },
  );

  test.each(["only_active=false", "only_active=False", "only_active=0"])(
    "lists ended sessions, too, with %s",
    async (query) => {
      expect((await list(`?${query}`)).ids).toEqual(ids);
    },
  );

  test("pages without overlap or gap", async () => {
    expect(await list("?only_active=false&page=1&page_size=3")).toEqual({
      ids: ids.slice(0, 3),
      page: 1,
      page_size: 3,
      has_next: true,
      has_previous: false,
    });
    expect(await list("?only_active=false&page=2&page_size=3")).toEqual({
      ids: ids.slice(3),
      page: 2,
      page_size: 3,
      has_next: false,
      has_previous: true,
    });
    expect(await list("?only_active=false&page=1&page_size=4")).toMatchObject({ has_next: false });
    expect(await list("?page=9")).toMatchObject({ ids: [], has_next: false, has_previous: true });
  });

  test("lists only this key's own sessions with only_current_token", async () => {
    const second = await newKey("lists");
    expect((await list("", second)).ids).toEqual([ids[0], ids[2], ids[3]]);
    expect((await list("?only_current_token=True", second)).ids).toEqual([]);
    expect((await list("?only_current_token=true", key)).ids).toEqual([ids[0], ids[2], ids[3]]);
  });

  test("ignores unknown parameters", async () => {
    expect((await list("?include_system=None&x=y")).ids).toEqual([ids[0], ids[2], ids[3]]);
  });

  test.each(["page=0", "page=x", "page_size=0", "page_size=101", "only_active=maybe"])(
    "is 422 for %s",
    async (query) => {
      const answer = await nightjar.call("GET", `/sessions?${query}`, { key });
      expect(expectInvalid(answer, query.split("=")[0] ?? "").detail[0]?.loc[0]).toBe("query");
    },
  );

  test.each(["/sessions/", "//sessions", "//sessions/", "/sessions/?page=1"])(
    "is served at %s as well, without a redirect",
    async (route) => {
      const response = await fetch(`${nightjar.url}${route}`, {
        headers: { Authorization: `Bearer ${key}` },
        redirect: "manual",
      });
      expect(response.status).toBe(200);
      expect(sessionPage.parse(await response.json()).items).toHaveLength(3);
    },
  );
});

describe("status and stop", () => {
  test("a stop answers the closed session, and so does every later one", async () => {
    const { session_id } = await started();
    const stop = () => nightjar.call("DELETE", `/sessions/${session_id}/stop?close_reason=manual`);
    const first = await stop();
    expect(first.status).toBe(200);
    const record = sessionRecord.parse(first.body);
    expect(record).toMatchObject({ status: "closed", end_reason: "client_stop", cdp_url: null });
    expect(record.closed_at).not.toBeNull();
    expect((await stop()).body).toEqual(first.body);
    expect((await nightjar.call("POST", `/sessions/${session_id}/stop`)).body).toEqual(first.body);
    expect((await nightjar.call("GET", `/sessions/${session_id}`)).body).toEqual(first.body);
  });

  test("ten stops at once end it once, with one answer", async () => {
    const { session_id } = await started();
    const answers = await Promise.all(
      Array.from({ length: 10 }, () => nightjar.call("DELETE", `/sessions/${session_id}/stop/`)),
    );
    const [first] = answers;
    for (const answer of answers) expect(answer).toMatchObject({ status: 200, body: first?.body });
  });

  test("a stop of a crashed session answers closed beside the true reason", async () => {
    const { session_id, cdp_url } = await started();
    const { browser } = await firstTab(cdp_url);
    const client = await browser.newBrowserCDPSession();
    const ended = new Promise<void>((resolve) => browser.on("disconnected", () => resolve()));
    await Promise.race([ended, client.send("Browser.crash").catch(() => {})]);
    const status = async () => (await nightjar.call("GET", `/sessions/${session_id}`)).body;
    await expect.poll(status).toMatchObject({ status: "error", end_reason: "browser_crash" });
    const { body } = await nightjar.call("DELETE", `/sessions/${session_id}/stop`);
    expect(body).toMatchObject({
      status: "closed",
      end_reason: "browser_crash",
      error: expect.stringMatching(/./),
    });
    expect(await status()).toMatchObject({ status: "error" });
  });

  test("the status of a running session moves only its duration and the link to its live view", async () => {
    const session = await started();
    const { body } = await nightjar.call("GET", `/sessions/${session.session_id}`);
    const { duration, viewer_url } = body;
    expect(body).toEqual({ ...session, duration, viewer_url });
    const seconds = (text: unknown) => Number(/^PT([\d.]+)S$/.exec(String(text))?.[1]);
    expect(seconds(body["duration"])).toBeGreaterThanOrEqual(seconds(session.duration));
  });

  test("unknown ids are 404", async () => {
    for (const id of [crypto.randomUUID(), "nonsense", "%2e%2e%2fetc"]) {
      expectError(await nightjar.call("GET", `/sessions/${id}`), 404);
      expectError(await nightjar.call("DELETE", `/sessions/${id}/stop`), 404);
      expectError(await nightjar.call("GET", `/sessions/${id}/debug`), 404);
    }
  });
});

describe("GET /sessions/{id}/debug", () => {
  test("answers exactly the three WebSocket URLs and the tabs", async () => {
    const { session_id, cdp_url } = await started();
    const { browser, page } = await firstTab(cdp_url);
    await page.goto(`${site.url}/first`);
    await (await page.context().newPage()).goto(`${site.url}/second`);
    const answer = await nightjar.call("GET", `/sessions/${session_id}/debug`);
    expect(answer.status).toBe(200);
    const { ws, tabs } = debugInfo.parse(answer.body);
    expect(ws.cdp).toBe(cdp_url);
    expect(tabs.map(({ metadata }) => metadata.tab_id)).toEqual([0, 1]);
    expect(tabs.map(({ metadata }) => metadata.title).sort()).toEqual(["/first", "/second"]);
    const tab = await nightjar.call("GET", `/sessions/${session_id}/debug/tab?tab_idx=1`);
    expect(tab.body).toEqual(tabs[1]);
    expectInvalid(
      await nightjar.call("GET", `/sessions/${session_id}/debug/tab?tab_idx=2`),
      "tab_idx",
    );
    await browser.close();
  });

  test("gives a page-level URL that a raw WebSocket client drives its tab with", async () => {
    const { session_id, cdp_url } = await started();
    const { browser, page } = await firstTab(cdp_url);
    await page.goto(`${site.url}/raw`);
    const { body } = await nightjar.call("GET", `/sessions/${session_id}/debug`);
    const socket = new WebSocket(debugInfo.parse(body).tabs[0]?.ws_url ?? "");
    const reply = await new Promise((resolve, reject) => {
      socket.on("error", reject);
      socket.on("message", (data) => resolve(JSON.parse(String(data))));
      socket.on("open", () => {
        const params = { expression: "document.title" };
        socket.send(JSON.stringify({ id: 1, method: "Runtime.evaluate", params }));
      });
    });
    expect(reply).toMatchObject({ id: 1, result: { result: { value: "/raw" } } });
    socket.terminate();
    await browser.close();
  });

  test("is 410 with the reason once the session has ended", async () => {
    const { session_id } = await started();
    await nightjar.call("DELETE", `/sessions/${session_id}/stop`);
    const answer = await nightjar.call("GET", `/sessions/${session_id}/debug`);
    expect(expectError(answer, 410).message).toContain("client_stop");
  });
});

describe("GET /health", () => {
  test("tells without a key what the host holds", async () => {
    const { status, body } = await nightjar.call("GET", "/health", { key: null });
    expect(status).toBe(200);
    expect(body).toMatchObject({
      status: "ok",
      version: expect.any(String),
      description: expect.any(String),
      active_sessions: expect.any(Number),
    });
  });
});

describe("Idempotency-Key", () => {
  async function sessionCount(key: string): Promise<number> {
    const { body } = await nightjar.call("GET", "/sessions?only_active=false", { key });
    return sessionPage.parse(body).items.length;
  }

  test("a repeat answers the same session, also after it ended", async () => {
    const key = await newKey("repeats");
    const options = { key, headers: { "Idempotency-Key": "a".repeat(64) } };
    const first = await start({ idle_timeout_minutes: 4 }, options);
    const again = await start({ idle_timeout_minutes: 4 }, options);
    expect(first).toMatchObject({ status: 200, body: { status: "active" } });
    expect(again).toMatchObject({
      status: 200,
      body: { session_id: first.body["session_id"], cdp_url: first.body["cdp_url"] },
    });
    await nightjar.call("DELETE", `/sessions/${first.body["session_id"]}/stop`, { key });
    const late = await start({ idle_timeout_minutes: 4 }, options);
    expect(late.body).toMatchObject({ session_id: first.body["session_id"], status: "closed" });
    expect(await sessionCount(key)).toBe(1);
  });

  test("requests at once start one session", async () => {
    const key = await newKey("races");
    const options = { key, headers: { "Idempotency-Key": "race" } };
    const answers = await Promise.all(Array.from({ length: 6 }, () => start({}, options)));
    expect(new Set(answers.map(({ status }) => status))).toEqual(new Set([200]));
    expect(new Set(answers.map(({ body }) => body["session_id"])).size).toBe(1);
    expect(await sessionCount(key)).toBe(1);
    await nightjar.call("DELETE", `/sessions/${answers[0]?.body["session_id"]}/stop`, { key });
  });

  test("another request under the same key is 409, while it runs and afterwards", async () => {
    const key = await newKey("conflicts");
    const options = { key, headers: { "Idempotency-Key": "conflict" } };
    const answers = await Promise.all([
      start({ idle_timeout_minutes: 4 }, options),
      start({ idle_timeout_minutes: 5 }, options),
    ]);
    expect(answers.map(({ status }) => status).sort()).toEqual([200, 409]);
    const won = answers.findIndex(({ status }) => status === 200);
    expectError(await start({ idle_timeout_minutes: 9 }, options), 409);
    expect(await sessionCount(key)).toBe(1);
    await nightjar.call("DELETE", `/sessions/${answers[won]?.body["session_id"]}/stop`, { key });
  });

  test("another tenant's same key starts a session of its own", async () => {
    const [one, two] = [await newKey("tenant-one"), await newKey("tenant-two")];
    const headers = { "Idempotency-Key": "shared" };
    const ofOne = await start({}, { key: one, headers });
    const ofTwo = await start({}, { key: two, headers });
    expect(ofTwo.status).toBe(200);
    expect(ofTwo.body["session_id"]).not.toBe(ofOne.body["session_id"]);
    await nightjar.call("DELETE", `/sessions/${ofOne.body["session_id"]}/stop`, { key: one });
    await nightjar.call("DELETE", `/sessions/${ofTwo.body["session_id"]}/stop`, { key: two });
  });

  test("one that is too long is 422", async () => {
    const answer = await start({}, { headers: { "Idempotency-Key": "x".repeat(256) } });
    expectInvalid(answer, "idempotency-key");
  });
});

describe("capacity", () => {
  test("a full host answers 529 and a tenant's limit 429, until a session stops", async () => {
    const full = await Nightjar.start({
      NIGHTJAR_MAX_SESSIONS: "2",
      NIGHTJAR_MAX_SESSIONS_PER_TENANT: "1",
      NIGHTJAR_QUEUE_TIMEOUT: "0",
    });
    onTestFinished(() => full.dispose());
    const keys = await Promise.all(
      ["one", "two", "three"].map(async (tenant) =>
        (await full.cli("keys", "create", "--tenant", tenant)).stdout.trim(),
      ),
    );
    const [one = "", two = "", three = ""] = keys;
    const attempt = (key: string) => full.call("POST", "/sessions/start", { key });
    const first = await full.startSession({}, one);
    const limited = await attempt(one);
    expectError(limited, 429);
    expect(limited.headers.get("retry-after")).toMatch(/^[1-9]\d*$/);
    await full.startSession({}, two);
    const refused = await attempt(three);
    expectError(refused, 529);
    expect(refused.headers.get("retry-after")).toMatch(/^[1-9]\d*$/);
    await full.call("DELETE", `/sessions/${first.id}/stop`, { key: one });
    expect((await attempt(three)).status).toBe(200);
    expectError(await attempt(one), 529);
  });

  test("starts at once never exceed the limit", async () => {
    const full = await Nightjar.start({
      NIGHTJAR_MAX_SESSIONS: "2",
      NIGHTJAR_WARM_POOL: "0",
      NIGHTJAR_QUEUE_TIMEOUT: "0",
    });
    onTestFinished(() => full.dispose());
    const answers = await Promise.all(
      Array.from({ length: 6 }, () => full.call("POST", "/sessions/start")),
    );
    const statuses = answers.map(({ status }) => status).sort();
    expect(statuses).toEqual([200, 200, 529, 529, 529, 529]);
  });
});

describe("a start that does not come to an end", () => {
  /** What the browsers of this server do; a file, since their starter is a script. */
  type Behaviour = "run" | "exit" | "hang" | "wait";
  let room: string;
  let fragile: Nightjar;

  function behave(behaviour: Behaviour): Promise<void> {
    return writeFile(path.join(room, "behaviour"), behaviour);
  }

  /** A stand-in for a browser's executable that fails on demand and runs the real one otherwise. */
  async function starter(name: string, real: string): Promise<string> {
    const file = path.join(room, name);
    const script = `#!/bin/sh
behaviour=$(cat '${room}/behaviour')
case "$1" in --version) behaviour=run ;; esac
case "$behaviour" in
  exit) echo "this browser is broken" >&2; exit 3 ;;
  hang) sleep 600; exit 3 ;;
  wait) : > '${room}/marks/waiting'; while [ ! -e '${room}/marks/go' ]; do sleep 0.05; done ;;
esac
exec '${real}' "$@"
`;
    await writeFile(file, script, { mode: 0o755 });
    return file;
  }

  async function exists(name: string): Promise<boolean> {
    return access(path.join(room, "marks", name)).then(
      () => true,
      () => false,
    );
  }

  async function expectNothingLeft(): Promise<void> {
    const { body } = await fragile.call("GET", "/sessions");
    expect(sessionPage.parse(body).items).toEqual([]);
    await expect.poll(() => browserProcesses(fragile.dataDir)).toEqual([]);
    await expect.poll(() => readdir(path.join(fragile.dataDir, "browsers"))).toEqual([]);
  }

  async function rowCount(): Promise<number> {
    const { body } = await fragile.call("GET", "/sessions?only_active=false&page_size=100");
    return sessionPage.parse(body).items.length;
  }

  beforeAll(async () => {
    room = await mkdtemp(path.join(tmpdir(), "nightjar-starter-"));
    await mkdir(path.join(room, "marks"));
    await chmod(room, 0o755);
    await chmod(path.join(room, "marks"), 0o777);
    await behave("run");
    const { headlessShell, chromium: full } = installed;
    fragile = await Nightjar.start({
      NIGHTJAR_WARM_POOL: "0",
      NIGHTJAR_MAX_SESSIONS: "1",
      ...(headlessShell === null
        ? {}
        : { NIGHTJAR_HEADLESS_SHELL: await starter("shell", headlessShell.path) }),
      ...(full === null ? {} : { NIGHTJAR_CHROMIUM: await starter("chromium", full.path) }),
    });
  });

  afterAll(async () => {
    await fragile.dispose();
    await rm(room, { recursive: true, force: true });
  });

  test.each(hasFullBrowser ? ["chromium", "chrome"] : ["chromium"])(
    "is 503 when %s ends at its start, leaves nothing, and its slot is free",
    async (browser_type) => {
      const before = await rowCount();
      await behave("exit");
      const answer = await fragile.call("POST", "/sessions/start", { body: { browser_type } });
      expect(expectError(answer, 503).message).toContain("exit code 3");
      await expectNothingLeft();
      expect(await rowCount()).toBe(before);
      await behave("run");
      const { id } = await fragile.startSession();
      await fragile.call("DELETE", `/sessions/${id}/stop`);
      await expectNothingLeft();
    },
  );

  test("is 503 within its bound when the browser hangs, and leaves nothing", {
    tags: ["long"],
    timeout: 40_000,
  }, async () => {
    const before = await rowCount();
    await behave("hang");
    const begun = Date.now();
    expectError(await fragile.call("POST", "/sessions/start"), 503);
    expect(Date.now() - begun).toBeLessThan(25_000);
    await expectNothingLeft();
    expect(await rowCount()).toBe(before);
    await behave("run");
    const { id } = await fragile.startSession();
    await fragile.call("DELETE", `/sessions/${id}/stop`);
  });

  test("does not use up its Idempotency-Key when it fails", async () => {
    const headers = { "Idempotency-Key": "second-try" };
    await behave("exit");
    expectError(await fragile.call("POST", "/sessions/start", { headers }), 503);
    await behave("run");
    const { status, body } = await fragile.call("POST", "/sessions/start", { headers });
    expect(status).toBe(200);
    await fragile.call("DELETE", `/sessions/${body["session_id"]}/stop`);
  });

  test.each(["/sessions/start", "/session/start"])(
    "leaves no active session when the client of %s vanishes meanwhile",
    async (route) => {
      await rm(path.join(room, "marks", "waiting"), { force: true });
      await rm(path.join(room, "marks", "go"), { force: true });
      await behave("wait");
      const client = new AbortController();
      const request = fetch(`${fragile.url}${route}`, {
        method: "POST",
        headers: { Authorization: `Bearer ${fragile.environment["NIGHTJAR_API_KEY"]}` },
        signal: client.signal,
      });
      await expect.poll(() => exists("waiting"), { timeout: 10_000 }).toBe(true);
      const before = await rowCount();
      client.abort();
      await expect(request).rejects.toThrow();
      await writeFile(path.join(room, "marks", "go"), "");
      // Its browser is up, the session is there, and ends: nobody knows of it.
      await expect.poll(rowCount, { timeout: 10_000 }).toBe(before + 1);
      await expect
        .poll(async () => (await fragile.call("GET", "/sessions")).body["items"])
        .toEqual([]);
      await expectNothingLeft();
      await behave("run");
      const { id } = await fragile.startSession();
      await fragile.call("DELETE", `/sessions/${id}/stop`);
    },
  );
});
