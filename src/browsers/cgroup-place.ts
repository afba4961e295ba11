import { mkdirSync, readdirSync, readFileSync, rmdirSync, writeFileSync } from "node:fs";
import path from "node:path";

/** Where this server may make cgroups that limit memory. */
export interface CgroupPlace {
  readonly version: "v1" | "v2";
  /** The directory to make them in; limits of the server's own cgroup hold for them, too. */
  readonly directory: string;
}

/** The leaf that the server's own processes go to where a cgroup with children may have none (v2). */
const serverLeaf = "nightjar-server";

/**
 * Finds the place beneath the server's own memory cgroup, and makes sure that it can be used; null
 * where this system has none, or keeps the server from writing there.
 */
export function findCgroupPlace(proc = "/proc/self"): CgroupPlace | null {
  if (process.platform !== "linux") return null;
  const mounts = readLines(`${proc}/mountinfo`).flatMap(parseMount);
  const memberships = readLines(`${proc}/cgroup`).flatMap(parseMembership);
  // A system with both has the memory controller in one of them only.
  const v1 = ownDirectory(mounts, memberships, "cgroup", "memory");
  if (v1 !== null && canLimit(v1, "memory.limit_in_bytes")) {
    return { version: "v1", directory: v1 };
  }
  const v2 = ownDirectory(mounts, memberships, "cgroup2", "");
  const directory = v2 === null ? null : openedV2(v2, proc);
  return directory === null ? null : { version: "v2", directory };
}

/**
 * The memory cgroups of this name that this process can see, whoever made them and wherever: a server
 * makes its own beneath the cgroup that it was started in.
 */
export function findCgroups(name: string, proc = "/proc/self"): readonly string[] {
  if (process.platform !== "linux") return [];
  return readLines(`${proc}/mountinfo`)
    .flatMap(parseMount)
    .filter(({ kind, controllers }) => kind === "cgroup2" || controllers.includes("memory"))
    .flatMap(({ point }) => descendants(point))
    .filter((directory) => path.posix.basename(directory) === name);
}

function descendants(directory: string): readonly string[] {
  return childCgroups(directory).flatMap((child) => {
    const at = path.posix.join(directory, child);
    return [at, ...descendants(at)];
  });
}

/** The names of the cgroups in one; none where it is gone. */
export function childCgroups(directory: string): readonly string[] {
  try {
    return readdirSync(directory, { withFileTypes: true })
      .filter((entry) => entry.isDirectory())
      .map((entry) => entry.name);
  } catch {
    return [];
  }
}

interface CgroupMount {
  readonly kind: "cgroup" | "cgroup2";
  /** The part of the hierarchy that is mounted. */
  readonly root: string;
  readonly point: string;
  readonly controllers: readonly string[];
}

interface Membership {
  readonly controllers: readonly string[];
  readonly path: string;
}

/** proc(5): `36 35 98:0 /root /point options - type source superoptions`. */
function parseMount(line: string): readonly CgroupMount[] {
  const [before = "", after = ""] = line.split(" - ");
  const [, , , root, point] = before.split(" ");
  const [kind, , options = ""] = after.split(" ");
  if ((kind !== "cgroup" && kind !== "cgroup2") || root === undefined || point === undefined) {
    return [];
  }
  return [{ kind, root, point, controllers: options.split(",") }];
}

/** cgroups(7): `4:memory:/path`; the line of v2 is `0::/path`. */
function parseMembership(line: string): readonly Membership[] {
  const match = /^\d+:([^:]*):(\/.*)$/.exec(line);
  if (match === null) return [];
  return [{ controllers: (match[1] ?? "").split(","), path: match[2] ?? "/" }];
}

/** The directory of the cgroup that this process is in. */
function ownDirectory(
  mounts: readonly CgroupMount[],
  memberships: readonly Membership[],
  kind: CgroupMount["kind"],
  controller: string,
): string | null {
  const mount = mounts.find(
    (entry) => entry.kind === kind && (controller === "" || entry.controllers.includes(controller)),
  );
  const membership = memberships.find((entry) => entry.controllers.includes(controller));
  if (mount === undefined || membership === undefined) return null;
  // A container may see only a part of the hierarchy.
  const relative = path.posix.relative(mount.root, membership.path);
  if (relative.startsWith("..")) return null;
  return path.posix.join(mount.point, relative);
}

/**
 * A cgroup of v2 whose children have limits may hold no processes itself, unless it is the root of
 * all. So where everything in it is the server and what it was started by, that moves into a leaf.
 */
function openedV2(own: string, proc: string): string | null {
  // An operator may have put the server into the leaf (systemd: DelegateSubgroup=nightjar-server),
  // or an earlier process of this server has.
  const directory = path.posix.basename(own) === serverLeaf ? path.posix.dirname(own) : own;
  const has = (file: string): boolean =>
    readLines(`${directory}/${file}`).join(" ").split(" ").includes("memory");
  if (!has("cgroup.controllers")) return null;
  try {
    if (!has("cgroup.subtree_control")) {
      if (!isRoot(directory)) moveToLeaf(directory, proc);
      writeFileSync(`${directory}/cgroup.subtree_control`, "+memory");
    }
  } catch {
    return null;
  }
  return canLimit(directory, "memory.max") ? directory : null;
}

/** Only the root of all cgroups has no type. */
function isRoot(directory: string): boolean {
  return readLines(`${directory}/cgroup.type`).length === 0;
}

/** Throws where others live there, whom it does not behove us to move. */
function moveToLeaf(directory: string, proc: string): void {
  const pids = readLines(`${directory}/cgroup.procs`);
  const ours = ownAncestors(proc);
  const stranger = pids.find((pid) => !ours.has(pid));
  if (stranger !== undefined) throw new Error(`process ${stranger} is in the server's cgroup, too`);
  const leaf = `${directory}/${serverLeaf}`;
  mkdirSync(leaf, { recursive: true });
  for (const pid of pids) writeFileSync(`${leaf}/cgroup.procs`, pid);
}

/** This process and those that it was started by, e.g. npm. */
function ownAncestors(proc: string): ReadonlySet<string> {
  const found = new Set<string>();
  for (let at = `${proc}/status`; ; ) {
    const status = readLines(at).join("\n");
    const pid = /^Pid:\s+(\d+)/m.exec(status)?.[1];
    const parent = /^PPid:\s+(\d+)/m.exec(status)?.[1];
    if (pid === undefined || found.has(pid)) return found;
    found.add(pid);
    at = `/proc/${parent}/status`;
  }
}

/** Tries it: permissions, read-only mounts and delegation all end up here. */
function canLimit(directory: string, limitFile: string): boolean {
  const probe = `${directory}/nightjar-probe-${process.pid}`;
  try {
    mkdirSync(probe);
    try {
      writeFileSync(`${probe}/${limitFile}`, String(1024 ** 3));
      return true;
    } finally {
      rmdirSync(probe);
    }
  } catch {
    return false;
  }
}

function readLines(file: string): readonly string[] {
  try {
    return readFileSync(file, "utf8")
      .split("\n")
      .filter((line) => line !== "");
  } catch {
    return [];
  }
}
