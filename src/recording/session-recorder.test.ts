import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterEach, beforeEach, describe, expect, it, onTestFinished, vi } from "vitest";
import { likeJpeg } from "../../tests/support/pictures.ts";
import { readFrames } from "./frame-file.ts";
import { framesName, readThinnedAt, recordingFiles } from "./recording-files.ts";
import { RecordingFolders } from "./recording-folder.ts";
import type { FrameListener } from "./screencast-frame.ts";
import { type RecordedScreencasts, SessionRecorder } from "./session-recorder.ts";

const id = "f47ac10b-58cc-4372-a567-0e02b2c3d479";

/** Screencasts whose frames a test makes. */
class FakeScreencasts implements RecordedScreencasts {
  activeTab: string | null = "tab-1";
  readonly subscriptions = new Map<string, { maxFps: number; listener: FrameListener }>();
  readonly closing = Promise.withResolvers<void>();
  readonly closed = this.closing.promise;
  #onActive: (targetId: string | null) => void = () => {};

  onActiveTab(listener: (targetId: string | null) => void): () => void {
    this.#onActive = listener;
    return () => {
      this.#onActive = () => {};
    };
  }

  subscribe(targetId: string, { maxFps }: { readonly maxFps: number }, listener: FrameListener) {
    this.subscriptions.set(targetId, { maxFps, listener });
    return () => void this.subscriptions.delete(targetId);
  }

  use(targetId: string): void {
    this.activeTab = targetId;
    this.#onActive(targetId);
  }

  draw(targetId: string, jpeg: Buffer, at = Date.now()): void {
    this.subscriptions.get(targetId)?.listener({
      ...{ targetId, jpeg, at, width: 640, height: 480 },
      ...{ scrollX: 0, scrollY: 0, pageScale: 1 },
    });
  }
}

let directory: string;
let folders: RecordingFolders;
let casts: FakeScreencasts;
let files: number[];
let thinned: number;
let looks: number;

beforeEach(async () => {
  directory = await mkdtemp(path.join(tmpdir(), "nightjar-recorder-"));
  folders = new RecordingFolders(directory);
  casts = new FakeScreencasts();
  [files, thinned, looks] = [[], 0, 0];
});

afterEach(async () => {
  await rm(directory, { recursive: true, force: true });
});

const lastLook = likeJpeg(640, 480, 900);

let tellTarget: (url: string) => void;

const makeRecorder = (mostBytes = 1_000_000, blankSince: number | null = null) =>
  new SessionRecorder({
    sessionId: id,
    browser: {
      watch: async () => ({
        tabs: [
          {
            ...{ targetId: "tab-1", sessionId: "session-1", kind: "page", tabId: "tab-1" },
            ...{ url: "about:blank", title: "" },
          },
        ],
        targets: [],
        onTarget: (listener) => {
          tellTarget = (url) =>
            listener({
              kind: "changed",
              target: {
                ...{ targetId: "tab-1", sessionId: "session-1", kind: "page", tabId: "tab-1" },
                ...{ url, title: "" },
              },
            });
          return () => {
            tellTarget = () => {};
          };
        },
        onEvent: () => () => {},
        send: async () => {
          looks += 1;
          return { data: lastLook.toString("base64") };
        },
        closed: new Promise(() => {}),
      }),
    },
    screencasts: async () => casts,
    folders,
    blankSince,
    mostBytes,
    onFile: (number) => files.push(number),
    onThinned: () => {
      thinned += 1;
    },
    onFailure: (error) => {
      throw error;
    },
  });

const framesIn = async (number: number) =>
  readFrames(await readFile(path.join(directory, id, framesName(number))));

const picture = (bytes: number) => likeJpeg(640, 480, bytes);

describe("the recording of a session", () => {
  it("follows the tab that is used, and closes with what was shown last", async () => {
    const recorder = makeRecorder();
    recorder.begin();
    await expect.poll(() => casts.subscriptions.has("tab-1")).toBe(true);
    casts.draw("tab-1", picture(100));
    const other = picture(200);
    casts.use("tab-2");
    expect([...casts.subscriptions.keys()]).toEqual(["tab-2"]);
    // It was drawn long before it was turned to.
    casts.draw("tab-2", other, Date.now() - 3_600_000);
    const before = Date.now();
    casts.draw("tab-2", other);
    await recorder.finish(true);

    const frames = await framesIn(1);
    expect(frames.map(({ jpeg }) => jpeg.length)).toEqual([100, 200, 200]);
    expect(frames.at(-1)?.at).toBeGreaterThanOrEqual(before - 1);
    expect((frames[1]?.at ?? 0) - (frames[0]?.at ?? 0)).toBeLessThan(60_000);
    expect([looks, files, casts.subscriptions.size]).toEqual([0, [1], 0]);
    expect(folders.isOpen(id)).toBe(false);
  });

  it("takes a last look at a page that may be changing, and at one that it never saw", async () => {
    const never = makeRecorder();
    await never.finish(false);
    expect((await framesIn(1)).map(({ jpeg }) => jpeg.length)).toEqual([900, 900]);

    const changing = makeRecorder();
    changing.begin();
    await expect.poll(() => casts.subscriptions.has("tab-1")).toBe(true);
    casts.draw("tab-1", picture(100));
    await changing.finish(false);
    expect((await framesIn(2)).map(({ jpeg }) => jpeg.length)).toEqual([100, 900, 900]);
    expect(looks).toBe(2);
  });

  it("takes a last look also at a page that stood still: it may have changed just now", async () => {
    const recorder = makeRecorder();
    recorder.begin();
    await expect.poll(() => casts.subscriptions.has("tab-1")).toBe(true);
    casts.draw("tab-1", picture(100));
    const now = vi.spyOn(performance, "now").mockReturnValue(performance.now() + 60_000);
    onTestFinished(() => now.mockRestore());
    await recorder.finish(false);
    expect(looks).toBe(1);
    expect((await framesIn(1)).map(({ jpeg }) => jpeg.length)).toEqual([100, 900, 900]);
  });

  it("becomes coarser as its room is used up, says so, and recovers when frames are encoded", async () => {
    const recorder = makeRecorder(100_000);
    recorder.begin();
    await expect.poll(() => casts.subscriptions.get("tab-1")?.maxFps).toBe(4);
    casts.draw("tab-1", picture(60_000));
    casts.draw("tab-1", picture(1000));
    await expect.poll(() => casts.subscriptions.get("tab-1")?.maxFps).toBe(2);
    await expect.poll(() => readThinnedAt(path.join(directory, id))).not.toBeNull();
    casts.draw("tab-1", picture(39_500));
    await expect.poll(() => casts.subscriptions.size).toBe(0);
    recorder.encoded(100_000, 5000);
    expect(casts.subscriptions.get("tab-1")?.maxFps).toBe(4);
    expect(thinned).toBe(1);
    await recorder.leave();
  });

  it("goes on in the same folder after a restart, and with what was left to encode", async () => {
    const before = makeRecorder();
    before.begin();
    await expect.poll(() => casts.subscriptions.size).toBe(1);
    casts.draw("tab-1", picture(100));
    await before.leave();
    files = [];

    const after = makeRecorder();
    after.begin();
    await expect.poll(() => casts.subscriptions.size).toBe(1);
    casts.draw("tab-1", picture(200));
    await expect.poll(() => files).toEqual([1]);
    await after.finish(true);
    expect(files).toEqual([1, 2]);
    expect((await recordingFiles(path.join(directory, id))).frames).toEqual([1, 2]);
  });

  it("begins with the blank page that it was, until the page went to what the first picture shows", async () => {
    const startedAt = Date.now() - 250;
    const recorder = makeRecorder(1_000_000, startedAt);
    recorder.attend();
    await expect.poll(() => tellTarget).toBeDefined();
    tellTarget("about:blank");
    recorder.begin();
    await expect.poll(() => casts.subscriptions.has("tab-1")).toBe(true);
    const before = Date.now();
    tellTarget("http://site.test/");
    const wentBy = Date.now();
    await expect.poll(() => Date.now()).toBeGreaterThan(wentBy + 20);
    casts.draw("tab-1", picture(100));
    tellTarget("http://site.test/too-late");
    await recorder.finish(true);
    const [blank, first, ...others] = await framesIn(1);
    expect(blank).toMatchObject({ at: startedAt, width: 640, height: 480 });
    expect(first?.jpeg.length).toBe(100);
    expect(first?.at).toBeGreaterThanOrEqual(before);
    expect(first?.at).toBeLessThanOrEqual(wentBy);
    expect(others.map(({ jpeg }) => jpeg.length)).toEqual([100]);
  });

  it("leaves nothing behind where there was nothing to see", async () => {
    const recorder = makeRecorder();
    recorder.begin();
    await recorder.finish(true);
    expect(await folders.list()).toEqual([]);
  });
});
