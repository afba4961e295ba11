import { once } from "node:events";
import { readdir, readFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { type AddressInfo, isIPv4, isIPv6 } from "node:net";
import path from "node:path";
import { Ajv, type AnySchemaObject } from "ajv";
import { chromium } from "playwright-core";
import { afterAll, beforeAll, expect, test, vi } from "vitest";
import { WebSocketServer } from "ws";
import { Nightjar } from "./support/nightjar.ts";
import { Site } from "./support/site.ts";

interface Logged {
  readonly url: string;
  readonly type: string;
  readonly status: number | null;
  readonly duration_ms: number | null;
  readonly failure: string | null;
  readonly request_bytes: number;
  readonly response_bytes: number;
  readonly initiator: string;
  readonly tab_id: string;
  readonly started_at: string;
  readonly messages: { readonly sent: number; readonly received: number } | null;
}

const secrets = {
  bearer: "planted-bearer-4711",
  cookie: "planted-cookie-4712",
  query: "planted-query-4713",
  password: "planted-password-4714",
};

let server: Nightjar;
let site: Site;
let sockets: WebSocketServer;
let session: { readonly id: string; readonly cdpUrl: string };

beforeAll(async () => {
  sockets = new WebSocketServer({ port: 0, host: "127.0.0.1" });
  sockets.on("connection", (socket) => socket.on("message", () => socket.send("pong")));
  await once(sockets, "listening");
  const { port } = sockets.address() as AddressInfo;
  site = await Site.start((request, response) => {
    const url = new URL(request.url ?? "/", site.url);
    const html = (text: string): void => {
      response.setHeader("Content-Type", "text/html");
      response.end(`<!doctype html><link rel="icon" href="data:,">${text}`);
    };
    switch (url.pathname) {
      case "/":
        response.setHeader("Set-Cookie", `sid=${secrets.cookie}; HttpOnly`);
        return html(
          `<script src="/app.js"></script><img src="/missing.png"><iframe src="${site.url.replace("127.0.0.1", "localhost")}/frame"></iframe>`,
        );
      case "/frame":
        return html(`<script>fetch("/from-frame")</script>`);
      case "/app.js":
        response.setHeader("Content-Type", "text/javascript");
        return response.end(`
          console.log("app began");
          fetch("/api?access_token=${secrets.query}&page=2", { headers: { Authorization: "Bearer ${secrets.bearer}" } });
          fetch("/submit", { method: "POST", body: "x".repeat(5000) });
          fetch("/moved");
          fetch("/broken").catch(() => {});
          fetch("http://user:${secrets.password}@127.0.0.1:1/").catch(() => {});
          new Worker("/worker.js");
          const socket = new WebSocket("ws://127.0.0.1:${port}/socket");
          socket.onopen = () => socket.send("ping");
          socket.onmessage = () => socket.close();`);
      case "/worker.js":
        response.setHeader("Content-Type", "text/javascript");
        return response.end(`fetch("/from-worker")`);
      case "/moved":
        response.statusCode = 302;
        response.setHeader("Location", "/large");
        return response.end();
      case "/large":
        return response.end("y".repeat(300_000));
      case "/broken":
        return response.destroy();
      case "/missing.png":
        response.statusCode = 404;
        return response.end();
      case "/never":
        return response.write("begun");
      default:
        return response.end("{}");
    }
  });
  server = await Nightjar.start();
  session = await server.startSession();
});

afterAll(async () => {
  await server.dispose();
  sockets.close();
  await site.stop();
});

async function requests(id: string, query = ""): Promise<readonly Logged[]> {
  const answer = await server.call(
    "GET",
    `/sessions/${id}/network/requests?page_size=1000${query}`,
  );
  expect(answer.status).toBe(200);
  return answer.body["items"] as readonly Logged[];
}

function named(logged: readonly Logged[], part: string): Logged {
  const [found, ...others] = logged.filter(({ url }) => url.includes(part));
  if (found === undefined || others.length > 0) {
    throw new Error(`${others.length + (found ? 1 : 0)} requests of ${part}`);
  }
  return found;
}

async function browse(cdpUrl: string, url: string): Promise<void> {
  const browser = await chromium.connectOverCDP(cdpUrl);
  await browser.contexts()[0]?.pages()[0]?.goto(url, { waitUntil: "load" });
  await browser.close();
}

/** The requests of the page, once all of them are over. */
function complete(): Promise<readonly Logged[]> {
  return vi.waitFor(
    async () => {
      const all = await requests(session.id);
      for (const part of ["/from-frame", "/from-worker", "/large", "/broken", "/socket"]) {
        expect(named(all, part).duration_ms).not.toBeNull();
      }
      return all;
    },
    { timeout: 15_000, interval: 100 },
  );
}

test("requests of pages, frames, workers and redirects are logged with what came of them", async () => {
  await browse(session.cdpUrl, site.url);
  const logged = await complete();
  const script = named(logged, "/app.js");
  expect(script).toMatchObject({ type: "Script", status: 200, failure: null });
  expect(named(logged, "/missing.png")).toMatchObject({ type: "Image", status: 404 });
  expect(named(logged, "/moved")).toMatchObject({ status: 302, failure: null });
  const large = named(logged, "/large");
  expect(large.status).toBe(200);
  expect(large.response_bytes).toBeGreaterThan(300_000);
  expect(large.response_bytes).toBeLessThan(301_000);
  expect(named(logged, "/submit").request_bytes).toBeGreaterThan(5000);
  expect(named(logged, "/broken")).toMatchObject({
    status: null,
    failure: expect.stringMatching(/ERR_/),
  });
  expect(named(logged, "/socket")).toMatchObject({
    type: "WebSocket",
    status: 101,
    messages: { sent: 1, received: 1 },
  });
  expect(named(logged, "/api").initiator).toMatch(/^script .*app\.js:\d+$/);
  const tabs = new Set(logged.map(({ tab_id }) => tab_id));
  expect(tabs.size).toBe(1);
  expect(logged.map(({ started_at }) => started_at)).toEqual(
    logged.map(({ started_at }) => started_at).sort(),
  );
}, 40_000);

test("filters and pages choose among them, and none of it is an access", async () => {
  const before = (await server.call("GET", `/sessions/${session.id}`)).body["last_accessed_at"];
  const all = await complete();
  expect(await requests(session.id, "&type=websocket")).toHaveLength(1);
  expect(named(await requests(session.id, "&status=404"), "/missing.png").status).toBe(404);
  expect((await requests(session.id, "&search=FROM-")).length).toBe(2);
  const failed = await requests(session.id, "&failed=True");
  expect(failed.every(({ status, failure }) => failure !== null || (status ?? 0) >= 400)).toBe(
    true,
  );
  const second = await server.call(
    "GET",
    `/sessions/${session.id}/network/requests?page=2&page_size=3`,
  );
  expect(second.body).toMatchObject({
    page: 2,
    page_size: 3,
    total: all.length,
    has_previous: true,
  });
  expect(second.body["items"]).toEqual(all.slice(3, 6));
  const after = (await server.call("GET", `/sessions/${session.id}`)).body["last_accessed_at"];
  expect(after).toBe(before);
});

test("what lets somebody in is neither answered nor on the disk", async () => {
  await complete();
  const directory = path.join(server.dataDir, "recordings", session.id);
  // Of the console, too, whose lines come a moment after those of the network.
  const files = await vi.waitFor(async () => {
    const found = (await readdir(directory)).filter((name) => name.endsWith(".ndjson"));
    expect(found.length).toBeGreaterThan(1);
    return found;
  }, 10_000);
  const texts = await Promise.all(
    files.map((name) => readFile(path.join(directory, name), "utf8")),
  );
  const { body } = await server.call("GET", `/sessions/${session.id}/network/har`);
  const everything = [...texts, JSON.stringify(body)].join("\n");
  for (const secret of Object.values(secrets)) expect(everything).not.toContain(secret);
  expect(everything).toContain("access_token=[masked]&page=2");
  expect(JSON.stringify(body)).toMatch(/"name":"Authorization","value":"\[masked\]"/i);
});

test("the HAR is as HAR 1.2 has it", async () => {
  const logged = await complete();
  const { body } = await server.call("GET", `/sessions/${session.id}/network/har`);
  const require = createRequire(import.meta.url);
  const schemas = require("har-schema") as Record<string, AnySchemaObject>;
  const ajv = new Ajv({
    strict: false,
    formats: {
      ipv4: (text) => isIPv4(text),
      ipv6: (text) => isIPv6(text),
      uri: (text) => URL.canParse(text),
      "date-time": (text) => !Number.isNaN(Date.parse(text)),
    },
  });
  ajv.addMetaSchema(require("ajv/dist/refs/json-schema-draft-06.json") as AnySchemaObject);
  for (const schema of Object.values(schemas)) ajv.addSchema(schema);
  const valid = ajv.validate("har.json#", body);
  expect(ajv.errors).toBeNull();
  expect(valid).toBe(true);
  const { entries } = (
    body as { log: { entries: readonly { time: number; request: { url: string } }[] } }
  ).log;
  expect(entries.map(({ request }) => request.url)).toEqual(logged.map(({ url }) => url));
});

test("the files of the log open by their URLs alone, and by no other", async () => {
  const answer = await server.call(
    "GET",
    `/sessions/${session.id}/network/logs?limit=5&download=True`,
  );
  expect(answer.body).toMatchObject({ session_id: session.id, format: "ndjson" });
  const [batch] = answer.body["batches"] as readonly {
    key: string;
    size: number;
    download_url: string;
  }[];
  if (batch === undefined) throw new Error("no batch");
  expect(path.basename(batch.key)).toBe("network-0001.ndjson");
  const file = await fetch(batch.download_url);
  expect(file.status).toBe(200);
  const lines = (await file.text()).trim().split("\n");
  expect(lines.map((line) => JSON.parse(line) as object)).not.toEqual([]);
  const forged = await fetch(batch.download_url.replace("0001", "0002"));
  expect(forged.status).toBe(401);
  const { stdout } = await server.cli("keys", "create", "--tenant", "stranger", "--name", "other");
  const key = /nj_\S+/.exec(stdout)?.[0] ?? "";
  for (const route of ["network/logs", "network/requests", "network/har", "console/logs"]) {
    const strange = await server.call("GET", `/sessions/${session.id}/${route}`, { key });
    expect(strange.status).toBe(404);
  }
});

test("a server that is killed loses no more than the last second, and the next one goes on", async () => {
  const lasting = await server.startSession();
  await browse(lasting.cdpUrl, `${site.url}/frame`);
  await vi.waitFor(async () => named(await requests(lasting.id), "/from-frame"), {
    timeout: 10_000,
  });
  await server.signal("SIGKILL");
  await server.run();
  expect(named(await requests(lasting.id), "/from-frame").status).toBe(200);
  await browse(lasting.cdpUrl, `${site.url}/large`);
  await vi.waitFor(async () => named(await requests(lasting.id), "/large"), { timeout: 10_000 });
  await server.call("DELETE", `/sessions/${lasting.id}/stop`);
  expect((await requests(lasting.id)).map(({ url }) => new URL(url).pathname)).toEqual(
    expect.arrayContaining(["/frame", "/from-frame", "/large"]),
  );
}, 60_000);

test("a session that is started with recording off has no logs", async () => {
  const silent = await server.startSession({ recording: false });
  await browse(silent.cdpUrl, `${site.url}/frame`);
  await server.call("DELETE", `/sessions/${silent.id}/stop`);
  expect(await requests(silent.id)).toEqual([]);
  const { body } = await server.call("GET", `/sessions/${silent.id}/console/logs`);
  expect(body["items"]).toEqual([]);
});
