import { appendFile, mkdir, mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { likeJpeg } from "../../tests/support/pictures.ts";
import { readFrames } from "./frame-file.ts";
import { FrameWriter } from "./frame-writer.ts";
import { framesName, recordingFiles } from "./recording-files.ts";
import { type RecordingFolder, RecordingFolders } from "./recording-folder.ts";

const id = "f47ac10b-58cc-4372-a567-0e02b2c3d479";
let directory: string;
let folder: RecordingFolder;
let complete: number[];
let failures: unknown[];

beforeEach(async () => {
  directory = await mkdtemp(path.join(tmpdir(), "nightjar-frames-"));
  folder = await new RecordingFolders(directory).open(id);
  complete = [];
  failures = [];
});

afterEach(async () => {
  await rm(directory, { recursive: true, force: true });
});

const writer = (firstNumber = 1) =>
  new FrameWriter({
    folder,
    firstNumber,
    onFile: (number) => complete.push(number),
    onFailure: (error) => failures.push(error),
  });

const timesIn = async (number: number) =>
  readFrames(await readFile(folder.file(framesName(number)))).map(({ at }) => at);

describe("the writer of frames", () => {
  it("writes them in order, in files of a size that is encoded at once", async () => {
    const frames = writer(7);
    for (let at = 1; at <= 5; at += 1) frames.write(at, likeJpeg(640, 480, 1_500_000));
    await frames.close();

    expect(complete).toEqual([7, 8]);
    expect((await recordingFiles(folder.directory)).frames).toEqual([7, 8]);
    expect(await timesIn(7)).toEqual([1, 2, 3]);
    expect(await timesIn(8)).toEqual([4, 5]);
    expect(frames.write(6, likeJpeg(640, 480, 100))).toBe(0);
  });

  it("leaves frames out rather than fill the memory while the disk is slow", async () => {
    const frames = writer();
    const taken = [1, 2, 3].map((at) => frames.write(at, likeJpeg(640, 480, 3_500_000)) > 0);
    await frames.close();
    expect(taken).toEqual([true, true, false]);
  });

  it("says that it cannot write, and keeps what it has written", async () => {
    const frames = writer();
    frames.write(1, likeJpeg(640, 480, 5_000_000));
    await expect.poll(() => complete).toEqual([1]);
    // Where the next file should be.
    await mkdir(folder.file(framesName(2)));
    await appendFile(folder.file(framesName(1)), "half a rec");
    frames.write(2, likeJpeg(640, 480, 1000));
    await expect.poll(() => failures).toHaveLength(1);
    expect(frames.write(3, likeJpeg(640, 480, 1000))).toBe(0);
    await frames.close();
    expect(await timesIn(1)).toEqual([1]);
  });
});
