import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";
import { Nightjar } from "./support/nightjar.ts";
import { browserDirectories, browserProcesses } from "./support/processes.ts";
import { type Closing, RawCdp } from "./support/raw-cdp.ts";

/** On a busy machine, too. */
const soon = { timeout: 20_000, interval: 50 };

/** The first line of the server's log about the end of a session, as an object. */
function loggedEnd(server: Nightjar, id: string): Readonly<Record<string, unknown>> | null {
  for (const line of server.output.split("\n")) {
    if (!line.includes("session ended") || !line.includes(id)) continue;
    return JSON.parse(line) as Record<string, unknown>;
  }
  return null;
}

describe("time limits of a minute, in real time", { tags: ["long"] }, () => {
  interface Watched {
    readonly id: string;
    readonly startedAt: number;
    readonly client: RawCdp;
    readonly closing: Closing;
    readonly closedAt: number;
  }

  let server: Nightjar;
  let idle: Watched;
  let longest: Watched;
  let firstApi: Watched;
  let kept: { readonly id: string; readonly startedAt: number; readonly client: RawCdp };

  async function watch(id: string, cdpUrl: string, used: boolean): Promise<Watched> {
    const startedAt = Date.now();
    const client = await RawCdp.connect(cdpUrl);
    if (used) useUntilClosed(client);
    const closing = await client.closed;
    return { id, startedAt, client, closing, closedAt: Date.now() };
  }

  /** Sends a command every five seconds, as an agent that works slowly. */
  function useUntilClosed(client: RawCdp): void {
    const timer = setInterval(() => void client.send("Browser.getVersion"), 5000);
    void client.closed.then(() => clearInterval(timer));
  }

  beforeAll(async () => {
    server = await Nightjar.start({ NIGHTJAR_WARM_POOL: "2" });
    const limits = [
      { idle_timeout_minutes: 1 },
      { idle_timeout_minutes: 1, max_duration_minutes: 1 },
      { idle_timeout_minutes: 1 },
    ];
    const [first, second, third] = await Promise.all(
      limits.map((limit) => server.startSession(limit)),
    );
    const v0 = await server.call("POST", "/session/start", {
      body: { session_timeout_minutes: 1 },
    });
    const v0Id = String(v0.body["session_id"]);
    const v0Url = String((await server.call("GET", `/sessions/${v0Id}`)).body["cdp_url"]);
    if (first === undefined || second === undefined || third === undefined) {
      throw new Error("not every session was started");
    }
    const client = await RawCdp.connect(third.cdpUrl);
    useUntilClosed(client);
    kept = { id: third.id, startedAt: Date.now(), client };
    [idle, longest, firstApi] = await Promise.all([
      watch(first.id, first.cdpUrl, false),
      watch(second.id, second.cdpUrl, true),
      watch(v0Id, v0Url, false),
    ]);
  }, 120_000);

  afterAll(() => server?.dispose());

  test("an idle session times out, and its sockets are closed with 4001 and the reason", async () => {
    expect(idle.closing).toEqual({ code: 4001, reason: "session ended: idle_timeout" });
    const { body } = await server.call("GET", `/sessions/${idle.id}`);
    expect(body).toMatchObject({
      status: "timed_out",
      end_reason: "idle_timeout",
      cdp_url: null,
    });
    const closedAt = Date.parse(String(body["closed_at"]));
    const idleMs = closedAt - Date.parse(String(body["last_accessed_at"]));
    expect(idleMs).toBeGreaterThanOrEqual(60_000);
    expect(idleMs).toBeLessThan(65_000);
    expect(Math.abs(idle.closedAt - closedAt)).toBeLessThan(5000);
  });

  test("a session that is used all the time ends at its maximum duration, with 4002", async () => {
    expect(longest.closing).toEqual({ code: 4002, reason: "session ended: max_duration" });
    const { body } = await server.call("GET", `/sessions/${longest.id}`);
    expect(body).toMatchObject({ status: "timed_out", end_reason: "max_duration" });
    const lifeMs = Date.parse(String(body["closed_at"])) - Date.parse(String(body["created_at"]));
    expect(lifeMs).toBeGreaterThanOrEqual(60_000);
    expect(lifeMs).toBeLessThan(65_000);
    expect(body["duration"]).toBe(`PT${lifeMs / 1000}S`);
  });

  test("a session that is used goes on past its first idle deadline", async () => {
    expect(Date.now() - kept.startedAt).toBeGreaterThan(60_000);
    expect((await server.call("GET", `/sessions/${kept.id}`)).body["status"]).toBe("active");
    expect(await kept.client.evaluate("1 + 1")).toBe(2);
  });

  test("the first API says the same of its sessions", async () => {
    expect(firstApi.closing.code).toBe(4001);
    const { body } = await server.call("POST", "/session/close", {
      body: { session_id: firstApi.id },
    });
    expect(body).toMatchObject({ status: "timed_out", timeout_minutes: 1 });
  });

  test("stopping a session that timed out answers its final record", async () => {
    const before = (await server.call("GET", `/sessions/${idle.id}`)).body;
    const { status, body } = await server.call("DELETE", `/sessions/${idle.id}/stop`);
    expect(status).toBe(200);
    expect(body).toMatchObject({
      end_reason: "idle_timeout",
      closed_at: before["closed_at"],
      duration: before["duration"],
    });
    expect((await server.call("GET", `/sessions/${idle.id}`)).body).toEqual(before);
  });

  test("the log says how and why each ended", () => {
    expect(loggedEnd(server, idle.id)).toMatchObject({
      status: "timed_out",
      end_reason: "idle_timeout",
    });
    expect(loggedEnd(server, longest.id)).toMatchObject({
      status: "timed_out",
      end_reason: "max_duration",
    });
  });

  test("the browsers of sessions that timed out are gone", async () => {
    // What runs is the one session that is kept, and what is warm.
    await expect
      .poll(async () => {
        const health = (await server.call("GET", "/health")).body;
        const expected = Number(health["active_sessions"]) + Number(health["warm_browsers"]);
        return (await browserDirectories(server.dataDir)).length - expected;
      }, soon)
      .toBe(0);
  });
});

describe("a planned stop", { timeout: 60_000 }, () => {
  let servers: Nightjar[] = [];

  afterEach(async () => {
    await Promise.all(servers.splice(0).map((server) => server.dispose()));
    servers = [];
  });

  async function startServer(settings: Record<string, string> = {}): Promise<Nightjar> {
    const server = await Nightjar.start(settings);
    servers.push(server);
    return server;
  }

  test("ends every session with server_stop and leaves nothing running", async () => {
    const server = await startServer();
    const sessions = await Promise.all([1, 2, 3].map(() => server.startSession()));
    const clients = await Promise.all(sessions.map(({ cdpUrl }) => RawCdp.connect(cdpUrl)));
    expect((await browserProcesses(server.dataDir)).length).toBeGreaterThan(0);
    const began = Date.now();
    expect(await server.signal("SIGTERM")).toBe(0);
    expect(Date.now() - began).toBeLessThan(15_000);
    for (const client of clients) {
      expect(await client.closed).toEqual({ code: 4006, reason: "session ended: server_stop" });
    }
    expect(await browserProcesses(server.dataDir)).toEqual([]);
    expect(await browserDirectories(server.dataDir)).toEqual([]);
    await server.run();
    for (const { id } of sessions) {
      expect((await server.call("GET", `/sessions/${id}`)).body).toMatchObject({
        status: "closed",
        end_reason: "server_stop",
      });
      expect(loggedEnd(server, id)).toMatchObject({ end_reason: "server_stop" });
    }
  });

  test("does not wait for a client that reads nothing", { tags: ["long"] }, async () => {
    const server = await startServer();
    const { cdpUrl } = await server.startSession();
    const client = await RawCdp.connect(cdpUrl);
    client.socket.pause();
    client.socket.send('{"id":1,"method":"Browser.getVersion"}');
    const began = Date.now();
    expect(await server.signal("SIGTERM")).toBe(0);
    expect(Date.now() - began).toBeLessThan(15_000);
    client.close();
  });

  test("with keep leaves the browsers, and the next start goes on with them", async () => {
    const server = await startServer({ NIGHTJAR_ON_STOP: "keep" });
    const { id, cdpUrl } = await server.startSession();
    const client = await RawCdp.connect(cdpUrl);
    await client.evaluate("globalThis.kept = 'as it was'; document.title = 'here'");
    const began = Date.now();
    expect(await server.signal("SIGTERM")).toBe(0);
    expect(Date.now() - began).toBeLessThan(15_000);
    expect((await client.closed).code).toBe(1012);
    expect(await browserDirectories(server.dataDir)).toHaveLength(1);
    await server.run();
    expect((await server.call("GET", `/sessions/${id}`)).body).toMatchObject({
      status: "active",
      cdp_url: cdpUrl,
    });
    const again = await RawCdp.connect(cdpUrl);
    expect(await again.evaluate("kept + ' ' + document.title")).toBe("as it was here");
    const stopped = await server.call("DELETE", `/sessions/${id}/stop`);
    expect(stopped.body).toMatchObject({ status: "closed", end_reason: "client_stop" });
    expect((await again.closed).code).toBe(4000);
  });
});
