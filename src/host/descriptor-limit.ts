import { readFileSync } from "node:fs";

/** Where no limit can be read: what most systems give at least. */
const usualLimit = 1024;

/** How many file descriptors this process may have open. Node has raised it as far as it may. */
export function descriptorLimit(proc = "/proc"): number {
  try {
    const limits = readFileSync(`${proc}/self/limits`, "utf8");
    const soft = /^Max open files\s+(\S+)/m.exec(limits)?.[1];
    if (soft === "unlimited") return Number.MAX_SAFE_INTEGER;
    return Number(soft) || usualLimit;
  } catch {
    return usualLimit;
  }
}
