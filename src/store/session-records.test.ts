import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { MemoryStore, makeSession } from "../../tests/support/domain-fakes.ts";
import { defaultBrowserSettings } from "../sessions/browser-settings.ts";
import type { SessionListQuery, SessionStore } from "../sessions/ports.ts";
import { type ActiveSession, endSession } from "../sessions/session.ts";
import { ApiKeyRecords } from "./api-key-records.ts";
import { SessionRecords } from "./session-records.ts";
import { openSqlite } from "./sqlite.ts";

interface OpenStore {
  readonly store: SessionStore;
  /** The store as another process would open it afterwards. */
  reopen(): Promise<SessionStore>;
  close(): Promise<void>;
}

const tenants = ["tenant", "other"] as const;

async function openTemporarySqlite(): Promise<OpenStore> {
  const directory = await mkdtemp(path.join(tmpdir(), "nightjar-store-"));
  const file = path.join(directory, "nightjar.db");
  let database = await openSqlite(file);
  for (const tenant of tenants) await new ApiKeyRecords(database).create(tenant, "test");
  return {
    store: new SessionRecords(database),
    async reopen() {
      await database.close();
      database = await openSqlite(file);
      return new SessionRecords(database);
    },
    async close() {
      await database.close();
      await rm(directory, { recursive: true });
    },
  };
}

async function openMemory(): Promise<OpenStore> {
  const store = new MemoryStore();
  return { store, reopen: async () => store, close: async () => {} };
}

describe.each([
  { name: "SQLite", open: openTemporarySqlite },
  { name: "the store of the tests", open: openMemory },
])("sessions in $name", ({ open }) => {
  let opened: OpenStore;
  let store: SessionStore;

  beforeEach(async () => {
    opened = await open();
    store = opened.store;
  });

  afterEach(() => opened.close());

  async function insert(changes: Partial<ActiveSession> = {}): Promise<ActiveSession> {
    const session = makeSession(changes);
    expect(await store.insert(session, null)).toBe(true);
    return session;
  }

  describe("insert", () => {
    test("keeps every field as it was, also for the next process", async () => {
      const session = await insert({
        apiKeyId: null,
        browserReference: '{"pid":1,"text":"ü\\u0000"}',
        createdAt: 1_764_000_000_123,
        lastAccessedAt: 1_764_000_000_124,
        keepAlive: false,
        settings: {
          browserType: "chrome",
          headless: false,
          userAgent: "Agent/1.0",
          chromeArgs: ["--lang=de"],
          viewport: { width: 800, height: 600 },
          extraHttpHeaders: { "X-Team": "ä'\"" },
          screenshotType: "full",
          useFileStorage: false,
          recording: true,
          recordBodies: true,
          proxy: { kind: "default" },
          attachUrl: "wss://browser.example.com/",
          profile: null,
        },
      });
      expect(await store.find(session.id)).toEqual(session);
      expect(await (await opened.reopen()).find(session.id)).toEqual(session);
    });

    test("of an id that exists is an error and changes nothing", async () => {
      const session = await insert();
      const twin = { ...session, keepAlive: false };
      await expect(store.insert(twin, null)).rejects.toThrow();
      expect(await store.find(session.id)).toEqual(session);
    });

    test("finds nothing under an unknown id", async () => {
      expect(await store.find(crypto.randomUUID())).toBeNull();
    });
  });

  describe("a claim", () => {
    const claim = { key: "once", fingerprint: "abc" };

    test("is found with its session", async () => {
      const session = makeSession();
      expect(await store.findClaim("tenant", "once")).toBeNull();
      expect(await store.insert(session, claim)).toBe(true);
      const found = await store.findClaim("tenant", "once");
      expect(found).toEqual({ sessionId: session.id, fingerprint: "abc" });
    });

    test("that is taken inserts neither claim nor session", async () => {
      const first = makeSession();
      const second = makeSession();
      await store.insert(first, claim);
      expect(await store.insert(second, { key: "once", fingerprint: "other" })).toBe(false);
      expect(await store.find(second.id)).toBeNull();
      expect(await store.findClaim("tenant", "once")).toEqual({
        sessionId: first.id,
        fingerprint: "abc",
      });
    });

    test("is won by exactly one of many who want it at once", async () => {
      const sessions = Array.from({ length: 8 }, () => makeSession());
      const won = await Promise.all(sessions.map((session) => store.insert(session, claim)));
      expect(won.filter((isWinner) => isWinner)).toHaveLength(1);
      expect([...(await store.activeSince({ tenantId: "tenant" })).keys()]).toEqual([
        sessions[won.indexOf(true)]?.id,
      ]);
    });

    test("belongs to its tenant alone", async () => {
      const theirs = makeSession({ tenantId: "other" });
      await store.insert(makeSession(), claim);
      expect(await store.insert(theirs, claim)).toBe(true);
      expect(await store.findClaim("other", "once")).toMatchObject({ sessionId: theirs.id });
    });
  });

  describe("end", () => {
    test("is taken once: the first state stays", async () => {
      const session = await insert();
      const first = endSession(session, "browser_crash", 2_000_000, "It fell over.");
      const second = endSession(session, "client_stop", 3_000_000);
      expect(await store.end(session.id, first.state, 1_500_000)).toBe(true);
      expect(await store.end(session.id, second.state, 2_500_000)).toBe(false);
      expect(await store.find(session.id)).toEqual({ ...first, lastAccessedAt: 1_500_000 });
    });

    test("is won by exactly one of many at once", async () => {
      const session = await insert();
      const reasons = ["client_stop", "idle_timeout", "policy", "server_stop"] as const;
      const won = await Promise.all(
        reasons.map((reason) =>
          store.end(session.id, endSession(session, reason, 2_000_000).state, 1_000_000),
        ),
      );
      expect(won.filter((isWinner) => isWinner)).toHaveLength(1);
      expect(await store.find(session.id)).toMatchObject({
        state: { endReason: reasons[won.indexOf(true)] },
      });
    });

    test("of an unknown session is false", async () => {
      const { state } = endSession(makeSession(), "client_stop", 2_000_000);
      expect(await store.end(crypto.randomUUID(), state, 1)).toBe(false);
    });

    test("is there for the next process", async () => {
      const session = await insert();
      const ended = endSession(session, "max_duration", 2_000_000);
      await store.end(session.id, ended.state, session.lastAccessedAt);
      expect(await (await opened.reopen()).find(session.id)).toEqual(ended);
    });
  });

  describe("limits, accesses and traffic", () => {
    const traffic = { requestBytes: 12_345, responseBytes: 6_789_012_345 };

    test("of an active session are changed, and nothing else is", async () => {
      const session = await insert();
      const retimed = { ...session, idleTimeoutMinutes: 9, keepAlive: false, lastAccessedAt: 7e6 };
      expect(await store.retime({ ...retimed, browserReference: "ignored" })).toBe(true);
      expect(await store.find(session.id)).toEqual(retimed);
    });

    test("of an ended session stay", async () => {
      const session = await insert();
      const ended = endSession(session, "client_stop", 2_000_000);
      await store.end(session.id, ended.state, session.lastAccessedAt);
      expect(await store.retime({ ...session, idleTimeoutMinutes: 9 })).toBe(false);
      await store.saveProgress(new Map([[session.id, { lastAccessedAt: 9e6, traffic }]]));
      expect(await store.find(session.id)).toEqual(ended);
    });

    test("are saved for many sessions together; unknown ones are passed over", async () => {
      const [first, second, third] = [await insert(), await insert(), await insert()];
      await store.saveProgress(
        new Map([
          [first.id, { lastAccessedAt: 2_000_000, traffic }],
          [crypto.randomUUID(), { lastAccessedAt: 5_000_000, traffic }],
          [second.id, { lastAccessedAt: 3_000_000, traffic: second.traffic }],
        ]),
      );
      expect(await store.find(first.id)).toEqual({ ...first, lastAccessedAt: 2_000_000, traffic });
      expect(await store.find(second.id)).toEqual({ ...second, lastAccessedAt: 3_000_000 });
      expect(await store.find(third.id)).toEqual(third);
    });

    test("are saved once more with the end, or stay", async () => {
      const [counted, left] = [await insert({ traffic }), await insert({ traffic })];
      const { state } = endSession(counted, "client_stop", 2_000_000);
      const final = { requestBytes: 5e12, responseBytes: 7 };
      await store.end(counted.id, state, 1_000_000, final);
      await store.end(left.id, state, 1_000_000);
      expect(await store.find(counted.id)).toMatchObject({ traffic: final });
      expect(await store.find(left.id)).toMatchObject({ traffic });
    });

    test("are kept with the proxy that the traffic goes through", async () => {
      const proxy = {
        kind: "external",
        server: "http://proxy.example:8080",
        username: "user",
        password: null,
        bypass: ["*.example.com"],
      } as const;
      const session = await insert({ settings: { ...defaultBrowserSettings, proxy } });
      expect(await store.find(session.id)).toEqual(session);
    });
  });

  describe("the list", () => {
    async function idsOfPage(page: number, pageSize: number): Promise<readonly string[]> {
      const query = { tenantId: "tenant", onlyActive: false, page, pageSize };
      return (await store.list(query)).sessions.map(({ id }) => id);
    }

    test("is newest first, and every session is on exactly one page, same times included", async () => {
      const times = [1000, 3000, 2000, 3000, 3000, 1000, 2000];
      for (const createdAt of times) await insert({ createdAt, lastAccessedAt: createdAt });
      const whole = await store.list({
        tenantId: "tenant",
        onlyActive: false,
        page: 1,
        pageSize: 100,
      });
      expect(whole.sessions.map(({ createdAt }) => createdAt)).toEqual(
        times.toSorted((left, right) => right - left),
      );
      const paged = (await Promise.all([1, 2, 3].map((page) => idsOfPage(page, 3)))).flat();
      expect(paged).toEqual(whole.sessions.map(({ id }) => id));
    });

    test("says whether there is a next page", async () => {
      for (let count = 0; count < 4; count += 1) await insert();
      const query = { tenantId: "tenant", onlyActive: false, pageSize: 2 };
      expect((await store.list({ ...query, page: 1 })).hasNext).toBe(true);
      expect((await store.list({ ...query, page: 2 })).hasNext).toBe(false);
      expect(await store.list({ ...query, page: 3 })).toEqual({ sessions: [], hasNext: false });
    });

    test("can be narrowed to one state, and searched by id, error and end reason", async () => {
      const active = await insert({ id: "0a%b-1" });
      const crashed = await insert({ id: "0a-2" });
      const idle = await insert({ id: "0b-3" });
      const end = endSession(crashed, "browser_crash", 2, "The browser ended: exit_code 5, 100 %.");
      await store.end(crashed.id, end.state, 1);
      await store.end(idle.id, endSession(idle, "idle_timeout", 2).state, 1);
      const found = async (query: Partial<SessionListQuery>) => {
        const all = { tenantId: "tenant", onlyActive: false, page: 1, pageSize: 10 };
        const { sessions } = await store.list({ ...all, ...query });
        return sessions.map(({ id }) => id).sort();
      };
      expect(await found({ status: "active" })).toEqual([active.id]);
      expect(await found({ status: "error" })).toEqual([crashed.id]);
      expect(await found({ status: "timed_out", onlyActive: true })).toEqual([]);
      expect(await found({ search: "0A" })).toEqual([active.id, crashed.id]);
      expect(await found({ search: "0a%" })).toEqual([active.id]);
      expect(await found({ search: "0a_" })).toEqual([]);
      expect(await found({ search: "-2" })).toEqual([]);
      expect(await found({ search: "EXIT_CODE" })).toEqual([crashed.id]);
      expect(await found({ search: "exit code" })).toEqual([]);
      expect(await found({ search: "0 %" })).toEqual([crashed.id]);
      expect(await found({ search: "Idle Timeout" })).toEqual([idle.id]);
      expect(await found({ search: "idle", status: "error" })).toEqual([]);
    });

    test("holds only the tenant's own, and on request only active ones or those of one key", async () => {
      const active = await insert({ apiKeyId: "one" });
      const over = await insert({ apiKeyId: "two" });
      await insert({ tenantId: "other" });
      const { state } = endSession(over, "client_stop", 2_000_000);
      await store.end(over.id, state, over.lastAccessedAt);
      const query = { tenantId: "tenant", page: 1, pageSize: 10 };
      const all = await store.list({ ...query, onlyActive: false });
      expect(all.sessions.map(({ id }) => id).sort()).toEqual([active.id, over.id].sort());
      const running = await store.list({ ...query, onlyActive: true });
      expect(running.sessions).toEqual([active]);
      const ofKey = await store.list({ ...query, onlyActive: false, apiKeyId: "two" });
      expect(ofKey.sessions.map(({ id }) => id)).toEqual([over.id]);
    });
  });

  test("active sessions are counted by node and by tenant", async () => {
    const here = await insert({ nodeId: "here" });
    const there = await insert({ nodeId: "there", tenantId: "other" });
    const over = await insert({ nodeId: "here" });
    const { state } = endSession(over, "client_stop", 2_000_000);
    await store.end(over.id, state, over.lastAccessedAt);
    expect(await store.activeOnNode("here")).toEqual([here]);
    expect(await store.activeSince({ nodeId: "here" })).toEqual(
      new Map([[here.id, here.createdAt]]),
    );
    expect(await store.activeSince({ tenantId: "other" })).toEqual(
      new Map([[there.id, there.createdAt]]),
    );
  });
});
