import { readdir, readFile } from "node:fs/promises";
import path from "node:path";
import { chromium } from "playwright-core";
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from "vitest";
import WebSocket from "ws";
import { z } from "zod";
import { type Answer, Nightjar, testKey } from "./support/nightjar.ts";

let nightjar: Nightjar;
let alice: string;
let bob: string;
/** What must stand nowhere but in the clients' hands. */
const secrets = new Set([testKey]);

beforeAll(async () => {
  nightjar = await Nightjar.start({ NIGHTJAR_RECORDING: "0" });
  alice = (await createKey("alice")).key;
  bob = (await createKey("bob")).key;
}, 60_000);

afterAll(() => nightjar.dispose());

async function createKey(tenant: string, ...more: readonly string[]) {
  const { stdout, stderr } = await nightjar.cli("keys", "create", "--tenant", tenant, ...more);
  const key = stdout.trim();
  secrets.add(key);
  return { key, id: /key_\w+/.exec(stderr)?.[0] ?? "" };
}

/** Starts a session that the test's end stops. */
async function started(key: string): Promise<{ readonly id: string; readonly cdpUrl: string }> {
  const session = await nightjar.startSession({}, key);
  secrets.add(tokenOf(session.cdpUrl));
  onTestFinished(async () => {
    await nightjar.call("DELETE", `/sessions/${session.id}/stop`, { key });
  });
  return session;
}

function tokenOf(cdpUrl: string): string {
  return new URL(cdpUrl).searchParams.get("token") ?? "";
}

function statusOf(key: string | null): Promise<number> {
  return nightjar.call("GET", "/sessions", { key }).then(({ status }) => status);
}

async function idsOf(route: string, key: string): Promise<readonly unknown[]> {
  const { body } = await nightjar.call("GET", route, { key });
  return z
    .array(z.object({ session_id: z.string() }))
    .parse(body["items"])
    .map((item) => item.session_id);
}

/** "open", or the HTTP status that refuses the WebSocket. */
function connect(url: string): Promise<number | "open"> {
  return new Promise((resolve, reject) => {
    const socket = new WebSocket(url);
    socket.on("error", reject);
    socket.on("open", () => {
      resolve("open");
      socket.terminate();
    });
    socket.on("unexpected-response", (_request, response) => {
      response.resume();
      resolve(response.statusCode ?? 0);
    });
  });
}

function expectUnauthorized(answer: Answer): void {
  expect(answer.status).toBe(401);
  expect(answer.headers.get("www-authenticate")).toMatch(/^Bearer/);
  expect(answer.body).toMatchObject({
    status: 401,
    message: expect.any(String),
    detail: expect.any(String),
    error: expect.any(String),
  });
}

describe("nightjar keys, beside a running server", () => {
  test("create makes a key that is valid at once", async () => {
    const { key, id } = await createKey("alice", "--name", "laptop");
    expect(key).toMatch(/^nj_[\w-]{43}$/);
    expect(id).not.toBe("");
    expect(await statusOf(key)).toBe(200);
  });

  test("list shows whose the keys are and what for, and never a key", async () => {
    const { key, id } = await createKey("lister", "--name", "the-purpose");
    const { stdout } = await nightjar.cli("keys", "list");
    for (const text of [id, "lister", "the-purpose", "default", "alice"]) {
      expect(stdout).toContain(text);
    }
    for (const secret of [key, key.slice(0, 20), testKey]) expect(stdout).not.toContain(secret);
    const ofOne = (await nightjar.cli("keys", "list", "--tenant", "lister")).stdout;
    expect(ofOne).toContain(id);
    expect(ofOne).not.toContain("alice");
  });

  test("revoke makes a key invalid at once, and only that one", async () => {
    const revoked = await createKey("alice");
    const other = await createKey("alice");
    expect(await statusOf(revoked.key)).toBe(200);
    await nightjar.cli("keys", "revoke", revoked.id);
    expectUnauthorized(await nightjar.call("GET", "/sessions", { key: revoked.key }));
    expectUnauthorized(await nightjar.call("POST", "/sessions/start", { key: revoked.key }));
    expectUnauthorized(await nightjar.call("POST", "/session/start", { key: revoked.key }));
    expect(await statusOf(other.key)).toBe(200);
    const { stdout } = await nightjar.cli("keys", "list", "--tenant", "alice");
    const line = stdout.split("\n").find((text) => text.includes(revoked.id));
    expect(line?.match(/\d{4}-\d\d-\d\dT/g)).toHaveLength(2);
  });

  test("a tenant's sessions stay its own when the key that started them is revoked", async () => {
    const first = await createKey("keeper");
    const second = await createKey("keeper");
    const { id } = await started(first.key);
    await nightjar.cli("keys", "revoke", first.id);
    const { body } = await nightjar.call("DELETE", `/sessions/${id}/stop`, { key: second.key });
    expect(body).toMatchObject({ session_id: id, status: "closed" });
  });

  test("revoke of an unknown or revoked key fails and names it", async () => {
    const { id } = await createKey("alice");
    await nightjar.cli("keys", "revoke", id);
    for (const gone of [id, "key_unknown"]) {
      await expect(nightjar.cli("keys", "revoke", gone)).rejects.toMatchObject({
        code: 1,
        stderr: expect.stringContaining(gone),
      });
    }
  });

  test("create refuses a tenant's name that is none", async () => {
    await expect(nightjar.cli("keys", "create", "--tenant", "a b")).rejects.toMatchObject({
      code: 1,
      stderr: expect.stringContaining("--tenant"),
    });
  });
});

describe("two tenants", () => {
  test("list only their own sessions", async () => {
    const ofAlice = await started(alice);
    const ofBob = await started(bob);
    for (const route of ["/sessions", "/sessions?only_active=false&page_size=100", "/session"]) {
      expect(await idsOf(route, alice)).toContain(ofAlice.id);
      expect(await idsOf(route, alice)).not.toContain(ofBob.id);
      expect(await idsOf(route, bob)).toContain(ofBob.id);
      expect(await idsOf(route, bob)).not.toContain(ofAlice.id);
    }
  });

  test.each([
    ["GET", "/sessions/{id}"],
    ["DELETE", "/sessions/{id}/stop"],
    ["POST", "/sessions/{id}/stop"],
    ["GET", "/sessions/{id}/debug"],
    ["GET", "/sessions/{id}/debug/tab?tab_idx=0"],
    ["GET", "/session/{id}"],
    ["POST", "/session/start"],
    ["POST", "/session/close"],
    ["POST", "/session/status"],
  ])("get the same 404 from %s %s as for a session that never was", async (method, route) => {
    const { id } = await started(alice);
    const ended = await started(alice);
    await nightjar.call("DELETE", `/sessions/${ended.id}/stop`, { key: alice });
    const ask = async (target: string, key: string) => {
      const { status, body } = await nightjar.call(method, route.replace("{id}", target), {
        key,
        ...(route.startsWith("/session/") && method === "POST"
          ? { body: { session_id: target, screenshot: true } }
          : {}),
      });
      const { request_id: _, ...rest } = body;
      return { status, body: JSON.stringify(rest).replaceAll(target, "<id>") };
    };
    const ofNobody = await ask(crypto.randomUUID(), bob);
    expect(ofNobody.status).toBe(404);
    expect(await ask(id, bob)).toEqual(ofNobody);
    expect(await ask(ended.id, bob)).toEqual(ofNobody);
    const { body } = await nightjar.call("GET", `/sessions/${id}`, { key: alice });
    expect(body).toMatchObject({ status: "active" });
    expect((await ask(id, alice)).status).toBe(200);
  });

  test("do not move each other's idle deadline by asking", async () => {
    const { id } = await started(alice);
    const before = await nightjar.call("GET", `/sessions/${id}`, { key: alice });
    await nightjar.call("POST", "/session/close", {
      key: bob,
      body: { session_id: id, keep_alive: true, session_timeout_minutes: 30 },
    });
    const after = await nightjar.call("GET", `/sessions/${id}`, { key: alice });
    expect(after.body).toEqual({ ...before.body, duration: after.body["duration"] });
  });
});

describe("the token in cdp_url", () => {
  test("opens its own session and no other one", async () => {
    const ofAlice = await started(alice);
    const ofBob = await started(bob);
    expect(await connect(ofAlice.cdpUrl)).toBe("open");
    const swapped = ofAlice.cdpUrl.replace(tokenOf(ofAlice.cdpUrl), tokenOf(ofBob.cdpUrl));
    expect(await connect(swapped)).toBe(401);
    for (const route of ["json/version", "json/list", "json"]) {
      const address = `/sessions/${ofAlice.id}/cdp/${route}`;
      const right = `${address}?token=${tokenOf(ofAlice.cdpUrl)}`;
      expect((await nightjar.call("GET", right, { key: null })).status).toBe(200);
      for (const token of [tokenOf(ofBob.cdpUrl), "", "nonsense", testKey, alice]) {
        const wrong = `${address}?token=${encodeURIComponent(token)}`;
        expectUnauthorized(await nightjar.call("GET", wrong, { key: alice }));
      }
    }
  });

  test("cannot be guessed, left out, or replaced by an API key", async () => {
    const { cdpUrl } = await started(alice);
    const token = tokenOf(cdpUrl);
    const flipped = token.slice(0, -2) + (token.at(-2) === "A" ? "B" : "A") + token.slice(-1);
    for (const other of ["", flipped, token.slice(1), `${token}A`, alice, testKey]) {
      expect(await connect(cdpUrl.replace(token, encodeURIComponent(other)))).toBe(401);
    }
    expect(await connect(cdpUrl.replace(/\?.*/, ""))).toBe(401);
  });

  test("is still read when a client appends a query to the URL", async () => {
    const { cdpUrl } = await started(alice);
    expect(await connect(`${cdpUrl}&x=y`)).toBe("open");
    expect(await connect(`${cdpUrl}?x=y`)).toBe("open");
  });

  test("opens a tab of its own session and none of another one's", async () => {
    const ofAlice = await started(alice);
    const ofBob = await started(bob);
    const { body } = await nightjar.call("GET", `/sessions/${ofAlice.id}/debug`, { key: alice });
    const { tabs } = z.object({ tabs: z.array(z.object({ ws_url: z.string() })) }).parse(body);
    const own = tabs[0]?.ws_url ?? "";
    expect(await connect(own)).toBe("open");
    const throughBob = own
      .replace(ofAlice.id, ofBob.id)
      .replace(tokenOf(ofAlice.cdpUrl), tokenOf(ofBob.cdpUrl));
    expect(await connect(throughBob)).not.toBe("open");
  });

  test("is no API key", async () => {
    const { id, cdpUrl } = await started(alice);
    const token = tokenOf(cdpUrl);
    expectUnauthorized(await nightjar.call("GET", `/sessions/${id}`, { key: token }));
    expectUnauthorized(await nightjar.call("GET", `/sessions/${id}?token=${token}`, { key: null }));
  });

  test("opens nothing once its session has ended", async () => {
    const { id, cdpUrl } = await started(alice);
    await nightjar.call("DELETE", `/sessions/${id}/stop`, { key: alice });
    expect(await connect(cdpUrl)).toBe(410);
  });
});

describe("without a key", () => {
  const publicRoutes = new Set(["/health", "/pressure", "/ready"]);

  test("no route of the API answers but those that tell how the server is", async () => {
    const { id } = await started(alice);
    const answer = await nightjar.call("GET", "/openapi.json", { key: null });
    const { paths } = z
      .object({ paths: z.record(z.string(), z.record(z.string(), z.unknown())) })
      .parse(answer.body);
    const routes = Object.entries(paths).flatMap(([route, operations]) =>
      Object.keys(operations).map((method) => ({ method: method.toUpperCase(), route })),
    );
    expect(routes.length).toBeGreaterThan(10);
    for (const { method, route } of routes) {
      const url = route.replace("{session_id}", id);
      const body = method === "POST" ? { body: { session_id: id } } : {};
      for (const key of [null, "nj_wrong"]) {
        const refused = await nightjar.call(method, url, { key, ...body });
        if (publicRoutes.has(route)) expect(refused.status).toBe(200);
        else expectUnauthorized(refused);
      }
    }
    const { body } = await nightjar.call("GET", `/sessions/${id}`, { key: alice });
    expect(body).toMatchObject({ status: "active" });
  });

  test("neither do routes that the document leaves out, nor unknown ones", async () => {
    const { id } = await started(alice);
    for (const [method, route] of [
      ["POST", `/sessions/${id}/stop`],
      ["GET", `/sessions/${id}/cdp/json`],
      ["GET", `//sessions/${id}`],
      ["GET", `/sessions/${id}/`],
      ["GET", "/no/such/route"],
      ["PUT", "/sessions/start"],
    ] as const) {
      expectUnauthorized(await nightjar.call(method, route, { key: null }));
    }
  });

  test("HEAD tells nothing of a session, either", async () => {
    const { id } = await started(alice);
    const response = await fetch(`${nightjar.url}/sessions/${id}`, { method: "HEAD" });
    expect(response.status).toBe(401);
  });

  test.each([
    "Basic dGVzdDp0ZXN0",
    "Bearer",
    "Bearer ",
    `Bearer ${testKey}x`,
    `Bearer ${testKey.toUpperCase()}`,
    `Bearer ${testKey} ${testKey}`,
    testKey,
  ])("%j is none", async (authorization) => {
    const headers = { Authorization: authorization };
    expectUnauthorized(await nightjar.call("GET", "/sessions", { key: null, headers }));
  });

  test("the docs answer, the scheme's name in any letter case is a key", async () => {
    for (const route of ["/openapi.json", "/docs/"]) {
      expect((await fetch(`${nightjar.url}${route}`)).status).toBe(200);
    }
    const headers = { Authorization: `bEARER ${testKey}` };
    expect((await nightjar.call("GET", "/sessions", { key: null, headers })).status).toBe(200);
  });
});

describe("secrets", () => {
  /** All that is in the files of the data directory, the browsers' profiles aside. */
  async function storedBytes(): Promise<string> {
    const entries = await readdir(nightjar.dataDir, { withFileTypes: true });
    const files = entries.filter((entry) => entry.isFile()).map((entry) => entry.name);
    expect(files).toEqual(expect.arrayContaining(["nightjar.db", "nightjar.db-wal"]));
    const contents = await Promise.all(
      files.map((name) => readFile(path.join(nightjar.dataDir, name), "latin1")),
    );
    return contents.join("\n");
  }

  test("no key and no token stands in the database, its WAL included", async () => {
    const { key } = await createKey("stored", "--name", "a-name-that-is-stored");
    const { id } = await started(key);
    const bytes = await storedBytes();
    expect(bytes).toContain("a-name-that-is-stored");
    expect(bytes).toContain(id);
    for (const secret of secrets) {
      expect(bytes).not.toContain(secret);
      expect(bytes).not.toContain(secret.slice(0, 12));
    }
  });

  test("no key, token or Authorization header stands in the log, at its most talkative", async () => {
    const { id, cdpUrl } = await started(alice);
    const browser = await chromium.connectOverCDP(cdpUrl);
    await browser.close();
    const token = tokenOf(cdpUrl);
    const wrongKey = "nj_a-wrong-key-that-somebody-mistyped";
    const attachSecret = "a-secret-of-another-browser";
    for (const secret of [wrongKey, attachSecret]) secrets.add(secret);
    await nightjar.call("GET", `/sessions/${id}`, { key: alice });
    await nightjar.call("GET", `/sessions/${id}`, { key: wrongKey });
    await nightjar.call("GET", `/sessions/${id}/cdp/json/version?token=${token}`, { key: null });
    await nightjar.call("GET", `/sessions/${id}/cdp/json/version?token=${wrongKey}`);
    await nightjar.call("GET", `/no/such/route?token=${token}&key=${alice}`, { key: alice });
    await nightjar.call("POST", "/sessions/start", { key: alice, rawBody: `{"key": "${alice}` });
    await nightjar.call("POST", "/sessions/start", { key: alice, body: { [alice]: 1 } });
    await nightjar.call("POST", "/sessions/start", {
      key: alice,
      body: { cdp_url: `ws://10.0.0.1:1/devtools?token=${attachSecret}` },
    });
    await nightjar.call("POST", "/sessions/start", {
      key: alice,
      body: { cdp_url: `http://user:${attachSecret}@nightjar.invalid:1/?token=${attachSecret}` },
    });
    expect(await connect(cdpUrl.replace(token, wrongKey))).toBe(401);
    const last = await nightjar.call("GET", "/no/such/route/at/the/end");
    const requestId = last.headers.get("x-request-id") ?? "";
    await expect.poll(() => nightjar.output).toContain(requestId);
    expect(nightjar.output).toContain('"path":"/sessions/start"');
    for (const secret of secrets) expect(nightjar.output).not.toContain(secret);
    // Only the hint that the start prints names a header, with a variable for the key.
    expect(nightjar.output).not.toMatch(/bearer [^$]/i);
  });

  test("the command line of a browser holds no key", async () => {
    const { id } = await started(alice);
    expect(id).not.toBe("");
    const pids = (await readdir("/proc")).filter((name) => /^\d+$/.test(name));
    const ofBrowsers: string[] = [];
    for (const pid of pids) {
      const args = await readFile(`/proc/${pid}/cmdline`, "latin1").catch(() => "");
      if (!args.includes(`--user-data-dir=${nightjar.dataDir}`)) continue;
      const environment = await readFile(`/proc/${pid}/environ`, "latin1").catch(() => "");
      ofBrowsers.push(args, environment);
    }
    expect(ofBrowsers.length).toBeGreaterThan(0);
    const text = ofBrowsers.join("\n");
    for (const secret of secrets) expect(text).not.toContain(secret);
    expect(text).not.toContain("NIGHTJAR_API_KEY");
  });
});
