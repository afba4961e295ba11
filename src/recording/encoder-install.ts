import { installDebianPackages, isDebian, readOsRelease } from "../install/debian.ts";
import { findInPath } from "../install/in-path.ts";
import { messageOf } from "../sessions/errors.ts";
import { type Ffmpeg, inspectFfmpeg } from "./ffmpeg.ts";

/** An encoder, or why there is none and what to do, in words for the operator. */
export type FoundEncoder =
  | { readonly ffmpeg: Ffmpeg; readonly problem: null }
  | { readonly ffmpeg: null; readonly problem: string };

/** What decides where to look and what may be installed; replaced in tests. */
export interface EncoderMachine {
  readonly environment: Readonly<Record<string, string | undefined>>;
  /** What well-known absolute paths start from. */
  readonly rootDirectory: string;
  readonly isRoot: boolean;
}

function thisMachine(): EncoderMachine {
  return {
    environment: process.env,
    rootDirectory: "/",
    isRoot: process.getuid?.() === 0,
  };
}

const remedy =
  "Install ffmpeg with libx264 (Debian and Ubuntu: `apt-get install ffmpeg`; macOS: `brew install ffmpeg`), or set NIGHTJAR_FFMPEG to the path of one.";

/** Looks for ffmpeg: at `ffmpegPath` alone where it is given, otherwise in PATH. */
export async function findEncoder(
  ffmpegPath: string | null,
  machine: EncoderMachine = thisMachine(),
): Promise<FoundEncoder> {
  const file = ffmpegPath ?? (await findInPath("ffmpeg", machine.environment));
  if (file === null) {
    return { ffmpeg: null, problem: `There is no ffmpeg on this machine. ${remedy}` };
  }
  try {
    return { ffmpeg: await inspectFfmpeg(file), problem: null };
  } catch (error) {
    return { ffmpeg: null, problem: `${messageOf(error)}. ${remedy}` };
  }
}

/**
 * Finds an encoder, or installs Debian's package where that can be done. Never throws: without an
 * encoder all but replays works.
 */
export async function ensureEncoder(
  ffmpegPath: string | null,
  onProgress: (line: string) => void,
  machine: EncoderMachine = thisMachine(),
  install: (
    packages: readonly string[],
    onProgress: (line: string) => void,
  ) => Promise<void> = installDebianPackages,
): Promise<FoundEncoder> {
  const found = await findEncoder(ffmpegPath, machine);
  if (found.ffmpeg !== null || ffmpegPath !== null) return found;
  if (!machine.isRoot || !isDebian(await readOsRelease(machine.rootDirectory))) return found;
  try {
    await install(["ffmpeg"], onProgress);
  } catch (error) {
    return { ffmpeg: null, problem: `${found.problem} Debian's package: ${messageOf(error)}.` };
  }
  return findEncoder(null, machine);
}
