import { readdirSync, readFileSync, statSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { readProc } from "./proc-files.ts";

/** A browser's processes: those of its user, or without one of its own, those of its group. */
export interface ProcessTree {
  readonly uid: number | null;
  readonly processGroup: number;
}

const bytesPerKb = 1024;

/**
 * The processes of trees, in one look at all processes of this machine: some µs for each that is
 * not among `known`, those of the last look. Linux only.
 */
export function findTrees<T extends ProcessTree>(
  trees: Iterable<T>,
  known: ReadonlyMap<number, T>,
): ReadonlyMap<number, T> {
  const byUid = new Map<number, T>();
  const byGroup = new Map<number, T>();
  for (const tree of trees) {
    if (tree.uid === null) byGroup.set(tree.processGroup, tree);
    else byUid.set(tree.uid, tree);
  }
  const found = new Map<number, T>();
  for (const name of readdirSync("/proc")) {
    const pid = Number(name);
    if (!Number.isInteger(pid)) continue;
    const before = known.get(pid);
    const stillWatched =
      before !== undefined && (byUid.get(before.uid ?? -1) ?? byGroup.get(before.processGroup));
    const tree =
      stillWatched ||
      (byUid.size > 0 ? byUid.get(ownerOf(pid)) : undefined) ||
      (byGroup.size > 0 ? byGroup.get(groupOf(pid)) : undefined);
    if (tree !== undefined) found.set(pid, tree);
  }
  return found;
}

export interface TouchedMemory {
  /** What the process has in memory: what it shares with others is in each one's number. */
  readonly residentBytes: number;
  /** The part that is nobody else's and no file's. */
  readonly privateBytes: number;
}

/** The cheap numbers, about 10 µs; zeros for a process that has ended. */
export function touchedMemory(pid: number): TouchedMemory {
  // proc(5): size, resident and shared, in pages; shared is that of files and of shared memory.
  const [, resident = 0, shared = 0] = readProc(`/proc/${pid}/statm`).split(" ").map(Number);
  return {
    residentBytes: resident * pageBytes(),
    privateBytes: Math.max(0, resident - shared) * pageBytes(),
  };
}

/**
 * What a process has in memory that stands in no file and so cannot be taken back, about 30 µs.
 * Memory that it shares with others is counted in full.
 */
export function unreclaimableBytes(pid: number): number {
  const status = readProc(`/proc/${pid}/status`);
  const kb = (name: string): number =>
    Number(new RegExp(`^${name}:\\s+(\\d+) kB`, "m").exec(status)?.[1] ?? 0);
  return (kb("RssAnon") + kb("RssShmem")) * bytesPerKb;
}

/**
 * What processes really take, in bytes: each its proportional share (PSS) of what it touched. The
 * kernel walks their page tables for it, about 1 ms a process and more for large ones.
 */
export async function proportionalBytesOf(pids: readonly number[]): Promise<number> {
  let sum = 0;
  // One after the other: the walk holds up the process that is looked at.
  for (const pid of pids) sum += (await proportionalBytes(pid)) ?? unreclaimableBytes(pid);
  return sum;
}

/** Null for another user's process, and for one that its sandbox closes to its own user, too. */
async function proportionalBytes(pid: number): Promise<number | null> {
  try {
    const rollup = await readFile(`/proc/${pid}/smaps_rollup`, "utf8");
    const pss = /^Pss:\s+(\d+) kB/m.exec(rollup)?.[1];
    return pss === undefined ? null : Number(pss) * bytesPerKb;
  } catch {
    return null;
  }
}

function ownerOf(pid: number): number {
  return statSync(`/proc/${pid}`, { throwIfNoEntry: false })?.uid ?? -1;
}

/** proc(5): after the parenthesised name, the third field is the group. */
function groupOf(pid: number): number {
  const stat = readProc(`/proc/${pid}/stat`);
  return Number(stat.slice(stat.lastIndexOf(")") + 2).split(" ")[2] ?? -1);
}

let knownPageBytes: number | null = null;

/** getauxval(3): pairs of 64-bit numbers, of which 6 (AT_PAGESZ) names the page size. */
function pageBytes(): number {
  if (knownPageBytes !== null) return knownPageBytes;
  const vector = readFileSync("/proc/self/auxv");
  let bytes = 4096;
  for (let at = 0; at + 16 <= vector.length; at += 16) {
    if (vector.readBigUInt64LE(at) === 6n) bytes = Number(vector.readBigUInt64LE(at + 8));
  }
  knownPageBytes = bytes;
  return bytes;
}
