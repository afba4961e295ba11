import { execFile } from "node:child_process";
import { once } from "node:events";
import { get } from "node:http";
import { promisify } from "node:util";
import type { Browser, Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect, onTestFinished, test, vi } from "vitest";
import {
  type ConsoleWindow,
  type ConsoleWindowOptions,
  launchOnlooker,
  openConsole,
  signIn,
} from "./support/console-browser.ts";
import { startLampShop } from "./support/lamp-shop.ts";
import { Nightjar, testKey } from "./support/nightjar.ts";
import { seedEndedSessions } from "./support/seeded-sessions.ts";
import type { Site } from "./support/site.ts";

let nightjar: Nightjar;
let shop: Site;
let browser: Browser;
/** Sessions that ended before these tests, oldest first. */
let ended: readonly string[];

/** How long what must come at last may take: a page, a server and a browser are on the way. */
const eventually = { timeout: 15_000 };

vi.setConfig({ testTimeout: 90_000 });

const crash = { reason: "browser_crash", error: "The browser ended: signal SIGSEGV." } as const;

beforeAll(async () => {
  [nightjar, shop, browser] = await Promise.all([
    Nightjar.start({ NIGHTJAR_EGRESS_ALLOW: "127.0.0.0/8" }),
    startLampShop(),
    launchOnlooker(),
  ]);
  ended = await seedEndedSessions(nightjar, [
    crash,
    { reason: "idle_timeout" },
    ...Array.from({ length: 22 }, () => ({ reason: "client_stop" as const })),
  ]);
}, 60_000);

afterAll(async () => {
  await Promise.all([nightjar.dispose(), shop.stop(), browser.close()]);
});

/** A window of the console that complains of nothing until the test's end. */
async function openWindow(options: ConsoleWindowOptions = {}): Promise<ConsoleWindow> {
  const window = await openConsole(browser, nightjar, options);
  onTestFinished(async () => {
    await window.context.close();
    expect(window.complaints).toEqual([]);
  });
  return window;
}

async function openSignedIn(options: ConsoleWindowOptions = {}): Promise<Page> {
  const { page } = await openWindow(options);
  await signIn(page, testKey);
  return page;
}

/** A session that the test's end stops. */
async function startSession(body: Record<string, unknown> = {}): Promise<string> {
  const { id } = await nightjar.startSession(body);
  onTestFinished(async () => {
    await nightjar.call("DELETE", `/sessions/${id}/stop`);
  });
  return id;
}

async function act(id: string, body: Record<string, unknown>): Promise<void> {
  const { status } = await nightjar.call("POST", `/sessions/${id}/page/execute`, { body });
  expect(status).toBe(200);
}

/** An answer as it came over the wire, not decompressed. */
async function fetchRaw(path: string, encoding: string) {
  const request = get(`${nightjar.url}${path}`, { headers: { "Accept-Encoding": encoding } });
  const [response] = await once(request, "response");
  let sizeBytes = 0;
  for await (const chunk of response) sizeBytes += chunk.length;
  return { status: response.statusCode as number, headers: response.headers, sizeBytes };
}

async function scriptsOfPage(): Promise<readonly string[]> {
  const html = await (await fetch(`${nightjar.url}/console`)).text();
  return [...html.matchAll(/(?:src|href)="(\/console\/[^"]+\.js)"/g)].map(([, path = ""]) => path);
}

describe("the console is served", () => {
  test("at every address of its own, closed to every other origin, and asked for anew", async () => {
    for (const path of ["/console", "/console/", "/console/sessions/x", "/console/host?a=b"]) {
      const response = await fetch(`${nightjar.url}${path}`);
      expect(response.status).toBe(200);
      expect(response.headers.get("content-type")).toBe("text/html; charset=utf-8");
      expect(response.headers.get("cache-control")).toBe("no-cache");
      expect(response.headers.get("x-content-type-options")).toBe("nosniff");
      const policy = response.headers.get("content-security-policy") ?? "";
      expect(policy).toContain("default-src 'none'");
      expect(policy).toContain("frame-ancestors 'none'");
      expect(policy).toMatch(/script-src 'self' 'sha256-[^']+';/);
      expect(policy).not.toMatch(/unsafe|https?:/);
    }
    const tag = (await fetch(`${nightjar.url}/console`)).headers.get("etag") ?? "";
    const again = await fetch(`${nightjar.url}/console`, {
      headers: { "If-None-Match": `"other", W/${tag}` },
    });
    expect(again.status).toBe(304);
  });

  test("with files that are kept for good, compressed as the client likes", async () => {
    const [script = ""] = await scriptsOfPage();
    const plain = await fetchRaw(script, "identity");
    const brotli = await fetchRaw(script, "gzip, br");
    const gzip = await fetchRaw(script, "br;q=0, gzip");
    expect(plain.headers["cache-control"]).toBe("public, max-age=31536000, immutable");
    expect(plain.headers["content-type"]).toBe("text/javascript; charset=utf-8");
    expect(plain.headers["content-encoding"]).toBeUndefined();
    expect(brotli.headers["content-encoding"]).toBe("br");
    expect(gzip.headers["content-encoding"]).toBe("gzip");
    expect(brotli.sizeBytes).toBeLessThan(gzip.sizeBytes);
    expect(gzip.sizeBytes).toBeLessThan(plain.sizeBytes / 2);
  });

  test("and nothing else is, however it is asked for", async () => {
    const paths = [
      "/console/assets/none.js",
      "/console/index.html.br",
      "/console/..%2fmain.js",
      "/console/%2e%2e/main.js",
    ];
    for (const path of paths) {
      const { status } = await fetchRaw(path, "identity");
      // What leads out of the console is another route, which asks for a key.
      expect([401, 404]).toContain(status);
    }
  });

  test("with less than 250 kB of compressed JavaScript for its first screen", async () => {
    const { page } = await openWindow();
    const loaded: string[] = [];
    page.on("response", (response) => {
      const { pathname } = new URL(response.url());
      if (pathname.endsWith(".js")) loaded.push(pathname);
    });
    await page.goto("/console");
    await page.getByLabel("API key").waitFor();
    expect(loaded).toEqual(expect.arrayContaining([...(await scriptsOfPage())]));
    const sizes = await Promise.all(loaded.map((path) => fetchRaw(path, "gzip")));
    const total = sizes.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0);
    expect(total).toBeGreaterThan(10_000);
    expect(total).toBeLessThan(250_000);
  });
});

describe("signing in", () => {
  test("refuses a wrong key in words, and takes the right one without putting it into a URL", async () => {
    const { page, context } = await openWindow();
    await page.goto("/console/host");
    const field = page.getByLabel("API key");
    await page.getByRole("button", { name: "Sign in" }).click();
    await expect
      .poll(() => page.getByRole("alert").textContent(), eventually)
      .toContain("Paste an API key");
    await field.fill("nj_wrong");
    await field.press("Enter");
    await expect
      .poll(() => page.getByRole("alert").textContent(), eventually)
      .toContain("not valid");
    expect(await field.getAttribute("aria-invalid")).toBe("true");
    await field.fill(testKey);
    await field.press("Enter");
    // Where the person wanted to go in the first place.
    await page.getByRole("heading", { name: "Host", level: 1 }).waitFor();
    expect(page.url()).not.toContain(testKey);
    expect(await context.cookies()).toEqual([]);

    await page.reload();
    await page.getByRole("heading", { name: "Host", level: 1 }).waitFor();
    const other = await context.newPage();
    await other.goto("/console");
    await other.getByLabel("API key").waitFor();
    await other.close();

    await page.getByRole("button", { name: "Sign out" }).click();
    await field.waitFor();
    expect(await page.evaluate("JSON.stringify([{...sessionStorage}, {...localStorage}])")).toBe(
      "[{},{}]",
    );
  });

  test("is remembered on the device only where that was asked for", async () => {
    const { page, context } = await openWindow();
    await page.goto("/console");
    await page.getByLabel("API key").fill(testKey);
    await page.getByLabel("Stay signed in").check();
    await page.getByRole("button", { name: "Sign in" }).click();
    await page.getByRole("heading", { name: "Sessions", level: 1 }).waitFor();
    const other = await context.newPage();
    await other.goto("/console");
    await other.getByRole("heading", { name: "Sessions", level: 1 }).waitFor();
  });

  test("ends when the key is revoked, and says so", { tags: ["long"] }, async () => {
    const made = await nightjar.call("POST", "/api-keys", { body: { name: "short-lived" } });
    const { page } = await openWindow();
    await signIn(page, String(made.body["key"]));
    await nightjar.call("DELETE", `/api-keys/${made.body["id"]}`);
    await page.getByText("Your key is not valid any more").waitFor();
    expect(await page.getByLabel("API key").inputValue()).toBe("");
  });
});

describe("the list of sessions", () => {
  test("can be narrowed by state, searched, and turned page by page; the address keeps it", async () => {
    const page = await openSignedIn();
    const rows = page.getByRole("row").filter({ has: page.getByRole("link") });
    await expect.poll(() => rows.count(), eventually).toBe(20);
    await page.getByRole("button", { name: "Older" }).click();
    await expect.poll(() => page.url(), eventually).toContain("page=2");
    await rows.filter({ hasText: "Browser crashed" }).waitFor();

    await page.getByRole("radio", { name: "Error" }).check({ force: true });
    await expect.poll(() => rows.count(), eventually).toBe(1);
    expect(await rows.textContent()).toContain("The browser ended: signal SIGSEGV.");
    expect(page.url()).toMatch(/\?status=error$/);

    await page.getByRole("radio", { name: "All" }).check({ force: true });
    await page.getByRole("searchbox").fill("idle timeout");
    await expect.poll(() => rows.count(), eventually).toBe(1);
    await page.getByRole("searchbox").fill(ended.at(-1)?.slice(0, 12) ?? "");
    await rows.filter({ hasText: ended.at(-1)?.slice(0, 8) ?? "" }).waitFor();
    await expect.poll(() => rows.count(), eventually).toBe(1);
    await page.reload();
    await expect.poll(() => rows.count(), eventually).toBe(1);

    await page.getByRole("searchbox").fill("nobody knows");
    await page.getByText("No session matches").waitFor();
    await page.getByRole("button", { name: "Show all sessions" }).click();
    await expect.poll(() => rows.count(), eventually).toBe(20);
    expect(await page.getByRole("searchbox").inputValue()).toBe("");
  });

  test("shows what others start and stop without being loaded again", async () => {
    const page = await openSignedIn();
    const id = await startSession();
    const row = page.getByRole("row").filter({ hasText: id.slice(0, 8) });
    await row.getByText("Active").waitFor();
    await nightjar.call("DELETE", `/sessions/${id}/stop`);
    await row.getByText("Closed").waitFor();
    await row.getByText("Stopped by request").waitFor();
  });

  test("says that the server cannot be reached, and tries again when asked to", async () => {
    const { page } = await openWindow();
    await signIn(page, testKey);
    await page.route("**/sessions?*", (route) => route.abort());
    await page.getByRole("radio", { name: "Error" }).check({ force: true });
    const alert = page.getByRole("alert");
    await alert.getByText("The server cannot be reached.").waitFor();
    await page.unroute("**/sessions?*");
    await alert.getByRole("button", { name: "Try again" }).click();
    await page.getByText("Browser crashed").waitFor();
  });
});

describe("a session", () => {
  test("is started, watched, driven, stopped, and tells why it ended", async () => {
    const page = await openSignedIn();
    await page.getByRole("button", { name: "Start a session" }).click();
    const dialog = page.getByRole("dialog", { name: "Start a session" });
    await dialog.getByLabel("First page").fill(shop.url);
    await dialog.getByLabel("Viewport").selectOption("1280 × 720");
    await dialog.getByLabel("Ends when idle for").fill("5");
    await dialog.getByRole("button", { name: "Start", exact: true }).click();
    await expect.poll(() => page.url(), eventually).toContain("/console/sessions/");
    const id = page.url().split("/").at(-1) ?? "";
    const { body } = await nightjar.call("GET", `/sessions/${id}`);
    expect(body).toMatchObject({ idle_timeout_minutes: 5, viewport_width: 1280, status: "active" });

    await page.getByRole("option", { name: /Step: Opened http/ }).waitFor();
    await page.getByText(/ends, if idle, in 4:\d\d/).waitFor();
    await act(id, { type: "click", selector: "button >> nth=0" });
    await page.getByRole("option", { name: /Step: Clicked/ }).waitFor();

    const view = page.frameLocator("iframe");
    await view.locator("canvas, img").first().waitFor();
    await page.getByText("Lamps for late hours", { exact: true }).waitFor();
    await view.getByRole("button", { name: "Take control" }).click();
    await page.getByText("You are in control, which keeps it alive.").waitFor();

    await page.getByRole("button", { name: "Stop", exact: true }).click();
    const stop = page.getByRole("dialog", { name: /Stop session/ });
    await stop.getByRole("button", { name: "Stop it" }).click();
    const end = page.getByRole("region", { name: "How it ended" });
    await end.getByText("Stopped by request").waitFor();
    expect(await end.textContent()).toContain("client_stop");
    await page.getByRole("option", { name: "Session: Session ended" }).waitFor();
    expect((await nightjar.call("GET", `/sessions/${id}`)).body["status"]).toBe("closed");
  });

  test("that has ended is replayed; its video and its time line move each other", async () => {
    const id = await startSession({ viewport_width: 640, viewport_height: 480 });
    await act(id, { type: "goto", url: shop.url });
    await act(id, { type: "wait", time_ms: 9000 });
    await act(id, { type: "goto", url: `${shop.url}/basket` });
    await nightjar.call("DELETE", `/sessions/${id}/stop`);
    const page = await openSignedIn();
    await page.goto(`/console/sessions/${id}`);
    // It is encoded at the lowest priority, after whatever else this machine does.
    await page.locator("video").waitFor({ timeout: 120_000 });
    const at = () => page.evaluate<number>("document.querySelector('video').currentTime");
    await expect
      .poll(() => page.evaluate("document.querySelector('video').duration"), eventually)
      .toBeGreaterThan(9);

    const current = page.locator(".entry--current");
    await page.getByRole("option", { name: /Opened http.*basket/ }).click();
    await expect.poll(at, eventually).toBeGreaterThan(8);
    await expect.poll(() => current.textContent(), eventually).toMatch(/basket/);
    const slider = page.getByRole("slider", { name: "Moment of the replay" });
    await slider.press("Home");
    await expect.poll(at, eventually).toBe(0);
    await expect.poll(() => current.textContent(), eventually).not.toMatch(/basket/);
    await slider.press("ArrowRight");
    await expect.poll(at, eventually).toBe(1);

    // Nothing happened for nine seconds, so they are jumped over.
    await page.evaluate(
      "const video = document.querySelector('video'); video.addEventListener('seeking', () => { window.jumpedTo = video.currentTime })",
    );
    await page.getByRole("button", { name: "Play", exact: true }).click();
    await expect.poll(() => page.evaluate("window.jumpedTo"), eventually).toBeGreaterThan(7);
  }, 200_000);

  test("shows the text that a request was answered, where that is kept", async () => {
    const id = await startSession({ record_bodies: true });
    await act(id, { type: "goto", url: `${shop.url}/basket` });
    const page = await openSignedIn();
    await page.goto(`/console/sessions/${id}`);
    await page.getByRole("option", { name: /Request: GET .*\/basket/ }).click();
    const details = page.getByRole("region", { name: "The selected entry" });
    await details.getByRole("button", { name: "Show the body" }).click();
    const text = await (await fetch(`${shop.url}/basket`)).text();
    await expect.poll(() => details.textContent(), eventually).toContain(text);
  });

  test("shows the step that is under way and since when, and that the end broke it off", async () => {
    const id = await startSession({ recording: false });
    const page = await openSignedIn();
    await page.goto(`/console/sessions/${id}`);
    await page.getByRole("option", { name: "Session started" }).waitFor();
    const stuck = act(id, { type: "wait", time_ms: 30_000 }).catch(() => {});
    const line = page.getByRole("button", { name: /^Running wait 30000 ms since \d+:\d\d/ });
    await line.waitFor();
    await expect.poll(() => line.textContent(), eventually).toMatch(/for [2-9](\.0)? s$/);
    await page.getByRole("option", { name: /Step: wait 30000 ms\s*running/ }).waitFor();
    await line.click();
    const details = page.getByRole("region", { name: "The selected entry" });
    await details.getByText("still under way").waitFor();

    await nightjar.call("DELETE", `/sessions/${id}/stop`);
    await page.getByRole("option", { name: /wait 30000 ms: Interrupted.*interrupted/ }).waitFor();
    expect(await line.count()).toBe(0);
    await stuck;
  });

  test("that crashed says so first of all, with the browser's own words", async () => {
    const page = await openSignedIn();
    await page.goto(`/console/sessions/${ended[0]}`);
    const end = page.getByRole("region", { name: "How it ended" });
    await end.getByText("Browser crashed").waitFor();
    expect(await end.textContent()).toContain("The browser ended: signal SIGSEGV.");
    await page.getByRole("button", { name: /Errors only/ }).click();
    await expect.poll(() => page.getByRole("option").count(), eventually).toBe(1);
  });

  test("that nobody knows is said to be unknown", async () => {
    const page = await openSignedIn();
    await page.goto("/console/sessions/00000000-0000-4000-8000-000000000000");
    await page.getByText("No such session").waitFor();
    await page.getByRole("link", { name: "To the sessions" }).click();
    await page.getByRole("heading", { name: "Sessions", level: 1 }).waitFor();
  });

  test("can be gone on with by the code that it shows", async () => {
    const id = await startSession();
    await act(id, { type: "goto", url: `${shop.url}/basket` });
    const page = await openSignedIn();
    await page.goto(`/console/sessions/${id}`);
    for (const [name, expected] of [
      ["Playwright", `Your basket ${shop.url}/basket`],
      ["Puppeteer", `Your basket ${shop.url}/basket`],
      ["notte-sdk", `active\n${shop.url}/basket`],
    ] as const) {
      await page.getByRole("tab", { name, exact: true }).click();
      const code = await page.getByRole("tabpanel").locator("pre").textContent();
      const { stdout } = await promisify(execFile)(
        process.execPath,
        ["--input-type=module", "--eval", code ?? ""],
        { cwd: import.meta.dirname, env: { ...process.env, NIGHTJAR_KEY: testKey } },
      );
      expect(stdout.trim()).toBe(expected);
    }
    const shown = await page.getByRole("tabpanel").first().textContent();
    expect(shown).not.toContain(testKey);
    await page.getByRole("tab", { name: "Its steps as a script" }).click();
    await page.getByText(`${shop.url}/basket`).first().waitFor();
  });
});

describe("API keys", () => {
  test("are made, shown once, and revoked", async () => {
    const page = await openSignedIn();
    await page.getByRole("link", { name: "API keys" }).click();
    await page.getByRole("button", { name: "Make a key" }).click();
    await page.getByLabel("What is it for?").fill("deploy robot");
    await page.keyboard.press("Enter");
    const dialog = page.getByRole("dialog", { name: "Keep this key" });
    const key = (await dialog.locator("output").textContent()) ?? "";
    expect(key).toMatch(/^nj_[\w-]{43}$/);
    const call = () => nightjar.call("GET", "/sessions", { key });
    expect((await call()).status).toBe(200);
    await dialog.getByRole("button", { name: "I have kept it" }).click();
    const row = page.getByRole("listitem").filter({ hasText: "deploy robot" });
    await row.waitFor();
    expect(await page.content()).not.toContain(key);

    await row.getByRole("button", { name: "Revoke deploy robot" }).click();
    await page.getByRole("button", { name: "Revoke it" }).click();
    await row.waitFor({ state: "detached" });
    expect((await call()).status).toBe(401);
    await page.getByLabel(/Show revoked keys/).check();
    await row.getByText("revoked", { exact: true }).waitFor();
  });
});

describe("the host", () => {
  test("tells its sessions, browsers, memory and versions, and follows them", async () => {
    const page = await openSignedIn();
    await page.getByRole("link", { name: "Host" }).click();
    const sessions = page.getByRole("meter", { name: "Sessions in use" });
    await expect.poll(() => sessions.getAttribute("aria-valuenow"), eventually).toBe("0");
    await startSession();
    await expect.poll(() => sessions.getAttribute("aria-valuenow"), eventually).toBe("1");
    const memory = await page.getByRole("region", { name: "Memory" }).textContent();
    expect(memory).toMatch(/browsers \d+(\.\d)? MB/);
    const versions = await page.getByRole("region", { name: "Versions" }).textContent();
    expect(versions).toContain(process.versions.node);
    expect(versions).toMatch(/headless-shell \d+|chromium \d+/);
  });
});

describe("without a mouse", () => {
  test("a person signs in, starts a session, goes through its time line, and stops it", async () => {
    const { page } = await openWindow();
    const keys = page.keyboard;
    const focused = () =>
      page.evaluate<string>(
        "document.activeElement?.getAttribute('aria-label') ?? document.activeElement?.textContent?.trim() ?? ''",
      );
    await page.goto("/console");
    await page.locator("input:focus").waitFor();
    await keys.type(testKey);
    await keys.press("Enter");
    await page.getByRole("heading", { name: "Sessions", level: 1 }).waitFor();
    await keys.press("Tab");
    expect(await focused()).toBe("Skip to the content");
    await keys.press("Enter");
    await keys.press("Tab");
    expect(await focused()).toBe("Start a session");
    await keys.press("Enter");
    await page.getByRole("dialog").waitFor();
    await keys.press("Escape");
    await page.getByRole("dialog").waitFor({ state: "detached" });
    expect(await focused()).toBe("Start a session");
    await keys.press("Enter");
    await page.getByRole("dialog").waitFor();
    // A dialog holds the focus: however often Tab is pressed, it stays inside.
    for (let count = 0; count < 20; count += 1) {
      await keys.press("Tab");
      expect(
        await page.evaluate(
          "document.activeElement === document.body || document.activeElement?.closest('dialog') !== null",
        ),
      ).toBe(true);
    }
    await page.getByLabel("First page").focus();
    await keys.type(shop.url);
    await keys.press("Enter");
    const list = page.getByRole("listbox", { name: "Entries of the time line" });
    await list.getByRole("option", { name: /Opened http/ }).waitFor();
    expect(await focused()).toContain("Session");

    await list.focus();
    await keys.press("Home");
    await expect
      .poll(() => list.getByRole("option", { selected: true }).textContent(), eventually)
      .toContain("Session started");
    await keys.press("ArrowDown");
    await expect
      .poll(() => list.getByRole("option", { selected: true }).textContent(), eventually)
      .toContain("Opened http");
    const active = await list.getAttribute("aria-activedescendant");
    expect(await page.locator(`[id="${active}"]`).getAttribute("aria-selected")).toBe("true");
    await page.getByRole("region", { name: "The selected entry" }).waitFor();

    await page.getByRole("tab", { name: "Use it" }).focus();
    await keys.press("ArrowRight");
    expect(await focused()).toBe("Its steps as a script");
    await page.getByRole("button", { name: "Stop", exact: true }).focus();
    await keys.press("Enter");
    await page.getByRole("button", { name: "Stop it" }).focus();
    await keys.press("Enter");
    await page.getByRole("region", { name: "How it ended" }).waitFor();
  });
});
