import { execFile } from "node:child_process";
import { constants, createReadStream, createWriteStream } from "node:fs";
import { chmod, chown, mkdir, mkdtemp, open, rm } from "node:fs/promises";
import path from "node:path";
import { pipeline } from "node:stream/promises";
import { promisify } from "node:util";
import { backgroundUser, runInBackground } from "./background-process.ts";
import type { Encoder, EncodingOptions, VideoForm } from "./encoder.ts";
import type { RecordedFrame } from "./frame-file.ts";
import type { PictureSize } from "./jpeg-size.ts";
import { matroskaFrame, matroskaHeader } from "./matroska.ts";

/** An ffmpeg that can be used. */
export interface Ffmpeg {
  readonly path: string;
  /** E.g. `5.1.9-0+deb12u1`. */
  readonly version: string;
}

/**
 * Asks an executable what it is. Throws in words for the operator where it is not there, or cannot
 * encode H.264.
 */
export async function inspectFfmpeg(file: string): Promise<Ffmpeg> {
  const { stdout } = await promisify(execFile)(file, ["-hide_banner", "-version"], {
    timeout: 10_000,
    // As it will run.
    ...backgroundUser(),
  }).catch((error: NodeJS.ErrnoException) => {
    throw new Error(
      error.code === "ENOENT" ? `${file} is not there` : `${file} cannot be run: ${error.message}`,
    );
  });
  const version = /^ffmpeg version (\S+)/.exec(stdout)?.[1];
  if (version === undefined) throw new Error(`${file} is no ffmpeg`);
  if (!stdout.includes("--enable-libx264")) {
    throw new Error(`${file} (ffmpeg ${version}) was built without libx264, which encodes H.264`);
  }
  return { path: file, version };
}

/** Quality of the video (constant rate factor): text of 12 px stays readable. */
const crf = "30";

/** Frames from one key frame to the next at most: what a player decodes at most to seek. */
const keyFrameEvery = "100";

/** `-copyts`: ffmpeg would otherwise take long still pictures for gaps, and close them. */
const common = [
  ...["-hide_banner", "-nostdin", "-loglevel", "error", "-y", "-copyts"],
  ...["-protocol_whitelist", "pipe"],
];
const partOutput = ["-muxdelay", "0", "-muxpreload", "0", "-f", "mpegts"];
const mp4Output = ["-video_track_timescale", "1000", "-movflags", "+faststart", "-f", "mp4"];

/**
 * JPEG is full range and BT.601, video limited range and BT.709: said and converted, or players would
 * show other colours. A picture of another size than the video stands in its middle.
 */
function filters({ width, height }: PictureSize): string {
  return [
    `scale=${width}:${height}:force_original_aspect_ratio=decrease:in_range=pc:out_range=tv:in_color_matrix=bt601:out_color_matrix=bt709`,
    `pad=${width}:${height}:(ow-iw)/2:(oh-ih)/2:color=black`,
    "setsar=1",
    "format=yuv420p",
  ].join(",");
}

function* pictures(frames: readonly RecordedFrame[], form: VideoForm): Iterable<Buffer> {
  yield matroskaHeader(form);
  for (const { at, jpeg } of frames) yield matroskaFrame(at - form.startedAt, jpeg);
}

async function* content(files: readonly string[]): AsyncIterable<Buffer> {
  for (const file of files) yield* createReadStream(file);
}

/** Encodes with ffmpeg and x264, one process a call, each in the background of the machine. */
export class FfmpegEncoder implements Encoder {
  readonly #ffmpeg: Ffmpeg;
  readonly #workDirectory: string;

  /** `workDirectory`: made here, and passable for the user that ffmpeg runs as. */
  private constructor(ffmpeg: Ffmpeg, workDirectory: string) {
    this.#ffmpeg = ffmpeg;
    this.#workDirectory = workDirectory;
  }

  /** Removes what an earlier process was working on. */
  static async open(ffmpeg: Ffmpeg, workDirectory: string): Promise<FfmpegEncoder> {
    await rm(workDirectory, { recursive: true, force: true });
    await mkdir(workDirectory, { recursive: true });
    await chmod(workDirectory, 0o711);
    return new FfmpegEncoder(ffmpeg, workDirectory);
  }

  async encodePart(
    frames: readonly RecordedFrame[],
    form: VideoForm,
    to: string,
    options: EncodingOptions,
  ): Promise<void> {
    const file = await open(to, "w", 0o600);
    const args = [...this.#encoding(form), ...partOutput, "pipe:1"];
    try {
      await this.#run(args, pictures(frames, form), file.fd, this.#workDirectory, options);
      await file.datasync();
    } catch (error) {
      await rm(to, { force: true });
      throw error;
    } finally {
      await file.close();
    }
  }

  async join(parts: readonly string[], to: string, options: EncodingOptions): Promise<void> {
    const copying = [...common, "-f", "mpegts", "-i", "pipe:0", "-c", "copy"];
    await this.#makeMp4(copying, content(parts), to, options);
  }

  async encodeWhole(
    frames: readonly RecordedFrame[],
    form: VideoForm,
    to: string,
    options: EncodingOptions,
  ): Promise<void> {
    await this.#makeMp4(this.#encoding(form), pictures(frames, form), to, options);
  }

  /** An MP4 has its index at its front, which is written last: it needs a file, and a place for it. */
  async #makeMp4(
    args: readonly string[],
    input: Iterable<Buffer> | AsyncIterable<Buffer>,
    to: string,
    options: EncodingOptions,
  ): Promise<void> {
    const directory = await mkdtemp(path.join(this.#workDirectory, "replay-"));
    const name = "replay.mp4";
    try {
      const user = backgroundUser();
      if (user !== null) await chown(directory, user.uid, user.gid);
      await this.#run([...args, ...mp4Output, name], input, null, directory, options);
      await copyMade(path.join(directory, name), to);
    } finally {
      await rm(directory, { recursive: true, force: true });
    }
  }

  #encoding(form: VideoForm): readonly string[] {
    return [
      ...[...common, "-f", "matroska", "-c:v", "mjpeg", "-i", "pipe:0", "-an"],
      ...["-vf", filters(form), ...this.#everyFrame(), "-enc_time_base", "1:1000"],
      ...["-threads", "1", "-c:v", "libx264", "-preset", "veryfast", "-crf", crf, "-bf", "0"],
      ...["-g", keyFrameEvery, "-color_range", "tv", "-colorspace", "bt709"],
      ...["-color_primaries", "bt709", "-color_trc", "bt709"],
    ];
  }

  async #run(
    args: readonly string[],
    input: Iterable<Buffer> | AsyncIterable<Buffer>,
    output: number | null,
    directory: string,
    { signal, awaited }: EncodingOptions,
  ): Promise<void> {
    const { path: command } = this.#ffmpeg;
    const priority = awaited ? "low" : "idle";
    try {
      await runInBackground({ priority, command, args, input, output, directory, signal });
    } catch (error) {
      if (signal.aborted) throw error;
      throw new Error(`ffmpeg failed: ${error instanceof Error ? error.message : error}`);
    }
  }

  /** Frames are neither repeated nor left out; 5.1 has another name for that than what was before. */
  #everyFrame(): readonly string[] {
    const [, major, minor] = /(\d+)\.(\d+)/.exec(this.#ffmpeg.version) ?? [];
    const old = Number(major ?? 9) < 5 || (major === "5" && minor === "0");
    return [old ? "-vsync" : "-fps_mode", "passthrough"];
  }
}

/**
 * Copies a file that another user's process wrote: only if it is a plain file of that user, since it
 * could also have put a link there. Leaves nothing when it throws.
 */
async function copyMade(from: string, to: string): Promise<void> {
  const made = await open(from, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK);
  try {
    const { uid, size } = await made.stat();
    if (uid !== (backgroundUser()?.uid ?? process.getuid?.()) || size === 0) {
      throw new Error("ffmpeg made no file of its own");
    }
    const copy = createWriteStream(to, { mode: 0o600, flush: true });
    await pipeline(made.createReadStream({ autoClose: false }), copy);
  } catch (error) {
    await rm(to, { force: true });
    throw error;
  } finally {
    await made.close();
  }
}
