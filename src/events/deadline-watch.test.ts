import { expect, test } from "vitest";
import { FakeClock, makeSession } from "../../tests/support/domain-fakes.ts";
import { type ActiveSession, touchSession } from "../sessions/session.ts";
import { watchDeadline } from "./deadline-watch.ts";

test("A deadline is told of once when it comes near, and again when a touch moved it", async () => {
  const clock = new FakeClock();
  let session: ActiveSession | null = makeSession({
    createdAt: clock.now(),
    lastAccessedAt: clock.now(),
    idleTimeoutMinutes: 3,
    maxDurationMinutes: 10,
  });
  const start = clock.now();
  const told: (readonly [string, number, boolean])[] = [];
  const stop = watchDeadline({
    clock,
    session: async () => session,
    onChange: ({ reason, at }, approaching) =>
      told.push([reason, (at - start) / 60_000, approaching]),
  });
  await clock.advance(119_000);
  expect(told).toEqual([]);
  await clock.advance(31_000);
  expect(told).toEqual([["idle_timeout", 3, true]]);
  session = touchSession(session, clock.now());
  await clock.advance(2000);
  expect(told.at(-1)).toEqual(["idle_timeout", 5.5, false]);
  for (let minutes = 0; minutes < 7; minutes += 1) {
    session = touchSession(session, clock.now());
    await clock.advance(60_000);
  }
  expect(told.slice(2)).toEqual([["max_duration", 10, true]]);
  session = null;
  await clock.advance(600_000);
  stop();
  expect(told).toHaveLength(3);
});
