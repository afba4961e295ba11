import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { makeSession } from "../../tests/support/domain-fakes.ts";
import type { ProfileRecord } from "../profiles/profile-store.ts";
import { defaultBrowserSettings } from "../sessions/browser-settings.ts";
import { ProfileChanged } from "../sessions/profile.ts";
import { type ActiveSession, endReasons, endSession } from "../sessions/session.ts";
import { ApiKeyRecords } from "./api-key-records.ts";
import type { Database } from "./database.ts";
import { ProfileRecords } from "./profile-records.ts";
import { SessionRecords } from "./session-records.ts";
import { openSqlite } from "./sqlite.ts";

let database: Database;
let profiles: ProfileRecords;
let sessions: SessionRecords;

beforeEach(async () => {
  database = await openSqlite(":memory:");
  await new ApiKeyRecords(database).create("tenant", "test");
  profiles = new ProfileRecords(database);
  sessions = new SessionRecords(database);
});

afterEach(() => database.close());

async function profile(changes: Partial<ProfileRecord> = {}): Promise<ProfileRecord> {
  const made: ProfileRecord = {
    id: `notte-profile-${crypto.randomUUID()}`,
    tenantId: "tenant",
    name: "shop",
    createdAt: 1_795_521_600_000,
    updatedAt: 1_795_521_600_000,
    domains: [],
    revision: 1,
    stateFile: null,
    ...changes,
  };
  expect(await profiles.insert(made, 100)).toBe(true);
  return made;
}

function using(id: string, persist: boolean): ActiveSession {
  return makeSession({ settings: { ...defaultBrowserSettings, profile: { id, persist } } });
}

function written(profileId: string, writer: { sessionId: string } | { revision: number }) {
  return { profileId, writer, stateFile: "new", domains: ["example.com"], at: 1_795_521_700_000 };
}

test("a profile is kept as it was, for its tenant alone", async () => {
  const made = await profile({ domains: ["a.example", "ü"], stateFile: "file" });
  expect(await profiles.find("tenant", made.id)).toEqual(made);
  expect(await profiles.find("other", made.id)).toBeNull();
  await expect(profiles.delete("other", made.id)).rejects.toThrow("No profile");
  expect(await profiles.delete("tenant", made.id)).toBe("file");
  expect(await profiles.find("tenant", made.id)).toBeNull();
});

test("names are found whatever their letter case, in pages", async () => {
  const [first, second] = [await profile({ name: "Ärzte 100%" }), await profile({ name: "ärzte" })];
  await profile({ name: "shop" });
  await profile({ name: null });
  const idsOf = async (name: string, page: number, pageSize: number) => {
    const found = await profiles.list({ tenantId: "tenant", name, page, pageSize });
    return { ids: found.profiles.map(({ id }) => id).sort(), hasNext: found.hasNext };
  };
  const both = [first.id, second.id].sort();
  expect(await idsOf("ÄRZTE", 1, 2)).toEqual({ ids: both, hasNext: false });
  expect(await idsOf("0%", 1, 2)).toEqual({ ids: [first.id], hasNext: false });
  expect((await idsOf("ä", 1, 1)).hasNext).toBe(true);
  expect((await idsOf("ä", 2, 1)).hasNext).toBe(false);
});

test("no more profiles are made than a tenant may have", async () => {
  const made = await profile();
  await profile({ tenantId: "other" });
  expect(await profiles.insert({ ...made, id: "second" }, 1)).toBe(false);
  expect(await profiles.insert({ ...made, id: "second" }, 2)).toBe(true);
});

describe("a session that persists a profile", () => {
  test("is the only one, until it ends, for whatever reason", async () => {
    const { id } = await profile();
    for (const reason of endReasons) {
      const first = using(id, true);
      await sessions.insert(first, null, 1);
      expect(await profiles.sessionPersisting(id)).toBe(first.id);
      await expect(sessions.insert(using(id, true), null, 1)).rejects.toThrow(first.id);
      const claim = { key: reason, fingerprint: "f" };
      await expect(sessions.insert(using(id, true), claim, 1)).rejects.toThrow(first.id);
      await sessions.insert(using(id, false), null, 1);
      await expect(profiles.delete("tenant", id)).rejects.toThrow(first.id);
      const { state } = endSession(first, reason, 2_000_000);
      await sessions.end(first.id, state, 2_000_000);
      expect(await profiles.sessionPersisting(id)).toBeNull();
    }
  });

  test("is one of many that begin at once", async () => {
    const { id } = await profile();
    const inserts = await Promise.allSettled(
      [1, 2, 3, 4].map(() => sessions.insert(using(id, true), null, 1)),
    );
    expect(inserts.filter(({ status }) => status === "fulfilled")).toHaveLength(1);
  });

  test("does not begin with a state that is not the profile's any more, nor without the profile", async () => {
    const { id } = await profile();
    await profiles.write(written(id, { revision: 1 }));
    const late = using(id, true);
    await expect(sessions.insert(late, null, 1)).rejects.toThrow(ProfileChanged);
    expect(await sessions.find(late.id)).toBeNull();
    // What only reads it harms nobody by what it read.
    expect(await sessions.insert(using(id, false), null, 1)).toBe(true);
    await profiles.delete("tenant", id);
    await expect(sessions.insert(using(id, false), null, 2)).rejects.toThrow("No profile");
  });

  test("alone writes the profile, while it runs and not afterwards", async () => {
    const { id } = await profile({ stateFile: "old" });
    const session = using(id, true);
    await sessions.insert(session, null, 1);
    await expect(profiles.write(written(id, { revision: 1 }))).rejects.toThrow(session.id);
    const other = written(id, { sessionId: crypto.randomUUID() });
    await expect(profiles.write(other)).rejects.toThrow(ProfileChanged);
    expect(await profiles.write(written(id, { sessionId: session.id }))).toBe("old");
    expect(await profiles.find("tenant", id)).toMatchObject({
      ...{ revision: 2, stateFile: "new", domains: ["example.com"] },
      updatedAt: 1_795_521_700_000,
    });
    const { state } = endSession(session, "client_stop", 2_000_000);
    await sessions.end(session.id, state, 2_000_000);
    const late = written(id, { sessionId: session.id });
    await expect(profiles.write(late)).rejects.toThrow(ProfileChanged);
  });

  test("has what became of it in its record", async () => {
    const { id } = await profile();
    const session = using(id, true);
    await sessions.insert(session, null, 1);
    const save = { savedAt: 1_795_521_700_000, error: "Not all of it." };
    const ended = endSession(session, "idle_timeout", 2_000_000, null, save);
    await sessions.end(session.id, ended.state, session.lastAccessedAt);
    expect(await sessions.find(session.id)).toEqual(ended);
    expect(ended.state.profileSave).toEqual(save);
  });
});

test("a file is not given up for removal while the disk may still say that it is the state", async () => {
  const broken = { ...database, flush: () => Promise.reject(new Error("the disk fails")) };
  const records = new ProfileRecords(broken);
  const { id } = await profile({ stateFile: "old" });
  expect(await records.write(written(id, { revision: 1 }))).toBeNull();
  expect(await profiles.find("tenant", id)).toMatchObject({ stateFile: "new" });
  expect(await records.delete("tenant", id)).toBeNull();
  expect(await profiles.find("tenant", id)).toBeNull();
});

test("two who read the same state do not both write it", async () => {
  const { id } = await profile();
  const writes = await Promise.allSettled(
    [1, 2].map(() => profiles.write(written(id, { revision: 1 }))),
  );
  expect(writes.map(({ status }) => status).sort()).toEqual(["fulfilled", "rejected"]);
  expect(await profiles.stateFiles()).toEqual(["new"]);
});
