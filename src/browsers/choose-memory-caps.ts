import { CgroupMemoryCaps } from "./cgroup-memory-caps.ts";
import { type CgroupPlace, findCgroupPlace } from "./cgroup-place.ts";
import { type MemoryCaps, noMemoryCaps } from "./memory-cap.ts";
import { MemoryWatchdog } from "./memory-watchdog.ts";

/** How an operator wants the memory of sessions to be capped. */
export const memoryCapWays = ["auto", "cgroup", "watchdog"] as const;

export interface MemoryCapChoice {
  readonly way: (typeof memoryCapWays)[number];
  /** What one session may have; 0 for no cap. */
  readonly limitBytes: number;
  readonly dataDirectory: string;
}

/** The best way that this system offers. Throws as `findMemoryCapWay`. */
export function chooseMemoryCaps(choice: MemoryCapChoice): MemoryCaps {
  const found = findMemoryCapWay(choice);
  if (found === "none") return noMemoryCaps;
  if (found === "watchdog") return new MemoryWatchdog(choice.limitBytes);
  return new CgroupMemoryCaps({ place: found, ...choice });
}

/**
 * What this system offers: the kernel's cgroups, or else looking. Throws where the operator insists
 * on cgroups and the server may make none.
 */
export function findMemoryCapWay({
  way,
  limitBytes,
}: Pick<MemoryCapChoice, "way" | "limitBytes">): CgroupPlace | "watchdog" | "none" {
  if (limitBytes === 0) return "none";
  const place = way === "watchdog" ? null : findCgroupPlace();
  if (place !== null) return place;
  if (way === "cgroup") {
    throw new Error(
      "This system lets the server make no memory cgroups, which NIGHTJAR_MEMORY_CAP=cgroup asks for. Delegate them (systemd: Delegate=memory and DelegateSubgroup=nightjar-server), or leave the setting out to have memory watched instead.",
    );
  }
  return process.platform === "linux" ? "watchdog" : "none";
}
