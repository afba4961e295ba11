import { setImmediate as nextTurn } from "node:timers/promises";
import { beforeEach, describe, expect, it } from "vitest";
import { FakeClock, makeSession } from "../../tests/support/domain-fakes.ts";
import { endSession, type Session } from "../sessions/session.ts";
import { RecordingRetention } from "./recording-retention.ts";

const hour = 3_600_000;
const mb = 1024 ** 2;

let clock: FakeClock;
let sessions: Map<string, Session>;
/** Sizes in MB of what is stored, by session. */
let stored: Map<string, number>;
/** Sessions whose recordings cannot be removed. */
let stuck: Set<string>;
let failures: string[];

beforeEach(() => {
  clock = new FakeClock();
  sessions = new Map();
  stored = new Map();
  stuck = new Set();
  failures = [];
});

/** `endedAt`: in hours; null for a session that runs. */
function place(id: string, sizeMb: number, endedAt: number | null): void {
  const session = makeSession({ id });
  sessions.set(id, endedAt === null ? session : endSession(session, "client_stop", endedAt * hour));
  stored.set(id, sizeMb);
}

async function remove(id: string): Promise<void> {
  if (stuck.has(id)) throw new Error(`EACCES: ${id}`);
  stored.delete(id);
}

function retention(limits: { readonly hours: number; readonly totalMb: number }) {
  return new RecordingRetention({
    recordings: { remove: ({ id }) => remove(id) },
    folders: {
      list: async () => [...stored.keys()],
      describe: async (sessionId) => ({
        sessionId,
        sizeBytes: (stored.get(sessionId) ?? 0) * mb,
        updatedAt: 0,
      }),
      remove: async (id) => stored.delete(id),
    },
    findSession: async (id) => sessions.get(id) ?? null,
    clock,
    hours: limits.hours,
    totalBytes: limits.totalMb * mb,
    onFailure: (sessionId) => void failures.push(sessionId),
  });
}

async function settled(): Promise<string[]> {
  for (let turn = 0; turn < 20; turn += 1) await nextTurn();
  return [...stored.keys()];
}

describe("the retention of recordings", () => {
  it("removes those of sessions that ended long ago, now and hour by hour", async () => {
    await clock.advance(100 * hour);
    place("old", 1, 97);
    place("newer", 1, 99.5);
    place("running", 1, null);
    stored.set("unknown", 1);
    const removing = retention({ hours: 2, totalMb: 100 });
    removing.start();
    expect(await settled()).toEqual(["newer", "running"]);
    await clock.advance(hour);
    expect(await settled()).toEqual(["newer", "running"]);
    await clock.advance(hour);
    expect(await settled()).toEqual(["running"]);
    removing.stop();
    expect(clock.armedFor).toEqual([]);
    expect(failures).toEqual([]);
  });

  it("goes on where one cannot be removed, which it tries again in the next round", async () => {
    await clock.advance(100 * hour);
    place("stuck", 60, 10);
    place("old", 1, 20);
    place("newer", 50, 99.5);
    stuck.add("stuck");
    const removing = retention({ hours: 2, totalMb: 110 });
    removing.start();
    expect(await settled()).toEqual(["stuck", "newer"]);
    expect(failures).toEqual(["stuck"]);
    stuck.clear();
    await clock.advance(hour);
    expect(await settled()).toEqual(["newer"]);
    removing.stop();
  });

  it("removes the oldest where all together take too much room, but none of a session that runs", async () => {
    await clock.advance(100 * hour);
    place("running", 50, null);
    place("second", 30, 20);
    place("first", 30, 10);
    place("third", 30, 30);
    const removing = retention({ hours: 0, totalMb: 110 });
    removing.start();
    expect(await settled()).toEqual(["running", "second", "third"]);
    stored.set("running", 90);
    removing.grown();
    removing.grown();
    await clock.advance(60_000);
    expect(await settled()).toEqual(["running"]);
    removing.stop();
  });

  it("keeps all for good where it is told to", async () => {
    await clock.advance(100_000 * hour);
    place("old", 1, 1);
    const removing = retention({ hours: 0, totalMb: 100 });
    removing.start();
    await clock.advance(10 * hour);
    expect(await settled()).toEqual(["old"]);
    removing.stop();
  });
});
