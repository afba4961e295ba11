import { readdirSync, readFileSync } from "node:fs";

/** What one process holds, from /proc (Linux only). */
export interface ProcessUsage {
  readonly rssMb: number;
  readonly openDescriptors: number;
  readonly threads: number;
}

export function processUsage(pid: number): ProcessUsage {
  const status = readFileSync(`/proc/${pid}/status`, "utf8");
  const rssKb = Number(/^VmRSS:\s+(\d+)/m.exec(status)?.[1]);
  return {
    rssMb: rssKb / 1024,
    openDescriptors: readdirSync(`/proc/${pid}/fd`).length,
    threads: Number(/^Threads:\s+(\d+)/m.exec(status)?.[1]),
  };
}

/** CPU time that a process has used so far, in ms: proc(5), fields 14 and 15, in ticks of 10 ms. */
export function cpuTimeMs(pid: number): number {
  const stat = readFileSync(`/proc/${pid}/stat`, "utf8");
  const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
  return (Number(fields[11]) + Number(fields[12])) * 10;
}

/** Pids of the processes that descend from one, itself left out. */
export function descendants(pid: number): readonly number[] {
  const parents = new Map<number, number>();
  for (const name of readdirSync("/proc")) {
    if (!/^\d+$/.test(name)) continue;
    try {
      const stat = readFileSync(`/proc/${name}/stat`, "utf8");
      const [state, parent] = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
      if (state !== "Z") parents.set(Number(name), Number(parent));
    } catch {
      // It ended meanwhile.
    }
  }
  const found: number[] = [];
  const below = (of: number): void => {
    for (const [child, parent] of parents) {
      if (parent !== of) continue;
      found.push(child);
      below(child);
    }
  };
  below(pid);
  return found;
}
