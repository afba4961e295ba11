import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { makeSession } from "../../tests/support/domain-fakes.ts";
import {
  type ActiveSession,
  deadlineOf,
  endReasons,
  endSession,
  isActive,
  lifetimeMs,
  retimeSession,
  type Session,
  statusOfEnd,
  touchSession,
} from "./session.ts";

const epochMs = fc.integer({ min: 0, max: 4_000_000_000_000 });
const reasons = fc.constantFrom(...endReasons);

const activeSessions = fc
  .record({
    createdAt: epochMs,
    sinceCreation: fc.nat(10_000_000),
    idleTimeoutMinutes: fc.integer({ min: 1, max: 30 }),
    maxDurationMinutes: fc.integer({ min: 1, max: 1440 }),
  })
  .map(
    ({ createdAt, sinceCreation, ...limits }): ActiveSession =>
      makeSession({ createdAt, lastAccessedAt: createdAt + sinceCreation, ...limits }),
  );

/** Everything that can be done to a session, in any order and at any time. */
const operations = fc.array(
  fc.oneof(
    epochMs.map((at) => (session: Session) => touchSession(session, at)),
    fc.tuple(reasons, epochMs, fc.option(fc.string())).map(
      ([reason, at, error]) =>
        (session: Session): Session =>
          endSession(session, reason, at, error),
    ),
    fc.integer({ min: 1, max: 30 }).map(
      (idleTimeoutMinutes) =>
        (session: Session): Session =>
          isActive(session) ? retimeSession(session, { idleTimeoutMinutes }) : session,
    ),
  ),
);

describe("the end of a session", () => {
  test("leads to the status of its reason, for every reason", () => {
    fc.assert(
      fc.property(activeSessions, reasons, epochMs, (session, reason, now) => {
        const { state } = endSession(session, reason, now);
        expect(state.endReason).toBe(reason);
        expect(state.status).toBe(statusOfEnd[reason]);
      }),
    );
  });

  test("is closed when asked for, timed out at a limit and an error when something broke", () => {
    expect(statusOfEnd).toEqual({
      client_stop: "closed",
      server_stop: "closed",
      policy: "closed",
      idle_timeout: "timed_out",
      max_duration: "timed_out",
      browser_crash: "error",
      out_of_memory: "error",
      node_lost: "error",
    });
  });

  test("never changes again, whatever happens afterwards", () => {
    fc.assert(
      fc.property(activeSessions, reasons, epochMs, operations, (session, reason, now, later) => {
        const ended = endSession(session, reason, now, "why");
        const final = later.reduce<Session>((current, operate) => operate(current), ended);
        expect(final).toEqual(ended);
      }),
    );
  });

  test("is never before the beginning, even when the clock was set back", () => {
    fc.assert(
      fc.property(activeSessions, reasons, epochMs, (session, reason, now) => {
        const ended = endSession(session, reason, now);
        expect(ended.state.closedAt).toBeGreaterThanOrEqual(session.createdAt);
        expect(lifetimeMs(ended, now)).toBe(ended.state.closedAt - session.createdAt);
      }),
    );
  });

  test("leaves the session that it was made from as it was", () => {
    const session = makeSession();
    endSession(session, "client_stop", 2_000_000);
    expect(session.state).toEqual({ status: "active" });
  });
});

describe("the deadline", () => {
  test("is the earlier of the last access plus idle timeout and the creation plus maximum duration", () => {
    fc.assert(
      fc.property(activeSessions, (session) => {
        const idleAt = session.lastAccessedAt + session.idleTimeoutMinutes * 60_000;
        const maxAt = session.createdAt + session.maxDurationMinutes * 60_000;
        const { at, reason } = deadlineOf(session);
        expect(at).toBe(Math.min(idleAt, maxAt));
        expect(reason === "idle_timeout" ? idleAt : maxAt).toBe(at);
      }),
    );
  });

  test("is never moved to an earlier time by an access", () => {
    fc.assert(
      fc.property(activeSessions, epochMs, (session, now) => {
        const touched = touchSession(session, now);
        expect(touched.lastAccessedAt).toBe(Math.max(session.lastAccessedAt, now));
        expect(deadlineOf(touched).at).toBeGreaterThanOrEqual(deadlineOf(session).at);
      }),
    );
  });

  test("stays within the maximum duration however often the session is used", () => {
    fc.assert(
      fc.property(activeSessions, fc.array(epochMs), (session, accesses) => {
        const used = accesses.reduce((current, at) => touchSession(current, at), session);
        const longest = session.maxDurationMinutes * 60_000;
        expect(deadlineOf(used).at - session.createdAt).toBeLessThanOrEqual(longest);
      }),
    );
  });

  test("follows a new idle timeout, and what is not given stays", () => {
    const session = makeSession({ idleTimeoutMinutes: 3, keepAlive: false });
    const retimed = retimeSession(session, { idleTimeoutMinutes: 7 });
    expect(deadlineOf(retimed).at).toBe(session.lastAccessedAt + 7 * 60_000);
    expect(retimed.keepAlive).toBe(false);
    expect(retimeSession(retimed, { keepAlive: true })).toEqual({ ...retimed, keepAlive: true });
  });
});

describe("the lifetime", () => {
  test("of an active session grows with the clock and is never negative", () => {
    const session = makeSession({ createdAt: 5000 });
    expect(lifetimeMs(session, 17_500)).toBe(12_500);
    expect(lifetimeMs(session, 4000)).toBe(0);
  });

  test("of an ended session stands still", () => {
    const ended = endSession(makeSession({ createdAt: 5000 }), "client_stop", 6000);
    expect(lifetimeMs(ended, 9_999_999)).toBe(1000);
  });
});
