import { readdir, readFile } from "node:fs/promises";
import { DatabaseSync } from "node:sqlite";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import WebSocket from "ws";
import { z } from "zod";
import { type Answer, Nightjar } from "./support/nightjar.ts";

const minute = 60_000;
const time = z.iso.datetime({ offset: true }).refine((text) => !text.endsWith("Z"));
const duration = z.string().regex(/^P(?!$)(\d+D)?(T(?=\d)(\d+H)?(\d+M)?(\d+(\.\d+)?S)?)?$/);

/** Every field of an answer of the first API, as the contract has it and our additions to it. */
const firstSession = z.strictObject({
  session_id: z.uuid(),
  status: z.enum(["active", "closed", "error", "timed_out"]),
  timeout_minutes: z.int(),
  created_at: time,
  last_accessed_at: time,
  closed_at: time.nullable(),
  duration,
  error: z.string().nullable(),
  screenshot: z.base64().nullable(),
  idle_timeout_minutes: z.int(),
  max_duration_minutes: z.int(),
  steps: z.array(z.record(z.string(), z.unknown())),
  browser_type: z.string(),
  headless: z.boolean(),
  user_agent: z.string().nullable(),
  viewport_width: z.int().nullable(),
  viewport_height: z.int().nullable(),
  proxies: z.boolean(),
  use_file_storage: z.boolean(),
  solve_captchas: z.boolean(),
  web_bot_auth: z.boolean(),
  network_request_bytes: z.int(),
  network_response_bytes: z.int(),
  cdp_url: z.string().startsWith("ws://").nullable(),
  viewer_url: z.string().nullable(),
  replay_status: z.enum(["none", "recording", "processing", "ready", "failed"]),
  record_bodies: z.boolean(),
  auth_ids: z.array(z.string()),
  system_hidden: z.boolean(),
  end_reason: z.string().nullable(),
  keep_alive: z.boolean(),
});

const errorBody = z.strictObject({
  status: z.int(),
  code: z.string(),
  message: z.string().min(1),
  detail: z.string().min(1),
  error: z.string().min(1),
  request_id: z.string().optional(),
});

let nightjar: Nightjar;
let otherKey: string;

beforeAll(async () => {
  nightjar = await Nightjar.start({ NIGHTJAR_RECORDING: "0" });
  otherKey = (await nightjar.cli("keys", "create", "--tenant", "other")).stdout.trim();
}, 60_000);

afterAll(() => nightjar.dispose());

function post(route: string, body?: unknown, key?: string | null): Promise<Answer> {
  return nightjar.call("POST", route, { body, ...(key === undefined ? {} : { key }) });
}

async function start(body: Record<string, unknown> = {}) {
  const answer = await post("/session/start", body);
  expect(answer.status).toBe(200);
  return firstSession.parse(answer.body);
}

async function close(body: Record<string, unknown>) {
  const answer = await post("/session/close", body);
  expect(answer.status).toBe(200);
  return firstSession.parse(answer.body);
}

async function status(id: string) {
  const answer = await nightjar.call("GET", `/session/${id}`);
  expect(answer.status).toBe(200);
  return firstSession.parse(answer.body);
}

function expectError(answer: Answer, status: number): z.infer<typeof errorBody> {
  expect(answer.status).toBe(status);
  const body = errorBody.parse(answer.body);
  expect(body).toMatchObject({ status, error: body.message, detail: body.message });
  return body;
}

/** What is the same in two error bodies that differ only in the id that was asked for. */
function without(id: string, body: Answer["body"]): unknown {
  const { request_id: _, ...rest } = body;
  return JSON.parse(JSON.stringify(rest).replaceAll(id, "<id>"));
}

/** Main processes of the browsers of this server. */
async function browserPids(): Promise<readonly number[]> {
  const pids = (await readdir("/proc")).filter((name) => /^\d+$/.test(name));
  const found = await Promise.all(
    pids.map(async (pid) => {
      const args = await readFile(`/proc/${pid}/cmdline`, "utf8").catch(() => "");
      return args.includes(`--user-data-dir=${nightjar.dataDir}`) && !args.includes("--type=")
        ? [Number(pid)]
        : [];
    }),
  );
  return found.flat();
}

/** The browser that a session runs on: its record in the store names the process. */
function browserPidOf(sessionId: string): number {
  const file = `${nightjar.dataDir}/nightjar.db`;
  const database = new DatabaseSync(file, { readOnly: true });
  try {
    const row = database
      .prepare("select browser_reference from sessions where id = ?")
      .get(sessionId);
    const reference: unknown = JSON.parse(String(row?.["browser_reference"]));
    return z.object({ pid: z.int() }).parse(reference).pid;
  } finally {
    database.close();
  }
}

/** A raw CDP connection to the first tab of a session. */
async function connectToTab(sessionId: string) {
  const { body } = await nightjar.call("GET", `/sessions/${sessionId}/debug`);
  const { tabs } = z.object({ tabs: z.array(z.object({ ws_url: z.string() })) }).parse(body);
  const socket = new WebSocket(tabs[0]?.ws_url ?? "");
  await new Promise((resolve, reject) => {
    socket.once("open", resolve);
    socket.once("error", reject);
  });
  let lastId = 0;
  return {
    send(method: string, params: object = {}): void {
      lastId += 1;
      socket.send(JSON.stringify({ id: lastId, method, params }));
    },
    event(method: string): Promise<void> {
      return new Promise((resolve) => {
        socket.on("message", (data) => {
          if (String(data).includes(`"method":"${method}"`)) resolve();
        });
      });
    },
    close: () => socket.terminate(),
  };
}

function pngSize(base64: string): { readonly width: number; readonly height: number } {
  const image = Buffer.from(base64, "base64");
  expect(image.subarray(0, 8)).toEqual(
    Buffer.from([0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a]),
  );
  expect(image.toString("latin1", 12, 16)).toBe("IHDR");
  expect(image.toString("latin1", image.length - 8, image.length - 4)).toBe("IEND");
  return { width: image.readUInt32BE(16), height: image.readUInt32BE(20) };
}

describe("POST /session/start", () => {
  test("answers an active session with every field of the contract and its defaults", async () => {
    const session = await start();
    expect(session).toMatchObject({
      status: "active",
      timeout_minutes: 5,
      idle_timeout_minutes: 5,
      error: null,
      closed_at: null,
      screenshot: null,
      keep_alive: false,
      end_reason: null,
    });
    expect(session.cdp_url).toContain(session.session_id);
    expect(Math.abs(Date.now() - Date.parse(session.created_at))).toBeLessThan(minute);
    await close({ session_id: session.session_id });
  });

  test("starts without a body and with an empty one", async () => {
    const without = await nightjar.call("POST", "/session/start");
    const empty = await nightjar.call("POST", "/session/start", {
      headers: { "Content-Type": "application/json" },
    });
    for (const answer of [without, empty]) {
      expect(answer.status).toBe(200);
      await close({ session_id: firstSession.parse(answer.body).session_id });
    }
  });

  test("starts a new session where session_id is null or empty", async () => {
    const first = await start({ session_id: null });
    const second = await start({ session_id: "" });
    expect(second.session_id).not.toBe(first.session_id);
    await close({ session_id: first.session_id });
    await close({ session_id: second.session_id });
  });

  test("answers a running session that session_id names, with the new timeout", async () => {
    const first = await start();
    const again = await start({ session_id: first.session_id, session_timeout_minutes: 11 });
    expect(again).toMatchObject({ session_id: first.session_id, timeout_minutes: 11 });
    await close({ session_id: first.session_id });
  });

  test("answers a screenshot that is asked for", async () => {
    const session = await start({ screenshot: true });
    expect(pngSize(session.screenshot ?? "")).toEqual({ width: 1280, height: 1080 });
    await close({ session_id: session.session_id });
  });

  test("takes the body that the client of that time sends, and ignores unknown fields", async () => {
    const session = await start({
      session_id: null,
      keep_alive: true,
      session_timeout_minutes: 5,
      screenshot: null,
      max_steps: 20,
      proxies: null,
      something_else: { nested: [1] },
    });
    expect(session).toMatchObject({ status: "active", keep_alive: true, timeout_minutes: 5 });
    const closed = await close({
      session_id: session.session_id,
      keep_alive: false,
      session_timeout_minutes: 5,
      screenshot: null,
      something_else: true,
    });
    expect(closed).toMatchObject({ status: "closed" });
  });

  test.each([
    ["session_timeout_minutes", 1],
    ["session_timeout_minutes", 30],
    ["session_timeout", 9],
    ["timeout_minutes", 8],
  ])("reads %s (%i) as the timeout", async (name, value) => {
    const session = await start({ [name]: value });
    expect(session).toMatchObject({ timeout_minutes: value, idle_timeout_minutes: value });
    await close({ session_id: session.session_id });
  });

  test.each(
    ["session_timeout_minutes", "session_timeout", "timeout_minutes"].flatMap((name) =>
      [0, -1, 31, 1.5, "x", "5", true].map((value) => [name, value] as const),
    ),
  )("refuses %s %j with 400 naming the field and its range", async (name, value) => {
    const { message } = expectError(await post("/session/start", { [name]: value }), 400);
    expect(message).toMatch(new RegExp(`\\b${name}\\b`));
    expect(message).toContain("0 < x <= 30");
  });

  test("refuses an unknown session_id with 404", async () => {
    const id = crypto.randomUUID();
    expectError(await post("/session/start", { session_id: id }), 404);
  });

  test("refuses a session_id of a session that has ended, saying so", async () => {
    const { session_id } = await start();
    await close({ session_id });
    const { message } = expectError(await post("/session/start", { session_id }), 410);
    expect(message).toContain("client_stop");
  });
});

describe("POST /session/close", () => {
  test("closes the session and answers its final record", async () => {
    const { session_id } = await start();
    const closed = await close({ session_id });
    expect(closed).toMatchObject({
      session_id,
      status: "closed",
      end_reason: "client_stop",
      error: null,
      cdp_url: null,
    });
    const seconds = Number(/^PT([\d.]+)S$/.exec(closed.duration)?.[1]);
    const lived = Date.parse(closed.closed_at ?? "") - Date.parse(closed.created_at);
    expect(seconds * 1000).toBeCloseTo(lived, 3);
  });

  test.each([
    ["missing", {}],
    ["null", { session_id: null }],
    ["empty", { session_id: "" }],
  ])("answers 400 for a session_id that is %s", async (_, body) => {
    expect(expectError(await post("/session/close", body), 400).message).toContain("session_id");
  });

  test("answers 400 without a body and for a session_id that is no text", async () => {
    expectError(await nightjar.call("POST", "/session/close"), 400);
    expectError(await post("/session/close", { session_id: 7 }), 400);
  });

  test("answers 404 alike for an unknown id and for another tenant's session", async () => {
    const { session_id } = await start();
    const unknown = crypto.randomUUID();
    const ofNobody = await post("/session/close", { session_id: unknown }, otherKey);
    const ofOther = await post("/session/close", { session_id }, otherKey);
    expectError(ofNobody, 404);
    expectError(ofOther, 404);
    expect(without(session_id, ofOther.body)).toEqual(without(unknown, ofNobody.body));
    expect(await status(session_id)).toMatchObject({ status: "active" });
    await close({ session_id });
  });

  test("answers 404 for an id that is no UUID", async () => {
    expectError(await post("/session/close", { session_id: "x' or 1=1 --" }), 404);
  });

  test.each([0, 31, 1.5, "x"])(
    "refuses session_timeout_minutes %j and leaves the session open",
    async (value) => {
      const { session_id } = await start();
      const answer = await post("/session/close", { session_id, session_timeout_minutes: value });
      const { message } = expectError(answer, 400);
      expect(message).toMatch(/session_timeout_minutes.*0 < x <= 30/);
      expect(await status(session_id)).toMatchObject({ status: "active" });
      await close({ session_id });
    },
  );

  test("keeps the session active with the new timeout when keep_alive is true", async () => {
    const { session_id } = await start();
    const kept = await close({ session_id, keep_alive: true, session_timeout_minutes: 7 });
    const expected = {
      session_id,
      status: "active",
      keep_alive: true,
      timeout_minutes: 7,
      idle_timeout_minutes: 7,
      closed_at: null,
      end_reason: null,
    };
    expect(kept).toMatchObject(expected);
    expect(kept.cdp_url).not.toBeNull();
    expect(await status(session_id)).toMatchObject(expected);
    expect(await close({ session_id, keep_alive: true })).toMatchObject(expected);
    expect(await close({ session_id, keep_alive: false })).toMatchObject({ status: "closed" });
  });

  test("answers a PNG of the page as it was before the close", async () => {
    const { session_id } = await start();
    const { screenshot, status } = await close({ session_id, screenshot: true });
    expect(status).toBe("closed");
    expect(pngSize(screenshot ?? "")).toEqual({ width: 1280, height: 1080 });
  });

  test("answers a screenshot of a session that it keeps, too", async () => {
    const { session_id } = await start();
    const kept = await close({ session_id, keep_alive: true, screenshot: true });
    expect(kept.status).toBe("active");
    expect(pngSize(kept.screenshot ?? "")).toEqual({ width: 1280, height: 1080 });
    await close({ session_id });
  });

  test("closes a session whose page is blocked by a dialog and answers in time", async () => {
    const { session_id } = await start();
    const tab = await connectToTab(session_id);
    const opened = tab.event("Page.javascriptDialogOpening");
    tab.send("Page.enable");
    tab.send("Runtime.evaluate", { expression: "alert('stop')" });
    await opened;
    const begun = Date.now();
    const closed = await close({ session_id, screenshot: true });
    expect(Date.now() - begun).toBeLessThan(12_000);
    expect(closed).toMatchObject({ status: "closed", end_reason: "client_stop" });
    // Either a screenshot or the reason why there is none.
    expect(closed.screenshot === null).toBe(closed.error !== null);
    tab.close();
  });

  test("closes a session whose browser hangs, and reports the screenshot that failed", async () => {
    const { session_id } = await start();
    const pid = browserPidOf(session_id);
    process.kill(pid, "SIGSTOP");
    const begun = Date.now();
    const closed = await close({ session_id, screenshot: true });
    expect(Date.now() - begun).toBeLessThan(12_000);
    expect(closed).toMatchObject({
      status: "closed",
      end_reason: "client_stop",
      screenshot: null,
      error: expect.stringContaining("screenshot"),
    });
    await expect.poll(async () => await browserPids(), { timeout: 20_000 }).not.toContain(pid);
    expect(await status(session_id)).toMatchObject({ status: "closed", error: closed.error });
  });

  test("answers a session that was closed before with its final record, unchanged", async () => {
    const { session_id } = await start();
    const first = await close({ session_id });
    expect(await close({ session_id })).toEqual(first);
    expect(await close({ session_id, keep_alive: true, screenshot: true })).toEqual(first);
    expect(await status(session_id)).toEqual(first);
  });

  test("answers the true status of a session whose browser crashed", async () => {
    const { session_id } = await start();
    process.kill(browserPidOf(session_id), "SIGKILL");
    await expect.poll(async () => (await status(session_id)).status).toBe("error");
    const closed = await close({ session_id });
    expect(closed).toMatchObject({
      status: "error",
      end_reason: "browser_crash",
      error: expect.stringMatching(/./),
    });
    expect(await close({ session_id })).toEqual(closed);
  });

  test("ends the browser's processes and removes its directory", async () => {
    const { session_id } = await start();
    const pid = browserPidOf(session_id);
    const profile = /--user-data-dir=([^\0]+)/.exec(await readFile(`/proc/${pid}/cmdline`, "utf8"));
    const directory = profile?.[1] ?? "";
    expect(await readdir(directory)).not.toEqual([]);
    await close({ session_id });
    await expect.poll(() => browserPids()).not.toContain(pid);
    await expect.poll(() => readdir(directory).catch((error) => error.code)).toBe("ENOENT");
  });
});

describe("status and list", () => {
  test("GET /session/{id} and POST /session/status answer the same record", async () => {
    const { session_id } = await start({ session_timeout_minutes: 6 });
    const byGet = await status(session_id);
    const answer = await post("/session/status", { session_id });
    expect(answer.status).toBe(200);
    const byPost = firstSession.parse(answer.body);
    expect(byGet).toMatchObject({ session_id, status: "active", timeout_minutes: 6 });
    expect(byPost).toEqual({ ...byGet, duration: byPost.duration });
    const closed = await close({ session_id });
    expect(await status(session_id)).toEqual(closed);
    expect((await post("/session/status", { session_id })).body).toEqual(closed);
  });

  test("both answer 404 for an unknown id and for another tenant's, with the same body", async () => {
    const { session_id } = await start();
    const unknown = crypto.randomUUID();
    const bodies = await Promise.all(
      [unknown, session_id].flatMap((id) => [
        nightjar.call("GET", `/session/${id}`, { key: otherKey }),
        post("/session/status", { session_id: id }, otherKey),
      ]),
    );
    for (const answer of bodies) expectError(answer, 404);
    const [shape, ...others] = bodies.map(({ body }) =>
      without(session_id, { ...(without(unknown, body) as Answer["body"]) }),
    );
    for (const other of others) expect(other).toEqual(shape);
    await close({ session_id });
  });

  test("POST /session/status without a session_id is 400", async () => {
    expectError(await post("/session/status", {}), 400);
    expectError(await post("/session/status", { session_id: null }), 400);
  });

  test("GET /session lists the active sessions, newest first, and ended ones on request", async () => {
    const key = (await nightjar.cli("keys", "create", "--tenant", "lister")).stdout.trim();
    const ids: string[] = [];
    for (let count = 0; count < 3; count += 1) {
      const { body } = await post("/session/start", {}, key);
      ids.unshift(firstSession.parse(body).session_id);
    }
    const ended = ids[1];
    await post("/session/close", { session_id: ended }, key);
    const list = async (query: string) => {
      const answer = await nightjar.call("GET", `/session${query}`, { key });
      expect(answer.status).toBe(200);
      return z.array(firstSession).parse(answer.body["items"]);
    };
    const idsOf = async (query: string) => (await list(query)).map((item) => item.session_id);
    expect(await idsOf("")).toEqual([ids[0], ids[2]]);
    expect(await idsOf("?only_active=True&what=ever")).toEqual([ids[0], ids[2]]);
    expect(await idsOf("?only_active=false")).toEqual(ids);
    expect(await idsOf("?only_active=0&limit=2")).toEqual(ids.slice(0, 2));
    expectError(await nightjar.call("GET", "/session?limit=0", { key }), 400);
    for (const id of [ids[0], ids[2]]) await post("/session/close", { session_id: id }, key);
    expect(await list("")).toEqual([]);
  });
});

describe("errors", () => {
  const routes = ["/session/start", "/session/close", "/session/status"];

  test.each(routes)("%s answers bad JSON and anything but an object with 400", async (route) => {
    for (const rawBody of ['{"session_id": ', "not json", "[]", '"text"', "5"]) {
      expectError(await nightjar.call("POST", route, { rawBody }), 400);
    }
  });

  test.each([
    ["POST", "/session/start"],
    ["POST", "/session/close"],
    ["POST", "/session/status"],
    ["GET", "/session"],
    ["GET", "/session/f47ac10b-58cc-4372-a567-0e02b2c3d479"],
  ])("%s %s answers 401 with WWW-Authenticate without a valid key", async (method, route) => {
    const body = method === "POST" ? { body: {} } : {};
    const refused = [
      await nightjar.call(method, route, { ...body, key: null }),
      await nightjar.call(method, route, { ...body, key: "nj_wrong" }),
      await nightjar.call(method, route, {
        ...body,
        key: null,
        headers: { Authorization: "Basic dGVzdDp0ZXN0" },
      }),
    ];
    for (const answer of refused) {
      expectError(answer, 401);
      expect(answer.headers.get("www-authenticate")).toMatch(/^Bearer/);
    }
  });

  test("an unexpected failure is 500 with a request id, and its cause stands only in the log", async () => {
    const broken = await Nightjar.start({ NIGHTJAR_WARM_POOL: "0" });
    try {
      const database = new DatabaseSync(`${broken.dataDir}/nightjar.db`);
      database.exec("alter table sessions rename to gone");
      const answer = await broken.call("GET", "/session");
      database.exec("alter table gone rename to sessions");
      database.close();
      const body = expectError(answer, 500);
      expect(JSON.stringify(body)).not.toMatch(/sqlite|no such table|sessions/i);
      expect(body.request_id).toMatch(/./);
      await expect.poll(() => broken.output).toContain(body.request_id);
      const line = broken.output.split("\n").find((text) => text.includes("no such table"));
      expect(line).toContain(body.request_id);
      expect((await broken.call("GET", "/session")).status).toBe(200);
    } finally {
      await broken.dispose();
    }
  });

  test("a timeout above the server's own limit is 400 naming the field and that range", async () => {
    const strict = await Nightjar.start({
      NIGHTJAR_WARM_POOL: "0",
      NIGHTJAR_MAX_SESSION_MINUTES: "4",
    });
    try {
      for (const route of ["/session/start", "/session/close"]) {
        const answer = await strict.call("POST", route, {
          body: { session_id: crypto.randomUUID(), session_timeout_minutes: 5 },
        });
        const { message } = expectError(answer, 400);
        expect(message).toMatch(/session_timeout_minutes.*0 < x <= 4/);
      }
      const { status, body } = await strict.call("POST", "/session/start", { body: {} });
      expect(status).toBe(200);
      expect(firstSession.parse(body)).toMatchObject({ timeout_minutes: 4 });
    } finally {
      await strict.dispose();
    }
  });
});
