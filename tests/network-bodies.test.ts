import { readdir } from "node:fs/promises";
import path from "node:path";
import { chromium } from "playwright-core";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { eventually } from "./support/eventually.ts";
import { Nightjar, testKey } from "./support/nightjar.ts";
import { RawCdp } from "./support/raw-cdp.ts";
import { Site } from "./support/site.ts";

const secret = "planted-token-4721";
const longestBytes = 512 * 1024;

const html = `<!doctype html><link rel="icon" href="data:,"><img src="/picture.png">
<iframe id="other"></iframe><script src="/app.js"></script>`;

const bodies: Readonly<Record<string, readonly [type: string, text: string]>> = {
  "/": ["text/html", html],
  "/app.js": [
    "text/javascript",
    `other.src = "http://localhost:" + location.port + "/frame";
    for (const path of ["/api", "/longest", "/too-long", "/%C3%A4"]) fetch(path);
    new Worker("/worker.js");`,
  ],
  "/worker.js": ["text/javascript", `fetch("/from-worker")`],
  "/frame": ["text/html", `<script>fetch("/from-frame")</script>`],
  "/api": ["application/json", `{"next":"/page?access_token=${secret}&page=2"}`],
  "/from-worker": ["application/vnd.shop+json; charset=utf-8", `{"who":"worker"}`],
  "/from-frame": ["text/plain", "frame"],
  "/longest": ["text/plain", "x".repeat(longestBytes)],
  "/too-long": ["text/plain", "x".repeat(longestBytes + 1)],
  "/%C3%A4": ["text/plain; charset=utf-8", "grün 🌙"],
  "/picture.png": ["image/png", "no picture"],
};

let server: Nightjar;
let site: Site;

beforeAll(async () => {
  site = await Site.start((request, response) => {
    const [type, text] = bodies[request.url ?? ""] ?? ["text/plain", ""];
    response.setHeader("Content-Type", type);
    response.setHeader("Access-Control-Allow-Origin", "*");
    response.end(text);
  });
  server = await Nightjar.start();
}, 60_000);

afterAll(async () => {
  await server.dispose();
  await site.stop();
});

interface HarEntry {
  readonly request: { readonly url: string };
  readonly response: { readonly content: { readonly size: number; readonly text?: string } };
}

/** The bodies in the HAR of a session, by the path of their URL; undefined where one was not kept. */
async function harBodies(id: string): Promise<ReadonlyMap<string, string | undefined>> {
  const { body } = await server.call("GET", `/sessions/${id}/network/har`);
  const { entries } = (body as { log: { entries: readonly HarEntry[] } }).log;
  return new Map(
    entries
      .filter(({ request }) => request.url.startsWith("http"))
      .map(({ request, response }) => [new URL(request.url).pathname, response.content.text]),
  );
}

async function browse(cdpUrl: string, url: string): Promise<void> {
  const browser = await chromium.connectOverCDP(cdpUrl);
  await browser.contexts()[0]?.pages()[0]?.goto(url, { waitUntil: "load" });
  await browser.close();
}

async function bodyOf(id: string, url: string, key = testKey): Promise<Response> {
  const { body } = await server.call("GET", `/sessions/${id}/network/requests?search=${url}`);
  const [found] = body["items"] as readonly { readonly id: string }[];
  const route = `/sessions/${id}/network/requests/${encodeURIComponent(found?.id ?? "none")}/body`;
  return fetch(`${server.url}${route}`, { headers: { Authorization: `Bearer ${key}` } });
}

const filesOf = async (id: string) =>
  (await readdir(path.join(server.dataDir, "recordings", id)).catch(() => [])).filter((name) =>
    name.startsWith("bodies"),
  );

describe("A session that is started with record_bodies", () => {
  test("keeps the texts that pages, frames and workers are answered, tokens masked", async () => {
    const { id, cdpUrl } = await server.startSession({ record_bodies: true });
    expect((await server.call("GET", `/sessions/${id}`)).body["record_bodies"]).toBe(true);
    await browse(cdpUrl, site.url);
    const kept = await eventually(async () => {
      const found = await harBodies(id);
      for (const path of ["/", "/from-worker", "/from-frame", "/longest", "/%C3%A4"]) {
        expect(found.get(path)).toBe(bodies[path]?.[1]);
      }
      expect(found.has("/too-long")).toBe(true);
      return found;
    });
    expect(kept.get("/api")).toBe(`{"next":"/page?access_token=[masked]&page=2"}`);
    expect(kept.get("/too-long")).toBeUndefined();
    expect(kept.has("/picture.png")).toBe(true);
    expect(kept.get("/picture.png")).toBeUndefined();

    const api = await bodyOf(id, "/api");
    expect(await api.text()).toBe(kept.get("/api"));
    expect(api.headers.get("content-type")).toBe("text/plain; charset=utf-8");
    expect(api.headers.get("content-security-policy")).toContain("sandbox");
    expect((await bodyOf(id, "/picture.png")).status).toBe(404);
    const { stdout } = await server.cli("keys", "create", "--tenant", "other", "--name", "other");
    expect((await bodyOf(id, "/api", /nj_\S+/.exec(stdout)?.[0])).status).toBe(404);

    // They go with the recording.
    expect(await filesOf(id)).not.toEqual([]);
    await server.call("DELETE", `/sessions/${id}/stop`);
    await server.call("DELETE", `/sessions/${id}/recording`);
    expect(await filesOf(id)).toEqual([]);
    expect((await bodyOf(id, "/api")).status).toBe(404);
  }, 40_000);

  test("keeps them from its first answer on, in tabs that open later, and after a crash of the server", async () => {
    const { id, cdpUrl } = await server.startSession({ record_bodies: true });
    const first = await RawCdp.connect(cdpUrl);
    await first.send("Target.createTarget", { url: `${site.url}/from-frame` });
    await eventually(async () => expect((await harBodies(id)).get("/from-frame")).toBe("frame"));
    first.close();
    await server.signal("SIGKILL");
    await server.run();
    await browse(cdpUrl, `${site.url}/from-worker`);
    await eventually(async () =>
      expect((await harBodies(id)).get("/from-worker")).toBe(`{"who":"worker"}`),
    );
    expect((await harBodies(id)).get("/from-frame")).toBe("frame");
    await server.call("DELETE", `/sessions/${id}/stop`);
  }, 40_000);

  test("shows its clients what others show them", async () => {
    const seen = async (record_bodies: boolean) => {
      const { id, cdpUrl } = await server.startSession({ record_bodies });
      const client = await RawCdp.connect(cdpUrl);
      const page = await client.firstPage();
      const events = new Map<string, Readonly<Record<string, unknown>>>();
      client.socket.on("message", (data) => {
        const { method, params } = JSON.parse(String(data)) as {
          readonly method?: string;
          readonly params: Readonly<Record<string, unknown>>;
        };
        if (method !== undefined) events.set(method, params);
      });
      const buffers = { maxTotalBufferSize: 0, maxResourceBufferSize: 0 };
      await client.send("Network.enable", buffers, page);
      await client.send("Page.enable", {}, page);
      await client.send("Page.navigate", { url: `${site.url}/api` }, page);
      await eventually(() => {
        expect([...events.keys()]).toContain("Network.loadingFinished");
        expect([...events.keys()]).toContain("Page.frameStoppedLoading");
      });
      const { requestId } = events.get("Network.loadingFinished") ?? {};
      const { error } = await client.send("Network.getResponseBody", { requestId }, page);
      client.close();
      await server.call("DELETE", `/sessions/${id}/stop`);
      return { error, events: [...events.keys()].sort() };
    };
    const without = await seen(false);
    expect(without.error?.message).toContain("evicted");
    expect(await seen(true)).toEqual(without);
  }, 40_000);

  test("needs a recording", async () => {
    const body = { record_bodies: true, recording: false };
    const answer = await server.call("POST", "/sessions/start", { body });
    expect(answer.status).toBe(422);
    expect(JSON.stringify(answer.body)).toContain("record_bodies needs a recording");
  });
});

test("Bodies are kept of no session that did not ask for it", async () => {
  const { id, cdpUrl } = await server.startSession();
  expect((await server.call("GET", `/sessions/${id}`)).body["record_bodies"]).toBe(false);
  await browse(cdpUrl, site.url);
  await eventually(async () => expect((await harBodies(id)).has("/from-worker")).toBe(true));
  await server.call("DELETE", `/sessions/${id}/stop`);
  expect([...(await harBodies(id)).values()].filter((text) => text !== undefined)).toEqual([]);
  expect(await filesOf(id)).toEqual([]);
  expect((await bodyOf(id, "/api")).status).toBe(404);
}, 40_000);
