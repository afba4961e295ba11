import { statSync } from "node:fs";
import { readdir, readFile, rm, stat, writeFile } from "node:fs/promises";
import path from "node:path";
import { DatabaseSync } from "node:sqlite";
import { gunzipSync, gzipSync } from "node:zlib";
import {
  NotteClient,
  profileCreate,
  profileDelete,
  profileGet,
  profileList,
  sessionStatus,
} from "notte-sdk";
import { type Browser, chromium, type Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from "vitest";
import { eventually } from "./support/eventually.ts";
import { everything, logIn, nothing, startLoginSite, whatIsKept } from "./support/login-site.ts";
import { Nightjar, testKey } from "./support/nightjar.ts";
import { RawCdp } from "./support/raw-cdp.ts";
import type { Site } from "./support/site.ts";

let nightjar: Nightjar;
let shop: Site;
let bank: Site;
let otherKey: string;

beforeAll(async () => {
  [nightjar, shop, bank] = await Promise.all([
    Nightjar.start({
      NIGHTJAR_WARM_POOL: "2",
      NIGHTJAR_RECORDING: "0",
      NIGHTJAR_MAX_PROFILE_MB: "1",
    }),
    startLoginSite(),
    startLoginSite("127.0.0.2"),
  ]);
  // The SDK has one HTTP client per process: there is only this one.
  new NotteClient({ baseUrl: nightjar.url, apiKey: testKey });
  const { stdout } = await nightjar.cli("keys", "create", "--tenant", "other", "--name", "test");
  otherKey = stdout.trim();
}, 60_000);

afterAll(async () => {
  expect(nightjar.output).not.toContain("canary-cookie");
  await Promise.all([nightjar.dispose(), shop.stop(), bank.stop()]);
});

async function newProfile(name: string | null = null): Promise<string> {
  const { status, body } = await nightjar.call("POST", "/profiles/create", { body: { name } });
  expect(status).toBe(200);
  return String(body["profile_id"]);
}

async function profileOf(id: string): Promise<Readonly<Record<string, unknown>>> {
  return (await nightjar.call("GET", `/profiles/${id}`)).body;
}

interface Started {
  readonly id: string;
  readonly cdpUrl: string;
  readonly browser: Browser;
  readonly page: Page;
}

/** Starts a session that the test's end stops, and connects to it. */
async function started(
  profile: { readonly id: string; readonly persist?: boolean },
  settings: Record<string, unknown> = {},
): Promise<Started> {
  const { id, cdpUrl } = await nightjar.startSession({ profile, ...settings });
  onTestFinished(() => stopped(id).then(() => {}));
  return connected(id, cdpUrl);
}

async function connected(id: string, cdpUrl: string): Promise<Started> {
  const browser = await chromium.connectOverCDP(cdpUrl);
  onTestFinished(() => browser.close());
  const page = browser.contexts()[0]?.pages()[0];
  if (page === undefined) throw new Error("no first page");
  return { id, cdpUrl, browser, page };
}

async function stopped(id: string): Promise<Readonly<Record<string, unknown>>> {
  return (await nightjar.call("DELETE", `/sessions/${id}/stop`)).body;
}

/** What a session that only reads the profile finds at a site. */
async function keptFor(profileId: string, site: Site) {
  const { id, page } = await started({ id: profileId });
  const kept = await whatIsKept(page, site.url);
  await stopped(id);
  return kept;
}

/** Leaves a token in the page, and resolves when the session, which runs, has saved it. */
async function savedWhileRunning(id: string, page: Page, token: string): Promise<void> {
  await page.evaluate(`
    localStorage.setItem("token", ${JSON.stringify(token)});
    document.cookie = "token=" + encodeURIComponent(${JSON.stringify(token)});`);
  // Cookies are read first: with this one, all that was there before it is saved.
  await eventually(async () => {
    const values = (await cookiesOf(id)).map(({ value }) => value);
    expect(values).toContain(encodeURIComponent(token));
  });
}

async function cookiesOf(id: string): Promise<readonly Readonly<Record<string, unknown>>[]> {
  const { body } = await nightjar.call("GET", `/profiles/${id}/cookies`);
  return body["cookies"] as readonly Record<string, unknown>[];
}

async function loggedIn(profileId: string): Promise<void> {
  const { id, page } = await started({ id: profileId, persist: true });
  await logIn(page, shop.url, "first");
  expect((await stopped(id))["profile"]).toMatchObject({ error: null });
}

function blob(bytes: number): string {
  return `new Blob(["x".repeat(${bytes})])`;
}

/** Puts records into a database of the page's; `value`: an expression in which `n` is the record's number. */
async function fillDatabase(page: Page, name: string, value: string, records = 1): Promise<void> {
  await page.evaluate(`(async () => {
    const opening = indexedDB.open(${JSON.stringify(name)});
    opening.onupgradeneeded = () => opening.result.createObjectStore("o", { autoIncrement: true });
    await new Promise((resolve) => (opening.onsuccess = resolve));
    for (let n = 0; n < ${records}; n += 1) {
      const transaction = opening.result.transaction("o", "readwrite");
      transaction.objectStore("o").put(${value});
      await new Promise((resolve, reject) => {
        transaction.oncomplete = resolve;
        transaction.onabort = () => reject(transaction.error);
      });
    }
    opening.result.close();
  })()`);
}

/** Changes the file of a profile's state. */
async function changeState(
  id: string,
  change: (state: Record<string, unknown>) => void,
): Promise<void> {
  const database = new DatabaseSync(path.join(nightjar.dataDir, "nightjar.db"), { readOnly: true });
  const row = database.prepare("select state_file from profiles where id = ?").get(id);
  database.close();
  const file = path.join(nightjar.dataDir, "profiles", String(row?.["state_file"]));
  const state: unknown = JSON.parse(gunzipSync(await readFile(file)).toString());
  change(state as Record<string, unknown>);
  await writeFile(file, gzipSync(JSON.stringify(state)));
}

describe("profiles", () => {
  test("are made, found, listed and deleted by the official client", async () => {
    const { data: made } = await profileCreate({ body: { name: "by the client" } });
    const id = made?.profile_id ?? "";
    expect(id).toMatch(/^notte-profile-[0-9a-f]{16}$/);
    expect(made).toMatchObject({ name: "by the client", persisted_domains: [] });
    expect((await profileGet({ path: { profile_id: id } })).data).toEqual(made);
    const { data: page } = await profileList({ query: { name: "THE CLIENT" } });
    expect(page).toMatchObject({ items: [made], page: 1, page_size: 20, has_next: false });
    expect((await profileDelete({ path: { profile_id: id } })).data).toMatchObject({
      success: true,
      message: expect.any(String),
    });
    const gone = await profileGet({ path: { profile_id: id } });
    expect(gone.error).toMatchObject({ status: 404, code: "profile_not_found" });
  });

  test("are listed in pages, newest first, with and without a slash", async () => {
    const first = await newProfile("paged a_b");
    const second = await newProfile("paged a%b");
    const third = await newProfile("paged axb");
    const idsOf = async (query: string) => {
      const { body } = await nightjar.call("GET", `/profiles/?${query}`);
      const items = body["items"] as readonly Record<string, unknown>[];
      return { ids: items.map((item) => item["profile_id"]), body };
    };
    const { ids, body } = await idsOf("name=paged&page_size=2&only_active=True");
    expect(ids).toEqual([third, second]);
    expect(body).toMatchObject({ has_next: true, has_previous: false });
    const next = await idsOf("name=paged&page_size=2&page=2");
    expect(next.ids).toEqual([first]);
    expect(next.body).toMatchObject({ has_next: false, has_previous: true });
    // What the query language of the store means something by is text here.
    expect((await idsOf("name=A_B")).ids).toEqual([first]);
    const plain = await nightjar.call("GET", "/profiles");
    expect((plain.body["items"] as readonly unknown[]).length).toBeGreaterThanOrEqual(3);
  });

  test("without a name have none", async () => {
    const { body } = await nightjar.call("POST", "/profiles/create");
    expect(body).toMatchObject({ name: null, persisted_domains: [] });
  });

  test.each([
    ["POST", "/profiles/create", { name: 7 }, "name"],
    ["POST", "/profiles/create", { name: "x".repeat(201) }, "name"],
    ["POST", "/profiles/create", { title: "x" }, "title"],
    ["GET", "/profiles?page=0", undefined, "page"],
    ["POST", "/profiles/{id}/cookies", {}, "cookies"],
    ["POST", "/profiles/{id}/cookies", { cookies: [], mode: "merge" }, "merge"],
    ["POST", "/profiles/{id}/cookies", { cookies: [], source_format: "netscape" }, "netscape"],
    ["POST", "/profiles/{id}/cookies", { cookies: [{ name: "a", value: "b" }] }, "domain"],
    [
      "POST",
      "/profiles/{id}/cookies",
      { cookies: [{ name: "a", value: "b;c", domain: "example.com" }] },
      "value",
    ],
  ])("refuse %s %s with %j", async (method, route, body, word) => {
    const target = route.includes("{id}") ? route.replace("{id}", await newProfile()) : route;
    const answer = await nightjar.call(method, target, body === undefined ? {} : { body });
    expect(answer.status).toBe(422);
    expect(String(answer.body["message"])).toContain(word);
  });

  test.each([
    ["GET", "/profiles/{id}", undefined],
    ["DELETE", "/profiles/{id}", undefined],
    ["GET", "/profiles/{id}/cookies", undefined],
    ["POST", "/profiles/{id}/cookies", { cookies: [] }],
    ["POST", "/profiles/{id}/duplicate", {}],
    ["POST", "/sessions/start", { profile: { id: "{id}" } }],
    ["POST", "/sessions/start", { profile: { id: "{id}", persist: true } }],
  ])("of another tenant are not there for %s %s %j", async (method, route, body) => {
    const mine = await newProfile("mine");
    const ask = async (id: string) => {
      const text = body === undefined ? {} : { rawBody: JSON.stringify(body).replace("{id}", id) };
      const answer = await nightjar.call(method, route.replace("{id}", id), {
        ...text,
        key: otherKey,
      });
      const { request_id: _, ...rest } = answer.body;
      return { status: answer.status, body: JSON.stringify(rest).replaceAll(id, "{id}") };
    };
    const theirs = await ask(mine);
    expect(theirs.status).toBe(404);
    expect(theirs).toEqual(await ask("notte-profile-0123456789abcdef"));
    expect(await profileOf(mine)).toMatchObject({ name: "mine" });
    const { body: list } = await nightjar.call("GET", "/profiles", { key: otherKey });
    expect(list["items"]).toEqual([]);
  });
});

describe("a session that persists its profile", () => {
  test("leaves the next one logged in, with all that the site keeps", async () => {
    const id = await newProfile();
    const first = await started({ id, persist: true });
    expect(await whatIsKept(first.page, shop.url)).toEqual(nothing);
    await logIn(first.page, shop.url, "first");
    // Where it is not any more at the end, as after a login at another site.
    const popup = await first.page.context().newPage();
    await logIn(popup, bank.url, "second");
    await popup.close();
    const end = await stopped(first.id);
    expect(end).toMatchObject({
      status: "closed",
      end_reason: "client_stop",
      profile: { id, persist: true, saved_at: expect.any(String), error: null },
    });
    expect(await profileOf(id)).toMatchObject({ persisted_domains: ["127.0.0.1", "127.0.0.2"] });

    const next = await started({ id, persist: true });
    expect(next.page.url()).toBe("about:blank");
    expect(await next.page.evaluate("history.length")).toBe(1);
    expect(next.browser.contexts()[0]?.pages()).toHaveLength(1);
    expect(await whatIsKept(next.page, shop.url)).toEqual(everything("first"));
    // What a tab keeps for itself goes with the tab.
    const closedTab = { ...everything("second"), sessionStorage: null };
    expect(await whatIsKept(next.page, bank.url)).toEqual(closedTab);
    // A log out is kept as well.
    await next.page.context().clearCookies();
    await next.page.evaluate(`localStorage.clear(); indexedDB.deleteDatabase("auth")`);
    await stopped(next.id);
    expect(await keptFor(id, bank)).toEqual(nothing);
    expect(await keptFor(id, shop)).toEqual({ ...everything("first"), heading: "Log in" });
  });

  test("shows nothing of the tabs that its state is read and written in", async () => {
    const id = await newProfile();
    const recorded = { recording: true };
    const first = await started({ id, persist: true }, recorded);
    const popup = await first.page.context().newPage();
    await logIn(popup, shop.url, "first");
    await popup.close();
    await stopped(first.id);
    const second = await nightjar.startSession({
      profile: { id, persist: true },
      ...recorded,
    });
    await stopped(second.id);
    for (const session of [first, second]) {
      const route = `/sessions/${session.id}/network/requests`;
      const { status, body } = await nightjar.call("GET", route);
      expect(status).toBe(200);
      const urls = (body["items"] as readonly Record<string, unknown>[]).map((item) => item["url"]);
      expect(urls.filter((url) => !String(url).startsWith(`${shop.url}/login`))).toEqual([]);
    }
  });

  test("is saved when its client closes the browser, and keeps what it did in private to itself", async () => {
    const id = await newProfile();
    const { id: sessionId, browser, page, cdpUrl } = await started({ id, persist: true });
    await logIn(page, shop.url, "open");
    const incognito = await browser.newContext();
    await logIn(await incognito.newPage(), bank.url, "private");
    const client = await RawCdp.connect(cdpUrl);
    await client.send("Browser.close");
    expect((await client.closed).reason).toContain("client_stop");
    const { body } = await nightjar.call("GET", `/sessions/${sessionId}`);
    expect(body).toMatchObject({ end_reason: "client_stop", profile: { error: null } });
    expect(await profileOf(id)).toMatchObject({ persisted_domains: ["127.0.0.1"] });
    expect(await keptFor(id, shop)).toEqual(everything("open"));
  });

  test("runs nothing of a site when its state is read", async () => {
    const id = await newProfile();
    const { id: sessionId, page } = await started({ id, persist: true });
    const popup = await page.context().newPage();
    await logIn(popup, shop.url, "first");
    await popup.evaluate(`navigator.serviceWorker.register("/worker.js")
      .then(() => navigator.serviceWorker.ready).then(() => {})`);
    await popup.close();
    expect((await stopped(sessionId))["profile"]).toMatchObject({ error: null });
    expect(await keptFor(id, shop)).toMatchObject({ localStorage: "first" });
  });

  test("leaves it to the other kind of browser, of a site that has no https either", async () => {
    const id = await newProfile();
    const url = "http://plain.example.com/";
    /** Serves the site without a network: what the full browser asks for by https first is refused. */
    const open = async ({ page }: Started) => {
      await page
        .context()
        .route("**", (route) =>
          route.request().url().startsWith("http:")
            ? route.fulfill({ contentType: "text/html", body: "plain" })
            : route.abort("connectionrefused"),
        );
      await page.goto(url);
      return page.evaluate(`localStorage.getItem("token")`);
    };
    const full = await started({ id, persist: true }, { browser_type: "chrome" });
    expect(await open(full)).toBeNull();
    await full.page.evaluate(`localStorage.setItem("token", "by the full browser")`);
    await full.page.goto("about:blank");
    expect((await stopped(full.id))["profile"]).toMatchObject({ error: null });
    const shell = await started({ id, persist: true });
    expect(await open(shell)).toBe("by the full browser");
    await shell.page.evaluate(`localStorage.setItem("token", "by the shell")`);
    await stopped(shell.id);
    expect(await open(await started({ id }, { browser_type: "chrome" }))).toBe("by the shell");
  });

  test("has it for itself: who else would write it is told who does, and reading is free", async () => {
    const id = await newProfile();
    await loggedIn(id);
    const writer = await started({ id, persist: true });
    const refusals = await Promise.all([
      nightjar.call("POST", "/sessions/start", { body: { profile: { id, persist: true } } }),
      nightjar.call("DELETE", `/profiles/${id}`),
      nightjar.call("POST", `/profiles/${id}/cookies`, { body: { cookies: [], mode: "replace" } }),
    ]);
    for (const { status, body } of refusals) {
      expect(status).toBe(409);
      expect(body).toMatchObject({ code: "profile_in_use" });
      expect(String(body["message"])).toContain(writer.id);
    }
    const reader = await started({ id });
    expect(await whatIsKept(reader.page, shop.url)).toEqual(everything("first"));
    await logIn(reader.page, bank.url, "not kept");
    expect((await stopped(reader.id))["profile"]).toEqual({
      ...{ id, persist: false, saved_at: null, error: null },
    });
    const { status } = await nightjar.call("POST", `/profiles/${id}/duplicate`, { body: {} });
    expect(status).toBe(200);
    await stopped(writer.id);
    expect(await profileOf(id)).toMatchObject({ persisted_domains: ["127.0.0.1"] });
    expect((await nightjar.call("DELETE", `/profiles/${id}`)).status).toBe(200);
  });

  test("is one of many that ask at once", async () => {
    const id = await newProfile();
    const body = { profile: { id, persist: true } };
    const asked = [1, 2, 3].map(() => nightjar.call("POST", "/sessions/start", { body }));
    const answers = await Promise.all(asked);
    expect(answers.map(({ status }) => status).sort()).toEqual([200, 409, 409]);
    const winner = answers.find(({ status }) => status === 200);
    await stopped(String(winner?.body["session_id"]));
  });

  test("leaves out what a greedy site keeps, says so, and loses no login by it", async () => {
    const id = await newProfile();
    await loggedIn(id);
    const { id: sessionId, page } = await started({ id, persist: true });
    await logIn(page, bank.url, "second");
    await page.evaluate(`localStorage.setItem("large", "x".repeat(1_200_000))`);
    for (const name of ["1", "2", "3", "4", "5"]) await fillDatabase(page, name, blob(120_000));
    const end = await stopped(sessionId);
    expect(end).toMatchObject({ status: "closed", end_reason: "client_stop", error: null });
    const { error, saved_at: savedAt } = end["profile"] as Readonly<Record<string, unknown>>;
    expect(error).toMatch(/1 of the items in localStorage .*the database "\d" \(too large\)/);
    expect(savedAt).toEqual(expect.any(String));
    expect(await keptFor(id, shop)).toEqual(everything("first"));
    expect(await keptFor(id, bank)).toEqual(everything("second"));
  });

  test.each([
    ["blobs", "new Blob(['x'.repeat(300_000)])"],
    // Together they would be more than the page's process may have.
    ["buffers", "new ArrayBuffer(40_000_000)"],
  ])("leaves out a database that is too large for its %s, and says so", async (_kind, value) => {
    const id = await newProfile();
    const { id: sessionId, page } = await started({ id, persist: true });
    await logIn(page, shop.url, "small");
    await fillDatabase(page, "cache", value, 5);
    const { error } = (await stopped(sessionId))["profile"] as Readonly<Record<string, unknown>>;
    expect(error).toMatch(/"cache" \(too large\)/);
    expect(await keptFor(id, shop)).toEqual(everything("small"));
  });

  test("keeps every kind of numbers, and large databases record for record", async () => {
    const id = await newProfile();
    const { id: sessionId, page } = await started({ id, persist: true });
    await page.goto(shop.url);
    await fillDatabase(page, "numbers", "new Float16Array([0.5, n])", 450);
    expect((await stopped(sessionId))["profile"]).toMatchObject({ error: null });
    const next = await started({ id });
    await next.page.goto(shop.url);
    expect(
      await next.page.evaluate(`new Promise((resolve) => {
        const opening = indexedDB.open("numbers");
        opening.onsuccess = () => {
          const reading = opening.result.transaction("o").objectStore("o").getAll();
          reading.onsuccess = () => resolve(
            reading.result.map((value) => [value.constructor.name, ...value].join()));
        };
      })`),
    ).toEqual(Array.from({ length: 450 }, (_, n) => `Float16Array,0.5,${n}`));
  });

  test("loses nothing of what its browser did not take at the start, and says so", async () => {
    const id = await newProfile();
    await loggedIn(id);
    await changeState(id, (state) => {
      const cookies = state["cookies"] as Record<string, unknown>[];
      cookies.push({ ...cookies[0], name: "__Host-refused", domain: ".example.com" });
      const [site] = state["sites"] as { databases: Record<string, unknown>[] }[];
      site?.databases.push({ name: "refused", version: 0, stores: [] });
    });
    const { id: sessionId, page } = await started({ id, persist: true });
    await page.goto(shop.url);
    await page.evaluate(`localStorage.setItem("token", "again")`);
    const { error } = (await stopped(sessionId))["profile"] as Readonly<Record<string, unknown>>;
    expect(error).toMatch(new RegExp(`${shop.url}: was not restored whole.*1 of the cookies`));
    expect((await cookiesOf(id)).map(({ name }) => name)).toContain("__Host-refused");
    await changeState(id, (state) => {
      const [site] = state["sites"] as { databases: Record<string, unknown>[] }[];
      expect(site?.databases.map(({ name }) => name)).toEqual(["auth", "refused"]);
    });
    expect(await keptFor(id, shop)).toEqual({ ...everything("first"), localStorage: "again" });
  });

  test("cannot be one in a browser elsewhere", async () => {
    const body = { cdp_url: "ws://127.0.0.1:1/", profile: { id: await newProfile() } };
    const answer = await nightjar.call("POST", "/sessions/start", { body });
    expect(answer.status).toBe(422);
    expect(String(answer.body["message"])).toContain("profile");
  });

  test("has its state on the disk for nobody but the server", async () => {
    const id = await newProfile();
    await loggedIn(id);
    const directory = path.join(nightjar.dataDir, "profiles");
    expect((await stat(directory)).mode & 0o777).toBe(0o700);
    const files = await readdir(directory);
    expect(files.length).toBeGreaterThan(0);
    for (const file of files)
      expect((await stat(path.join(directory, file))).mode & 0o777).toBe(0o600);
    await nightjar.call("DELETE", `/profiles/${id}`);
    expect(await readdir(directory)).toHaveLength(files.length - 1);
  });
});

test("a profile whose state is lost says so, and can be deleted", async () => {
  const id = await newProfile();
  await nightjar.call("POST", `/profiles/${id}/cookies`, {
    body: { cookies: [{ name: "a", value: "1", domain: "example.com" }] },
  });
  const directory = path.join(nightjar.dataDir, "profiles");
  const newest = (await readdir(directory))
    .map((name) => path.join(directory, name))
    .sort((left, right) => statSync(right).mtimeMs - statSync(left).mtimeMs)[0];
  await rm(newest ?? "");
  for (const [method, route, body] of [
    ["POST", "/sessions/start", { profile: { id } }],
    ["GET", `/profiles/${id}/cookies`, undefined],
    ["POST", `/profiles/${id}/duplicate`, {}],
  ] as const) {
    const answer = await nightjar.call(method, route, body === undefined ? {} : { body });
    expect(answer.status).toBe(500);
    expect(answer.body).toMatchObject({ code: "profile_damaged" });
  }
  expect((await nightjar.call("DELETE", `/profiles/${id}`)).status).toBe(200);
});

describe("the cookies of a profile", () => {
  const put = (id: string, body: Record<string, unknown>) =>
    nightjar.call("POST", `/profiles/${id}/cookies`, { body });

  test("are put in as Chrome and as Playwright export them, and a session has them", async () => {
    const id = await newProfile();
    const soon = Date.now() / 1000 + 3600;
    const chrome = await put(id, {
      source_format: "chrome",
      cookies: [
        {
          ...{ name: "__Host-a", value: "1", domain: "example.com", path: "/", storeId: "0" },
          ...{ hostOnly: true, httpOnly: true, secure: true, session: true, sameSite: "lax" },
        },
        {
          ...{ name: "b", value: "1", domain: ".example.com", path: "/", expirationDate: soon },
          ...{ secure: true, sameSite: "no_restriction" },
        },
      ],
    });
    expect(chrome.body).toMatchObject({ success: true, mode: "append", cookies_count: 2 });
    const playwright = await put(id, {
      source_format: "playwright",
      cookies: [
        {
          ...{ name: "b", value: "2", domain: ".example.com", path: "/", expires: soon },
          ...{ httpOnly: false, secure: true, sameSite: "None" },
        },
        { name: "sid", value: "canary-cookie", domain: "127.0.0.1", path: "/", expires: -1 },
      ],
    });
    expect(playwright.body).toMatchObject({ message: "2 cookies saved.", cookies_count: 3 });
    expect(await profileOf(id)).toMatchObject({ persisted_domains: ["127.0.0.1", "example.com"] });
    const { id: sessionId, page } = await started({ id });
    expect(await whatIsKept(page, shop.url)).toEqual({ ...nothing, heading: "Welcome back" });
    const { body } = await nightjar.call("GET", `/sessions/${sessionId}/cookies`);
    const shown = (body["cookies"] as readonly Record<string, unknown>[]).map(
      ({ name, value, domain, sameSite }) => [name, value, domain, sameSite],
    );
    expect(shown).toContainEqual(["__Host-a", "1", "example.com", "Lax"]);
    expect(shown).toContainEqual(["b", "2", ".example.com", "None"]);
  });

  test("are those that sessions left, and all are replaced", async () => {
    const id = await newProfile();
    await loggedIn(id);
    expect(await cookiesOf(id)).toContainEqual(
      expect.objectContaining({
        ...{ name: "sid", value: "canary-cookie", domain: "127.0.0.1", path: "/" },
        ...{ httpOnly: true, session: true, hostOnly: true, expires: null },
      }),
    );
    const cookies = [{ name: "a", value: "", domain: "example.com" }];
    const { body } = await put(id, { mode: "replace", cookies });
    expect(body).toMatchObject({ success: true, mode: "replace", cookies_count: 1 });
    expect((await cookiesOf(id)).map(({ name }) => name)).toEqual(["a"]);
    expect(await keptFor(id, shop)).toEqual({ ...everything("first"), heading: "Log in" });
  });

  test("all of many writers are kept", async () => {
    const id = await newProfile();
    const names = ["a", "b", "c"];
    const writes = names.map((name) =>
      put(id, { cookies: [{ name, value: "1", domain: "example.com" }] }),
    );
    expect((await Promise.all(writes)).map(({ status }) => status)).toEqual([200, 200, 200]);
    expect((await cookiesOf(id)).map(({ name }) => name).sort()).toEqual(names);
  });
});

describe("a duplicate of a profile", () => {
  test("has its state, and a life of its own", async () => {
    const id = await newProfile("original");
    await loggedIn(id);
    const { body } = await nightjar.call("POST", `/profiles/${id}/duplicate`, {
      body: { name: "copy" },
    });
    const copy = String(body["profile_id"]);
    expect(copy).not.toBe(id);
    expect(body).toMatchObject({ name: "copy", persisted_domains: ["127.0.0.1"] });
    await nightjar.call("DELETE", `/profiles/${id}`);
    expect(await keptFor(copy, shop)).toEqual(everything("first"));
  });
});

// Last: these end the server.
describe("a server that ends", () => {
  test("by SIGTERM saves the profiles of its sessions first", async () => {
    const id = await newProfile();
    const { page, id: sessionId } = await started({ id, persist: true });
    await logIn(page, shop.url, "at the stop");
    expect(await nightjar.signal("SIGTERM")).toBe(0);
    await nightjar.run({ NIGHTJAR_PROFILE_SAVE_SECONDS: "1" });
    const { data: session } = await sessionStatus({ path: { session_id: sessionId } });
    expect(session).toMatchObject({
      end_reason: "server_stop",
      profile: { saved_at: expect.any(String), error: null },
    });
    expect(await keptFor(id, shop)).toEqual(everything("at the stop"));
  });

  test("by SIGKILL leaves a profile to the session that lives on, and to all where its browser died", async () => {
    const [living, lost] = [await newProfile(), await newProfile()];
    const survivor = await started({ id: living, persist: true });
    await logIn(survivor.page, shop.url, "first");
    const left = await survivor.page.context().newPage();
    await logIn(left, bank.url, "left before the kill");
    await left.close();
    await savedWhileRunning(living, survivor.page, "before the kill");
    const victim = await started({ id: lost, persist: true });
    await logIn(victim.page, shop.url, "first");
    await savedWhileRunning(lost, victim.page, "before the crash");
    const victimsBrowser = browserOf(victim.id);
    await nightjar.signal("SIGKILL");
    process.kill(victimsBrowser, "SIGKILL");
    await nightjar.run();

    const start = (id: string) =>
      nightjar.call("POST", "/sessions/start", { body: { profile: { id, persist: true } } });
    const refused = await start(living);
    expect(refused.status).toBe(409);
    expect(String(refused.body["message"])).toContain(survivor.id);
    expect((await stopped(survivor.id))["profile"]).toMatchObject({ error: null });
    expect(await keptFor(living, bank)).toMatchObject({ localStorage: "left before the kill" });

    const { body: end } = await nightjar.call("GET", `/sessions/${victim.id}`);
    expect(end).toMatchObject({
      end_reason: "browser_crash",
      profile: { error: expect.stringContaining("last saved") },
    });
    const next = await start(lost);
    expect(next.status).toBe(200);
    await stopped(String(next.body["session_id"]));
    expect(await keptFor(lost, shop)).toEqual({
      ...everything("first"),
      localStorage: "before the crash",
    });
  });
});

/** The pid of a session's browser. */
function browserOf(sessionId: string): number {
  const file = path.join(nightjar.dataDir, "nightjar.db");
  const database = new DatabaseSync(file, { readOnly: true });
  try {
    const row = database
      .prepare("select browser_reference from sessions where id = ?")
      .get(sessionId);
    const reference: unknown = JSON.parse(String(row?.["browser_reference"]));
    return (reference as { readonly pid: number }).pid;
  } finally {
    database.close();
  }
}
