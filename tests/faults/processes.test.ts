import { setTimeout as delay } from "node:timers/promises";
import { afterAll, beforeAll, describe, expect, test, vi } from "vitest";
import { FaultLab } from "../support/fault-lab.ts";
import { browserProcesses } from "../support/processes.ts";
import { RawCdp } from "../support/raw-cdp.ts";

/** How long a process that is stopped stays so, in ms: longer than any deadline for an answer. */
const stoppedForMs = 30_000;

describe("A browser", { timeout: 120_000 }, () => {
  let lab: FaultLab;

  beforeAll(async () => {
    lab = await FaultLab.start();
  });
  afterAll(() => lab.dispose());

  test("that is killed ends its session as an error, and no other", async () => {
    const { id } = await lab.server.startSession();
    process.kill(lab.browserOf(id), "SIGKILL");
    await lab.expectUnharmed({ [id]: "browser_crash" });
  });

  test.each([
    ["renderer", {}],
    // The headless shell draws in its main process; the full browser has one for it.
    ["gpu-process", { browser_type: "chrome" }],
  ])("whose %s is killed goes on", async (kind, settings) => {
    const { id, cdpUrl } = await lab.server.startSession(settings);
    const main = lab.browserOf(id);
    const tree = await treeOf(lab.server.dataDir, main);
    const killed = tree.filter(({ commandLine }) => commandLine.includes(`--type=${kind}`));
    expect(killed).not.toEqual([]);
    for (const { pid } of killed) process.kill(pid, "SIGKILL");
    const act = { type: "goto", url: "data:text/html,<title>Again</title><button>Go</button>" };
    await vi.waitFor(
      async () => {
        const { body } = await lab.server.call("POST", `/sessions/${id}/page/execute`, {
          body: act,
        });
        expect(body["success"]).toBe(true);
      },
      { timeout: 20_000 },
    );
    const client = await RawCdp.connect(cdpUrl);
    expect((await client.pages()).length).toBeGreaterThan(0);
    client.close();
    await lab.server.call("DELETE", `/sessions/${id}/stop`);
    await lab.expectUnharmed({ [id]: "client_stop" });
  });
});

describe.concurrent("Stopped for thirty seconds", () => {
  let withBrowser: FaultLab;
  let withServer: FaultLab;

  beforeAll(async () => {
    withBrowser = await FaultLab.start();
    withServer = await FaultLab.start();
  });
  afterAll(async () => {
    await withBrowser.dispose();
    await withServer.dispose();
  });

  test("a browser holds up nobody else, and its session goes on with it", {
    tags: ["long"],
    timeout: 150_000,
  }, async () => {
    const { id, cdpUrl } = await withBrowser.server.startSession();
    const client = await RawCdp.connect(cdpUrl);
    await client.evaluate("globalThis.before = 'still here'");
    const main = withBrowser.browserOf(id);
    process.kill(main, "SIGSTOP");
    const stopped = delay(stoppedForMs);
    await withBrowser.checkOthersServed();
    const status = await withBrowser.server.call("GET", `/sessions/${id}`);
    expect(status.body["status"]).toBe("active");
    const asked = client.evaluate("globalThis.before");
    await stopped;
    process.kill(main, "SIGCONT");
    expect(await asked).toBe("still here");
    client.close();
    const observed = await withBrowser.server.call("POST", `/sessions/${id}/page/observe`, {
      body: {},
    });
    expect(observed.status).toBe(200);
    await withBrowser.server.call("DELETE", `/sessions/${id}/stop`);
    await withBrowser.expectUnharmed({ [id]: "client_stop" });
  });

  test("the server goes on with every session, its clients and their calls", {
    tags: ["long"],
    timeout: 150_000,
  }, async () => {
    const { id, cdpUrl } = await withServer.server.startSession();
    const client = await RawCdp.connect(cdpUrl);
    process.kill(withServer.server.pid, "SIGSTOP");
    const evaluated = client.evaluate("6 * 7");
    const listed = withServer.server.call("GET", "/sessions");
    await delay(stoppedForMs);
    process.kill(withServer.server.pid, "SIGCONT");
    expect(await evaluated).toBe(42);
    expect((await listed).body["items"]).toHaveLength(2);
    client.close();
    await withServer.server.call("DELETE", `/sessions/${id}/stop`);
    await withServer.expectUnharmed({ [id]: "client_stop" });
  });
});

describe("The server", () => {
  test("that is killed loses no session, and the next one leaves nothing over", {
    timeout: 120_000,
  }, async () => {
    const lab = await FaultLab.start({}, undefined);
    try {
      const { id } = await lab.server.startSession();
      await lab.server.signal("SIGKILL");
      await lab.server.run();
      await lab.reconnect();
      const { body } = await lab.server.call("GET", `/sessions/${id}`);
      expect(body["status"]).toBe("active");
      await lab.server.call("DELETE", `/sessions/${id}/stop`);
      await lab.expectUnharmed({ [id]: "client_stop" });
    } finally {
      await lab.dispose();
    }
  });

  test.each([
    ["forward", 7200],
    ["back", -7200],
  ])(
    "whose clock is set %s by two hours ends no session early and keeps none too long",
    {
      tags: ["long"],
      timeout: 120_000,
    },
    async (_where, seconds) => {
      const lab = await FaultLab.start({ ...jumpOnSignal(seconds) });
      try {
        const { id } = await lab.server.startSession({ idle_timeout_minutes: 1 });
        const before = Date.now();
        process.kill(lab.server.pid, "SIGUSR2");
        await vi.waitFor(() => expect(lab.server.output).toContain("the clock was set"));
        const { body } = await lab.server.call("GET", `/sessions/${id}`);
        expect(body["status"]).toBe("active");
        const late = await lab.server.startSession();
        const started = (await lab.server.call("GET", `/sessions/${late.id}`)).body;
        const createdAt = Date.parse(String(started["created_at"]));
        expect(Math.abs(createdAt - before)).toBeLessThan(60_000);
        for (const each of [id, late.id]) await lab.server.call("DELETE", `/sessions/${each}/stop`);
        await lab.expectUnharmed({ [id]: "client_stop", [late.id]: "client_stop" });
      } finally {
        await lab.dispose();
      }
    },
  );
});

/** A module that sets the server's clock, loaded before anything else in its process. */
function jumpOnSignal(seconds: number): Record<string, string> {
  const module = `
    const RealDate = Date;
    let offset = 0;
    globalThis.Date = class extends RealDate {
      constructor(...args) { if (args.length === 0) super(RealDate.now() + offset); else super(...args); }
      static now() { return RealDate.now() + offset; }
    };
    process.on("SIGUSR2", () => { offset = ${seconds * 1000}; process.stderr.write("the clock was set\\n"); });
  `;
  return { NODE_OPTIONS: `--import=data:text/javascript,${encodeURIComponent(module)}` };
}

async function treeOf(dataDir: string, main: number) {
  const all = await browserProcesses(dataDir);
  const pids = new Set([main]);
  for (let before = 0; before !== pids.size; ) {
    before = pids.size;
    for (const { pid, parent } of all) if (pids.has(parent)) pids.add(pid);
  }
  return all.filter(({ pid }) => pids.has(pid));
}
