import { execFile } from "node:child_process";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { promisify } from "node:util";
import { afterAll, beforeAll, describe, expect, test, vi } from "vitest";
import { FaultLab } from "../support/fault-lab.ts";

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
    expect(await lab.endOf(id)).toEqual({ status: "closed", reason: "client_stop" });
    await lab.checkUnharmed();
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

/** Writes until the disk takes no more. */
async function fill(file: string): Promise<void> {
  await expect(writeFile(file, Buffer.alloc(300 * 1024 * 1024))).rejects.toThrow(/ENOSPC/);
}
