import { readFileSync } from "node:fs";
import { freemem, totalmem } from "node:os";
import path from "node:path";

/** In bytes. */
export interface Memory {
  readonly totalBytes: number;
  readonly availableBytes: number;
}

const bytesPerKb = 1024;

/**
 * The memory that this process and its children may still use: the machine's, or what is left of the
 * limit of the tightest cgroup that they are in. Caches of files count as available, since the kernel
 * takes them back before anyone goes without; Node's own measure counts them as used.
 *
 * @param proc - where proc(5) is mounted
 */
export function availableMemory(proc = "/proc"): Memory {
  const machine = machineMemory(proc);
  let { totalBytes, availableBytes } = machine;
  for (const { limitBytes, usedBytes } of limitedCgroups(proc, machine.totalBytes)) {
    totalBytes = Math.min(totalBytes, limitBytes);
    availableBytes = Math.min(availableBytes, Math.max(0, limitBytes - usedBytes));
  }
  return { totalBytes, availableBytes };
}

function machineMemory(proc: string): Memory {
  const text = read(`${proc}/meminfo`);
  const kb = (name: string): number | null => {
    const found = new RegExp(`^${name}:\\s+(\\d+) kB`, "m").exec(text)?.[1];
    return found === undefined ? null : Number(found) * bytesPerKb;
  };
  return {
    totalBytes: kb("MemTotal") ?? totalmem(),
    availableBytes: kb("MemAvailable") ?? freemem(),
  };
}

interface LimitedCgroup {
  readonly limitBytes: number;
  /** Without what the kernel could take back. */
  readonly usedBytes: number;
}

/** What each version of cgroups calls them. */
const files = {
  cgroup: {
    limit: "memory.limit_in_bytes",
    used: "memory.usage_in_bytes",
    reclaimable: ["total_inactive_file"],
  },
  cgroup2: {
    limit: "memory.max",
    used: "memory.current",
    reclaimable: ["inactive_file", "slab_reclaimable"],
  },
} as const;

/** The cgroups that this process is in, from its own to the outermost it can see, where they limit. */
function limitedCgroups(proc: string, totalBytes: number): readonly LimitedCgroup[] {
  return ownCgroups(proc).flatMap(({ version, directory }) => {
    const names = files[version];
    const limit = Number.parseInt(read(`${directory}/${names.limit}`), 10);
    // "max" in v2, and more than any machine has in v1, are no limit.
    if (!(limit < totalBytes)) return [];
    const used = Number.parseInt(read(`${directory}/${names.used}`), 10);
    if (Number.isNaN(used)) return [];
    const stat = read(`${directory}/memory.stat`);
    const reclaimable = names.reclaimable
      .map((name) => Number(new RegExp(`^${name} (\\d+)$`, "m").exec(stat)?.[1] ?? 0))
      .reduce((sum, bytes) => sum + bytes, 0);
    return [{ limitBytes: limit, usedBytes: Math.max(0, used - reclaimable) }];
  });
}

interface OwnCgroup {
  readonly version: keyof typeof files;
  readonly directory: string;
}

function ownCgroups(proc: string): readonly OwnCgroup[] {
  const memberships = read(`${proc}/self/cgroup`).split("\n");
  return read(`${proc}/self/mountinfo`)
    .split("\n")
    .flatMap((line) => {
      // proc(5): `36 35 98:0 /root /point options - type source superoptions`.
      const [before = "", after = ""] = line.split(" - ");
      const [, , , root = "", point = ""] = before.split(" ");
      const [type, , options = ""] = after.split(" ");
      const isV1 = type === "cgroup" && options.split(",").includes("memory");
      if (!isV1 && type !== "cgroup2") return [];
      // cgroups(7): `4:memory:/path`; the line of v2 is `0::/path`.
      const pattern = isV1 ? /^\d+:(?:[^:]*,)?memory(?:,[^:]*)?:(\/.*)$/ : /^0::(\/.*)$/;
      const own = memberships.map((entry) => pattern.exec(entry)?.[1]).find(Boolean);
      if (own === undefined) return [];
      // A container may see a part of the hierarchy only, its own cgroup at the root of it.
      const relative = path.posix.relative(root, own);
      const parts = relative === "" || relative.startsWith("..") ? [] : relative.split("/");
      return Array.from({ length: parts.length + 1 }, (_, depth) => ({
        version: isV1 ? ("cgroup" as const) : ("cgroup2" as const),
        directory: path.posix.join(point, ...parts.slice(0, parts.length - depth)),
      }));
    });
}

/** Empty where there is no such file. */
function read(file: string): string {
  try {
    return readFileSync(file, "utf8");
  } catch {
    return "";
  }
}
