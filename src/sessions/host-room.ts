import type { HostReading } from "./ports.ts";

/** What a session with an ordinary page takes, in bytes: a start needs as much to be there. */
export const bytesPerSession = 400 * 1024 ** 2;

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

/**
 * How many more sessions a host has room for, by its configured maximum and by what was measured.
 * Of the sessions that run, those that are just `starting` may not show in the measurement yet.
 */
export function roomOf(
  reading: HostReading,
  reserve: HostReserve,
  sessions: { readonly running: number; readonly starting: number; readonly max: number },
): HostRoom {
  const { memory, disk } = reading;
  if (disk !== null && disk.freeBytes < reserve.diskBytes) return { free: 0, bound: "disk" };
  const bytes = memory.availableBytes + memory.idleBytes - reserve.memoryBytes;
  const byMemory = Math.max(0, Math.floor(bytes / bytesPerSession) - sessions.starting);
  const byMaximum = Math.max(0, sessions.max - sessions.running);
  return byMemory < byMaximum
    ? { free: byMemory, bound: "memory" }
    : { free: byMaximum, bound: "sessions" };
}
