import { expect, test } from "vitest";
import { FakeClock } from "../../tests/support/domain-fakes.ts";
import { Rounds } from "./rounds.ts";

test("rounds follow each other as each one asks, sooner when that is wanted, and never two at a time", async () => {
  const clock = new FakeClock();
  const begun: number[] = [];
  const ends: (() => void)[] = [];
  const since = clock.now();
  const rounds = new Rounds(clock, ({ lateMs }) => {
    expect(lateMs).toBe(0);
    begun.push(clock.now() - since);
    return new Promise((resolve) => ends.push(() => resolve(1000)));
  });
  const end = async () => {
    ends.shift()?.();
    await clock.advance(0);
  };
  rounds.within(0);
  expect(begun).toEqual([0]);
  // One that is wanted while another runs begins when that one has ended.
  rounds.within(100);
  await clock.advance(300);
  expect(begun).toEqual([0]);
  await end();
  expect(begun).toEqual([0, 300]);
  await end();
  await clock.advance(999);
  expect(begun).toEqual([0, 300]);
  await clock.advance(1);
  expect(begun).toEqual([0, 300, 1300]);
  await end();
  rounds.within(200);
  // It is due earlier already.
  rounds.within(500);
  await clock.advance(500);
  expect(begun).toEqual([0, 300, 1300, 1500]);
  const stopped = rounds.stop();
  await end();
  await stopped;
  rounds.within(0);
  await clock.advance(5000);
  expect(begun).toHaveLength(4);
  expect(clock.armedFor).toEqual([]);
});
