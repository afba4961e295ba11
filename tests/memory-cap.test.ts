import { readdir } from "node:fs/promises";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { findCgroupPlace } from "../src/browsers/cgroup-place.ts";
import { serverMark } from "../src/browsers/server-mark.ts";
import { FaultLab } from "./support/fault-lab.ts";
import { browserDirectories, browserProcesses } from "./support/processes.ts";
import { RawCdp } from "./support/raw-cdp.ts";

const soon = { timeout: 20_000, interval: 50 };
const limitMb = 450;

/** Takes memory without end, faster than any page would by accident. */
const hoard = `(() => {
  globalThis.hoard = [];
  setInterval(() => hoard.push(new Uint8Array(8 << 20).fill(1)), 5);
})()`;

describe.each(["cgroup", "watchdog"])("with the memory cap by %s", (way) => {
  const place = findCgroupPlace();
  const possible = process.platform === "linux" && (way === "watchdog" || place !== null);

  describe.runIf(possible)("a page that allocates without end", () => {
    let lab: FaultLab;

    beforeAll(async () => {
      lab = await FaultLab.start({
        NIGHTJAR_MEMORY_CAP: way,
        NIGHTJAR_SESSION_MEMORY_MB: String(limitMb),
        NIGHTJAR_WARM_POOL: "2",
      });
    });

    afterAll(async () => {
      await lab?.dispose();
    });

    test("ends its own session as out_of_memory, and its neighbour notices nothing", async () => {
      const { id, cdpUrl } = await lab.server.startSession();
      const client = await RawCdp.connect(cdpUrl);
      void client.evaluate(hoard);
      expect(await client.closed).toEqual({ code: 4004, reason: "session ended: out_of_memory" });
      const { body } = await lab.server.call("GET", `/sessions/${id}`);
      expect(String(body["error"])).toContain(`${limitMb} MB`);
      await lab.expectUnharmed({ [id]: "out_of_memory" });
    }, 120_000);

    test("ends its session also where the server was killed and started again meanwhile", async () => {
      const { id, cdpUrl } = await lab.server.startSession();
      await lab.server.signal("SIGKILL");
      await lab.server.run();
      await lab.reconnect();
      const client = await RawCdp.connect(cdpUrl);
      void client.evaluate(hoard);
      await client.closed;
      await lab.expectUnharmed({ [id]: "out_of_memory" });
    }, 120_000);

    test("leaves no process, directory or cgroup when the server stops", async () => {
      const { server } = lab;
      await server.signal("SIGTERM");
      await expect.poll(() => browserProcesses(server.dataDir), soon).toEqual([]);
      expect(await browserDirectories(server.dataDir)).toEqual([]);
      if (way !== "cgroup" || place === null) return;
      expect(await readdir(place.directory)).not.toContain(serverMark(server.dataDir));
    });
  });
});
