/** @module-tag long */
import { readdir, readFile } from "node:fs/promises";
import { setTimeout as delay } from "node:timers/promises";
import { afterAll, afterEach, beforeAll, describe, expect, onTestFinished, test, vi } from "vitest";
import { expectConsistent } from "./support/consistency.ts";
import { Nightjar } from "./support/nightjar.ts";
import { RawCdp } from "./support/raw-cdp.ts";

const soon = { timeout: 20_000, interval: 50 };

/** Resolves when the server has taken a stop. */
async function draining(server: Nightjar): Promise<void> {
  await vi.waitFor(async () => {
    expect((await server.call("GET", "/ready", { key: null })).status).toBe(503);
  }, soon);
}

describe("a server that is asked to stop", { timeout: 150_000 }, () => {
  let server: Nightjar;

  beforeAll(async () => {
    server = await Nightjar.start({
      NIGHTJAR_DRAIN_TIMEOUT: "600",
      NIGHTJAR_MAX_SESSIONS: "1",
      NIGHTJAR_QUEUE_TIMEOUT: "600",
    });
  }, 60_000);
  afterAll(() => server.dispose());
  afterEach(() => expectConsistent(server));

  async function endReasonOf(id: string): Promise<unknown> {
    return (await server.call("GET", `/sessions/${id}`)).body["end_reason"];
  }

  test("lets its session go on, starts no other, and ends when that has ended", async () => {
    expect(await server.call("GET", "/ready", { key: null })).toMatchObject({
      status: 200,
      body: { status: "ready" },
    });
    const { id, cdpUrl } = await server.startSession();
    const early = await RawCdp.connect(cdpUrl);
    const waiting = server.call("POST", "/sessions/start");
    await vi.waitFor(async () => {
      expect((await server.call("GET", "/pressure")).body["queued"]).toBe(1);
    }, soon);

    process.kill(server.pid, "SIGTERM");
    await draining(server);
    const refused = await waiting;
    expect(refused).toMatchObject({ status: 503, body: { code: "shutting_down" } });
    expect(refused.headers.get("retry-after")).toMatch(/^[1-9]\d*$/);
    expect(await server.call("POST", "/session/start")).toMatchObject({
      status: 503,
      body: { code: "shutting_down" },
    });
    expect(await server.call("GET", "/health", { key: null })).toMatchObject({
      status: 200,
      body: { status: "draining", active_sessions: 1 },
    });
    expect((await server.call("GET", "/pressure")).body).toMatchObject({
      accepting: false,
      blocked_by: "draining",
      free: 0,
      running: 1,
    });

    expect(await early.evaluate("1 + 1")).toBe(2);
    const late = await RawCdp.connect(cdpUrl);
    expect(await late.evaluate("2 + 2")).toBe(4);
    const observed = await server.call("POST", `/sessions/${id}/page/observe`, { body: {} });
    expect(observed.status).toBe(200);
    expect((await server.call("DELETE", `/sessions/${id}/stop`)).status).toBe(200);
    expect((await late.closed).code).toBe(4000);
    expect(await server.exited()).toBe(0);
    await server.run();
    expect(await endReasonOf(id)).toBe("client_stop");
  });

  test("ends it when the time for that is over", async () => {
    await server.signal("SIGTERM");
    await server.run({ NIGHTJAR_DRAIN_TIMEOUT: "2" });
    const { id, cdpUrl } = await server.startSession();
    const client = await RawCdp.connect(cdpUrl);
    const began = performance.now();
    expect(await server.signal("SIGTERM")).toBe(0);
    expect(performance.now() - began).toBeGreaterThan(1900);
    expect(await client.closed).toEqual({ code: 4006, reason: "session ended: server_stop" });
    await server.run();
    expect(await endReasonOf(id)).toBe("server_stop");
  });

  test("does not wait any longer when it is asked again", { tags: ["long"] }, async () => {
    const { id } = await server.startSession();
    process.kill(server.pid, "SIGTERM");
    // What several senders pass on at once is one signal.
    process.kill(server.pid, "SIGTERM");
    await draining(server);
    // Not a wait for something to happen: signals count as a second one only so long after the first.
    await delay(1200);
    expect((await server.call("GET", "/health")).body["status"]).toBe("draining");
    expect(await server.signal("SIGTERM")).toBe(0);
    await server.run();
    expect(await endReasonOf(id)).toBe("server_stop");
  });

  test("does not wait on Ctrl-C, and keeps the session where it is to be kept", {
    tags: ["long"],
  }, async () => {
    await server.signal("SIGINT");
    await server.run({ NIGHTJAR_ON_STOP: "keep" });
    const { id, cdpUrl } = await server.startSession();
    const client = await RawCdp.connect(cdpUrl);
    expect(await server.signal("SIGINT")).toBe(0);
    expect((await client.closed).code).toBe(1012);
    await server.run();
    expect((await server.call("GET", `/sessions/${id}`)).body["status"]).toBe("active");
    await server.call("DELETE", `/sessions/${id}/stop`);
  });
});

/** The states of the processes beneath one, itself included: "Z" is a zombie. */
async function statesBeneath(root: number): Promise<readonly string[]> {
  const names = (await readdir("/proc")).filter((name) => /^\d+$/.test(name));
  const entries = await Promise.all(
    names.map(async (name) => {
      const stat = await readFile(`/proc/${name}/stat`, "latin1").catch(() => "");
      const [state = "", parent] = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
      return { pid: Number(name), parent: Number(parent), state };
    }),
  );
  const found = new Map([[root, "S"]]);
  for (let before = 0; before !== found.size; ) {
    before = found.size;
    for (const { pid, parent, state } of entries) if (found.has(parent)) found.set(pid, state);
  }
  return [...found.values()];
}

describe.runIf(process.platform === "linux" && process.getuid?.() === 0)(
  "a server that is the first process of its container",
  { timeout: 150_000 },
  () => {
    test("leaves no zombies, and takes signals", async () => {
      const container = ["unshare", "--pid", "--fork", "--mount-proc", "--kill-child"];
      const server = await Nightjar.start({}, undefined, container);
      onTestFinished(async () => {
        // It passes no signals on; its end is that of all within.
        await server.signal("SIGKILL").catch(() => {});
        await server.dispose();
      });
      const children = await readFile(`/proc/${server.pid}/task/${server.pid}/children`, "utf8");
      const first = Number(children.trim());
      for (let round = 0; round < 3; round += 1) {
        const { id } = await server.startSession();
        await server.call("DELETE", `/sessions/${id}/stop`);
      }
      await vi.waitFor(async () => {
        // Sessions that follow each other fast let it keep more than the one.
        const { warm_browsers } = (await server.call("GET", "/health")).body;
        expect(warm_browsers).toBeGreaterThan(0);
        const states = await statesBeneath(first);
        expect(states.length).toBeGreaterThan(5);
        expect(states).not.toContain("Z");
      }, soon);
      process.kill(first, "SIGTERM");
      expect(await server.exited()).toBe(0);
    });
  },
);
