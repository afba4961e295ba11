import { describe, expect, test } from "vitest";
import { slewingClock } from "./system-clock.ts";

const hour = 3_600_000;

describe("The system clock", () => {
  function adjustable() {
    const source = { wall: 1_800_000_000_000, steady: 5000 };
    const clock = slewingClock(
      () => source.wall,
      () => source.steady,
    );
    const pass = (ms: number): void => {
      source.wall += ms;
      source.steady += ms;
    };
    return { source, clock, pass };
  }

  test("shows the time of day", () => {
    const { clock, pass, source } = adjustable();
    expect(clock.now()).toBe(source.wall);
    pass(hour);
    expect(clock.now()).toBe(source.wall);
  });

  test.each([
    ["forward", hour],
    ["back", -hour],
  ])("goes on when the computer's clock is set %s, and catches up slowly", (_where, jump) => {
    const { clock, pass, source } = adjustable();
    const before = clock.now();
    source.wall += jump;
    expect(clock.now()).toBe(before);
    pass(60_000);
    expect(clock.now()).toBe(before + 60_000 + Math.sign(jump) * 6000);
    for (let minute = 0; minute < 20 * 60; minute += 1) {
      const last = clock.now();
      pass(60_000);
      expect(clock.now()).toBeGreaterThan(last);
    }
    expect(clock.now()).toBe(source.wall);
  });

  test("calls back once the time has come", async () => {
    const clock = slewingClock(
      () => Date.now(),
      () => performance.now(),
    );
    const at = clock.now() + 30;
    await new Promise<void>((resolve) => clock.callAt(at, resolve));
    expect(clock.now()).toBeGreaterThanOrEqual(at);
  });
});
