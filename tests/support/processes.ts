import { readdir, readFile, readlink } from "node:fs/promises";
import path from "node:path";

/** A running process, as /proc shows it. */
export interface RunningProcess {
  readonly pid: number;
  readonly uid: number;
  readonly parent: number;
  readonly commandLine: string;
  readonly state: string;
}

/** Every process that runs on this machine; corpses are left out. Linux only. */
async function runningProcesses(): Promise<readonly RunningProcess[]> {
  const names = (await readdir("/proc")).filter((name) => /^\d+$/.test(name));
  const processes = await Promise.all(names.map((name) => runningProcess(Number(name))));
  return processes.filter((entry) => entry !== null);
}

async function runningProcess(pid: number): Promise<RunningProcess | null> {
  try {
    const [status, commandLine] = await Promise.all([
      readFile(`/proc/${pid}/status`, "utf8"),
      readFile(`/proc/${pid}/cmdline`, "utf8"),
    ]);
    const field = (name: string): string =>
      new RegExp(`^${name}:\\s+(\\S+)`, "m").exec(status)?.[1] ?? "";
    const state = field("State");
    if (state === "Z" || state === "X") return null;
    return {
      pid,
      uid: Number(field("Uid")),
      parent: Number(field("PPid")),
      commandLine: commandLine.replaceAll("\0", " "),
      state,
    };
  } catch {
    // It ended while it was being read.
    return null;
  }
}

/**
 * All processes of the browsers of a data directory: those that name it on their command line, and
 * all that are beneath them, wherever they belong.
 */
export async function browserProcesses(dataDir: string): Promise<readonly RunningProcess[]> {
  const all = await runningProcesses();
  const found = new Set(
    all.filter(({ commandLine }) => commandLine.includes(`--user-data-dir=${dataDir}/`)),
  );
  for (let before = -1; before !== found.size; ) {
    before = found.size;
    const pids = new Set([...found].map(({ pid }) => pid));
    for (const entry of all) if (pids.has(entry.parent)) found.add(entry);
  }
  return [...found];
}

/**
 * What runs as these users, which browsers of a data directory had. A user whose id a browser of
 * another server has by now is left out: all servers of a machine draw from the same ids.
 */
export async function processesOfUsers(
  uids: ReadonlySet<number>,
  dataDir: string,
): Promise<readonly RunningProcess[]> {
  const all = await runningProcesses();
  const elsewhere = new Set(
    all
      .filter(({ commandLine }) => commandLine.includes("--user-data-dir="))
      .filter(({ commandLine }) => !commandLine.includes(`--user-data-dir=${dataDir}/`))
      .map(({ uid }) => uid),
  );
  return all.filter(({ uid }) => uids.has(uid) && !elsewhere.has(uid));
}

/** The main process of each browser of a data directory, by the browser's id. */
export async function mainProcesses(dataDir: string): Promise<ReadonlyMap<string, RunningProcess>> {
  const mains = new Map<string, RunningProcess>();
  const byAge = [...(await browserProcesses(dataDir))].sort((a, b) => a.pid - b.pid);
  for (const entry of byAge) {
    const id = /--user-data-dir=\S+\/browsers\/([^/\s]+)\//.exec(entry.commandLine)?.[1];
    if (id === undefined || entry.commandLine.includes("--type=")) continue;
    // A child that is just being made has its parent's command line until it has its own.
    if (mains.get(id)?.pid !== entry.parent) mains.set(id, entry);
  }
  return mains;
}

/** The ids of the browsers that have a directory. */
export async function browserDirectories(dataDir: string): Promise<readonly string[]> {
  return readdir(path.join(dataDir, "browsers"));
}

/** Memory of a process that is in RAM now, in bytes. */
export async function residentBytes(pid: number): Promise<number> {
  const status = await readFile(`/proc/${pid}/status`, "utf8");
  return Number(/^VmRSS:\s+(\d+) kB/m.exec(status)?.[1]) * 1024;
}

/** Sockets that a process has open. */
export async function openSockets(pid: number): Promise<number> {
  return (await socketsOf(pid)).length;
}

/** TCP sockets on which a process takes connections. */
export async function listeningSockets(pid: number): Promise<number> {
  const sockets = new Set(await socketsOf(pid));
  const tables = await Promise.all(
    ["tcp", "tcp6"].map((name) => readFile(`/proc/${pid}/net/${name}`, "utf8").catch(() => "")),
  );
  const listening = tables
    .flatMap((table) => table.split("\n").slice(1))
    .map((line) => line.trim().split(/\s+/))
    // proc(5): the fourth field is the state, of which 0A is "listening", the tenth the inode.
    .filter((fields) => fields[3] === "0A" && sockets.has(fields[9] ?? ""));
  return listening.length;
}

/** The inodes of the sockets that a process has open. */
async function socketsOf(pid: number): Promise<readonly string[]> {
  const names = await readdir(`/proc/${pid}/fd`);
  const targets = await Promise.all(
    names.map((name) => readlink(`/proc/${pid}/fd/${name}`).catch(() => "")),
  );
  return targets.flatMap((target) => /^socket:\[(\d+)\]$/.exec(target)?.[1] ?? []);
}
