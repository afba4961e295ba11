import { readFile } from "node:fs/promises";
import type { Logger } from "pino";
import { browserAge, type ChromiumExecutables } from "./browsers/chromium.ts";
import { ensureChromium } from "./browsers/chromium-install.ts";
import type { Config } from "./config.ts";
import type { Encoder } from "./recording/encoder.ts";
import { findEncoder } from "./recording/encoder-install.ts";
import { FfmpegEncoder } from "./recording/ffmpeg.ts";
import { type ApiKeyRecords, defaultTenantId } from "./store/api-key-records.ts";

/** Makes sure that there is a key; answers the one that had to be made. */
export async function prepareKeys(
  keys: ApiKeyRecords,
  chosen: string | null,
): Promise<string | null> {
  if (chosen !== null) {
    await keys.ensure(defaultTenantId, "NIGHTJAR_API_KEY", chosen);
    return null;
  }
  const existing = await keys.list();
  if (existing.some((key) => key.revokedAt === null)) return null;
  const { key } = await keys.create(defaultTenantId, "first start");
  return key;
}

/** Finds the browsers, or installs them where that can be done; says which, and which are old. */
export async function findBrowsers(config: Config, logger: Logger): Promise<ChromiumExecutables> {
  const executables = await ensureChromium({
    chromiumPath: config.chromiumPath,
    headlessShellPath: config.headlessShellPath,
    dataDir: config.dataDir,
    onProgress: (line) => logger.info(line),
  });
  for (const executable of [executables.headlessShell, executables.chromium]) {
    if (executable === null) continue;
    const { kind, version, path, source } = executable;
    logger.info({ version, path, source }, `found ${kind}`);
    const { old, ageDays } = browserAge(executable.majorVersion, new Date());
    if (old) {
      logger.warn(
        { version, path },
        `this browser was released about ${Math.round(ageDays / 30)} months ago and misses security fixes since: update it`,
      );
    }
  }
  return executables;
}

/** Null where sessions have no replays, which is said. */
export async function chooseEncoder(
  config: Config,
  workDirectory: string,
  logger: Logger,
): Promise<Encoder | null> {
  const { ffmpeg, problem } = await findEncoder(config.ffmpegPath);
  if (ffmpeg === null) {
    logger.warn(`sessions have no replays: ${problem}`);
    return null;
  }
  logger.info({ version: ffmpeg.version, path: ffmpeg.path }, "found ffmpeg");
  return FfmpegEncoder.open(ffmpeg, workDirectory);
}

/** The version of this program, e.g. `0.3.0`. */
export async function ownVersion(): Promise<string> {
  const file = new URL("../package.json", import.meta.url);
  return (JSON.parse(await readFile(file, "utf8")) as { version: string }).version;
}
