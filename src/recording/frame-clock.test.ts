import fc from "fast-check";
import { expect, it } from "vitest";
import { FrameClock } from "./frame-clock.ts";

it("keeps the browser's times", () => {
  const clock = new FrameClock();
  expect([
    clock.timeOf(1_000_000.4, 10),
    clock.timeOf(1_000_250, 265),
    clock.timeOf(1_060_250, 60_270),
  ]).toEqual([1_000_000, 1_000_250, 1_060_250]);
});

it("keeps the distance when the system's clock is set back or forward, and from then on", () => {
  for (const jump of [-3_600_000, 3_600_000]) {
    const clock = new FrameClock();
    clock.timeOf(1_000_000, 0);
    expect(clock.timeOf(1_002_000 + jump, 2000)).toBe(1_002_000);
    expect(clock.timeOf(1_002_500 + jump, 2500)).toBe(1_002_500);
  }
});

it("takes frames that came late, because the server stood still, at their own times", () => {
  const clock = new FrameClock();
  clock.timeOf(1_000_000, 0);
  expect(clock.timeOf(1_000_250, 30_000)).toBe(1_000_250);
  expect(clock.timeOf(1_030_000, 30_010)).toBe(1_030_000);
});

it("never goes back nor stands still, whatever the clocks do", () => {
  const times = fc.array(fc.tuple(fc.double({ min: 0, max: 2e12, noNaN: true }), fc.nat(100_000)), {
    minLength: 2,
  });
  fc.assert(
    fc.property(times, (frames) => {
      const clock = new FrameClock();
      let monotonicMs = 0;
      let last = Number.NEGATIVE_INFINITY;
      for (const [at, passed] of frames) {
        monotonicMs += passed;
        const time = clock.timeOf(at, monotonicMs);
        expect(Number.isInteger(time)).toBe(true);
        expect(time).toBeGreaterThan(last);
        last = time;
      }
    }),
  );
});
