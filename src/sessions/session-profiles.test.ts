import { beforeEach, describe, expect, test, vi } from "vitest";
import {
  FakeClock,
  FakeGauge,
  FakeHost,
  FakeProfiles,
  MemoryStore,
  makeLimits,
} from "../../tests/support/domain-fakes.ts";
import { defaultBrowserSettings } from "./browser-settings.ts";
import { NightjarError } from "./errors.ts";
import type { IdempotencyClaim } from "./ports.ts";
import { lostWithBrowser, ProfileChanged } from "./profile.ts";
import type { ActiveSession, EndedSession, Session } from "./session.ts";
import { SessionService, type StartRequest } from "./session-service.ts";
import { noTracer } from "./tracer.ts";

const principal = { tenantId: "tenant", apiKeyId: "key" };
const minute = 60_000;

/** A store in which somebody writes the profile while a session is being started. */
class ChangingStore extends MemoryStore {
  /** How many inserts find that the profile has changed. */
  changes = 0;

  override async insert(session: ActiveSession, claim: IdempotencyClaim | null): Promise<boolean> {
    if (this.changes > 0) {
      this.changes -= 1;
      throw new ProfileChanged();
    }
    return super.insert(session, claim);
  }
}

let clock: FakeClock;
let store: ChangingStore;
let host: FakeHost;
let profiles: FakeProfiles;
let ended: EndedSession[];

beforeEach(() => {
  clock = new FakeClock();
  store = new ChangingStore();
  host = new FakeHost();
  profiles = new FakeProfiles();
  ended = [];
});

function makeService(): SessionService {
  return new SessionService({
    ...{ tracer: noTracer, store, host, gauge: new FakeGauge(), profiles, clock, nodeId: "node" },
    ...{ maxSessionMinutes: 60, recordByDefault: true, limits: makeLimits() },
    observer: {
      waited: () => {},
      running: () => {},
      started: () => {},
      changed: () => {},
      ended: (session) => ended.push(session),
      failed: () => {},
    },
  });
}

function request(persist: boolean | null): StartRequest {
  return {
    settings: {
      ...defaultBrowserSettings,
      profile: persist === null ? null : { id: "notte-profile-1", persist },
    },
    ...{ idleTimeoutMinutes: 3, maxDurationMinutes: 15, keepAlive: true, claim: null },
  };
}

function saveOf({ state }: Session) {
  return state.status === "active" ? undefined : state.profileSave;
}

describe("a session that persists its profile", () => {
  test("saves it, and then its end is in the store", async () => {
    const service = makeService();
    const session = await service.start(principal, request(true));
    const saving = Promise.withResolvers<void>();
    profiles.beforeSave = () => saving.promise;
    const stopping = service.stop(principal, session.id);
    await clock.advance(1000);
    expect((await store.find(session.id))?.state.status).toBe("active");
    expect(host.running).toHaveLength(1);
    saving.resolve();
    expect(saveOf(await stopping)).toEqual({ savedAt: 1, error: null });
    expect(saveOf((await store.find(session.id)) ?? session)).toEqual({ savedAt: 1, error: null });
    expect(host.running).toEqual([]);
  });

  test.each([
    ["idle_timeout", (service: SessionService) => clock.advance(3 * minute).then(() => service)],
    ["server_stop", (service: SessionService) => service.shutDown("close")],
    ["client_stop", (service: SessionService, id: string) => service.endById(id, "client_stop")],
    ["policy", (service: SessionService, id: string) => service.endById(id, "policy")],
  ])("saves it when it ends by %s", async (reason, end) => {
    const service = makeService();
    const { id } = await service.start(principal, request(true));
    await end(service, id);
    await vi.waitFor(() => expect(ended.map(({ state }) => state.endReason)).toEqual([reason]));
    expect(profiles.saves).toEqual([{ sessionId: id, asked: true }]);
  });

  test.each(["browser_crash", "out_of_memory"] as const)(
    "does not ask a browser that is lost by %s",
    async (reason) => {
      const service = makeService();
      const { id } = await service.start(principal, request(true));
      host.running[0]?.lose({ reason, message: "It fell over." });
      await vi.waitFor(() => expect(ended.map(saveOf)).toEqual([{ savedAt: null, error: "gone" }]));
      expect(profiles.saves).toEqual([{ sessionId: id, asked: false }]);
    },
  );

  test("is taken up for it after a restart, though its time is over", async () => {
    const before = makeService();
    const { id } = await before.start(principal, request(true));
    const other = await before.start(principal, request(false));
    await before.shutDown("keep");
    expect(profiles.left).toEqual([id]);
    clock.standStill(5 * minute);
    await makeService().recover();
    await clock.advance(1);
    await vi.waitFor(() => expect(ended).toHaveLength(2));
    expect(profiles.saves).toEqual([{ sessionId: id, asked: true }]);
    expect(ended.map((session) => [session.id, session.state.endReason]).sort()).toEqual(
      [
        [id, "idle_timeout"],
        [other.id, "idle_timeout"],
      ].sort(),
    );
  });

  test("whose browser is gone after a restart says what that means for it", async () => {
    const { id } = await makeService().start(principal, request(true));
    host.browsers.splice(0);
    await makeService().recover();
    expect(ended.map(saveOf)).toEqual([{ savedAt: null, error: lostWithBrowser }]);
    expect((await store.find(id))?.state.status).toBe("error");
  });
});

test.each([false, null])("a session that persists none (%s) saves none", async (persist) => {
  const service = makeService();
  const { id } = await service.start(principal, request(persist));
  expect(saveOf(await service.stop(principal, id))).toBeNull();
  expect(profiles.saves).toEqual([]);
});

describe("a start with a profile", () => {
  test("begins anew with the state that was written meanwhile", async () => {
    const service = makeService();
    store.changes = 2;
    await service.start(principal, request(true));
    expect(host.browsers).toHaveLength(3);
    expect(host.running).toHaveLength(1);
    expect(profiles.restored).toEqual(host.browsers);
  });

  test("is given up where it is written all the time", async () => {
    const service = makeService();
    store.changes = 100;
    await expect(service.start(principal, request(true))).rejects.toMatchObject({
      code: "profile_in_use",
    });
    expect(host.running).toEqual([]);
    expect(host.browsers.length).toBeLessThan(10);
  });

  test("that the browser does not take leaves nothing", async () => {
    const service = makeService();
    profiles.beforeRestore = async () => {
      throw new NightjarError("browser_unavailable", "no");
    };
    await expect(service.start(principal, request(true))).rejects.toThrow("no");
    expect(host.running).toEqual([]);
    expect(service.browsers().starting.size).toBe(0);
    expect(service.activeCount).toBe(0);
  });

  test("counts its browser as one that is being started while it is given its state", async () => {
    const service = makeService();
    const restoring = Promise.withResolvers<void>();
    profiles.beforeRestore = () => restoring.promise;
    const starting = service.start(principal, request(true));
    await clock.advance(1);
    expect([...service.browsers().starting]).toEqual(host.running);
    restoring.resolve();
    await starting;
    expect(service.browsers().starting.size).toBe(0);
  });
});
