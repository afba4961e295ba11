import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { FramePace } from "./frame-pace.ts";
import type { ScreencastFrame } from "./screencast-frame.ts";

beforeEach(() => vi.useFakeTimers());
afterEach(() => vi.useRealTimers());

const frame = (at: number): ScreencastFrame => ({
  targetId: "tab",
  jpeg: Buffer.alloc(0),
  at,
  width: 1,
  height: 1,
  scrollX: 0,
  scrollY: 0,
  pageScale: 1,
});

test("Frames come at most so often, at the wanted rate, and the last one always", () => {
  vi.advanceTimersByTime(1000);
  const seen: number[] = [];
  const pace = new FramePace(10, ({ at }) => seen.push(at));
  for (let at = 0; at < 1000; at += 20) {
    pace.offer(frame(at));
    vi.advanceTimersByTime(20);
  }
  vi.advanceTimersByTime(1000);
  expect(seen.length).toBeGreaterThanOrEqual(10);
  expect(seen.length).toBeLessThanOrEqual(12);
  expect(seen[0]).toBe(0);
  expect(seen.at(-1)).toBe(980);

  pace.offer(frame(2000));
  expect(seen.at(-1)).toBe(2000);
  pace.offer(frame(2001));
  pace.handOnWaiting();
  pace.handOnWaiting();
  expect(seen.slice(-2)).toEqual([2000, 2001]);
  pace.offer(frame(2002));
  pace.stop();
  vi.advanceTimersByTime(1000);
  expect(seen.at(-1)).toBe(2001);
});
