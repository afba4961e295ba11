import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import fc from "fast-check";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import {
  type FakeBrowser,
  FakeClock,
  FakeGauge,
  FakeHost,
  FakeProfiles,
  MemoryStore,
  makeLimits,
} from "../../tests/support/domain-fakes.ts";
import { ApiKeyRecords } from "../store/api-key-records.ts";
import type { Database } from "../store/database.ts";
import { SessionRecords } from "../store/session-records.ts";
import { openSqlite } from "../store/sqlite.ts";
import { defaultBrowserSettings } from "./browser-settings.ts";
import { messageOf, NightjarError } from "./errors.ts";
import type { Browser, IdempotencyClaim } from "./ports.ts";
import type { ActiveSession, EndedSession, EndedState, EndReason, Session } from "./session.ts";
import {
  type Principal,
  SessionService,
  type SessionServiceOptions,
  type StartRequest,
} from "./session-service.ts";
import { noTracer } from "./tracer.ts";
import type { Traffic } from "./traffic.ts";

const minute = 60_000;
const tenants = ["tenant", "other"] as const;
const principal: Principal = { tenantId: "tenant", apiKeyId: "key" };

/** The real store, failing where a test says so, as a full disk or a lost database would. */
class FaultyRecords extends SessionRecords {
  endsToFail = 0;
  insertsToFail = 0;
  endAttempts = 0;
  /** Awaited before each end is committed. */
  beforeEnd: () => Promise<void> = async () => {};

  override async insert(session: ActiveSession, claim: IdempotencyClaim | null): Promise<boolean> {
    if (this.insertsToFail > 0) {
      this.insertsToFail -= 1;
      throw new Error("the disk is full");
    }
    return super.insert(session, claim);
  }

  override async end(
    id: string,
    state: EndedState,
    lastAccessedAt: number,
    traffic?: Traffic,
  ): Promise<boolean> {
    this.endAttempts += 1;
    await this.beforeEnd();
    if (this.endsToFail > 0) {
      this.endsToFail -= 1;
      throw new Error("the database is locked");
    }
    return super.end(id, state, lastAccessedAt, traffic);
  }
}

let directory: string;
let database: Database;
let store: FaultyRecords;
let clock: FakeClock;
let host: FakeHost;
let ended: EndedSession[];
let failures: string[];
let retimed: number[];
/** The sessions that a service began to serve, with the browsers it was given. */
let served: (readonly [id: string, browser: Browser])[];

/** Holds launches of browsers from the moment that one begins, until they are let go on. */
function heldLaunch() {
  const launching = Promise.withResolvers<void>();
  const entered = Promise.withResolvers<void>();
  host.beforeLaunch = () => {
    entered.resolve();
    return launching.promise;
  };
  return { launching, entered };
}

beforeEach(async () => {
  directory = await mkdtemp(path.join(tmpdir(), "nightjar-service-"));
  // The clock of tests waits for turns of the event loop, not for the disk.
  database = {
    ...(await openSqlite(path.join(directory, "nightjar.db"))),
    flush: async () => {},
  };
  for (const tenant of tenants) await new ApiKeyRecords(database).create(tenant, "test");
  store = new FaultyRecords(database);
  clock = new FakeClock();
  host = new FakeHost();
  ended = [];
  failures = [];
  retimed = [];
  served = [];
});

afterEach(async () => {
  await database.close();
  await rm(directory, { recursive: true });
});

function makeService(changes: Partial<SessionServiceOptions> = {}): SessionService {
  return new SessionService({
    tracer: noTracer,
    store,
    host,
    gauge: new FakeGauge(),
    profiles: new FakeProfiles(),
    clock,
    nodeId: "node",
    maxSessionMinutes: 60,
    recordByDefault: true,
    limits: makeLimits({ maxSessions: 100 }),
    observer: {
      waited: () => {},
      running: ({ id }, browser) => served.push([id, browser]),
      started: () => {},
      changed: (session) => retimed.push(session.idleTimeoutMinutes),
      ended: (session) => ended.push(session),
      failed: (what, _sessionId, error) => failures.push(`${what}: ${messageOf(error)}`),
    },
    ...changes,
  });
}

function request(changes: Partial<StartRequest> = {}): StartRequest {
  return {
    settings: defaultBrowserSettings,
    idleTimeoutMinutes: 3,
    maxDurationMinutes: 15,
    keepAlive: true,
    claim: null,
    ...changes,
  };
}

async function codeOf(work: Promise<unknown>): Promise<string> {
  try {
    await work;
    return "succeeded";
  } catch (error) {
    return error instanceof NightjarError ? error.code : messageOf(error);
  }
}

/** The i-th browser that the host handed out. */
function browserAt(index: number): FakeBrowser {
  const browser = host.browsers[index];
  if (browser === undefined) throw new Error(`the host handed out no browser ${index}`);
  return browser;
}

describe("a start", () => {
  test("is in the store before it is answered", async () => {
    const session = await makeService().start(principal, request());
    expect(await store.find(session.id)).toEqual(session);
    expect(session.state).toEqual({ status: "active" });
  });

  test("that the store refuses releases its browser and leaves nothing", async () => {
    const service = makeService();
    store.insertsToFail = 1;
    await expect(service.start(principal, request())).rejects.toThrow("the disk is full");
    expect(host.running).toEqual([]);
    expect(service.activeCount).toBe(0);
    expect(await store.activeSince({ nodeId: "node" })).toEqual(new Map());
    expect(await codeOf(service.start(principal, request()))).toBe("succeeded");
  });

  test("whose browser does not come gives its room back", async () => {
    const service = makeService({ limits: makeLimits({ maxSessions: 1 }) });
    host.beforeLaunch = async () => {
      throw new NightjarError("browser_unavailable", "no browser");
    };
    expect(await codeOf(service.start(principal, request()))).toBe("browser_unavailable");
    host.beforeLaunch = async () => {};
    expect(await codeOf(service.start(principal, request()))).toBe("succeeded");
  });

  test("beyond the server's limits is refused, naming the field", async () => {
    const service = makeService({ maxSessionMinutes: 10 });
    const tooLong = service.start(principal, request({ maxDurationMinutes: 11 }));
    await expect(tooLong).rejects.toMatchObject({
      code: "invalid_request",
      issues: [{ location: ["body", "max_duration_minutes"] }],
    });
    const tooIdle = request({ maxDurationMinutes: 5, idleTimeoutMinutes: 6 });
    await expect(service.start(principal, tooIdle)).rejects.toMatchObject({
      issues: [{ location: ["body", "idle_timeout_minutes"] }],
    });
    expect(host.browsers).toEqual([]);
  });
});

describe("an idempotent start", () => {
  const claim = { key: "once", fingerprint: "same" };

  test("makes one session for any number of concurrent calls", async () => {
    const service = makeService();
    const sessions = await Promise.all(
      Array.from({ length: 10 }, () => service.start(principal, request({ claim }))),
    );
    expect(new Set(sessions.map(({ id }) => id)).size).toBe(1);
    expect(host.browsers).toHaveLength(1);
  });

  test("makes one session on two nodes at once, and the slower one releases its browser", async () => {
    const otherHost = new FakeHost();
    const nodes = [makeService(), makeService({ host: otherHost, nodeId: "second" })];
    const sessions = await Promise.all(
      nodes.map((service) => service.start(principal, request({ claim }))),
    );
    expect(sessions[0]?.id).toBe(sessions[1]?.id);
    expect(host.running.length + otherHost.running.length).toBe(1);
  });

  test("answers the same session after a restart, also when it has ended", async () => {
    const first = makeService();
    const session = await first.start(principal, request({ claim }));
    await first.stop(principal, session.id);
    const again = await makeService().start(principal, request({ claim }));
    expect(again).toMatchObject({ id: session.id, state: { endReason: "client_stop" } });
  });

  test("with the key of another request is a conflict, at once and later", async () => {
    const service = makeService();
    const other = request({ claim: { key: "once", fingerprint: "other" } });
    const first = service.start(principal, request({ claim }));
    expect(await codeOf(service.start(principal, other))).toBe("idempotency_conflict");
    await first;
    expect(await codeOf(service.start(principal, other))).toBe("idempotency_conflict");
  });

  test("may use a key that another tenant used", async () => {
    const service = makeService();
    const mine = await service.start(principal, request({ claim }));
    const theirs = await service.start(
      { tenantId: "other", apiKeyId: "theirs" },
      request({ claim }),
    );
    expect(theirs.id).not.toBe(mine.id);
  });

  test("that failed may be tried again with its key", async () => {
    const service = makeService();
    store.insertsToFail = 1;
    await expect(service.start(principal, request({ claim }))).rejects.toThrow();
    expect(await codeOf(service.start(principal, request({ claim })))).toBe("succeeded");
    expect(host.running).toHaveLength(1);
  });

  describe("that waits for room", () => {
    let service: SessionService;
    let occupant: Session;

    beforeEach(async () => {
      service = makeService({
        store: new MemoryStore(),
        limits: makeLimits({ maxSessions: 1, queueTimeoutMs: 30_000 }),
      });
      occupant = await service.start(principal, request());
    });

    async function waits(count: number): Promise<void> {
      for (let turn = 0; turn < 20; turn += 1) await clock.advance(50);
      expect(service.waitingCount).toBe(count);
    }

    test("holds one place for all who repeat it, and makes one session", async () => {
      const starts = [1, 2, 3].map(() => service.start(principal, request({ claim })));
      await waits(1);
      starts.push(service.start(principal, request({ claim })));
      await waits(1);
      await service.stop(principal, occupant.id);
      const ids = (await Promise.all(starts)).map(({ id }) => id);
      expect(new Set(ids).size).toBe(1);
      expect(host.running).toHaveLength(1);
    });

    test("goes on for a repeat when the first client has gone", async () => {
      const client = new AbortController();
      const first = service.start(principal, request({ claim }), client.signal);
      await waits(1);
      const repeat = service.start(principal, request({ claim }), new AbortController().signal);
      client.abort();
      await waits(1);
      await service.stop(principal, occupant.id);
      expect((await repeat).id).toBe((await first).id);
      expect(host.running).toHaveLength(1);
    });

    test("is given up when all its clients have gone, and a repeat after that is a first one", async () => {
      const clients = [new AbortController(), new AbortController()];
      const gone = clients.map(({ signal }) =>
        codeOf(service.start(principal, request({ claim }), signal)),
      );
      await waits(1);
      for (const client of clients) client.abort();
      // Comes before the first ones are through with leaving.
      const repeat = service.start(principal, request({ claim }), new AbortController().signal);
      expect(await Promise.all(gone)).toEqual(["client_gone", "client_gone"]);
      await waits(1);
      await service.stop(principal, occupant.id);
      expect((await repeat).state.status).toBe("active");
      expect(host.running).toHaveLength(1);
    });
  });
});

describe("an end", () => {
  test("that comes first wins, and all who come meanwhile get the same answer", async () => {
    const reasons: readonly EndReason[] = ["policy", "browser_crash", "server_stop"];
    await fc.assert(
      fc.asyncProperty(fc.shuffledSubarray([...reasons], { minLength: 2 }), async (order) => {
        const service = makeService();
        ended = [];
        const session = await service.start(principal, request());
        const ends = order.map((reason) => service.endById(session.id, reason));
        const stopped = await service.stop(principal, session.id);
        await Promise.all(ends);
        expect(stopped.state).toMatchObject({ endReason: order[0] });
        expect(await store.find(session.id)).toEqual(stopped);
        expect(ended).toEqual([stopped]);
      }),
      { numRuns: 20 },
    );
  });

  test("is told to every listener once, and releases the browser", async () => {
    const service = makeService();
    const session = await service.start(principal, request());
    const told: (EndReason | undefined)[] = [];
    service.onEnd(session.id, (end) => told.push(end?.state.endReason));
    const cancel = service.onEnd(session.id, () => told.push("node_lost"));
    cancel?.();
    await Promise.all([1, 2, 3].map(() => service.stop(principal, session.id)));
    expect(told).toEqual(["client_stop"]);
    expect(browserAt(0).released).toBe(true);
    expect(service.onEnd(session.id, () => {})).toBeNull();
  });

  test("asked for again answers the final record", async () => {
    const service = makeService();
    const session = await service.start(principal, request());
    const first = await service.stop(principal, session.id, "enough");
    await clock.advance(minute);
    expect(await service.stop(principal, session.id)).toEqual(first);
    expect(first.state).toMatchObject({ status: "closed", error: "enough" });
  });

  test("of a session that another node ended answers that end", async () => {
    const service = makeService();
    const session = await service.start(principal, request());
    const elsewhere: EndedState = {
      status: "error",
      endReason: "node_lost",
      error: null,
      closedAt: clock.now(),
      profileSave: null,
    };
    await store.end(session.id, elsewhere, clock.now());
    expect((await service.stop(principal, session.id)).state).toEqual(elsewhere);
    expect(host.running).toEqual([]);
  });

  test("that the store does not take leaves the session active, and may be asked for again", async () => {
    const service = makeService();
    const session = await service.start(principal, request());
    store.endsToFail = 1;
    await expect(service.stop(principal, session.id)).rejects.toThrow("the database is locked");
    expect((await service.get(principal, session.id)).state.status).toBe("active");
    expect(browserAt(0).released).toBe(false);
    expect((await service.stop(principal, session.id)).state.status).toBe("closed");
  });

  test("by a lost browser is tried until the store takes it", async () => {
    const service = makeService();
    const session = await service.start(principal, request());
    store.endsToFail = 3;
    browserAt(0).lose({ reason: "out_of_memory", message: "It used 4 GB." });
    await clock.advance(10_000);
    expect((await service.get(principal, session.id)).state).toMatchObject({
      status: "error",
      endReason: "out_of_memory",
      error: "It used 4 GB.",
    });
    expect(failures).toHaveLength(3);
    expect(service.activeCount).toBe(0);
  });

  test("at a deadline is tried until the store takes it", async () => {
    const service = makeService();
    const session = await service.start(principal, request({ idleTimeoutMinutes: 1 }));
    store.endsToFail = 3;
    await clock.advance(minute + 10_000);
    expect(await store.find(session.id)).toMatchObject({
      state: { status: "timed_out", endReason: "idle_timeout" },
    });
  });

  test("at a deadline is tried about once a second while the store takes none", async () => {
    const service = makeService();
    await service.start(principal, request({ idleTimeoutMinutes: 1 }));
    store.endsToFail = Number.POSITIVE_INFINITY;
    await clock.advance(minute);
    await clock.advance(10_000);
    expect(store.endAttempts).toBeGreaterThanOrEqual(5);
    expect(store.endAttempts).toBeLessThanOrEqual(25);
  });

  test("of an ending session refuses new operations with its reason", async () => {
    const service = makeService();
    const session = await service.start(principal, request());
    expect(await service.browserOf(session.id, principal)).toBe(browserAt(0));
    await service.stop(principal, session.id);
    await expect(service.browserOf(session.id, principal)).rejects.toMatchObject({
      code: "session_ended",
      message: expect.stringContaining("client_stop"),
    });
  });
});

describe("deadlines and accesses", () => {
  test("an access moves the idle deadline and is saved within two seconds", async () => {
    const service = makeService();
    await service.recover();
    const session = await service.start(principal, request({ idleTimeoutMinutes: 1 }));
    await clock.advance(45_000);
    service.touch(session.id);
    const touchedAt = clock.now();
    await clock.advance(2000);
    expect(await store.find(session.id)).toMatchObject({ lastAccessedAt: touchedAt });
    await clock.advance(45_000);
    expect((await service.get(principal, session.id)).state.status).toBe("active");
    await clock.advance(15_000);
    expect((await service.get(principal, session.id)).state).toMatchObject({
      endReason: "idle_timeout",
      closedAt: touchedAt + minute,
    });
  });

  test("the maximum duration holds however often the session is used", async () => {
    const service = makeService();
    const limits = { idleTimeoutMinutes: 1, maxDurationMinutes: 2 };
    const session = await service.start(principal, request(limits));
    for (let seconds = 0; seconds < 120; seconds += 10) {
      service.touch(session.id);
      await clock.advance(10_000);
    }
    expect((await service.get(principal, session.id)).state).toMatchObject({
      status: "timed_out",
      endReason: "max_duration",
    });
  });

  test("looking and listing are no accesses", async () => {
    const service = makeService();
    const session = await service.start(principal, request());
    await clock.advance(minute);
    await service.get(principal, session.id);
    await service.list({ tenantId: "tenant", onlyActive: true, page: 1, pageSize: 10 });
    expect(await service.get(principal, session.id)).toEqual(session);
  });

  test("keepAlive counts as an access and gives a new idle timeout at once", async () => {
    const service = makeService();
    const session = await service.start(principal, request({ keepAlive: false }));
    await clock.advance(2 * minute);
    const changes = { idleTimeoutMinutes: 10, keepAlive: true };
    const kept = await service.keepAlive(principal, session.id, changes);
    expect(retimed).toEqual([10]);
    expect(kept).toMatchObject({ ...changes, lastAccessedAt: clock.now() });
    expect(await store.find(session.id)).toEqual(kept);
    await clock.advance(9 * minute);
    expect((await service.get(principal, session.id)).state.status).toBe("active");
  });

  test("keepAlive may bring the deadline closer", async () => {
    const service = makeService();
    const session = await service.start(principal, request({ idleTimeoutMinutes: 10 }));
    await service.keepAlive(principal, session.id, { idleTimeoutMinutes: 1 });
    await clock.advance(minute);
    expect((await service.get(principal, session.id)).state).toMatchObject({
      endReason: "idle_timeout",
    });
  });

  test("keepAlive of a session that has ended answers its final record unchanged", async () => {
    const service = makeService();
    const session = await service.start(principal, request());
    const final = await service.stop(principal, session.id);
    await clock.advance(minute);
    const answer = await service.keepAlive(principal, session.id, { idleTimeoutMinutes: 30 });
    expect(answer).toEqual(final);
    expect(await store.find(session.id)).toEqual(final);
  });

  test("two concurrent keepAlive calls both hold", async () => {
    const service = makeService();
    const session = await service.start(principal, request({ keepAlive: false }));
    await Promise.all([
      service.keepAlive(principal, session.id, { idleTimeoutMinutes: 10 }),
      service.keepAlive(principal, session.id, { keepAlive: true }),
    ]);
    const changed = { idleTimeoutMinutes: 10, keepAlive: true };
    expect(await service.get(principal, session.id)).toMatchObject(changed);
    expect(await store.find(session.id)).toMatchObject(changed);
  });
});

describe("another tenant's session", () => {
  test("does not exist, for any operation", async () => {
    const service = makeService();
    const session = await service.start(principal, request());
    const stranger: Principal = { tenantId: "other", apiKeyId: "theirs" };
    for (const attempt of [
      service.get(stranger, session.id),
      service.stop(stranger, session.id),
      service.keepAlive(stranger, session.id, {}),
      service.browserOf(session.id, stranger),
    ]) {
      expect(await codeOf(attempt)).toBe("session_not_found");
    }
    expect((await service.get(principal, session.id)).state.status).toBe("active");
  });
});

describe("admission", () => {
  interface Attempt {
    readonly tenantId: string;
    readonly turns: number;
  }

  const attempts = fc.array(
    fc.record({ tenantId: fc.constantFrom(...tenants), turns: fc.nat(5) }),
    { maxLength: 12 },
  );

  test("lets in exactly as many concurrent starts as there is room for", async () => {
    await fc.assert(
      fc.asyncProperty(fc.nat(6), attempts, async (room, starts) => {
        const service = makeService({
          store: new MemoryStore(),
          host: new FakeHost(),
          limits: makeLimits({ maxSessions: room }),
        });
        const codes = await Promise.all(
          starts.map(({ tenantId }) =>
            codeOf(service.start({ tenantId, apiKeyId: "key" }, request())),
          ),
        );
        const admitted = codes.filter((code) => code === "succeeded").length;
        expect(admitted).toBe(Math.min(room, starts.length));
        expect(codes.filter((code) => code === "at_capacity")).toHaveLength(
          starts.length - admitted,
        );
      }),
      { numRuns: 50 },
    );
  });

  test("never lets in more than the limit while sessions come and go, and recovers all room", async () => {
    await fc.assert(
      fc.asyncProperty(fc.integer({ min: 1, max: 4 }), attempts, async (room, starts) => {
        const someHost = new FakeHost();
        const service = makeService({
          store: new MemoryStore(),
          host: someHost,
          limits: makeLimits({ maxSessions: room }),
        });
        let most = 0;
        const live = async ({ tenantId, turns }: Attempt): Promise<void> => {
          const owner = { tenantId, apiKeyId: "key" };
          for (let round = 0; round < turns; round += 1) {
            try {
              const session = await service.start(owner, request());
              most = Math.max(most, someHost.running.length);
              await service.stop(owner, session.id);
            } catch (error) {
              expect(error).toMatchObject({ code: "at_capacity" });
            }
          }
        };
        await Promise.all(starts.map(live));
        expect(most).toBeLessThanOrEqual(room);
        const codes = await Promise.all(
          Array.from({ length: room }, () => codeOf(service.start(principal, request()))),
        );
        expect(codes).toEqual(Array.from({ length: room }, () => "succeeded"));
      }),
      { numRuns: 50 },
    );
  });

  test("keeps each tenant to its own limit", async () => {
    const service = makeService({
      limits: makeLimits({ maxSessions: 10, maxSessionsPerTenant: 2 }),
    });
    const codes = await Promise.all(
      ["tenant", "tenant", "tenant", "other"].map((tenantId) =>
        codeOf(service.start({ tenantId, apiKeyId: "key" }, request())),
      ),
    );
    expect(codes).toEqual(["succeeded", "succeeded", "tenant_limit", "succeeded"]);
  });

  test("does not count a start that is itself refused against another tenant", async () => {
    const service = makeService({
      limits: makeLimits({ maxSessions: 2, maxSessionsPerTenant: 1 }),
    });
    await service.start(principal, request());
    const codes = await Promise.all(
      ["tenant", "other"].map((tenantId) =>
        codeOf(service.start({ tenantId, apiKeyId: "key" }, request())),
      ),
    );
    expect(codes).toEqual(["tenant_limit", "succeeded"]);
  });
});

describe("draining", () => {
  test("starts no more, and is over when the last session has ended by itself", async () => {
    const service = makeService();
    const [one, two] = [
      await service.start(principal, request()),
      await service.start(principal, request({ idleTimeoutMinutes: 2 })),
    ];
    service.drain();
    let over = false;
    const emptied = service.emptied().then(() => {
      over = true;
    });
    expect(await codeOf(service.start(principal, request()))).toBe("shutting_down");
    expect(await service.pressure()).toMatchObject({ running: 2, free: 0, blockedBy: "draining" });
    await service.stop(principal, one.id);
    await clock.advance(minute);
    expect(over).toBe(false);
    await clock.advance(minute);
    await emptied;
    expect(await store.find(two.id)).toMatchObject({ state: { endReason: "idle_timeout" } });
  });

  test("counts a start that is under way", async () => {
    const service = makeService();
    const { launching, entered } = heldLaunch();
    const start = service.start(principal, request());
    await entered.promise;
    service.drain();
    const order: string[] = [];
    const emptied = service.emptied().then(() => order.push("emptied"));
    launching.resolve();
    const session = await start;
    order.push("started");
    await service.stop(principal, session.id);
    await emptied;
    expect(order).toEqual(["started", "emptied"]);
  });
});

describe("a planned stop", () => {
  test("with close ends every session with server_stop and starts no more", async () => {
    const service = makeService();
    const started = await Promise.all([1, 2, 3].map(() => service.start(principal, request())));
    await service.shutDown("close");
    for (const { id } of started) {
      expect(await store.find(id)).toMatchObject({
        state: { status: "closed", endReason: "server_stop" },
      });
    }
    expect(host.running).toEqual([]);
    expect(await codeOf(service.start(principal, request()))).toBe("shutting_down");
  });

  test("with keep saves the accesses, leaves sessions and browsers, and tells the listeners", async () => {
    const service = makeService();
    const session = await service.start(principal, request());
    const told: (EndedSession | null)[] = [];
    service.onEnd(session.id, (end) => told.push(end));
    await clock.advance(500);
    service.touch(session.id);
    await service.shutDown("keep");
    expect(told).toEqual([null]);
    expect(browserAt(0).released).toBe(false);
    expect(await store.find(session.id)).toMatchObject({
      state: { status: "active" },
      lastAccessedAt: clock.now(),
    });
  });

  test.each(["close", "keep"] as const)(
    "with %s waits for starts that are under way",
    async (mode) => {
      const service = makeService();
      const { launching, entered } = heldLaunch();
      const start = service.start(principal, request());
      await entered.promise;
      const code = codeOf(start);
      const stop = service.shutDown(mode);
      launching.resolve();
      expect(await code).toBe(mode === "close" ? "shutting_down" : "succeeded");
      await stop;
      // What is kept is the next process's.
      expect(host.running).toHaveLength(mode === "close" ? 0 : 1);
      expect(await store.activeOnNode("node")).toHaveLength(mode === "close" ? 0 : 1);
    },
  );

  test("leaves no session behind of a start that takes too long", async () => {
    const service = makeService();
    const launching = Promise.withResolvers<void>();
    host.beforeLaunch = () => launching.promise;
    const code = codeOf(service.start(principal, request()));
    const stop = service.shutDown("keep");
    await clock.advance(5000);
    await stop;
    launching.resolve();
    expect(await code).toBe("shutting_down");
    expect(host.running).toEqual([]);
    expect(await store.activeOnNode("node")).toEqual([]);
  });

  test("with close waits for ends that are under way", async () => {
    const service = makeService();
    const session = await service.start(principal, request());
    const committing = Promise.withResolvers<void>();
    const entered = Promise.withResolvers<void>();
    store.beforeEnd = () => {
      entered.resolve();
      return committing.promise;
    };
    const order: string[] = [];
    const stop = service.stop(principal, session.id).then(() => order.push("session stopped"));
    await entered.promise;
    const shutDown = service.shutDown("close").then(() => order.push("server stopped"));
    await clock.advance(0);
    committing.resolve();
    await Promise.all([stop, shutDown]);
    expect(order).toEqual(["session stopped", "server stopped"]);
  });
});

describe("after a restart", () => {
  test("sessions go on with their browsers and their stored deadlines", async () => {
    const session = await makeService().start(principal, request({ idleTimeoutMinutes: 2 }));
    await clock.advance(minute);
    const service = makeService();
    await service.recover();
    expect(await service.browserOf(session.id, principal)).toBe(browserAt(0));
    await clock.advance(minute);
    expect((await service.get(principal, session.id)).state).toMatchObject({
      status: "timed_out",
      endReason: "idle_timeout",
      closedAt: session.createdAt + 2 * minute,
    });
    expect(browserAt(0).released).toBe(true);
  });

  test("sessions whose browser is gone end with what the host says", async () => {
    const session = await makeService().start(principal, request());
    host.browsers.splice(0);
    const service = makeService();
    await service.recover();
    expect(await store.find(session.id)).toMatchObject({
      state: { status: "error", endReason: "browser_crash", error: "It is not running." },
    });
    expect(service.activeCount).toBe(0);
  });

  test("sessions whose deadline passed meanwhile time out and their browsers are ended", async () => {
    const session = await makeService({ clock: new FakeClock() }).start(principal, request());
    await clock.advance(4 * minute);
    await makeService().recover();
    expect(await store.find(session.id)).toMatchObject({
      state: { status: "timed_out", endReason: "idle_timeout" },
    });
    expect(host.running).toEqual([]);
  });

  test("browsers that no session owns are ended, and other nodes' sessions left alone", async () => {
    const other = await makeService({ nodeId: "second", host: new FakeHost() }).start(
      principal,
      request(),
    );
    const stray = await host.acquire();
    await makeService().recover();
    expect(host.browsers.find(({ reference }) => reference === stray.reference)?.released).toBe(
      true,
    );
    expect((await store.find(other.id))?.state.status).toBe("active");
  });

  test("whoever works beside the service is told of each session that it serves, and of no other", async () => {
    const before = makeService();
    const session = await before.start(principal, request());
    const [browser] = host.browsers;
    expect(served).toEqual([[session.id, browser]]);
    host.beforeLaunch = () => Promise.reject(new Error("no browser"));
    await expect(before.start(principal, request())).rejects.toThrow("no browser");
    await before.shutDown("keep");
    await makeService().recover();
    expect(served).toEqual([
      [session.id, browser],
      [session.id, browser],
    ]);
  });

  test("a recovered session still ends when its browser is lost", async () => {
    const session = await makeService().start(principal, request());
    const service = makeService();
    await service.recover();
    browserAt(0).lose({ reason: "browser_crash", message: "It fell over." });
    await clock.advance(0);
    await expect
      .poll(async () => (await store.find(session.id))?.state)
      .toMatchObject({ status: "error", error: "It fell over." });
  });
});
