import { link, mkdir, mkdtemp, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { text } from "node:stream/consumers";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { makeSession } from "../../tests/support/domain-fakes.ts";
import { defaultBrowserSettings } from "../sessions/browser-settings.ts";
import type { BrowserDownload } from "../sessions/ports.ts";
import { DownloadCollector, type DownloadCollectorOptions } from "./download-collector.ts";

const url = "https://example.com/";

/** A browser's downloads without the browser. */
class FakeDownloads {
  readonly directory: string;
  #listener: ((download: BrowserDownload) => void) | null = null;
  #lastId = 0;

  constructor(directory: string) {
    this.directory = directory;
  }

  onDownload(listener: (download: BrowserDownload) => void): () => void {
    this.#listener = listener;
    return () => {
      this.#listener = null;
    };
  }

  begin(suggestedName = "name"): string {
    this.#lastId += 1;
    const id = `download-${this.#lastId}`;
    this.#listener?.({ kind: "began", id, url, suggestedName, path: null });
    return id;
  }

  complete(file: string, id = this.begin()): void {
    this.#listener?.({ kind: "completed", id, url, suggestedName: "name", path: file });
  }

  fail(id: string, reason: string): void {
    this.#listener?.({ kind: "failed", id, url, suggestedName: "name", path: null, reason });
  }
}

let root: string;
let browser: FakeDownloads;
let stored: { readonly sessionId: string; readonly name: string; readonly content: string }[];
let dropped: string[];
/** Awaited before anything is stored. */
let gate: Promise<void>;

beforeEach(async () => {
  root = await mkdtemp(path.join(tmpdir(), "nightjar-collector-"));
  const directory = path.join(root, "browser");
  await mkdir(path.join(directory, "downloads"), { recursive: true });
  browser = new FakeDownloads(directory);
  stored = [];
  dropped = [];
  gate = Promise.resolve();
});

afterEach(() => rm(root, { recursive: true }));

const storage: DownloadCollectorOptions["storage"] = {
  async saveDownload(sessionId, name, content) {
    await gate;
    stored.push({ sessionId, name, content: await text(content) });
    return { name: `stored-${stored.length}`, sizeBytes: 0, updatedAt: 0 };
  },
};

function makeCollector(): DownloadCollector {
  return new DownloadCollector({
    storage,
    onDropped: (_sessionId, { suggestedName }, reason) =>
      dropped.push(`${suggestedName}: ${reason}`),
  });
}

async function downloaded(name: string, content: string): Promise<string> {
  const file = path.join(browser.directory, "downloads", name);
  await writeFile(file, content);
  return file;
}

describe("a completed download", () => {
  test("is stored for its session", async () => {
    const collector = makeCollector();
    const session = makeSession();
    collector.collect(session, browser);
    browser.complete(await downloaded("guid", "hello"));
    await collector.settled(session.id);
    expect(stored).toEqual([{ sessionId: session.id, name: "name", content: "hello" }]);
    expect(dropped).toEqual([]);
  });

  test("holds the end of its session until it is stored, also if its file is gone by then", async () => {
    const collector = makeCollector();
    const opened = Promise.withResolvers<void>();
    gate = opened.promise;
    const atEnd = collector.collect(makeSession(), browser);
    browser.complete(await downloaded("guid", "last"));
    let ended = false;
    const end = atEnd().then(() => {
      ended = true;
    });
    await collector.allSettled(10);
    expect(ended).toBe(false);
    await rm(browser.directory, { recursive: true });
    opened.resolve();
    await end;
    expect(stored).toMatchObject([{ content: "last" }]);
  });

  test("is left alone where the session asked for no file storage", async () => {
    const collector = makeCollector();
    const session = makeSession({
      settings: { ...defaultBrowserSettings, useFileStorage: false },
    });
    const atEnd = collector.collect(session, browser);
    browser.complete(await downloaded("guid", "hello"));
    await collector.settled(session.id);
    await atEnd();
    expect(stored).toEqual([]);
  });
});

describe("a watch", () => {
  const soon = {
    beginTimeoutMs: 20,
    endTimeoutMs: 20,
    get signal() {
      return new AbortController().signal;
    },
  };
  const patient = { ...soon, beginTimeoutMs: 20_000, endTimeoutMs: 20_000 };

  test("tells of the first download since it began, and not of those before", async () => {
    const collector = makeCollector();
    const session = makeSession();
    collector.collect(session, browser);
    const earlier = browser.begin("earlier");
    const watch = collector.watch(session.id);
    const mine = browser.begin("mine");
    expect(watch.begun).toEqual(["mine"]);
    browser.complete(await downloaded("1", "earlier"), earlier);
    browser.complete(await downloaded("2", "mine"), mine);
    expect(await watch.first(patient)).toEqual({
      kind: "stored",
      name: "stored-2",
      sizeBytes: 0,
    });
  });

  test("tells why one failed, also where none are kept", async () => {
    const collector = makeCollector();
    const session = makeSession();
    collector.collect(session, browser);
    const watch = collector.watch(session.id);
    browser.fail(browser.begin(), "its server broke it off");
    expect(await watch.first(patient)).toEqual({
      kind: "failed",
      reason: "its server broke it off",
    });
    const without = makeSession({
      settings: { ...defaultBrowserSettings, useFileStorage: false },
    });
    collector.collect(without, browser);
    const second = collector.watch(without.id);
    browser.complete(await downloaded("1", "x"));
    expect(await second.first(patient)).toMatchObject({
      kind: "failed",
      reason: expect.stringContaining("without file storage"),
    });
  });

  test("says what it waits for when it is late, and can be cut short", async () => {
    const collector = makeCollector();
    const session = makeSession();
    collector.collect(session, browser);
    const watch = collector.watch(session.id);
    expect(await watch.first(soon)).toEqual({ kind: "late", begun: null });
    browser.begin("slow");
    expect(await watch.first(soon)).toEqual({ kind: "late", begun: "slow" });
    const signal = AbortSignal.abort(new Error("the client is gone"));
    await expect(watch.first({ ...patient, signal })).rejects.toThrow("the client is gone");
    watch.stop();
    browser.begin("after");
    expect(watch.begun).toEqual(["slow"]);
  });
});

describe("what a browser that was broken out of may say", () => {
  test.each([
    ["a file outside its directory", async () => "/etc/hostname"],
    ["a way out of its directory", async () => `${browser.directory}/../secret`],
    ["a directory with a name that begins like its own", async () => `${browser.directory}-2/x`],
    [
      "a symbolic link",
      async () => {
        const file = path.join(browser.directory, "downloads", "link");
        await symlink(path.join(root, "secret"), file);
        return file;
      },
    ],
    [
      "a second name of another file",
      async () => {
        const file = path.join(browser.directory, "downloads", "hard");
        await link(path.join(root, "secret"), file);
        return file;
      },
    ],
    ["a directory", async () => path.join(browser.directory, "downloads")],
    ["nothing", async () => path.join(browser.directory, "downloads", "none")],
  ])("is not believed: %s", async (_what, make) => {
    await writeFile(path.join(root, "secret"), "secret");
    const collector = makeCollector();
    const session = makeSession();
    collector.collect(session, browser);
    browser.complete(await make());
    await collector.settled(session.id);
    expect(stored).toEqual([]);
    expect(dropped).toHaveLength(1);
  });
});
