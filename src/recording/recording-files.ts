import { readdir, readFile, rename, stat, writeFile } from "node:fs/promises";
import path from "node:path";
import { z } from "zod";

/**
 * What lies in the folder of a recording: `frames-000001.bin` and on, in the order they were written;
 * each becomes `segment-000001.ts` and is removed; in the end the segments become `replay.mp4`.
 * What is there tells what is left to do, so that it goes on after a crash of anything.
 */
export const replayName = "replay.mp4";
const videoName = "video.json";
/** Since when frames were left out for want of room; its content is epoch ms. */
const thinnedName = "thinned";
const partSuffix = ".part";

export function framesName(number: number): string {
  return `frames-${String(number).padStart(6, "0")}.bin`;
}

export function segmentName(number: number): string {
  return `segment-${String(number).padStart(6, "0")}.ts`;
}

/** The name of a file while it is written. */
export function partName(name: string): string {
  return `${name}${partSuffix}`;
}

/** What there is of a recording's pictures; numbers ascend. */
export interface RecordingFiles {
  readonly frames: readonly number[];
  readonly segments: readonly number[];
  readonly hasReplay: boolean;
  /** Of the frames and segments. */
  readonly sizeBytes: number;
}

export async function recordingFiles(directory: string): Promise<RecordingFiles> {
  const names: readonly string[] = await readdir(directory).catch(() => []);
  const numbered = (pattern: RegExp) => names.filter((name) => pattern.test(name)).sort();
  const frames = numbered(/^frames-\d{6}\.bin$/);
  const segments = numbered(/^segment-\d{6}\.ts$/);
  const sizes = await Promise.all(
    [...frames, ...segments].map((name) =>
      stat(path.join(directory, name)).then(
        ({ size }) => size,
        () => 0,
      ),
    ),
  );
  return {
    frames: frames.map(numberOf),
    segments: segments.map(numberOf),
    hasReplay: names.includes(replayName),
    sizeBytes: sizes.reduce((sum, size) => sum + size, 0),
  };
}

/** Whether there is something that a replay can be made of, or one that was made. */
export async function hasPictures(directory: string): Promise<boolean> {
  const { frames, segments, hasReplay } = await recordingFiles(directory);
  return hasReplay || frames.length + segments.length > 0;
}

function numberOf(name: string): number {
  return Number(/\d+/.exec(name)?.[0]);
}

const videoSchema = z.object({
  /** When its first frame was, epoch ms. */
  startedAt: z.int(),
  /** When its last frame so far was, epoch ms. */
  endedAt: z.int(),
  /** The number of its last segment so far. */
  lastSegment: z.int(),
  /** Pixels, even. */
  width: z.int().min(2),
  height: z.int().min(2),
});

/** What all segments of a recording have in common, and when they are. */
export type Video = z.output<typeof videoSchema>;

/** Null before the first frames were encoded. */
export async function readVideo(directory: string): Promise<Video | null> {
  const text = await readFile(path.join(directory, videoName), "utf8").catch(() => null);
  if (text === null) return null;
  const parsed = videoSchema.safeParse(parseJson(text));
  return parsed.success ? parsed.data : null;
}

export async function writeVideo(directory: string, video: Video): Promise<void> {
  await writeWhole(directory, videoName, JSON.stringify(video));
}

/** Epoch ms; null where every frame that was wanted was kept. */
export async function readThinnedAt(directory: string): Promise<number | null> {
  const text = await readFile(path.join(directory, thinnedName), "utf8").catch(() => "");
  return /^\d{1,16}$/.test(text) ? Number(text) : null;
}

/** The first time counts. */
export async function writeThinnedAt(directory: string, at: number): Promise<void> {
  if ((await readThinnedAt(directory)) === null) await writeWhole(directory, thinnedName, `${at}`);
}

async function writeWhole(directory: string, name: string, content: string): Promise<void> {
  const file = path.join(directory, name);
  await writeFile(partName(file), content, { mode: 0o600, flush: true });
  await rename(partName(file), file);
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}
