import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { bytesPerIdleBrowser, bytesPerSession, type HostSessions, roomOf } from "./host-room.ts";
import type { HostReading } from "./ports.ts";

const gigabyte = 1024 ** 3;
const megabyte = 1024 ** 2;
const minute = 60_000;

const reserve = { memoryBytes: 256 * megabyte, diskBytes: 0 };

function reading(availableBytes: number, idleBytes = 0): HostReading {
  return {
    memory: { totalBytes: 64 * gigabyte, availableBytes, idleBytes },
    disk: null,
    cpu: { cores: 2, loadPercent: 0 },
  };
}

function freeFor(availableBytes: number, sessions: Partial<HostSessions>): number {
  const all = { agesMs: [], starting: 0, max: 1000, ...sessions };
  return roomOf(reading(availableBytes), reserve, all).free;
}

describe("memory", () => {
  test("is promised to sessions that have not grown yet, and measured of those that have", () => {
    const available = reserve.memoryBytes + 4 * bytesPerSession;
    expect(freeFor(available, {})).toBe(4);
    expect(freeFor(available, { starting: 1 })).toBe(3);
    const growth = bytesPerSession - bytesPerIdleBrowser;
    const young = Array.from({ length: 4 }, () => 0);
    expect(freeFor(available, { agesMs: young })).toBe(
      4 - Math.ceil((4 * growth) / bytesPerSession),
    );
    expect(freeFor(available, { agesMs: young.map(() => minute) })).toBe(4);
  });

  test("is promised as before where the clock was set back", () => {
    const available = reserve.memoryBytes + 10 * bytesPerSession;
    expect(freeFor(available, { agesMs: [-120 * minute] })).toBe(
      freeFor(available, { agesMs: [0] }),
    );
  });

  test("is never overbooked by a burst, however fast it comes and its sessions grow", () => {
    const bursts = fc.record({
      availableBytes: fc.integer({ min: 0, max: 16 * 1024 }).map((mb) => mb * megabyte),
      // How far each of the sessions has come when the next one asks: what shows of it grows with it.
      agesMs: fc.array(fc.nat(2 * minute), { maxLength: 60 }),
    });
    fc.assert(
      fc.property(bursts, ({ availableBytes, agesMs }) => {
        const running: number[] = [];
        const shown = () =>
          running.reduce((sum, age) => {
            const grown = Math.min(1, age / minute) * (bytesPerSession - bytesPerIdleBrowser);
            return sum + bytesPerIdleBrowser + grown;
          }, 0);
        for (const age of agesMs) {
          const left = availableBytes - shown();
          if (left < 0 || freeFor(left, { agesMs: running }) === 0) continue;
          running.push(age);
        }
        expect(running.length * bytesPerSession).toBeLessThanOrEqual(availableBytes);
      }),
    );
  });

  test("of a machine of 4 GB and two cores is enough for seven sessions at once, and more that are idle", () => {
    const available = 3.2 * gigabyte;
    let burst = 0;
    while (freeFor(available - burst * bytesPerIdleBrowser, { agesMs: Array(burst).fill(0) }) > 0) {
      burst += 1;
    }
    expect(burst).toBe(7);
    const idle = 10;
    const left = available - idle * bytesPerIdleBrowser;
    expect(freeFor(left, { agesMs: Array(idle).fill(minute) })).toBeGreaterThan(0);
  });
});

describe("the maximum", () => {
  test("counts those that run and those that are starting", () => {
    const sessions = { agesMs: [minute, minute], starting: 1, max: 4 };
    expect(roomOf(reading(64 * gigabyte), reserve, sessions)).toEqual({
      free: 1,
      bound: "sessions",
    });
    expect(roomOf(reading(64 * gigabyte), reserve, { ...sessions, max: 2 }).free).toBe(0);
  });
});
