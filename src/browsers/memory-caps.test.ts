import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, writeFileSync } from "node:fs";
import path from "node:path";
import { afterEach, describe, expect, test } from "vitest";
import { CgroupMemoryCaps } from "./cgroup-memory-caps.ts";
import { findCgroupPlace } from "./cgroup-place.ts";
import { exceededMessage, hostOutOfMemoryMessage, type MemoryCaps } from "./memory-cap.ts";
import { MemoryWatchdog } from "./memory-watchdog.ts";

const bytesPerMb = 1024 * 1024;
const limitBytes = 150 * bytesPerMb;
const place = findCgroupPlace();

const ways: readonly { readonly name: string; readonly make: (() => MemoryCaps) | null }[] = [
  { name: "the watchdog", make: () => new MemoryWatchdog(limitBytes) },
  {
    name: "cgroups",
    make:
      place === null
        ? null
        : () => new CgroupMemoryCaps({ place, dataDirectory: `/test/${process.pid}`, limitBytes }),
  },
];

let stop: (() => void) | null = null;
afterEach(() => {
  stop?.();
  stop = null;
});

/** Starts to take `megabytes` when it is told to, and lives on. */
async function hog(megabytes: number): Promise<ChildProcess> {
  const child = spawn(
    process.execPath,
    [
      "-e",
      `process.stdin.once("data", () => {
        const taken = [];
        for (let mb = 0; mb < ${megabytes}; mb += 1) taken.push(Buffer.alloc(${bytesPerMb}, 1));
        process.stdout.write("taken");
        setInterval(() => taken.length, 1000);
      });
      process.stdout.write("ready");`,
    ],
    { detached: true, stdio: ["pipe", "pipe", "ignore"] },
  );
  await once(child.stdout ?? child, "data");
  return child;
}

describe.each(ways)("$name", ({ make }) => {
  test.runIf(make !== null && process.platform === "linux")(
    "end a browser that takes more than it may, and no other",
    async () => {
      const caps = make?.() ?? expect.fail("no caps");
      const [greedy, modest] = [await hog(400), await hog(20)];
      stop = () => {
        greedy.kill("SIGKILL");
        modest.kill("SIGKILL");
        caps.stop();
      };
      const gone = Promise.all([once(greedy, "exit"), once(modest, "exit")]);
      const [greedyCap, modestCap] = [caps.create("greedy", null), caps.create("modest", null)];
      greedyCap.hold(greedy.pid ?? 0);
      modestCap.hold(modest.pid ?? 0);
      modest.stdin?.write("go");
      greedy.stdin?.write("go");
      expect(await greedyCap.exceeded).toBe(exceededMessage(limitBytes));
      const other = await Promise.race([modestCap.exceeded, Promise.resolve("within its limit")]);
      expect(other).toBe("within its limit");
      expect(modest.exitCode ?? modest.signalCode).toBeNull();
      greedy.kill("SIGKILL");
      modest.kill("SIGKILL");
      await gone;
      await expect.poll(() => greedyCap.remove()).toBe(true);
      await expect.poll(() => modestCap.remove()).toBe(true);
      expect(caps.held()).toEqual([]);
    },
  );
});

describe.runIf(place !== null)("cgroups", () => {
  test("stay within the server's own limits, and tell when those were met", async () => {
    const dataDirectory = `/test/outer/${process.pid}`;
    const caps = new CgroupMemoryCaps({ place: place ?? expect.fail(), dataDirectory, limitBytes });
    const child = await hog(400);
    const cap = caps.create("inner");
    stop = () => {
      child.kill("SIGKILL");
      caps.stop();
    };
    cap.hold(child.pid ?? 0);
    const [outer] = caps.directories("inner");
    const file = place?.version === "v1" ? "memory.limit_in_bytes" : "memory.max";
    writeFileSync(path.join(outer ?? "", file), String(limitBytes / 2));
    child.stdin?.write("go");
    await once(child, "exit");
    expect(cap.killedFor()).toBe(hostOutOfMemoryMessage);
  });

  test("that hold nobody are found and removed", async () => {
    const dataDirectory = `/test/stray/${process.pid}`;
    const options = { place: place ?? expect.fail(), dataDirectory, limitBytes };
    const earlier = new CgroupMemoryCaps(options);
    earlier.create("stray");
    const caps = new CgroupMemoryCaps(options);
    stop = () => caps.stop();
    expect(caps.held()).toEqual(["stray"]);
    expect(caps.remove("stray")).toBe(true);
    expect(caps.held()).toEqual([]);
    caps.stop();
    expect(caps.directories("stray").some((directory) => existsSync(directory))).toBe(false);
  });
});
