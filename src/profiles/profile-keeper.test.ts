import { mkdtemp, readdir, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import {
  FakeBrowser,
  FakeClock,
  FakeGauge,
  makeSession,
} from "../../tests/support/domain-fakes.ts";
import { defaultBrowserSettings } from "../sessions/browser-settings.ts";
import type { BrowserWatch, WatchedTarget } from "../sessions/ports.ts";
import { ProfileChanged } from "../sessions/profile.ts";
import { endSession } from "../sessions/session.ts";
import { ApiKeyRecords } from "../store/api-key-records.ts";
import type { Database } from "../store/database.ts";
import { ProfileRecords } from "../store/profile-records.ts";
import { SessionRecords } from "../store/session-records.ts";
import { openSqlite } from "../store/sqlite.ts";
import { ProfileKeeper } from "./profile-keeper.ts";
import { ProfileService } from "./profile-service.ts";
import type { ProfileWrite } from "./profile-store.ts";
import { StateFiles } from "./state-files.ts";

/** The longest that an end may wait, in ms. */
const boundMs = 8000;

let directory: string;
let database: Database;
let clock: FakeClock;
let store: NotingRecords;
let keeper: ProfileKeeper;
let profiles: ProfileService;
let problems: string[];

beforeEach(async () => {
  directory = await mkdtemp(path.join(tmpdir(), "nightjar-profiles-"));
  database = await openSqlite(":memory:");
  await new ApiKeyRecords(database).create("tenant", "test");
  clock = new FakeClock();
  problems = [];
  store = new NotingRecords(database);
  const parts = {
    store,
    files: new StateFiles({ directory, mostBytes: 100_000 }),
    clock,
  };
  profiles = new ProfileService({ ...parts, gauge: new FakeGauge(), diskReserveBytes: 0 });
  keeper = new ProfileKeeper({
    ...parts,
    saveEveryMs: 30_000,
    room: { mostBytes: 100_000, mostSiteBytes: 50_000, mostDatabaseBytes: 1000 },
    onProblem: (_profileId, _sessionId, what) => problems.push(what),
  });
});

afterEach(async () => {
  await database.close();
  await rm(directory, { recursive: true });
});

/** Notes the writes that it refuses. */
class NotingRecords extends ProfileRecords {
  readonly refusals: unknown[] = [];

  override async write(write: ProfileWrite): Promise<string | null> {
    try {
      return await super.write(write);
    } catch (error) {
      this.refusals.push(error);
      throw error;
    }
  }
}

/** A browser that tells its cookies when a test lets it. */
class SlowBrowser extends FakeBrowser {
  readonly answer = Promise.withResolvers<void>();

  override async watch(): Promise<never> {
    const watch: BrowserWatch = {
      tabs: [],
      targets: [],
      onTarget: () => () => {},
      onEvent: () => () => {},
      send: async (method) => {
        await this.answer.promise;
        const answers: Record<string, unknown> = {
          "Storage.getCookies": { cookies: [] },
          "Target.getTargets": { targetInfos: [] },
          "Target.getBrowserContexts": { browserContextIds: [] },
        };
        return answers[method];
      },
      closed: new Promise(() => {}),
    };
    return watch as never;
  }
}

test("an end does not wait for a browser that does not answer, and what comes late is not written", async () => {
  const { id } = await profiles.create("tenant", null);
  await profiles.setCookies("tenant", id, [], "replace");
  const before = await readdir(directory);
  const settings = { ...defaultBrowserSettings, profile: { id, persist: true } };
  const session = makeSession({ settings });
  const sessions = new SessionRecords(database);
  await sessions.insert(session, null, 2);
  const browser = new SlowBrowser("slow");
  const stop = keeper.keep(session, browser);
  const saving = keeper.save(session, browser);
  await clock.advance(boundMs);
  const save = await saving;
  expect(save).toEqual({ savedAt: null, error: expect.stringMatching(/too long.*last saved/) });
  expect(problems).toEqual(["failed to save a profile"]);
  const ended = endSession(session, "client_stop", clock.now(), null, save);
  await sessions.end(session.id, ended.state, session.lastAccessedAt);
  stop();

  browser.answer.resolve();
  await expect.poll(() => store.refusals).toEqual([expect.any(ProfileChanged)]);
  expect(await readdir(directory)).toEqual(before);
});

/** A browser that has been to a site, and opens no tab in which its storage could be read. */
class HangingBrowser extends SlowBrowser {
  override async watch(): Promise<never> {
    const watch = await super.watch();
    const target: WatchedTarget = {
      ...{ targetId: "1", sessionId: "1", kind: "page", tabId: "1", title: "" },
      url: "https://hung.example/",
    };
    return { ...(watch as BrowserWatch), targets: [target] } as never;
  }

  override openTab(): Promise<never> {
    return new Promise(() => {});
  }
}

test("a site that hangs does not keep the rest from being saved in time", async () => {
  const { id } = await profiles.create("tenant", null);
  const settings = { ...defaultBrowserSettings, profile: { id, persist: true } };
  const session = makeSession({ settings });
  await new SessionRecords(database).insert(session, null, 1);
  const browser = new HangingBrowser("hanging");
  browser.answer.resolve();
  const stop = keeper.keep(session, browser);
  await clock.advance(1);
  const saving = keeper.save(session, browser);
  await expect
    .poll(async () => {
      await clock.advance(500);
      return (await readdir(directory)).length;
    })
    .toBe(1);
  expect(clock.now()).toBeLessThan(1_000_000 + boundMs);
  expect(await saving).toEqual({
    savedAt: expect.any(Number),
    error: expect.stringContaining("https://hung.example: could not be read"),
  });
  stop();
});

test("without its browser, an end says what was saved last", async () => {
  const { id } = await profiles.create("tenant", null);
  const settings = { ...defaultBrowserSettings, profile: { id, persist: true } };
  const session = makeSession({ settings });
  await new SessionRecords(database).insert(session, null, 1);
  const browser = new SlowBrowser("quick");
  browser.answer.resolve();
  const stop = keeper.keep(session, browser);
  await clock.advance(30_000);
  await expect.poll(() => readdir(directory)).toHaveLength(1);
  await expect.poll(async () => (await keeper.save(session, null)).savedAt).toBe(clock.now());
  expect((await keeper.save(session, null)).error).toContain("last saved");
  stop();
});
