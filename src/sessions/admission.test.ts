import fc from "fast-check";
import { beforeEach, describe, expect, test } from "vitest";
import {
  FakeClock,
  FakeGauge,
  MemoryStore,
  makeLimits,
  makeSession,
} from "../../tests/support/domain-fakes.ts";
import { Admission, type AdmissionLimits, type WaitOutcome } from "./admission.ts";
import { messageOf, NightjarError } from "./errors.ts";
import { bytesPerSession } from "./host-room.ts";
import { noTracer } from "./tracer.ts";

const second = 1000;
const minute = 60 * second;

let store: MemoryStore;
let gauge: FakeGauge;
let clock: FakeClock;
let waits: (readonly [tenantId: string, waitedMs: number, outcome: WaitOutcome])[];

beforeEach(() => {
  store = new MemoryStore();
  gauge = new FakeGauge();
  clock = new FakeClock();
  waits = [];
});

interface Asking {
  readonly tenantId: string;
  readonly apiKeyId: string;
  readonly signal: AbortSignal;
}

/** A host whose sessions are rows in a store. */
class Door {
  readonly admission: Admission;
  /** The ids of sessions that were let in, in order. */
  readonly letIn: string[] = [];
  /** Awaited by every start. */
  beforeStart: () => Promise<void> = async () => {};

  constructor(changes: Partial<AdmissionLimits>) {
    this.admission = new Admission({
      tracer: noTracer,
      store,
      gauge,
      clock,
      nodeId: "node",
      limits: makeLimits({ queueTimeoutMs: 30 * second, ...changes }),
      onWaited: ({ tenantId }, waitedMs, outcome) => waits.push([tenantId, waitedMs, outcome]),
    });
  }

  /** Asks to be let in; answers the outcome, once there is one. */
  async ask(sessionId: string, who: Partial<Asking> = {}): Promise<string> {
    const { tenantId = "tenant", apiKeyId = `key of ${tenantId}`, signal } = who;
    const start = async (): Promise<void> => {
      await this.beforeStart();
      this.letIn.push(sessionId);
      const createdAt = clock.now();
      await store.insert(makeSession({ id: sessionId, tenantId, apiKeyId, createdAt }), null);
    };
    try {
      await this.admission.admit({ sessionId, tenantId, apiKeyId }, start, signal);
      return "let in";
    } catch (error) {
      return error instanceof NightjarError ? error.code : messageOf(error);
    }
  }

  async end(sessionId: string): Promise<void> {
    const state = {
      status: "closed",
      endReason: "client_stop",
      closedAt: clock.now(),
      error: null,
    };
    await store.end(sessionId, state as never, clock.now());
    this.admission.look();
    await settled();
  }
}

/** Lets the work that is under way come to rest; no time passes. */
async function settled(): Promise<void> {
  for (let turn = 0; turn < 20; turn += 1) await clock.advance(0);
}

describe("a start without room", () => {
  test("waits, and is let in when a session ends", async () => {
    const door = new Door({ maxSessions: 1 });
    expect(await door.ask("first")).toBe("let in");
    const second_ = door.ask("second");
    await clock.advance(7 * second);
    expect(door.letIn).toEqual(["first"]);
    expect(door.admission.waitingCount).toBe(1);
    await door.end("first");
    expect(await second_).toBe("let in");
    expect(door.admission.waitingCount).toBe(0);
    expect(waits).toEqual([
      ["tenant", 0, "admitted"],
      ["tenant", 7 * second, "admitted"],
    ]);
  });

  test("is refused after the wait, and told how long it was and when to come back", async () => {
    const door = new Door({ maxSessions: 1 });
    await door.ask("first");
    const start = door.admission.admit(
      { sessionId: "second", tenantId: "tenant", apiKeyId: "key" },
      async () => {},
    );
    start.catch(() => {});
    const begun = clock.now();
    await clock.advance(30 * second - 1);
    expect(door.admission.waitingCount).toBe(1);
    await clock.advance(1);
    await expect(start).rejects.toMatchObject({
      code: "at_capacity",
      message: expect.stringContaining("It waited 30 s for room."),
      retryAfterSeconds: 5,
      allowance: { limit: 1, remaining: 0, resetAt: begun + 35 * second },
    });
    expect(waits.at(-1)).toEqual(["tenant", 30 * second, "refused"]);
  });

  test("is refused at once where nobody may wait", async () => {
    for (const limits of [{ queueTimeoutMs: 0 }, { queueLength: 0 }]) {
      store = new MemoryStore();
      const door = new Door({ maxSessions: 1, ...limits });
      await door.ask("first");
      expect(await door.ask("second")).toBe("at_capacity");
    }
  });

  test("leaves the queue with its client, and the next takes the place", async () => {
    const door = new Door({ maxSessions: 1 });
    await door.ask("first");
    const client = new AbortController();
    const leaving = door.ask("leaving", { signal: client.signal });
    const staying = door.ask("staying");
    await settled();
    expect(door.admission.waitingCount).toBe(2);
    client.abort();
    expect(await leaving).toBe("client_gone");
    expect(door.admission.waitingCount).toBe(1);
    await door.end("first");
    expect(await staying).toBe("let in");
    expect(door.letIn).toEqual(["first", "staying"]);
    expect(await door.ask("gone before", { signal: client.signal })).toBe("client_gone");
  });

  test("is refused when the server stops, as is every one that comes after", async () => {
    const door = new Door({ maxSessions: 1 });
    await door.ask("first");
    const waiting = door.ask("waiting");
    await settled();
    const arriving = door.ask("arriving");
    door.admission.close();
    expect(await Promise.all([waiting, arriving, door.ask("late")])).toEqual([
      "shutting_down",
      "shutting_down",
      "shutting_down",
    ]);
    await clock.advance(minute);
    expect(clock.armedFor).toEqual([]);
  });

  test("goes on waiting while the store cannot be read; one that comes then is told", async () => {
    const door = new Door({ maxSessions: 1 });
    await door.ask("first");
    const waiting = door.ask("waiting");
    await settled();
    const { activeSince } = store;
    store.activeSince = async () => {
      throw new Error("the disk is on fire");
    };
    expect(await door.ask("arriving")).toBe("the disk is on fire");
    await clock.advance(3 * second);
    expect(door.admission.waitingCount).toBe(1);
    store.activeSince = activeSince;
    await door.end("first");
    expect(await waiting).toBe("let in");
  });
});

describe("starts without a pause between them", () => {
  test("are each looked at, right after the one before", async () => {
    const { admission } = new Door({});
    let letIn = 0;
    const all = (async () => {
      for (let number = 0; number < 50; number += 1) {
        const entry = { sessionId: `${number}`, tenantId: "tenant", apiKeyId: "key" };
        await admission.admit(entry, async () => {
          letIn += 1;
        });
      }
    })();
    for (let turn = 0; turn < 50; turn += 1) await settled();
    expect(letIn).toBe(50);
    await all;
  });
});

describe("the host's room", () => {
  test("is held by a start while its browser is launching", async () => {
    const door = new Door({ maxSessions: 1, queueTimeoutMs: 0 });
    const launching = Promise.withResolvers<void>();
    door.beforeStart = () => launching.promise;
    const first = door.ask("first");
    expect(await door.ask("second")).toBe("at_capacity");
    launching.resolve();
    expect(await first).toBe("let in");
    await door.end("first");
    expect(await door.ask("third")).toBe("let in");
  });

  test("ends with its memory, of which starts under way have a part already", async () => {
    gauge.availableBytes = 2.5 * bytesPerSession;
    const door = new Door({
      queueTimeoutMs: 2 * minute,
      reserve: { memoryBytes: 0.4 * bytesPerSession, diskBytes: 0 },
    });
    const launching = Promise.withResolvers<void>();
    door.beforeStart = () => launching.promise;
    const starts = ["a", "b", "c"].map((id) => door.ask(id));
    await settled();
    expect(door.admission.waitingCount).toBe(1);
    launching.resolve();
    expect(await Promise.all(starts.slice(0, 2))).toEqual(["let in", "let in"]);
    // They have their browsers, and nothing of what they will need for their pages.
    gauge.availableBytes = 1.7 * bytesPerSession;
    await clock.advance(5 * second);
    expect(door.letIn).toEqual(["a", "b"]);
    // The two take what they were given.
    gauge.availableBytes = 0.5 * bytesPerSession;
    await clock.advance(minute);
    expect(door.letIn).toEqual(["a", "b"]);
    // Nothing tells that memory came back: it is looked for.
    gauge.availableBytes = 1.4 * bytesPerSession;
    await clock.advance(second);
    expect(await starts[2]).toBe("let in");
  });

  test("includes the memory of idle warm browsers", async () => {
    gauge.availableBytes = 0.7 * bytesPerSession;
    const door = new Door({ queueTimeoutMs: 0 });
    expect(await door.ask("a")).toBe("at_capacity");
    gauge.idleBytes = 0.4 * bytesPerSession;
    expect(await door.ask("b")).toBe("let in");
  });

  test("ends where its disk has no more than is to stay free", async () => {
    gauge.diskFreeBytes = 999;
    const door = new Door({ reserve: { memoryBytes: 0, diskBytes: 1000 } });
    const start = door.ask("a");
    await clock.advance(10 * second);
    expect(door.letIn).toEqual([]);
    gauge.diskFreeBytes = 1000;
    await clock.advance(second);
    expect(await start).toBe("let in");
  });

  test.each([
    ["sessions", /runs 1 sessions, as many as it may hold/],
    ["memory", /no memory for one more session/],
    ["disk", /no space on its disk/],
  ])("that is short of %s is named in the refusal", async (shortage, text) => {
    const door = new Door({
      maxSessions: 1,
      queueTimeoutMs: 0,
      reserve: { memoryBytes: 0, diskBytes: 1 },
    });
    if (shortage === "sessions") await door.ask("first");
    if (shortage === "memory") gauge.availableBytes = 0;
    if (shortage === "disk") gauge.diskFreeBytes = 0;
    const entry = { sessionId: "second", tenantId: "tenant", apiKeyId: "key" };
    await expect(door.admission.admit(entry, async () => {})).rejects.toThrow(text);
    const running = await store.activeSince({ nodeId: "node" });
    const room = await door.admission.room(running);
    expect(room).toMatchObject({ free: 0, bound: shortage });
  });
});

describe("a tenant's own limit", () => {
  test("holds up that tenant alone, until one of its sessions ends", async () => {
    const door = new Door({ maxSessionsPerTenant: 1 });
    await door.ask("a1", { tenantId: "a" });
    const second_ = door.ask("a2", { tenantId: "a" });
    await settled();
    expect(await door.ask("b1", { tenantId: "b" })).toBe("let in");
    expect(door.admission.waitingCount).toBe(1);
    await door.end("a1");
    expect(await second_).toBe("let in");
  });

  test("is told as such after the wait, also of a key", async () => {
    const door = new Door({ maxSessionsPerKey: 1 });
    await door.ask("a1", { apiKeyId: "one" });
    const waiting = door.ask("a2", { apiKeyId: "one" });
    await settled();
    expect(await door.ask("a3", { apiKeyId: "two" })).toBe("let in");
    await clock.advance(30 * second);
    expect(await waiting).toBe("tenant_limit");
  });

  test("is never exceeded, and neither is the host's, whoever comes and goes", async () => {
    const arrivals = fc.array(
      fc.record({
        tenantId: fc.constantFrom("a", "b", "c"),
        comesAfterMs: fc.nat(2000),
        livesMs: fc.nat(5000),
      }),
      { maxLength: 25 },
    );
    await fc.assert(
      fc.asyncProperty(arrivals, fc.integer({ min: 1, max: 4 }), async (comers, room) => {
        store = new MemoryStore();
        clock = new FakeClock();
        const ofTenant = 2;
        const door = new Door({ maxSessions: room, maxSessionsPerTenant: ofTenant });
        const running = new Map<string, number>();
        const asked = comers.map(async ({ tenantId, comesAfterMs, livesMs }, number) => {
          await new Promise<void>((resolve) => {
            clock.callAt(clock.now() + comesAfterMs, resolve);
          });
          const id = `${number}`;
          const outcome = await door.ask(id, { tenantId });
          if (outcome !== "let in") return outcome;
          running.set(tenantId, (running.get(tenantId) ?? 0) + 1);
          expect(running.get(tenantId)).toBeLessThanOrEqual(ofTenant);
          expect([...running.values()].reduce((sum, one) => sum + one)).toBeLessThanOrEqual(room);
          clock.callAt(clock.now() + livesMs, () => {
            running.set(tenantId, (running.get(tenantId) ?? 0) - 1);
            void door.end(id);
          });
          return outcome;
        });
        for (let step = 0; step < 200; step += 1) await clock.advance(second / 2);
        const outcomes = await Promise.all(asked);
        const refused = outcomes.filter((outcome) => outcome !== "let in");
        expect(refused.every((outcome) => /^(at_capacity|tenant_limit)$/.test(outcome))).toBe(true);
        expect(door.admission.waitingCount).toBe(0);
      }),
      { numRuns: 10 },
    );
  }, 20_000);
});

describe("the queue", () => {
  test("takes turns between tenants, so that a flood of one delays the others by one each", async () => {
    const door = new Door({ maxSessions: 1 });
    await door.ask("first");
    const flood = ["a1", "a2", "a3", "a4"].map((id) => door.ask(id, { tenantId: "a" }));
    await settled();
    const others = ["b1", "c1"].map((id) => door.ask(id, { tenantId: id.slice(0, 1) }));
    await settled();
    for (let at = 0; at < 6; at += 1) await door.end(door.letIn.at(-1) ?? "");
    await Promise.all([...flood, ...others]);
    expect(door.letIn).toEqual(["first", "a1", "b1", "c1", "a2", "a3", "a4"]);
  });

  test("that is too long turns away the last of who has most, never the only one of another", async () => {
    const door = new Door({ maxSessions: 1, queueLength: 3 });
    await door.ask("first");
    const flood = ["a1", "a2", "a3"].map((id) => door.ask(id, { tenantId: "a" }));
    await settled();
    expect(await door.ask("a4", { tenantId: "a" })).toBe("at_capacity");
    const other = door.ask("b1", { tenantId: "b" });
    expect(await flood[2]).toBe("at_capacity");
    await settled();
    expect(door.admission.waitingCount).toBe(3);
    await door.end("first");
    await door.end("a1");
    expect(await other).toBe("let in");
  });

  test("bounds those who wait, not those who come at once to an empty host", async () => {
    const door = new Door({ maxSessions: 20, queueLength: 2 });
    const outcomes = Array.from({ length: 25 }, (_, number) => door.ask(`${number}`));
    await settled();
    expect(door.letIn).toHaveLength(20);
    expect(door.admission.waitingCount).toBe(2);
    await clock.advance(30 * second);
    const refused = (await Promise.all(outcomes)).filter((outcome) => outcome !== "let in");
    expect(refused).toHaveLength(5);
  });
});

describe("the limit on starts a minute", () => {
  test("refuses at once, and says when the next one is allowed", async () => {
    const door = new Door({ startsPerMinutePerTenant: 2 });
    const begun = clock.now();
    await door.ask("a1");
    await clock.advance(20 * second);
    await door.ask("a2");
    const entry = { sessionId: "a3", tenantId: "tenant", apiKeyId: "another key" };
    await expect(door.admission.admit(entry, async () => {})).rejects.toMatchObject({
      code: "too_many_starts",
      retryAfterSeconds: 40,
      allowance: { limit: 2, remaining: 0, resetAt: begun + minute },
    });
    expect(await door.ask("b1", { tenantId: "b" })).toBe("let in");
    await clock.advance(40 * second);
    expect(await door.ask("a3")).toBe("let in");
    expect(door.admission.allowance({ tenantId: "tenant", apiKeyId: "" })?.remaining).toBe(0);
  });

  test("counts each key for itself, where it has one", async () => {
    const door = new Door({ startsPerMinutePerKey: 1 });
    expect(await door.ask("a1", { apiKeyId: "one" })).toBe("let in");
    expect(await door.ask("a2", { apiKeyId: "two" })).toBe("let in");
    expect(await door.ask("a3", { apiKeyId: "one" })).toBe("too_many_starts");
  });

  test("holds in every minute, wherever it begins", async () => {
    const pauses = fc.array(fc.nat(40 * second), { minLength: 5, maxLength: 40 });
    await fc.assert(
      fc.asyncProperty(pauses, fc.integer({ min: 1, max: 4 }), async (between, limit) => {
        store = new MemoryStore();
        clock = new FakeClock();
        const door = new Door({ startsPerMinutePerTenant: limit });
        const letInAt: number[] = [];
        for (const [number, pause] of between.entries()) {
          await clock.advance(pause);
          if ((await door.ask(`${number}`)) === "let in") letInAt.push(clock.now());
          else {
            // Not stricter than it says, either.
            const recent = letInAt.filter((at) => at > clock.now() - minute);
            expect(recent).toHaveLength(limit);
          }
        }
        for (const at of letInAt) {
          const within = letInAt.filter((other) => other >= at && other < at + minute);
          expect(within.length).toBeLessThanOrEqual(limit);
        }
      }),
      { numRuns: 30 },
    );
  });
});
