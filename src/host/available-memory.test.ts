import { mkdirSync, writeFileSync } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { availableMemory } from "./available-memory.ts";

const gigabyte = 1024 ** 3;
const megabyte = 1024 ** 2;

let root: string;

beforeEach(async () => {
  root = await mkdtemp(path.join(tmpdir(), "nightjar-proc-"));
  write("proc/meminfo", "MemTotal: 8388608 kB\nMemFree: 1048576 kB\nMemAvailable: 4194304 kB\n");
});

afterEach(() => rm(root, { recursive: true }));

function write(file: string, text: string): void {
  const target = path.join(root, file);
  mkdirSync(path.dirname(target), { recursive: true });
  writeFileSync(target, text);
}

const measure = () => availableMemory(path.join(root, "proc"));

describe("on a machine without cgroups", () => {
  test("is what the kernel says is available", () => {
    expect(measure()).toEqual({ totalBytes: 8 * gigabyte, availableBytes: 4 * gigabyte });
  });
});

describe("in cgroups of version 2", () => {
  beforeEach(() => {
    write("proc/self/cgroup", "0::/nightjar.slice/server\n");
    write(
      "proc/self/mountinfo",
      `31 23 0:28 / ${root}/cg rw,relatime shared:4 - cgroup2 cgroup2 rw,nsdelegate\n`,
    );
    write("cg/nightjar.slice/memory.max", `${2 * gigabyte}\n`);
    write("cg/nightjar.slice/memory.current", `${1.5 * gigabyte}\n`);
    write("cg/nightjar.slice/memory.stat", "anon 1\ninactive_file 0\nslab_reclaimable 0\n");
    write("cg/nightjar.slice/server/memory.max", "max\n");
    write("cg/nightjar.slice/server/memory.current", `${gigabyte}\n`);
  });

  test("is what the tightest limit leaves, of whichever ancestor", () => {
    expect(measure()).toEqual({ totalBytes: 2 * gigabyte, availableBytes: 0.5 * gigabyte });
    write("cg/nightjar.slice/server/memory.max", `${1.25 * gigabyte}\n`);
    expect(measure()).toEqual({ totalBytes: 1.25 * gigabyte, availableBytes: 0.25 * gigabyte });
  });

  test("does not count what the kernel can take back as used", () => {
    write(
      "cg/nightjar.slice/memory.stat",
      `anon 1\ninactive_file ${600 * megabyte}\nslab_reclaimable ${24 * megabyte}\n`,
    );
    expect(measure().availableBytes).toBe(0.5 * gigabyte + 624 * megabyte);
  });

  test("is never less than nothing, and never more than the machine has", () => {
    write("cg/nightjar.slice/memory.current", `${3 * gigabyte}\n`);
    expect(measure().availableBytes).toBe(0);
    write("cg/nightjar.slice/memory.max", `${64 * gigabyte}\n`);
    expect(measure()).toEqual({ totalBytes: 8 * gigabyte, availableBytes: 4 * gigabyte });
  });
});

describe("in cgroups of version 1", () => {
  beforeEach(() => {
    write("proc/self/cgroup", "5:cpu,cpuacct:/\n4:memory:/docker/abc\n0::/\n");
    write(
      "proc/self/mountinfo",
      [
        `30 23 0:27 / ${root}/cpu rw - cgroup cgroup rw,cpu,cpuacct`,
        `31 23 0:28 /docker/abc ${root}/mem rw - cgroup cgroup rw,memory`,
        `32 23 0:29 / ${root}/unified rw - cgroup2 cgroup2 rw`,
      ].join("\n"),
    );
    write("mem/memory.usage_in_bytes", `${gigabyte}\n`);
    write("mem/memory.stat", `inactive_file 7\ntotal_inactive_file ${256 * megabyte}\n`);
  });

  test("is what the limit of the container leaves", () => {
    write("mem/memory.limit_in_bytes", `${2 * gigabyte}\n`);
    expect(measure()).toEqual({
      totalBytes: 2 * gigabyte,
      availableBytes: gigabyte + 256 * megabyte,
    });
  });

  test("knows the number that stands for no limit", () => {
    write("mem/memory.limit_in_bytes", "9223372036854771712\n");
    expect(measure()).toEqual({ totalBytes: 8 * gigabyte, availableBytes: 4 * gigabyte });
  });
});

test("is measured on this machine, too", () => {
  const { totalBytes, availableBytes } = availableMemory();
  expect(availableBytes).toBeGreaterThan(0);
  expect(availableBytes).toBeLessThanOrEqual(totalBytes);
});
