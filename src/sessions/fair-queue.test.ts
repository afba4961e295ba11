import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { FairQueue } from "./fair-queue.ts";

interface Item {
  readonly tenantId: string;
  readonly number: number;
}

const tenants = ["a", "b", "c", "d"];
const tenant = fc.constantFrom(...tenants);

/** Takes the one whose turn it is. */
function serve(queue: FairQueue<Item>): Item | undefined {
  const [next] = queue.inTurn();
  if (next === undefined) return undefined;
  queue.endTurn(next.tenantId);
  queue.remove(next.tenantId, next);
  return next;
}

function filled(order: readonly string[]): FairQueue<Item> {
  const queue = new FairQueue<Item>();
  for (const [number, tenantId] of order.entries()) queue.add(tenantId, { tenantId, number });
  return queue;
}

describe("a fair queue", () => {
  test("serves each tenant in the order in which its items came, and all of them once", () => {
    fc.assert(
      fc.property(fc.array(tenant), (order) => {
        const queue = filled(order);
        const served = order.map(() => serve(queue));
        expect(queue.size).toBe(0);
        for (const tenantId of tenants) {
          const numbers = served.filter((item) => item?.tenantId === tenantId);
          expect(numbers.map((item) => item?.number)).toEqual(
            [...order.entries()].filter(([, owner]) => owner === tenantId).map(([at]) => at),
          );
        }
      }),
    );
  });

  test("serves no tenant twice before every other that waits was served once", () => {
    const step = fc.oneof(
      { weight: 3, arbitrary: tenant.map((tenantId) => ({ kind: "add" as const, tenantId })) },
      { weight: 2, arbitrary: fc.constant({ kind: "serve" as const }) },
    );
    fc.assert(
      fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
        const queue = new FairQueue<Item>();
        /** How often others were served while this one's tenant waited, since its own last turn. */
        const passedBy = new Map<string, Map<string, number>>();
        let number = 0;
        for (const one of steps) {
          if (one.kind === "add") {
            number += 1;
            queue.add(one.tenantId, { tenantId: one.tenantId, number });
            if (!passedBy.has(one.tenantId)) passedBy.set(one.tenantId, new Map());
            continue;
          }
          const served = serve(queue);
          if (served === undefined) continue;
          for (const [waiting, others] of passedBy) {
            if (waiting === served.tenantId) continue;
            others.set(served.tenantId, (others.get(served.tenantId) ?? 0) + 1);
            expect(others.get(served.tenantId)).toBeLessThanOrEqual(1);
          }
          const still = queue.inTurn().some(({ tenantId }) => tenantId === served.tenantId);
          if (still) passedBy.set(served.tenantId, new Map());
          else passedBy.delete(served.tenantId);
        }
      }),
      { numRuns: 300 },
    );
  });

  test("turns away the last of whoever has most waiting", () => {
    fc.assert(
      fc.property(fc.array(tenant, { minLength: 1 }), (order) => {
        const queue = filled(order);
        const counts = tenants.map((tenantId) => order.filter((one) => one === tenantId).length);
        const last = queue.lastOfLongest();
        expect(last).toBeDefined();
        if (last === undefined) return;
        expect(order.filter((one) => one === last.tenantId)).toHaveLength(Math.max(...counts));
        expect(order.lastIndexOf(last.tenantId)).toBe(last.number);
      }),
    );
  });

  test("forgets who left", () => {
    const queue = filled(["a", "a", "b"]);
    const [first] = queue.inTurn();
    if (first === undefined) throw new Error("nobody waits");
    expect(queue.remove("a", first)).toBe(true);
    expect(queue.remove("a", first)).toBe(false);
    expect(queue.has("a", first)).toBe(false);
    expect(queue.inTurn().map(({ number }) => number)).toEqual([1, 2]);
  });
});
