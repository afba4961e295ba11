/** @module-tag long */
import { execFile } from "node:child_process";
import { readdir } from "node:fs/promises";
import path from "node:path";
import { DatabaseSync } from "node:sqlite";
import { promisify } from "node:util";
import { afterAll, beforeAll, describe, expect, test, vi } from "vitest";
import { FaultLab } from "../support/fault-lab.ts";
import { type Answer, testKey } from "../support/nightjar.ts";
import { RawCdp } from "../support/raw-cdp.ts";
import { ReadOnlyDataDirectory } from "../support/read-only.ts";
import { lastPictureAt } from "../support/recorded-pictures.ts";
import { SmallDisk } from "../support/small-disk.ts";

const run = promisify(execFile);

const mayMount = await SmallDisk.isPossible();
const mayBecomeReadOnly = await ReadOnlyDataDirectory.isPossible();

/** A refusal that says what is wrong in the contract's shape, and none that nobody expected. */
function expectRefusal({ status, headers, body }: Answer): void {
  expect([503, 507, 529], JSON.stringify(body)).toContain(status);
  expect(body).toMatchObject({ status, code: expect.any(String), detail: expect.any(String) });
  expect(body["code"]).not.toBe("internal");
  // No word of where on the machine what lies.
  expect(String(body["message"])).toMatch(/^[^/]*\w+ \w+[^/]*$/);
  if (status !== 507)
    expect(headers.get("retry-after"), JSON.stringify(body)).toMatch(/^[1-9]\d*$/);
}

describe.runIf(mayMount)("A disk", () => {
  let lab: FaultLab;
  let disk: SmallDisk;

  beforeAll(async () => {
    disk = await SmallDisk.mount(200);
    // The watermark would refuse starts long before the disk is full.
    lab = await FaultLab.start(
      { NIGHTJAR_WARM_POOL: "0", NIGHTJAR_DISK_RESERVE_MB: "0" },
      disk.directory,
    );
  });

  afterAll(async () => {
    await lab.dispose();
    await disk.unmount();
  });

  test("that is full lets no session start, and the others go on", {
    timeout: 150_000,
  }, async () => {
    const { id } = await lab.server.startSession();
    const makeRoom = await disk.fill();
    expectRefusal(await lab.server.call("POST", "/sessions/start"));
    await lab.checkBystander();
    const answer = await lab.server.call("GET", `/sessions/${id}`);
    expect(answer.body["status"]).toBe("active");
    await makeRoom();
    await vi.waitFor(
      async () => {
        expect((await lab.server.call("DELETE", `/sessions/${id}/stop`)).status).toBe(200);
      },
      { timeout: 10_000 },
    );
    await lab.expectUnharmed({ [id]: "client_stop" });
  });

  test("that is full leaves a gap in the recording of a session, which goes on and has its replay", {
    timeout: 240_000,
  }, async () => {
    const { server } = lab;
    const { id, cdpUrl } = await server.startSession();
    const client = await RawCdp.connect(cdpUrl);
    // There is something new to be recorded all the time.
    await client.evaluate(`setInterval(() => {
      document.body.style.background = "rgb(0, " + Math.floor(Math.random() * 256) + ", 0)";
    }, 100)`);
    const lastAt = () => lastPictureAt(server.dataDir, id);
    await expect.poll(lastAt, { timeout: 20_000 }).toBeGreaterThan(0);
    const logged = server.output.length;
    const fullAt = Date.now();
    const makeRoom = await disk.fill();
    await expect
      .poll(() => server.output.slice(logged), { timeout: 20_000 })
      .toMatch(new RegExp(`${id}.*failed to record a session`));

    const observed = await server.call("POST", `/sessions/${id}/page/observe`, { body: {} });
    expect(observed.status).toBe(200);
    expect((await server.call("GET", `/sessions/${id}`)).body["status"]).toBe("active");
    await makeRoom();
    const roomAt = Date.now();
    await expect.poll(lastAt, { timeout: 60_000 }).toBeGreaterThan(roomAt);
    const lastBefore = await lastAt();
    client.close();

    expect((await server.call("DELETE", `/sessions/${id}/stop`)).status).toBe(200);
    const replay = () => server.call("GET", `/sessions/${id}/replay`);
    await expect
      .poll(async () => (await replay()).status, { timeout: 120_000, interval: 200 })
      .toBe(200);
    const { body } = await server.call("GET", `/sessions/${id}`);
    expect(body["replay_status"]).toBe("ready");
    const { video_start_ms: start, video_duration_ms: duration } = (await replay()).body;
    expect(Number(start)).toBeLessThan(fullAt);
    expect(Number(start) + Number(duration)).toBeGreaterThanOrEqual(lastBefore);
    await lab.expectUnharmed({ [id]: "client_stop" });
  });

  test("that is read-only lets no server start, and says so", { timeout: 150_000 }, async () => {
    const { server } = lab;
    const before = (await server.call("GET", "/sessions?only_active=false")).body["items"];
    await server.signal("SIGTERM");
    await disk.remount("ro");
    await expect(server.run()).rejects.toThrow(/read-?only/i);
    await disk.remount("rw");
    await server.run();
    const after = (await server.call("GET", "/sessions?only_active=false")).body["items"];
    const idsOf = (items: unknown) =>
      (items as readonly Record<string, unknown>[]).map((item) => item["session_id"]);
    expect(idsOf(after)).toEqual(idsOf(before));
  });
});

describe("A store", () => {
  let lab: FaultLab;

  beforeAll(async () => {
    lab = await FaultLab.start({ NIGHTJAR_MAX_SESSIONS: "4" });
  });
  afterAll(() => lab.dispose());

  test("that another process has locked refuses what must be written, and loses nothing", {
    timeout: 150_000,
  }, async () => {
    const { id } = await lab.server.startSession();
    const other = new DatabaseSync(path.join(lab.server.dataDir, "nightjar.db"));
    other.exec("begin immediate");
    expectRefusal(await lab.server.call("POST", "/sessions/start"));
    process.kill(lab.browserOf(id), "SIGKILL");
    await lab.checkBystander();
    other.exec("rollback");
    other.close();
    await lab.expectUnharmed({ [id]: "browser_crash" });
  });

  test.runIf(mayBecomeReadOnly)(
    "that becomes read-only starts and stops nothing until it is not any more, and loses no end",
    {
      timeout: 120_000,
    },
    async () => {
      const { server } = lab;
      const { id: killed } = await server.startSession();
      const { id: stopped, cdpUrl } = await server.startSession();
      const client = await RawCdp.connect(cdpUrl);
      const start = (key: string) =>
        server.call("POST", "/sessions/start", { headers: { "Idempotency-Key": key } });
      const stop = () => server.call("DELETE", `/sessions/${stopped}/stop`);
      const upload = async (): Promise<Response> => {
        const form = new FormData();
        form.append("file", new Blob(["text"]), "notes.txt");
        const headers = { Authorization: `Bearer ${testKey}` };
        return fetch(`${server.url}/storage/uploads/notes.txt`, {
          method: "POST",
          headers,
          body: form,
        });
      };
      // The warm browser must be there, so that one start fails for its row and the next for its browser.
      await vi.waitFor(
        async () => expect((await server.call("GET", "/health")).body["warm_browsers"]).toBe(1),
        { timeout: 20_000 },
      );
      const logged = server.output.length;
      const readOnly = await ReadOnlyDataDirectory.make(server.dataDir);
      try {
        for (const key of ["with a warm browser", "with none", "nor now"]) {
          const refused = await start(key);
          expectRefusal(refused);
          expect(refused.body["code"]).toBe("store_unavailable");
        }
        expectRefusal(await stop());
        const refusedUpload = await upload();
        expect([refusedUpload.status, await refusedUpload.json()]).toMatchObject([
          503,
          { code: "store_unavailable" },
        ]);
        process.kill(lab.browserOf(killed), "SIGKILL");
        // All that runs goes on: pages, their clients, and what is only read.
        await lab.checkBystander();
        expect(await client.evaluate("6 * 7")).toBe(42);
        const goes = { type: "goto", url: "data:text/html,<title>Still here</title>" };
        const went = await server.call("POST", `/sessions/${stopped}/page/execute`, { body: goes });
        expect(went.body["success"]).toBe(true);
        expect((await server.call("GET", "/sessions")).body["items"]).toHaveLength(3);
        // It is tried again and again.
        const tries = new RegExp(`${killed}.*failed to end a session`, "g");
        await expect
          .poll(() => server.output.slice(logged).match(tries)?.length, { timeout: 20_000 })
          .toBeGreaterThan(1);
        await lab.checkBystander();
      } finally {
        await readOnly.undo();
      }
      client.close();
      // What was refused is booked by the same key, once.
      const { id: late } = await vi.waitFor(async () => {
        const answer = await start("with none");
        expect(answer.status).toBe(200);
        return { id: String(answer.body["session_id"]) };
      }, 10_000);
      expect((await start("with none")).body["session_id"]).toBe(late);
      expect((await stop()).status).toBe(200);
      expect((await upload()).status).toBe(200);
      await server.call("DELETE", `/sessions/${late}/stop`);
      await lab.expectUnharmed({
        [killed]: "browser_crash",
        [stopped]: "client_stop",
        [late]: "client_stop",
      });
      expect(server.output.slice(logged)).not.toMatch(
        /unhandled|uncaught|no transaction is active/,
      );
    },
  );

  test("without file descriptors left starts nothing, and everything again once there are", {
    timeout: 150_000,
  }, async () => {
    const { pid } = lab.server;
    const used = (await readdir(`/proc/${pid}/fd`)).length;
    const { stdout } = await run("prlimit", [
      "--pid",
      String(pid),
      "--nofile",
      "--output=SOFT,HARD",
      "--noheadings",
    ]);
    const before = stdout.trim().split(/\s+/).join(":");
    // Enough to take a connection, not enough for a browser.
    await run("prlimit", ["--pid", String(pid), `--nofile=${used + 4}:${before.split(":")[1]}`]);
    try {
      const answers = await Promise.all(
        [1, 2].map(() => lab.server.call("POST", "/sessions/start").catch(() => null)),
      );
      // A connection that cannot be taken is no answer; every answer is a refusal.
      for (const answer of answers) {
        if (answer !== null && answer.status !== 200) expectRefusal(answer);
        if (answer?.status === 200) {
          await lab.server.call("DELETE", `/sessions/${String(answer.body["session_id"])}/stop`);
        }
      }
      await lab.checkBystander();
    } finally {
      await run("prlimit", ["--pid", String(pid), `--nofile=${before}`]);
    }
    await lab.expectUnharmed();
  });
});
