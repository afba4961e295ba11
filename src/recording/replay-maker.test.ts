import { appendFile, mkdir, mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { likeJpeg } from "../../tests/support/pictures.ts";
import type { Encoder, EncodingOptions, VideoForm } from "./encoder.ts";
import { frameRecord, type RecordedFrame } from "./frame-file.ts";
import { framesName, readVideo, segmentName, writeVideo } from "./recording-files.ts";
import { ReplayMaker } from "./replay-maker.ts";

let directory: string;
let segments: (readonly [framesBytes: number, segmentBytes: number])[];

beforeEach(async () => {
  directory = await mkdtemp(path.join(tmpdir(), "nightjar-replay-"));
  segments = [];
});

afterEach(async () => {
  await rm(directory, { recursive: true, force: true });
});

/** Writes down the times of the frames in place of a video, relative to its beginning. */
class TellingEncoder implements Encoder {
  readonly calls: string[] = [];
  form: VideoForm | null = null;
  /** Fails at the call with this name, as if the process were killed at it. */
  failAt: string | null = null;

  async encodePart(frames: readonly RecordedFrame[], form: VideoForm, to: string): Promise<void> {
    this.#call("part");
    this.form = form;
    await writeFile(to, frames.map(({ at }) => `${at - form.startedAt} `).join(""));
  }

  async join(parts: readonly string[], to: string): Promise<void> {
    this.#call("join");
    const contents = await Promise.all(parts.map((part) => readFile(part, "utf8")));
    await writeFile(to, contents.join("| "));
  }

  async encodeWhole(frames: readonly RecordedFrame[], form: VideoForm, to: string): Promise<void> {
    this.#call("whole");
    await writeFile(to, frames.map(({ at }) => `${at - form.startedAt} `).join(""));
  }

  #call(name: string): void {
    this.calls.push(name);
    if (name === this.failAt) throw new Error("killed");
  }
}

const options: EncodingOptions = { signal: new AbortController().signal, awaited: true };

const makerWith = (encoder: Encoder) =>
  new ReplayMaker(encoder, (_directory, ...bytes) => segments.push(bytes));

async function placeFrames(number: number, times: readonly number[]): Promise<void> {
  const records = times.flatMap((at) => frameRecord(at, likeJpeg(640, 480, 100)));
  await writeFile(path.join(directory, framesName(number)), Buffer.concat(records));
}

const replay = () => readFile(path.join(directory, "replay.mp4"), "utf8");

describe("a replay", () => {
  it("of a short session is made at once", async () => {
    const encoder = new TellingEncoder();
    await placeFrames(1, [1000, 1250, 9000]);
    const outcome = await makerWith(encoder).finish(directory, options);

    expect(outcome).toEqual({
      kind: "ready",
      video: { startedAt: 1000, endedAt: 9000, width: 640, height: 480, lastSegment: 1 },
      sizeBytes: 11,
    });
    expect(encoder.calls).toEqual(["whole"]);
    expect(await replay()).toBe("0 250 8000 ");
    expect((await readdir(directory)).sort()).toEqual(["replay.mp4", "video.json"]);
  });

  it("of a long session is joined of what was encoded while it ran", async () => {
    const encoder = new TellingEncoder();
    const maker = makerWith(encoder);
    await placeFrames(1, [1000, 2000]);
    await maker.encode(directory, 1, { ...options, awaited: false });
    expect(segments).toEqual([[240, 7]]);
    await placeFrames(2, [3000]);
    await placeFrames(3, [4000, 65_000]);
    const outcome = await maker.finish(directory, options);

    expect(outcome).toMatchObject({ kind: "ready", video: { startedAt: 1000, endedAt: 65_000 } });
    expect(await replay()).toBe("0 1000 | 2000 2040 | 3000 64000 ");
    expect((await readdir(directory)).sort()).toEqual(["replay.mp4", "video.json"]);
  });

  it("comes out the same wherever an earlier try was killed", async () => {
    const encoder = new TellingEncoder();
    await placeFrames(1, [1000, 2000]);
    await placeFrames(2, [3000, 4000]);
    for (const failAt of ["part", "join"]) {
      encoder.failAt = failAt;
      await expect(makerWith(encoder).finish(directory, options)).rejects.toThrow("killed");
    }
    // Killed after a segment was made, before its frames were removed.
    await placeFrames(2, [3000, 4000]);
    // Killed in the middle of a file that is written.
    await writeFile(path.join(directory, `${segmentName(1)}.part`), "half");
    encoder.failAt = null;
    const outcome = await makerWith(encoder).finish(directory, options);
    expect(outcome).toMatchObject({ kind: "ready", video: { startedAt: 1000, endedAt: 4000 } });
    expect(await replay()).toBe("0 1000 | 2000 3000 ");
    // Killed before that was written down.
    expect(await makerWith(encoder).finish(directory, options)).toEqual(outcome);
  });

  it("has the frames before the point where a crash cut the file", async () => {
    await placeFrames(1, [1000, 2000]);
    await appendFile(path.join(directory, framesName(1)), "NJF1 half a record");
    await makerWith(new TellingEncoder()).finish(directory, options);
    expect(await replay()).toBe("0 1000 ");
  });

  it("shows the one frame of a session that crashed at once for a moment", async () => {
    await placeFrames(1, [1000]);
    await makerWith(new TellingEncoder()).finish(directory, options);
    expect(await replay()).toBe("0 40 ");
  });

  it("shows the last picture for a moment where a crash cut off how long it was there", async () => {
    const [red, lime] = [likeJpeg(640, 480, 100), likeJpeg(640, 480, 101)];
    const records = [frameRecord(1000, red), frameRecord(2000, lime)].flat();
    await writeFile(path.join(directory, framesName(1)), Buffer.concat(records));
    await makerWith(new TellingEncoder()).finish(directory, options);
    expect(await replay()).toBe("0 1000 1040 ");
  });

  it("goes on in time where the clock was set back between two processes", async () => {
    const maker = makerWith(new TellingEncoder());
    await placeFrames(1, [10_000, 12_000]);
    await placeFrames(2, [3000, 3500]);
    await maker.finish(directory, options);
    expect(await replay()).toBe("0 2000 | 2001 2501 ");
    expect((await readVideo(directory))?.endedAt).toBe(12_501);
  });

  it("is none where there was not a frame", async () => {
    const maker = makerWith(new TellingEncoder());
    expect(await maker.finish(directory, options)).toEqual({ kind: "empty" });
    await placeFrames(1, []);
    expect(await maker.finish(directory, options)).toEqual({ kind: "empty" });
    await mkdir(path.join(directory, "gone"));
    expect(await maker.finish(path.join(directory, "never"), options)).toEqual({ kind: "empty" });
  });

  it("has the size that was shown longest, within what is encoded", async () => {
    const encoder = new TellingEncoder();
    const sized = [
      frameRecord(0, likeJpeg(1280, 1080, 50)),
      frameRecord(500, likeJpeg(3841, 2161, 50)),
      frameRecord(9000, likeJpeg(1280, 720, 50)),
    ].flat();
    await writeFile(path.join(directory, framesName(1)), Buffer.concat(sized));
    await makerWith(encoder).encode(directory, 1, options);
    expect(encoder.form).toMatchObject({ width: 1920, height: 1080 });
    // And keeps it.
    const video = await readVideo(directory);
    if (video !== null) await writeVideo(directory, { ...video, width: 800, height: 600 });
    await placeFrames(2, [10_000, 20_000]);
    await makerWith(encoder).encode(directory, 2, options);
    expect(encoder.form).toMatchObject({ width: 800, height: 600 });
  });
});
