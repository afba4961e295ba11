import { describe, expect, test } from "vitest";
import { FakeClock } from "../../tests/support/domain-fakes.ts";
import { type Leak, Reconciler } from "./reconciler.ts";

/** A reconciler over whatever stands in `leaks` at the time. */
function reconcilerOf(leaks: Leak[]) {
  const clock = new FakeClock();
  const repaired: string[] = [];
  const failures: string[] = [];
  const reconciler = new Reconciler({
    finders: [
      { find: () => Promise.resolve([...leaks]) },
      { find: () => Promise.reject(new Error("this part cannot be looked at")) },
    ],
    clock,
    everyMs: 5000,
    onRepaired: ({ kind, name }) => repaired.push(`${kind} ${name}`),
    onFailure: (what) => failures.push(what),
  });
  return { clock, reconciler, repaired, failures };
}

function leak(changes: Partial<Leak> = {}): Leak {
  return { kind: "directory", name: "a", patienceMs: 2000, repair: () => {}, ...changes };
}

describe("a reconciler", () => {
  test("repairs what two looks find, and counts it once", async () => {
    const leaks: Leak[] = [];
    const { clock, reconciler, repaired } = reconcilerOf(leaks);
    leaks.push(leak({ repair: () => void leaks.pop() }));
    reconciler.start();
    await clock.advance(5000);
    expect(repaired).toEqual([]);
    await clock.advance(5000);
    expect(repaired).toEqual(["directory a"]);
    await clock.advance(60_000);
    expect(repaired).toEqual(["directory a"]);
    reconciler.stop();
  });

  test("leaves alone what is gone at the next look", async () => {
    const leaks = [leak()];
    const { reconciler, repaired, clock } = reconcilerOf(leaks);
    await reconciler.look();
    leaks.pop();
    await clock.advance(5000);
    await reconciler.look();
    leaks.push(leak());
    await clock.advance(5000);
    await reconciler.look();
    expect(repaired).toEqual([]);
  });

  test("begins anew after the process stood still, since what was ending then has had no time", async () => {
    const { reconciler, repaired, clock } = reconcilerOf([leak()]);
    reconciler.start();
    await clock.advance(5000);
    clock.standStill(3_600_000);
    await clock.advance(0);
    expect(repaired).toEqual([]);
    await clock.advance(5000);
    expect(repaired).toEqual(["directory a"]);
    expect(reconciler.repairedCount).toBe(1);
    reconciler.stop();
  });

  test("waits for as long as a leak may rightly look like one", async () => {
    const { reconciler, repaired, clock } = reconcilerOf([leak({ patienceMs: 60_000 })]);
    reconciler.start();
    await clock.advance(60_000);
    expect(repaired).toEqual([]);
    await clock.advance(10_000);
    expect(repaired).toEqual(["directory a"]);
    reconciler.stop();
  });

  test("goes on when a part cannot be looked at or a repair fails", async () => {
    const leaks = [
      leak({ name: "stubborn", repair: () => Promise.reject(new Error("it is busy")) }),
      leak({ name: "easy" }),
    ];
    const { reconciler, repaired, failures, clock } = reconcilerOf(leaks);
    await reconciler.look();
    await clock.advance(5000);
    await reconciler.look();
    expect(repaired).toEqual(["directory stubborn", "directory easy"]);
    expect(failures).toContain("repair a leak (directory stubborn)");
    expect(failures).toContain("look for leaks");
  });
});
