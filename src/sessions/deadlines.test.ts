import { beforeEach, describe, expect, test } from "vitest";
import { FakeClock, makeSession } from "../../tests/support/domain-fakes.ts";
import { Deadlines } from "./deadlines.ts";
import { type ActiveSession, deadlineOf, touchSession } from "./session.ts";

const minute = 60_000;

let clock: FakeClock;
let sessions: Map<string, ActiveSession>;
let due: { readonly id: string; readonly reason: string; readonly at: number }[];
let deadlines: Deadlines;

beforeEach(() => {
  clock = new FakeClock();
  sessions = new Map();
  due = [];
  deadlines = new Deadlines({
    clock,
    sessions: () => sessions.values(),
    onDue: (session, { reason }) => {
      due.push({ id: session.id, reason, at: clock.now() });
      sessions.delete(session.id);
    },
  });
});

function add(id: string, idleTimeoutMinutes: number, maxDurationMinutes = 60): ActiveSession {
  const now = clock.now();
  const session = makeSession({
    id,
    createdAt: now,
    lastAccessedAt: now,
    idleTimeoutMinutes,
    maxDurationMinutes,
  });
  sessions.set(id, session);
  deadlines.consider(session);
  return session;
}

function touch(id: string): void {
  const session = sessions.get(id);
  if (session !== undefined) sessions.set(id, touchSession(session, clock.now()));
}

describe("deadlines", () => {
  test("need one timer for many sessions, set for the earliest", () => {
    const started = clock.now();
    for (const [id, minutes] of [["c", 5] as const, ["a", 3] as const, ["b", 4] as const]) {
      add(id, minutes);
      expect(clock.armedFor).toHaveLength(1);
    }
    expect(clock.armedFor).toEqual([started + 3 * minute]);
  });

  test("come due in order, each at its own time and with its reason", async () => {
    const started = clock.now();
    add("idle", 3);
    add("max", 30, 2);
    await clock.advance(10 * minute);
    expect(due).toEqual([
      { id: "max", reason: "max_duration", at: started + 2 * minute },
      { id: "idle", reason: "idle_timeout", at: started + 3 * minute },
    ]);
    expect(clock.armedFor).toEqual([]);
  });

  test("are moved by an access without any new timer", async () => {
    const started = clock.now();
    add("a", 3);
    await clock.advance(2 * minute);
    touch("a");
    expect(clock.armedFor).toEqual([started + 3 * minute]);
    await clock.advance(2 * minute);
    expect(due).toEqual([]);
    expect(clock.armedFor).toEqual([started + 5 * minute]);
    await clock.advance(minute);
    expect(due).toEqual([{ id: "a", reason: "idle_timeout", at: started + 5 * minute }]);
  });

  test("at the same moment all come due at once", async () => {
    for (const id of ["a", "b", "c"]) add(id, 3);
    await clock.advance(3 * minute);
    expect(due.map(({ id }) => id).sort()).toEqual(["a", "b", "c"]);
    expect(new Set(due.map(({ at }) => at)).size).toBe(1);
  });

  test("that became earlier are met, too", async () => {
    const started = clock.now();
    const session = add("a", 30);
    const shortened = { ...session, idleTimeoutMinutes: 1 };
    sessions.set("a", shortened);
    deadlines.consider(shortened);
    expect(clock.armedFor).toEqual([started + minute]);
    await clock.advance(minute);
    expect(due).toHaveLength(1);
  });

  test("of sessions that ended otherwise are forgotten", async () => {
    const started = clock.now();
    add("gone", 1);
    add("later", 2);
    sessions.delete("gone");
    await clock.advance(minute);
    expect(due).toEqual([]);
    expect(clock.armedFor).toEqual([started + 2 * minute]);
  });

  test("that passed before they were considered come due at once", async () => {
    const late = makeSession({ id: "late", createdAt: 0, lastAccessedAt: 0 });
    sessions.set("late", late);
    deadlines.consider(late);
    expect(deadlineOf(late).at).toBeLessThan(clock.now());
    await clock.advance(0);
    expect(due.map(({ id }) => id)).toEqual(["late"]);
  });

  test("are not met any more after a stop", async () => {
    add("a", 1);
    deadlines.stop();
    await clock.advance(10 * minute);
    expect(due).toEqual([]);
    expect(clock.armedFor).toEqual([]);
  });

  test("of a session that is started while another comes due are kept", async () => {
    const started = clock.now();
    const successor = makeSession({
      id: "successor",
      createdAt: started + minute,
      lastAccessedAt: started + minute,
      idleTimeoutMinutes: 1,
    });
    const chained = new Deadlines({
      clock,
      sessions: () => sessions.values(),
      onDue: (session) => {
        due.push({ id: session.id, reason: "", at: clock.now() });
        sessions.delete(session.id);
        if (session.id !== "first") return;
        sessions.set("successor", successor);
        chained.consider(successor);
      },
    });
    const first = makeSession({ ...successor, id: "first", createdAt: started });
    sessions.set("first", { ...first, lastAccessedAt: started });
    chained.consider({ ...first, lastAccessedAt: started });
    await clock.advance(5 * minute);
    expect(due.map(({ id, at }) => [id, at])).toEqual([
      ["first", started + minute],
      ["successor", started + 2 * minute],
    ]);
  });
});
