import type { Config } from "../config.ts";
import { findEncoder } from "../recording/encoder-install.ts";
import { dataDirectoryAt } from "../store/data-directory.ts";
import { checkBrowsers } from "./browser-checks.ts";
import { type Check, type CheckStatus, checkOf } from "./check.ts";
import { checkFonts } from "./fonts.ts";
import {
  checkClock,
  checkDescriptors,
  checkNode,
  checkPort,
  checkRoom,
  checkSharedMemory,
} from "./host-checks.ts";
import {
  checkDataDirectory,
  checkFirewall,
  checkMemoryCap,
  checkUsers,
  existingPlace,
} from "./isolation-checks.ts";
import { checkLeaks } from "./leaks.ts";
import type { LeftOver } from "./left-over.ts";
import { findServer } from "./server.ts";

export interface Diagnosis {
  /** The worst of all checks. */
  readonly status: CheckStatus;
  readonly checks: readonly Check[];
  /** What the last server left; empty while one runs. */
  readonly leftOver: readonly LeftOver[];
}

/** Looks at everything that a server of this configuration needs and at what one left; repairs nothing. */
export async function diagnose(config: Config): Promise<Diagnosis> {
  const directory = dataDirectoryAt(config.dataDir);
  const access = await checkDataDirectory(directory);
  // What cannot be reached is told once.
  const readable = access.status !== "problem";
  const server = readable ? await findServer(directory) : null;
  const health = server?.health ?? null;
  const leaks = readable ? await checkLeaks(directory, config, server) : null;
  const checks = [
    checkNode(),
    ...(await checkBrowsers(config)),
    await checkFonts(),
    await checkEncoder(config),
    access,
    ...(await checkRoom(config, existingPlace(directory.root), server !== null)),
    await checkSharedMemory(),
    checkDescriptors(config),
    checkClock(),
    checkUsers(config),
    checkMemoryCap(config, health),
    await checkFirewall(config, directory, health),
    server?.check ?? (await checkPort(config)),
    ...(leaks === null ? [] : [leaks.check]),
  ];
  return { status: worstOf(checks), checks, leftOver: leaks?.leftOver ?? [] };
}

async function checkEncoder({ ffmpegPath }: Config): Promise<Check> {
  const check = checkOf("encoder");
  const { ffmpeg, problem } = await findEncoder(ffmpegPath);
  if (ffmpeg !== null) return check.ok(`ffmpeg ${ffmpeg.version} with libx264 (${ffmpeg.path})`);
  return check.warning(`Sessions have no replays: ${problem}`);
}

function worstOf(checks: readonly Check[]): CheckStatus {
  const has = (status: CheckStatus): boolean => checks.some((check) => check.status === status);
  return has("problem") ? "problem" : has("warning") ? "warning" : "ok";
}
