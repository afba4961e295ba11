import { setImmediate as nextTurn } from "node:timers/promises";
import { beforeEach, describe, expect, it } from "vitest";
import { FakeClock } from "../../tests/support/domain-fakes.ts";
import { removeOldSessions } from "./session-retention.ts";

const day = 86_400_000;

let clock: FakeClock;
/** When they ended, by session. */
let rows: Map<string, number>;
let files: Set<string>;
let failures: (string | null)[];
let failing: string | null;

beforeEach(async () => {
  clock = new FakeClock();
  await clock.advance(100 * day);
  rows = new Map();
  files = new Set();
  failures = [];
  failing = null;
});

function place(id: string, endedAgoMs: number): void {
  rows.set(id, clock.now() - endedAgoMs);
  files.add(id);
}

function start(days: number): () => Promise<void> {
  return removeOldSessions({
    store: {
      endedBefore: async (time, most) => {
        if (failing === "store") throw new Error("no store");
        const old = [...rows].filter(([, endedAt]) => endedAt < time);
        return old.slice(0, most).map(([id]) => id);
      },
      remove: async (id) => {
        expect(files.has(id)).toBe(false);
        rows.delete(id);
      },
    },
    removeFiles: async (id) => {
      if (id === failing) throw new Error("no disk");
      files.delete(id);
    },
    clock,
    days,
    onFailure: (id) => failures.push(id),
  });
}

async function settled(): Promise<readonly string[]> {
  for (let turn = 0; turn < 5; turn += 1) await nextTurn();
  return [...rows.keys()];
}

describe("the retention of sessions", () => {
  it("removes those that ended long ago, their files first, now and hour by hour", async () => {
    place("old", 3 * day);
    place("newer", 2 * day - 3_600_000);
    const stop = start(2);
    expect(await settled()).toEqual(["newer"]);
    await clock.advance(2 * 3_600_000);
    expect(await settled()).toEqual([]);
    expect([...files]).toEqual([]);
    await stop();
    expect(clock.armedFor).toEqual([]);
  });

  it("removes many in rounds that leave time to others", async () => {
    for (let n = 0; n < 450; n += 1) place(`old ${n}`, 3 * day);
    const stop = start(2);
    expect((await settled()).length).toBe(250);
    await clock.advance(10_000);
    expect((await settled()).length).toBe(50);
    await clock.advance(10_000);
    expect((await settled()).length).toBe(0);
    expect(clock.armedFor).toEqual([clock.now() + 3_600_000]);
    await stop();
  });

  it("goes on with the others where one cannot be removed, and tries it again an hour later", async () => {
    place("stuck", 4 * day);
    place("old", 3 * day);
    failing = "stuck";
    const stop = start(2);
    expect(await settled()).toEqual(["stuck"]);
    failing = "store";
    await clock.advance(3_600_000);
    expect(failures).toEqual(["stuck", null]);
    failing = null;
    await clock.advance(3_600_000);
    expect(await settled()).toEqual([]);
    await stop();
  });

  it("keeps all for good where it is told to", async () => {
    place("old", 99 * day);
    await start(0)();
    expect(await settled()).toEqual(["old"]);
    expect(clock.armedFor).toEqual([]);
  });
});
