import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { readdir, readFile } from "node:fs/promises";

/**
 * A process that can be told from a later one with the same pid. `startedAt` is opaque: clock
 * ticks since boot with the boot's id on Linux, the start date elsewhere.
 */
export interface ProcessIdentity {
  readonly pid: number;
  readonly startedAt: string;
}

/** Identifies a running process; null when there is none with this pid, or only its corpse. */
export function identifyProcess(pid: number): ProcessIdentity | null {
  const startedAt = process.platform === "linux" ? linuxStart(pid) : psStart(pid);
  return startedAt === null ? null : { pid, startedAt };
}

export function isRunning(identity: ProcessIdentity): boolean {
  return identifyProcess(identity.pid)?.startedAt === identity.startedAt;
}

/** Something that changes whenever the machine boots; empty where the platform tells none. */
export function bootId(): string {
  if (process.platform !== "linux") return "";
  try {
    return readFileSync("/proc/sys/kernel/random/boot_id", "utf8").trim();
  } catch {
    return "";
  }
}

/** proc(5): after the parenthesised name, field 3 is the state and field 22 the start time in ticks. */
function linuxStart(pid: number): string | null {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, "utf8");
    const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
    const [state] = fields;
    if (state === "Z" || state === "X") return null;
    return `${fields[19]}@${bootId()}`;
  } catch {
    return null;
  }
}

function psStart(pid: number): string | null {
  try {
    const start = execFileSync("ps", ["-o", "lstart=", "-p", String(pid)], {
      encoding: "utf8",
      stdio: ["ignore", "pipe", "ignore"],
      // The same words whoever starts the server, from wherever.
      env: { PATH: process.env["PATH"], LC_ALL: "C", TZ: "UTC" },
    }).trim();
    return start === "" ? null : start;
  } catch {
    return null;
  }
}

/** A process as the table of processes shows it. */
export interface ProcessEntry {
  readonly pid: number;
  readonly processGroup: number;
  /** The real user id. */
  readonly uid: number;
  readonly commandLine: string;
}

/**
 * Every running process of this machine, corpses left out. Throws where that cannot be told, e.g. for
 * want of descriptors: none may be taken for gone that is there.
 */
export async function listProcesses(): Promise<readonly ProcessEntry[]> {
  if (process.platform !== "linux") return psProcesses();
  const names = await readdir("/proc");
  const entries: ProcessEntry[] = [];
  // One at a time: there may be more of them than this process may open files.
  for (const name of names) {
    const entry = /^\d+$/.test(name) ? await linuxProcess(Number(name)) : null;
    if (entry !== null) entries.push(entry);
  }
  return entries;
}

async function linuxProcess(pid: number): Promise<ProcessEntry | null> {
  try {
    const stat = await readFile(`/proc/${pid}/stat`, "utf8");
    const status = await readFile(`/proc/${pid}/status`, "utf8");
    const commandLine = await readFile(`/proc/${pid}/cmdline`, "utf8");
    const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
    if (fields[0] === "Z" || fields[0] === "X") return null;
    const uid = /^Uid:\s+(\d+)/m.exec(status)?.[1];
    return {
      pid,
      processGroup: Number(fields[2]),
      uid: Number(uid),
      commandLine: commandLine.replaceAll("\0", " "),
    };
  } catch (error) {
    // It ended while it was being read.
    if (goneCodes.has((error as NodeJS.ErrnoException).code ?? "")) return null;
    throw error;
  }
}

/** What a process that is not there any more is read with: before its files are opened, and after. */
const goneCodes: ReadonlySet<string> = new Set(["ENOENT", "ESRCH"]);

function psProcesses(): readonly ProcessEntry[] {
  const table = execFileSync("ps", ["-axww", "-o", "pid=,pgid=,uid=,stat=,command="], {
    encoding: "utf8",
    maxBuffer: 64 * 1024 * 1024,
  });
  return table.split("\n").flatMap((line) => {
    const match = /^\s*(\d+)\s+(\d+)\s+(\d+)\s+(\S+)\s+(.*)$/.exec(line);
    if (match === null || match[4]?.startsWith("Z")) return [];
    const [, pid, processGroup, uid, , commandLine = ""] = match;
    return [
      { pid: Number(pid), processGroup: Number(processGroup), uid: Number(uid), commandLine },
    ];
  });
}
