import { afterEach, beforeEach, expect, test } from "vitest";
import { makeSession } from "../../tests/support/domain-fakes.ts";
import { endSession } from "../sessions/session.ts";
import { ApiKeyRecords } from "./api-key-records.ts";
import type { Database } from "./database.ts";
import { EndedSessionRecords } from "./ended-session-records.ts";
import { RecordingRecords } from "./recording-records.ts";
import { SessionRecords } from "./session-records.ts";
import { openSqlite } from "./sqlite.ts";
import { StepRecords } from "./step-records.ts";

let database: Database;
let sessions: SessionRecords;
let steps: StepRecords;
let ended: EndedSessionRecords;

beforeEach(async () => {
  database = await openSqlite(":memory:");
  await new ApiKeyRecords(database).create("tenant", "test");
  sessions = new SessionRecords(database);
  steps = new StepRecords(database);
  ended = new EndedSessionRecords(database);
});

afterEach(() => database.close());

/** `endedAt`: null for one that runs. */
async function place(id: string, endedAt: number | null, stepCount = 1): Promise<void> {
  const session = makeSession({ id, createdAt: 1 });
  await sessions.insert(session, { key: `key of ${id}`, fingerprint: "same" });
  for (let n = 0; n < stepCount; n += 1) {
    const step = { kind: "screenshot", startedAt: 1, endedAt: 2, url: "", sizeBytes: n } as const;
    await steps.append(id, step, { B: n });
  }
  if (endedAt === null) return;
  await new RecordingRecords(database).save({ sessionId: id, status: "removed" });
  await sessions.end(id, endSession(session, "client_stop", endedAt).state, endedAt);
}

test("those that ended before a time are found, the first to end first", async () => {
  await place("running", null);
  await place("second", 20);
  await place("first", 10);
  await place("third", 30);
  expect(await ended.endedBefore(30, 10)).toEqual(["first", "second"]);
  expect(await ended.endedBefore(100, 1)).toEqual(["first"]);
});

test("a session that ended is removed with all that speaks of it, and no other", async () => {
  await place("old", 10, 1200);
  await place("kept", 20, 3);
  await place("running", null);
  await steps.noteStarted("old", { startedAt: 1, url: "", asked: { kind: "pdf" } });
  for (const id of ["old", "old", "running", "nobody"]) await ended.remove(id);
  expect(await sessions.find("old")).toBeNull();
  expect(await sessions.findClaim("tenant", "key of old")).toBeNull();
  expect(await new RecordingRecords(database).find("old")).toBeNull();
  expect(await steps.count("old")).toBe(0);
  for (const id of ["kept", "running"]) {
    expect(await sessions.find(id)).not.toBeNull();
    expect(await sessions.findClaim("tenant", `key of ${id}`)).toMatchObject({ sessionId: id });
    expect(await steps.count(id)).toBeGreaterThan(0);
  }
  // The key may be used again.
  const claim = { key: "key of old", fingerprint: "other" };
  expect(await sessions.insert(makeSession({ id: "old" }), claim)).toBe(true);
});
