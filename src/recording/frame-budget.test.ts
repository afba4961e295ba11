import { expect, it } from "vitest";
import { frameIntervalMs } from "./frame-budget.ts";

it("lets a recording become coarser as its room is used up, and end only where there is none", () => {
  const at = (used: number) => frameIntervalMs(used, 1000);
  expect([0, 499, 500, 749, 750, 875].map(at)).toEqual([250, 250, 500, 500, 1000, 2000]);
  expect(at(999.99)).toBe(60_000);
  expect(at(1000)).toBeNull();
  expect(at(5000)).toBeNull();
});
