import { afterAll, afterEach, beforeAll, describe, expect, test, vi } from "vitest";
import { expectConsistent } from "./support/consistency.ts";
import { Nightjar } from "./support/nightjar.ts";
import {
  browserDirectories,
  browserProcesses,
  mainProcesses,
  openSockets,
  processesOfUsers,
} from "./support/processes.ts";
import { RawCdp } from "./support/raw-cdp.ts";
import { Site } from "./support/site.ts";

/** Waits for processes and directories to go, on a busy machine, too. */
const soon = { timeout: 20_000, interval: 50 };

async function statusOf(server: Nightjar, id: string) {
  return (await server.call("GET", `/sessions/${id}`)).body;
}

/** What is left of the browsers of a server: processes and directories. */
async function remainsOf(server: Nightjar): Promise<number> {
  const processes = await browserProcesses(server.dataDir);
  return processes.length + (await browserDirectories(server.dataDir)).length;
}

/** The pid of the only browser of a server. */
async function onlyBrowser(server: Nightjar): Promise<number> {
  const [main, ...others] = (await mainProcesses(server.dataDir)).values();
  if (main === undefined || others.length > 0) throw new Error("not exactly one browser runs");
  return main.pid;
}

describe("kill -9 of the server", () => {
  let server: Nightjar;
  let site: Site;
  let plain: { readonly id: string; readonly cdpUrl: string };
  let shaped: { readonly id: string; readonly cdpUrl: string };
  let third: { readonly id: string; readonly cdpUrl: string };
  let before: readonly Readonly<Record<string, unknown>>[];
  let killedAt: number;

  beforeAll(async () => {
    site = await Site.start((request, response) => {
      response.setHeader("Content-Type", "text/html");
      response.end(`<p>${request.headers["x-team"] ?? "no header"}</p>`);
    });
    server = await Nightjar.start({ NIGHTJAR_WARM_POOL: "2" });
    [plain, shaped, third] = await Promise.all([
      server.startSession({ idle_timeout_minutes: 7, max_duration_minutes: 20 }),
      server.startSession({
        viewport_width: 810,
        viewport_height: 620,
        extra_http_headers: { "X-Team": "night shift" },
      }),
      server.startSession(),
    ]);
    const client = await RawCdp.connect(plain.cdpUrl);
    await client.evaluate("globalThis.state = 'set before'");
    // Warm browsers, which no row owns, must be there to become orphans.
    await vi.waitFor(async () => {
      const { body } = await server.call("GET", "/health");
      expect(body["warm_browsers"]).toBeGreaterThan(0);
    }, soon);
    before = await Promise.all([plain, shaped, third].map(({ id }) => statusOf(server, id)));
    killedAt = Date.now();
    expect(await server.signal("SIGKILL")).toBe("SIGKILL");
    // Without a pool of its own, what runs afterwards can only be the sessions' browsers.
    await server.run({ NIGHTJAR_WARM_POOL: "0" });
  }, 90_000);

  afterAll(async () => {
    await site?.stop();
    await server?.dispose();
  });

  test("leaves its sessions active, with their stored times and limits", async () => {
    for (const earlier of before) {
      const now = await statusOf(server, String(earlier["session_id"]));
      for (const field of [
        "status",
        "created_at",
        "idle_timeout_minutes",
        "max_duration_minutes",
        "cdp_url",
      ]) {
        expect(now[field], field).toEqual(earlier[field]);
      }
      expect(Date.parse(String(now["last_accessed_at"]))).toBeLessThanOrEqual(killedAt);
    }
  });

  test("leaves pages where they were, under the same CDP URL", async () => {
    const client = await RawCdp.connect(plain.cdpUrl);
    expect(await client.evaluate("state")).toBe("set before");
    client.close();
  });

  test("leaves the viewport and the extra headers of a session in force, in new tabs, too", async () => {
    const client = await RawCdp.connect(shaped.cdpUrl);
    await expect
      .poll(() => client.evaluate("innerWidth + 'x' + innerHeight"), soon)
      .toBe("810x620");
    await client.send("Page.navigate", { url: site.url }, await client.firstPage());
    await expect
      .poll(() => client.evaluate("document.body?.textContent"), soon)
      .toBe("night shift");
    const { result = {} } = await client.send("Target.createTarget", { url: site.url });
    const attached = await client.send("Target.attachToTarget", {
      targetId: result["targetId"],
      flatten: true,
    });
    const page = String(attached.result?.["sessionId"]);
    const expression = "document.body?.textContent + innerWidth";
    await expect
      .poll(async () => (await client.send("Runtime.evaluate", { expression }, page)).result, soon)
      .toMatchObject({ result: { value: "night shift810" } });
    client.close();
  });

  test("leaves no warm browser and no directory that no session owns", async () => {
    await expect.poll(async () => (await mainProcesses(server.dataDir)).size, soon).toBe(3);
    await expect.poll(() => browserDirectories(server.dataDir), soon).toHaveLength(3);
    await expectConsistent(server);
  });

  test("leaves sessions that can be stopped, and then everything is freed", async () => {
    const uids = new Set([...(await mainProcesses(server.dataDir)).values()].map(({ uid }) => uid));
    const client = await RawCdp.connect(plain.cdpUrl);
    for (const { id } of [plain, shaped, third]) {
      const { status, body } = await server.call("DELETE", `/sessions/${id}/stop`);
      expect(status).toBe(200);
      expect(body["end_reason"]).toBe("client_stop");
    }
    expect((await client.closed).code).toBe(4000);
    await expect.poll(() => remainsOf(server), soon).toBe(0);
    uids.delete(0);
    expect(await processesOfUsers(uids, server.dataDir)).toEqual([]);
    await expectConsistent(server);
  });
});

describe("a browser", () => {
  let server: Nightjar;
  let session: { readonly id: string; readonly cdpUrl: string };

  beforeAll(async () => {
    server = await Nightjar.start({ NIGHTJAR_WARM_POOL: "0", NIGHTJAR_MAX_SESSIONS: "1" });
  });

  afterAll(() => server?.dispose());

  afterEach(async () => {
    await server.call("DELETE", `/sessions/${session.id}/stop`);
    await expect.poll(() => remainsOf(server), soon).toBe(0);
    await expectConsistent(server);
  });

  test("that is killed ends its session as an error within a second and frees its slot", async () => {
    session = await server.startSession();
    const client = await RawCdp.connect(session.cdpUrl);
    const killedAt = Date.now();
    process.kill(await onlyBrowser(server), "SIGKILL");
    expect(await client.closed).toEqual({ code: 4003, reason: "session ended: browser_crash" });
    const body = await statusOf(server, session.id);
    expect(body).toMatchObject({
      status: "error",
      end_reason: "browser_crash",
      error: expect.stringContaining("SIGKILL"),
      cdp_url: null,
    });
    expect(Date.parse(String(body["closed_at"])) - killedAt).toBeLessThan(1000);
    await expect.poll(() => remainsOf(server), soon).toBe(0);
    // The host holds one session, so this is answered only when the slot is free.
    session = await server.startSession();
  });

  test("whose renderer is killed goes on: a new page works", async () => {
    session = await server.startSession();
    const client = await RawCdp.connect(session.cdpUrl);
    await client.evaluate("1");
    const processes = await browserProcesses(server.dataDir);
    const renderers = processes.filter(({ commandLine }) => /--type=renderer/.test(commandLine));
    expect(renderers.length).toBeGreaterThan(0);
    for (const { pid } of renderers) process.kill(pid, "SIGKILL");
    const { result = {} } = await client.send("Target.createTarget", { url: "about:blank" });
    const attached = await client.send("Target.attachToTarget", {
      targetId: result["targetId"],
      flatten: true,
    });
    const answer = await client.send(
      "Runtime.evaluate",
      { expression: "6 * 7" },
      String(attached.result?.["sessionId"]),
    );
    expect(answer.result).toMatchObject({ result: { value: 42 } });
    expect((await statusOf(server, session.id))["status"]).toBe("active");
    client.close();
  });

  test("that hangs keeps neither status nor stop waiting, and its tree is really gone", async () => {
    session = await server.startSession();
    const client = await RawCdp.connect(session.cdpUrl);
    for (const { pid } of await browserProcesses(server.dataDir)) process.kill(pid, "SIGSTOP");
    const began = Date.now();
    expect((await statusOf(server, session.id))["status"]).toBe("active");
    const stopped = await server.call("DELETE", `/sessions/${session.id}/stop`);
    expect(stopped.body).toMatchObject({ status: "closed", end_reason: "client_stop" });
    expect(Date.now() - began).toBeLessThan(2000);
    expect((await client.closed).code).toBe(4000);
    await expect.poll(() => remainsOf(server), soon).toBe(0);
  });

  test("that hangs does not keep the first API's close waiting for its screenshot for long", {
    tags: ["long"],
  }, async () => {
    session = await server.startSession();
    for (const { pid } of await browserProcesses(server.dataDir)) process.kill(pid, "SIGSTOP");
    const { status, body } = await server.call("POST", "/session/close", {
      body: { session_id: session.id, screenshot: true },
    });
    expect(status).toBe(200);
    expect(body["status"]).toBe("closed");
    expect(body["error"]).toMatch(/browser/);
    await expect.poll(() => remainsOf(server), soon).toBe(0);
  });

  test("that dies while the server is down ends its session as an error at the next start", async () => {
    session = await server.startSession();
    const pid = await onlyBrowser(server);
    await server.signal("SIGKILL");
    process.kill(pid, "SIGKILL");
    await server.run();
    const body = await statusOf(server, session.id);
    expect(body).toMatchObject({ status: "error", end_reason: "browser_crash" });
    expect(body["error"]).toBeTypeOf("string");
    await expect.poll(() => remainsOf(server), soon).toBe(0);
  });

  test("that hangs while the server is down does not keep the next start from serving", {
    tags: ["long"],
  }, async () => {
    session = await server.startSession();
    const processes = await browserProcesses(server.dataDir);
    await server.signal("SIGKILL");
    for (const { pid } of processes) process.kill(pid, "SIGSTOP");
    await server.run();
    expect(await statusOf(server, session.id)).toMatchObject({
      status: "error",
      end_reason: "browser_crash",
    });
    await expect.poll(() => remainsOf(server), soon).toBe(0);
  });
});

describe("a server", () => {
  let server: Nightjar;

  beforeAll(async () => {
    server = await Nightjar.start({ NIGHTJAR_WARM_POOL: "2" });
  });

  afterAll(() => server?.dispose());

  test("on a data directory that another one uses is refused with a clear message", async () => {
    await expect(server.cli("serve")).rejects.toMatchObject({
      code: 1,
      stderr: expect.stringMatching(
        /Another Nightjar server is running on the data directory .*NIGHTJAR_DATA_DIR/,
      ),
    });
    expect((await server.call("GET", "/health")).status).toBe(200);
  });

  test("whose port is taken is refused, and leaves no browser running", async () => {
    const other = await Nightjar.start();
    await other.signal("SIGTERM");
    await expect(other.run({ NIGHTJAR_PORT: new URL(server.url).port })).rejects.toThrow(
      /EADDRINUSE/,
    );
    try {
      await expect.poll(() => remainsOf(other), { ...soon, timeout: 5000 }).toBe(0);
    } finally {
      for (const { pid } of await browserProcesses(other.dataDir)) process.kill(pid, "SIGKILL");
      await other.dispose();
    }
  });

  test("that ran fifty sessions has no process, directory, user or socket left of them", {
    tags: ["long"],
    timeout: 120_000,
  }, async () => {
    const uids = new Set<number>();
    const runOne = async (index: number): Promise<void> => {
      const { id, cdpUrl } = await server.startSession();
      const client = await RawCdp.connect(cdpUrl);
      // Some clients leave first, some are still there when the session ends.
      if (index % 2 === 0) client.close();
      await server.call("DELETE", `/sessions/${id}/stop`);
      await client.closed;
    };
    /** Those not of warm browsers: each has two CDP connections, a standard error and a proxy. */
    const sockets = async (): Promise<number> => {
      const { body } = await server.call("GET", "/health");
      return (await openSockets(server.pid)) - 4 * Number(body["warm_browsers"]);
    };
    await runOne(0);
    const socketsBefore = await sockets();
    for (let round = 0; round < 10; round += 1) {
      await Promise.all([1, 2, 3, 4, 5].map((index) => runOne(index)));
      for (const { uid } of (await mainProcesses(server.dataDir)).values()) uids.add(uid);
    }
    // What runs and lies there is what is warm, and nothing else.
    await vi.waitFor(async () => {
      const health = (await server.call("GET", "/health")).body;
      const mains = await mainProcesses(server.dataDir);
      const directories = await browserDirectories(server.dataDir);
      expect(health["active_sessions"]).toBe(0);
      expect(directories).toHaveLength(Number(health["warm_browsers"]));
      expect([...mains.keys()].sort()).toEqual([...directories].sort());
      const gone = new Set(uids);
      for (const { uid } of [...mains.values(), { uid: 0 }]) gone.delete(uid);
      expect(await processesOfUsers(gone, server.dataDir)).toEqual([]);
    }, soon);
    // Five calls in parallel leave as many connections that this test's own client keeps open.
    await expect.poll(async () => (await sockets()) - socketsBefore, soon).toBeLessThanOrEqual(6);
  });
});
