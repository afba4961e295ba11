import { readFile, rename, rm, stat } from "node:fs/promises";
import path from "node:path";
import type { Encoder, EncodingOptions } from "./encoder.ts";
import { type RecordedFrame, readFrames } from "./frame-file.ts";
import {
  framesName,
  partName,
  readVideo,
  recordingFiles,
  replayName,
  segmentName,
  type Video,
  writeVideo,
} from "./recording-files.ts";
import { videoSize } from "./video-size.ts";

/** What became of a recording that is complete. */
export type ReplayOutcome =
  | { readonly kind: "ready"; readonly video: Video; readonly sizeBytes: number }
  /** There was not a single frame. */
  | { readonly kind: "empty" };

/** Turns a recording's frames into video, file by file; see `recording-files.ts`. */
export class ReplayMaker {
  readonly #encoder: Encoder;
  readonly #onSegment: (directory: string, framesBytes: number, segmentBytes: number) => void;

  constructor(
    encoder: Encoder,
    onSegment: (directory: string, framesBytes: number, segmentBytes: number) => void,
  ) {
    this.#encoder = encoder;
    this.#onSegment = onSegment;
  }

  /** Makes a segment of one complete file of frames. Does nothing where it was made before. */
  async encode(directory: string, number: number, options: EncodingOptions): Promise<void> {
    const work = await workOn(directory, number);
    if (work === null) return;
    let segmentBytes = 0;
    if (work.video !== null) {
      const segment = path.join(directory, segmentName(number));
      await this.#encoder.encodePart(work.frames, work.video, partName(segment), options);
      await rename(partName(segment), segment);
      await writeVideo(directory, work.video);
      segmentBytes = (await stat(segment)).size;
    }
    await work.done();
    this.#onSegment(directory, work.framesBytes, segmentBytes);
  }

  /** Makes the replay of a recording that is complete, from wherever an earlier try left off. */
  async finish(directory: string, options: EncodingOptions): Promise<ReplayOutcome> {
    const replay = path.join(directory, replayName);
    const before = await recordingFiles(directory);
    const [only, ...others] = before.frames;
    // Most sessions are short: all that they showed is in one file.
    if (only !== undefined && others.length + before.segments.length === 0) {
      await this.#encodeWhole(directory, only, replay, options);
    } else {
      for (const number of before.frames) await this.encode(directory, number, options);
    }
    const video = await readVideo(directory);
    const { segments, hasReplay } = await recordingFiles(directory);
    if (video === null || (!hasReplay && segments.length === 0)) return { kind: "empty" };
    const parts = segments.map((number) => path.join(directory, segmentName(number)));
    if (!hasReplay) {
      await this.#encoder.join(parts, partName(replay), options);
      await rename(partName(replay), replay);
    }
    for (const part of parts) await rm(part, { force: true });
    return { kind: "ready", video, sizeBytes: (await stat(replay)).size };
  }

  async #encodeWhole(
    directory: string,
    number: number,
    replay: string,
    options: EncodingOptions,
  ): Promise<void> {
    const work = await workOn(directory, number);
    if (work === null) return;
    if (work.video !== null) {
      await this.#encoder.encodeWhole(work.frames, work.video, partName(replay), options);
      await rename(partName(replay), replay);
      await writeVideo(directory, work.video);
    }
    await work.done();
  }
}

/** A file of frames that is to be encoded. */
interface Work {
  readonly framesBytes: number;
  /** What the video is with these frames; null where there are none, or they are in it already. */
  readonly video: Video | null;
  readonly frames: readonly RecordedFrame[];
  /** To be called when they are in the video, and its times are written down. */
  done(): Promise<void>;
}

/** Null where the file is not there any more. */
async function workOn(directory: string, number: number): Promise<Work | null> {
  const file = path.join(directory, framesName(number));
  const content = await readFile(file).catch(absentAs(null));
  if (content === null) return null;
  const before = await readVideo(directory);
  const frames = framesAfter(before?.endedAt ?? 0, shown(readFrames(content)));
  const [first, last] = [frames.at(0), frames.at(-1)];
  // If not, only its removal was missing.
  const isNew = before === null || before.lastSegment < number;
  const video =
    isNew && first !== undefined && last !== undefined
      ? {
          ...(before ?? { startedAt: first.at, ...videoSize(frames) }),
          endedAt: last.at,
          lastSegment: number,
        }
      : null;
  return {
    framesBytes: content.length,
    video,
    frames,
    done: () => rm(file, { force: true }),
  };
}

/** What is shown for no time is not shown, in ms. */
const leastShownMs = 40;

/**
 * A recording ends with its last picture twice. Where a crash cut that off, what then is its last is
 * shown for a moment.
 */
function shown(frames: readonly RecordedFrame[]): readonly RecordedFrame[] {
  const [last, before] = [frames.at(-1), frames.at(-2)];
  if (last === undefined || before?.jpeg.equals(last.jpeg) === true) return frames;
  return [...frames, { ...last, at: last.at + leastShownMs }];
}

/** A server that was started again may have found its clock set back: times go on all the same. */
function framesAfter(endedAt: number, frames: readonly RecordedFrame[]): readonly RecordedFrame[] {
  const lateMs = endedAt + 1 - (frames[0]?.at ?? 0);
  return lateMs <= 0 ? frames : frames.map((frame) => ({ ...frame, at: frame.at + lateMs }));
}

/** For `catch`: a value in place of what is not there. */
function absentAs<T>(value: T): (error: unknown) => T {
  return (error) => {
    if (error instanceof Error && "code" in error && error.code === "ENOENT") return value;
    throw error;
  };
}
