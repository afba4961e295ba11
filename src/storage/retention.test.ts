import { setImmediate as nextTurn } from "node:timers/promises";
import { expect, test } from "vitest";
import { FakeClock, makeSession } from "../../tests/support/domain-fakes.ts";
import { endSession, type Session } from "../sessions/session.ts";
import { removeOldDownloads } from "./retention.ts";

const hour = 3_600_000;

/** Downloads by session, with the time of each session's newest file. */
function makeDownloads(newest: Record<string, number>) {
  const left = new Map(Object.entries(newest));
  return {
    left,
    sessionsWithDownloads: async () => [...left.keys()],
    removeDownloads: async (id: string) => void left.delete(id),
    list: async (_kind: unknown, id: string) => [
      { name: "file", sizeBytes: 1, updatedAt: left.get(id) ?? 0 },
    ],
  };
}

test("downloads go when their session ended long ago, now and hour by hour, and not before", async () => {
  const clock = new FakeClock();
  await clock.advance(100 * hour);
  const begun = clock.now();
  const active = makeSession();
  const ended = endSession(makeSession(), "client_stop", begun);
  const sessions = new Map<string, Session>([
    ["active", active],
    ["ended", ended],
    ["ended with a later file", ended],
  ]);
  const storage = makeDownloads({
    active: begun - 3 * hour,
    ended: begun - 3 * hour,
    "ended with a later file": begun + hour,
    unknown: begun - 3 * hour,
  });
  const failures: unknown[] = [];
  const stop = removeOldDownloads({
    storage,
    findSession: async (id) => sessions.get(id) ?? null,
    clock,
    hours: 2,
    onFailure: (error) => failures.push(error),
  });
  await nextTurn();
  expect([...storage.left.keys()]).toEqual(["active", "ended", "ended with a later file"]);
  await clock.advance(2 * hour);
  expect(storage.left.size).toBe(3);
  await clock.advance(hour);
  expect([...storage.left.keys()]).toEqual(["active", "ended with a later file"]);
  await clock.advance(hour);
  expect([...storage.left.keys()]).toEqual(["active"]);
  stop();
  expect(clock.armedFor).toEqual([]);
  expect(failures).toEqual([]);
});

test("a failure is told and tried again an hour later", async () => {
  const clock = new FakeClock();
  await clock.advance(100 * hour);
  const storage = makeDownloads({ unknown: 0 });
  const failures: string[] = [];
  let fails = true;
  const stop = removeOldDownloads({
    storage,
    findSession: async () => {
      if (fails) throw new Error("no store");
      return null;
    },
    clock,
    hours: 1,
    onFailure: (error) => failures.push(String(error)),
  });
  await nextTurn();
  expect(failures).toEqual(["Error: no store"]);
  fails = false;
  await clock.advance(hour);
  expect(storage.left.size).toBe(0);
  stop();
});
