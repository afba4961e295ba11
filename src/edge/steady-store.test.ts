import { expect, test } from "vitest";
import { SteadyStore } from "./steady-store.ts";

const windowMs = 60_000;

test("a store counts within windows, by name, and reads without counting", () => {
  let now = 1000;
  const store = new SteadyStore({}, () => now);
  const told: unknown[] = [];
  const tell = (_error: Error | null, result: object) => void told.push(result);
  store.incr("a", tell, windowMs);
  now += 20_000;
  store.incr("a", tell, windowMs);
  store.incr("b", tell, windowMs);
  store.read("a", tell);
  now += 40_000;
  store.read("a", tell);
  store.incr("a", tell, windowMs);
  store.child().read("a", tell);
  expect(told).toEqual([
    { current: 1, ttl: 60_000 },
    { current: 2, ttl: 40_000 },
    { current: 1, ttl: 60_000 },
    { current: 2, ttl: 40_000 },
    { current: 0, ttl: 0 },
    { current: 1, ttl: 60_000 },
    { current: 0, ttl: 0 },
  ]);
});

test("of too many names, the one that was not counted for longest is forgotten", () => {
  const store = new SteadyStore({}, () => 0);
  const ignore = () => {};
  for (let number = 0; number < 10_000; number += 1) store.incr(`${number}`, ignore, windowMs);
  store.incr("0", ignore, windowMs);
  store.incr("one more", ignore, windowMs);
  const counts: number[] = [];
  for (const name of ["0", "1", "2"]) {
    store.read(name, (_error, { current }) => void counts.push(current));
  }
  expect(counts).toEqual([2, 0, 1]);
});
