import { execFile } from "node:child_process";
import { promisify } from "node:util";
import {
  healthCheck,
  listSessions,
  NotteClient,
  sessionDebugInfo,
  sessionReplay,
  sessionStart,
  sessionStatus,
  sessionStop,
} from "notte-sdk";
import { chromium } from "playwright-core";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { Nightjar, testKey } from "./support/nightjar.ts";

let nightjar: Nightjar;
/** The SDK has one HTTP client per process, and the last instance's key wins: there is only this one. */
let notte: NotteClient;

beforeAll(async () => {
  nightjar = await Nightjar.start();
  notte = new NotteClient({ baseUrl: nightjar.url, apiKey: testKey });
}, 60_000);

afterAll(() => nightjar.dispose());

async function statusOnServer(id: string): Promise<unknown> {
  return (await nightjar.call("GET", `/sessions/${id}`)).body["status"];
}

/** A script of somebody who has the SDK and only the environment to configure it. */
async function runScript(source: string, environment: Record<string, string>): Promise<unknown> {
  const { stdout } = await promisify(execFile)(
    process.execPath,
    ["--input-type=module", "--eval", source],
    { cwd: import.meta.dirname, env: { ...process.env, ...environment } },
  );
  return JSON.parse(stdout);
}

describe("the Session class of notte-sdk", () => {
  test("starts, tells its status, and stops", async () => {
    const session = notte.Session();
    await session.start();
    const id = session.getId() ?? "";
    expect(session.isSessionActive()).toBe(true);
    expect(session.getResponse()).toMatchObject({
      session_id: id,
      status: "active",
      idle_timeout_minutes: 3,
      timeout_minutes: 3,
      max_duration_minutes: 15,
    });
    expect(await session.status()).toMatchObject({ session_id: id, status: "active" });
    await expect(session.replay()).rejects.toThrow("still active");
    await session.stop();
    expect(session.isSessionActive()).toBe(false);
    expect(session.getResponse()).toMatchObject({ session_id: id, status: "closed" });
    expect(await statusOnServer(id)).toBe("closed");
  });

  test("stops its session after use, and answers what the callback does", async () => {
    const session = notte.Session({ idle_timeout_minutes: 2 });
    const id = await session.use(async (running) => {
      expect(await running.status()).toMatchObject({ status: "active", idle_timeout_minutes: 2 });
      return running.getId() ?? "";
    });
    expect(await statusOnServer(id)).toBe("closed");
  });

  test("stops its session when the callback of use fails", async () => {
    const session = notte.Session();
    let id = "";
    const use = session.use(async (running) => {
      id = running.getId() ?? "";
      throw new Error("the agent failed");
    });
    await expect(use).rejects.toThrow("the agent failed");
    expect(await statusOnServer(id)).toBe("closed");
  });

  test("starts and stops around a for await loop", async () => {
    const ids: string[] = [];
    for await (const session of notte.Session()) {
      ids.push(session.getId() ?? "");
      expect(await statusOnServer(ids[0] ?? "")).toBe("active");
    }
    expect(ids).toHaveLength(1);
    expect(await statusOnServer(ids[0] ?? "")).toBe("closed");
  });

  test("gives the browser that it asked for to Playwright by its cdp_url", async () => {
    const session = notte.Session({ viewport_width: 900, viewport_height: 700 });
    await session.use(async (running) => {
      const browser = await chromium.connectOverCDP(running.getResponse()?.cdp_url ?? "");
      const page = browser.contexts()[0]?.pages()[0];
      expect(await page?.evaluate("[innerWidth, innerHeight]")).toEqual([900, 700]);
      await browser.close();
    });
  });

  test("starts again after a stop, as another session", async () => {
    const session = notte.Session();
    await session.start();
    const first = session.getId();
    await session.stop();
    await session.start();
    expect(session.getId()).not.toBe(first);
    await session.stop();
  });

  test("tells why a start failed in the server's words", async () => {
    const session = notte.Session({ web_bot_auth: true });
    await expect(session.start()).rejects.toThrow(/does not support `web_bot_auth`/);
    expect(session.isSessionActive()).toBe(false);
    const wrong = notte.Session({ idle_timeout_minutes: 99 });
    await expect(wrong.start()).rejects.toThrow(/idle_timeout_minutes/);
  });
});

describe("the functions of notte-sdk", () => {
  test("start, list, read and stop sessions", async () => {
    const client = notte.getClient();
    const started = await sessionStart({ client, body: { headless: true } });
    expect(started.error).toBeUndefined();
    const id = started.data?.session_id ?? "";
    const path = { session_id: id };
    const listed = await listSessions({ client });
    expect(listed.data).toMatchObject({ page: 1, has_next: false, has_previous: false });
    expect(listed.data?.items.map((item) => item.session_id)).toEqual([id]);
    const second = await listSessions({ client, query: { page: 2, page_size: 1 } });
    expect(second.data).toMatchObject({ items: [], page: 2, page_size: 1, has_previous: true });
    expect((await sessionStatus({ client, path })).data).toMatchObject({ status: "active" });
    const debug = await sessionDebugInfo({ client, path });
    expect(debug.data).toMatchObject({
      ws: { cdp: started.data?.cdp_url },
      tabs: [{ metadata: { tab_id: 0, url: "about:blank" } }],
    });
    expect((await sessionStop({ client, path })).data).toMatchObject({ status: "closed" });
    const after = await sessionStop({ client, path });
    expect(after).toMatchObject({ data: { status: "closed" } });
    const replayed = async () => (await sessionReplay({ client, path })).data?.mp4_url ?? null;
    await expect.poll(replayed, { timeout: 60_000 }).toMatch(/^http/);
    const ended = await listSessions({ client, query: { only_active: false } });
    expect(ended.data?.items[0]).toMatchObject({ session_id: id, status: "closed" });
    expect((await listSessions({ client })).data?.items).toEqual([]);
  }, 90_000);

  test("answer an unknown session as an error, not as data", async () => {
    const path = { session_id: crypto.randomUUID() };
    const answer = await sessionStatus({ client: notte.getClient(), path });
    expect(answer.data).toBeUndefined();
    expect(answer).toMatchObject({ response: { status: 404 }, error: { status: 404 } });
  });

  test("check the server's health", async () => {
    const answer = await healthCheck({ client: notte.getClient() });
    expect(answer.data).toMatchObject({ status: "ok" });
  });
});

describe("a script that uses notte-sdk as it is documented", () => {
  test("needs nothing but NOTTE_API_URL and NOTTE_API_KEY to run on this server", async () => {
    const script = `
      import { NotteClient } from "notte-sdk";
      const session = new NotteClient().Session({ max_duration_minutes: 4 });
      const seen = await session.use(async (running) => (await running.status()).status);
      console.log(JSON.stringify({ seen, last: session.getResponse() }));
    `;
    const environment = { NOTTE_API_URL: nightjar.url, NOTTE_API_KEY: testKey };
    expect(await runScript(script, environment)).toMatchObject({
      seen: "active",
      last: { status: "closed", max_duration_minutes: 4 },
    });
  });

  test("takes a base URL with a slash at its end", async () => {
    const script = `
      import { NotteClient } from "notte-sdk";
      const session = new NotteClient({ baseUrl: process.env.BASE + "/" }).Session();
      await session.use(async () => {});
      console.log(JSON.stringify(session.getResponse()));
    `;
    const environment = { BASE: nightjar.url, NOTTE_API_KEY: testKey };
    expect(await runScript(script, environment)).toMatchObject({ status: "closed" });
  });

  test("with a wrong key fails and says so", async () => {
    const script = `
      import { NotteClient } from "notte-sdk";
      const session = new NotteClient().Session();
      const error = await session.start().catch((error) => error);
      console.log(JSON.stringify(error.message));
    `;
    const environment = { NOTTE_API_URL: nightjar.url, NOTTE_API_KEY: "not-a-key" };
    expect(await runScript(script, environment)).toMatch(/API key is not valid/);
  });
});
