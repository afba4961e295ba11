import type { HostReading } from "./ports.ts";

const megabyte = 1024 ** 2;

/** What a session with an ordinary page takes, in bytes: a start needs as much to be there. */
export const bytesPerSession = 400 * megabyte;

/** What a browser takes before anybody uses it, in bytes: measured, the smaller of both browsers. */
export const bytesPerIdleBrowser = 170 * megabyte;

/** For how long after its start a session may have memory yet to take, in ms: then it has opened what it is for. */
const growsForMs = 60_000;

/** What must stay free on a host, in bytes. */
export interface HostReserve {
  readonly memoryBytes: number;
  readonly diskBytes: number;
}

/** What keeps a host from taking another session. */
export type Shortage = "sessions" | "memory" | "disk";

export interface HostRoom {
  /** How many more sessions may start now. */
  readonly free: number;
  /** What bounds it; where that leaves nothing, what is short. */
  readonly bound: Shortage;
}

/** The sessions that a host has now. */
export interface HostSessions {
  /** For how long each one runs that has its browser, in ms. */
  readonly agesMs: readonly number[];
  /** How many are being started, whose browsers may not show in a measurement yet. */
  readonly starting: number;
  /** How many there may be. */
  readonly max: number;
}

/**
 * How many more sessions a host has room for, by its configured maximum and by what was measured.
 * Memory is promised to those that cannot have taken theirs yet: all that a session takes to each
 * that is starting, and to a young one what it has to grow, less and less in its first minute.
 */
export function roomOf(
  reading: HostReading,
  reserve: HostReserve,
  { agesMs, starting, max }: HostSessions,
): HostRoom {
  const { memory, disk } = reading;
  if (disk !== null && disk.freeBytes < reserve.diskBytes) return { free: 0, bound: "disk" };
  const promised = agesMs.reduce((sum, age) => sum + growthAt(age), starting * bytesPerSession);
  const bytes = memory.availableBytes + memory.idleBytes - reserve.memoryBytes - promised;
  const byMemory = Math.max(0, Math.floor(bytes / bytesPerSession));
  const byMaximum = Math.max(0, max - agesMs.length - starting);
  return byMemory < byMaximum
    ? { free: byMemory, bound: "memory" }
    : { free: byMaximum, bound: "sessions" };
}

/** What a session of this age is likely to take beyond what is measured of it, in bytes. */
function growthAt(ageMs: number): number {
  // A clock that was set may make it younger than new.
  const left = Math.min(1, Math.max(0, 1 - ageMs / growsForMs));
  return left * (bytesPerSession - bytesPerIdleBrowser);
}
