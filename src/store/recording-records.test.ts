import { afterEach, beforeEach, expect, test } from "vitest";
import { makeSession } from "../../tests/support/domain-fakes.ts";
import { ApiKeyRecords } from "./api-key-records.ts";
import type { Database } from "./database.ts";
import { RecordingRecords } from "./recording-records.ts";
import { SessionRecords } from "./session-records.ts";
import { openSqlite } from "./sqlite.ts";

let database: Database;
let recordings: RecordingRecords;

beforeEach(async () => {
  database = await openSqlite(":memory:");
  await new ApiKeyRecords(database).create("tenant", "test");
  recordings = new RecordingRecords(database);
});

afterEach(async () => {
  await database.close();
});

async function session(): Promise<string> {
  const made = makeSession();
  await new SessionRecords(database).insert(made, null);
  return made.id;
}

test("what became of a recording is kept, the last that was said of it", async () => {
  const [first, second, third] = [await session(), await session(), await session()];
  const ready = {
    sessionId: first,
    status: "ready",
    startedAt: 1_795_521_600_000,
    durationMs: 61_250,
    sizeBytes: 5_000_000_000,
    thinnedAt: null,
  } as const;
  const failed = { sessionId: second, status: "failed", error: "no 'encoder'" } as const;
  await recordings.save(ready);
  await recordings.save(failed);
  expect(await recordings.find(first)).toEqual(ready);
  expect(await recordings.find(third)).toBeNull();
  const found = await recordings.findAll([third, second, first]);
  expect(Object.fromEntries(found)).toEqual({ [first]: ready, [second]: failed });

  const thinned = { ...ready, thinnedAt: 1_795_521_700_000 };
  await recordings.save(thinned);
  expect(await recordings.find(first)).toEqual(thinned);
  await recordings.save({ sessionId: first, status: "removed" });
  expect(await recordings.find(first)).toEqual({ sessionId: first, status: "removed" });
});
