/** @module-tag long */
import { execFile } from "node:child_process";
import { mkdtemp, readdir, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { DatabaseSync } from "node:sqlite";
import { promisify } from "node:util";
import { afterAll, beforeAll, describe, expect, test, vi } from "vitest";
import { FaultLab } from "../support/fault-lab.ts";
import { RawCdp } from "../support/raw-cdp.ts";
import { lastPictureAt } from "../support/recorded-pictures.ts";

const run = promisify(execFile);

/** A refusal that says what is wrong, and no failure that nobody expected. */
function expectRefusal(status: number, body: Readonly<Record<string, unknown>>): void {
  expect([503, 507, 529]).toContain(status);
  expect(body["code"]).not.toBe("internal");
  expect(String(body["message"])).toMatch(/\w+ \w+/);
}

describe("A disk", () => {
  let lab: FaultLab;
  let disk: string;

  beforeAll(async () => {
    disk = await mkdtemp(path.join(tmpdir(), "nightjar-disk-"));
    await run("mount", ["-t", "tmpfs", "-o", "size=200m,mode=711", "tmpfs", disk]);
    // The watermark would refuse starts long before the disk is full.
    lab = await FaultLab.start({ NIGHTJAR_WARM_POOL: "0", NIGHTJAR_DISK_RESERVE_MB: "0" }, disk);
  });

  afterAll(async () => {
    await lab.dispose();
    await run("umount", ["-l", disk]);
    await rm(disk, { recursive: true });
  });

  test("that is full lets no session start, and the others go on", {
    timeout: 90_000,
  }, async () => {
    const { id } = await lab.server.startSession();
    const filler = path.join(disk, "filler");
    await fill(filler);
    const { status, body } = await lab.server.call("POST", "/sessions/start");
    expectRefusal(status, body);
    await lab.checkBystander();
    const answer = await lab.server.call("GET", `/sessions/${id}`);
    expect(answer.body["status"]).toBe("active");
    await rm(filler);
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
    const filler = path.join(disk, "filler");
    const logged = server.output.length;
    const fullAt = Date.now();
    await fill(filler);
    await expect
      .poll(() => server.output.slice(logged), { timeout: 20_000 })
      .toMatch(new RegExp(`${id}.*failed to record a session`));

    const observed = await server.call("POST", `/sessions/${id}/page/observe`, { body: {} });
    expect(observed.status).toBe(200);
    expect((await server.call("GET", `/sessions/${id}`)).body["status"]).toBe("active");
    await rm(filler);
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

  test("that is read-only lets no server start, and says so", { timeout: 90_000 }, async () => {
    const { server } = lab;
    const before = (await server.call("GET", "/sessions?only_active=false")).body["items"];
    await server.signal("SIGTERM");
    await run("mount", ["-o", "remount,ro", disk]);
    await expect(server.run()).rejects.toThrow(/read-?only/i);
    await run("mount", ["-o", "remount,rw", disk]);
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
    lab = await FaultLab.start();
  });
  afterAll(() => lab.dispose());

  test("that another process has locked refuses what must be written, and loses nothing", {
    timeout: 90_000,
  }, async () => {
    const { id } = await lab.server.startSession();
    const other = new DatabaseSync(path.join(lab.server.dataDir, "nightjar.db"));
    other.exec("begin immediate");
    const { status, body } = await lab.server.call("POST", "/sessions/start");
    expectRefusal(status, body);
    process.kill(lab.browserOf(id), "SIGKILL");
    await lab.checkBystander();
    other.exec("rollback");
    other.close();
    await lab.expectUnharmed({ [id]: "browser_crash" });
  });

  test("without file descriptors left starts nothing, and everything again once there are", {
    timeout: 90_000,
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
        if (answer !== null && answer.status !== 200) expectRefusal(answer.status, answer.body);
        if (answer?.status === 200) {
          await lab.server.call("DELETE", `/sessions/${String(answer.body["session_id"])}/stop`);
        }
      }
    } finally {
      await run("prlimit", ["--pid", String(pid), `--nofile=${before}`]);
    }
    await lab.expectUnharmed();
  });
});

/** Writes until the disk takes no more. */
async function fill(file: string): Promise<void> {
  await expect(writeFile(file, Buffer.alloc(300 * 1024 * 1024))).rejects.toThrow(/ENOSPC/);
}
