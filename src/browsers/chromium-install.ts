import { createReadStream, createWriteStream } from "node:fs";
import { chmod, lstat, mkdir, readdir, readFile, rename, rm, writeFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { pipeline } from "node:stream/promises";
import { createBrotliDecompress } from "node:zlib";
import { installDebianPackages, isDebian, readOsRelease } from "../install/debian.ts";
import { runToEnd } from "../install/run-to-end.ts";
import {
  BUNDLED_SHELL_NAME,
  bundledPlaywrightDirectory,
  bundledShellDirectory,
  type ChromiumExecutables,
  type ChromiumSearch,
  findChromium,
  type Machine,
  obstacleToOthers,
  thisMachine,
} from "./chromium.ts";

export interface ChromiumInstallOptions {
  readonly dataDir: string;
  /** Called with a line for a person to read, at the start of each step and while it lasts. */
  onProgress(line: string): void;
}

/** One way to come by a browser. */
export interface InstallWay {
  /** As the beginning of a sentence: "Debian's packages". */
  readonly name: string;
  /** Why this way is closed on this machine, found without touching anything, or null. */
  obstacle(options: ChromiumInstallOptions, machine: Machine): Promise<string | null>;
  install(options: ChromiumInstallOptions, machine: Machine): Promise<void>;
}

/**
 * Finds a browser, or else installs one. Either kind will do: nothing is installed while there is
 * one, and on Debian as root both come.
 */
export async function ensureChromium(
  options: ChromiumSearch & ChromiumInstallOptions,
): Promise<ChromiumExecutables> {
  const found = await findChromium(options);
  if (hasAny(found)) return found;
  for (const { path, reason } of found.rejected)
    options.onProgress(`Passed over: ${path} ${reason}`);
  await installChromium(options);
  return await findChromium(options);
}

/**
 * Installs a browser by the first way that leads to one that runs: the system's packages keep
 * themselves up to date, Playwright's download is current, and the npm package is for machines that
 * reach nothing else.
 *
 * @throws one Error that says what was tried, why each way failed, and what to do.
 */
export async function installChromium(
  options: ChromiumInstallOptions,
  ways: readonly InstallWay[] = [debianPackages, playwrightInstaller, npmPackage],
  machine: Machine = thisMachine(),
): Promise<void> {
  const failures: string[] = [];
  for (const way of ways) {
    const failure = await tryWay(way, options, machine);
    if (failure === null) return;
    failures.push(`- ${way.name}: ${failure}`);
    options.onProgress(`${way.name}: ${failure}`);
  }
  throw new Error(
    `No browser could be installed. Tried:\n${failures.join("\n")}\nInstall Chromium or Google Chrome by hand, or set NIGHTJAR_CHROMIUM or NIGHTJAR_HEADLESS_SHELL to the path of one.`,
  );
}

async function tryWay(
  way: InstallWay,
  options: ChromiumInstallOptions,
  machine: Machine,
): Promise<string | null> {
  const obstacle = await way.obstacle(options, machine);
  if (obstacle !== null) return obstacle;
  try {
    await way.install(options, machine);
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
  const search = { chromiumPath: null, headlessShellPath: null, dataDir: options.dataDir };
  const found = await findChromium(search, machine);
  if (hasAny(found)) return null;
  const reasons = found.rejected.map(({ path, reason }) => `${path} ${reason}`);
  return `installed, but it cannot be used: ${reasons.join("; ") || "no executable was found"}`;
}

function hasAny({ headlessShell, chromium }: ChromiumExecutables): boolean {
  return headlessShell !== null || chromium !== null;
}

export const debianPackages: InstallWay = {
  name: "Debian's packages",

  async obstacle(_options, machine) {
    if (machine.platform !== "linux") return "only on Debian and its relatives";
    const release = await readOsRelease(machine.rootDirectory);
    if (!isDebian(release)) return "only on Debian and its relatives";
    if (release.id === "ubuntu") {
      return "Ubuntu's chromium package only starts a snap, which cannot serve sessions";
    }
    if (!machine.isRoot) return "only root can install them";
    return null;
  },

  async install({ onProgress }) {
    await installDebianPackages(["chromium", "chromium-headless-shell"], onProgress);
  },
};

export const playwrightInstaller: InstallWay = {
  name: "Playwright's installer",

  async obstacle({ dataDir }, machine) {
    if (playwrightCli() === null) return "the package playwright-core is not installed";
    return machine.isRoot ? await dataDirObstacle(dataDir) : null;
  },

  async install({ dataDir, onProgress }, machine) {
    const install = async (browsersDirectory: string | undefined) => {
      const withLibraries =
        machine.isRoot && (await readOsRelease(machine.rootDirectory)).id === "ubuntu";
      await runToEnd(
        process.execPath,
        [
          playwrightCli() ?? "",
          "install",
          // Without it, Playwright deletes the browsers of other versions from the user's cache.
          "--no-remove",
          // The libraries that the browser links to come with Debian's package but not with this.
          ...(withLibraries ? ["--with-deps"] : []),
          "chromium",
          "chromium-headless-shell",
        ],
        {
          title: "Downloading Chromium with Playwright's installer",
          onProgress,
          environment: {
            // Five tries of 30 s each would keep a machine without a way out waiting.
            PLAYWRIGHT_DOWNLOAD_CONNECTION_TIMEOUT: "10000",
            ...process.env,
            ...(browsersDirectory === undefined
              ? {}
              : { PLAYWRIGHT_BROWSERS_PATH: browsersDirectory }),
          },
          timeLimitMs: 15 * 60_000,
          relay: /^Downloading|\d% of/,
        },
      );
    };
    // Root's cache is below /root, which session users cannot reach.
    if (!machine.isRoot) return await install(undefined);
    await installInto(bundledPlaywrightDirectory(dataDir), install);
  },
};

/**
 * Version and content of the npm package, so that a browser that sessions trust can never change
 * under the same version of Nightjar.
 */
const NPM_PACKAGE = {
  name: "@sparticuz/chromium",
  version: "153.0.0",
  integrity:
    "sha512-jiGWqSvPMdu4+P9TilYqAR7yEGPEHINx+lCvE/NqNO/EHYzF/x1hUiI5T6ioVIt7dEy7n88byyT0vk+dnsgQwA==",
} as const;

export const npmPackage: InstallWay = {
  name: `The npm package ${NPM_PACKAGE.name}`,

  async obstacle({ dataDir }, machine) {
    if (machine.platform !== "linux" || process.arch !== "x64") return "only for Linux on x64";
    return machine.isRoot ? await dataDirObstacle(dataDir) : null;
  },

  async install({ dataDir, onProgress }) {
    await installInto(bundledShellDirectory(dataDir), async (directory) => {
      const download = join(directory, "download");
      await mkdir(download);
      await runToEnd(
        "npm",
        [
          "install",
          "--prefix",
          download,
          "--ignore-scripts",
          "--no-audit",
          "--no-fund",
          "--no-progress",
          "--loglevel=error",
          "--engine-strict=false",
          `${NPM_PACKAGE.name}@${NPM_PACKAGE.version}`,
        ],
        {
          title: `Downloading the npm package ${NPM_PACKAGE.name} (67 MB)`,
          onProgress,
          environment: process.env,
          timeLimitMs: 10 * 60_000,
          relay: null,
        },
      );
      await checkIntegrity(download);
      onProgress("Unpacking the headless Chromium of the npm package");
      await unpackNpmPackage(join(download, "node_modules", NPM_PACKAGE.name, "bin"), directory);
      await rm(download, { recursive: true });
    });
  },
};

async function checkIntegrity(download: string): Promise<void> {
  const lock: unknown = JSON.parse(await readFile(join(download, "package-lock.json"), "utf8"));
  const { packages } = lock as { packages: Record<string, { integrity?: string } | undefined> };
  const integrity = packages[`node_modules/${NPM_PACKAGE.name}`]?.integrity;
  if (integrity !== NPM_PACKAGE.integrity) {
    throw new Error(
      `the registry answered with another content than Nightjar was tested with (${integrity})`,
    );
  }
}

/**
 * Unpacks the package's archives ourselves: its own function writes to fixed names in the shared
 * temporary directory and takes whatever file is already there, which any user of the machine could
 * have put there.
 */
async function unpackNpmPackage(archives: string, directory: string): Promise<void> {
  const unpack = async (archive: string, to: string) => {
    const source = createReadStream(join(archives, archive));
    await pipeline(source, createBrotliDecompress(), createWriteStream(to));
  };
  await unpack("chromium.br", join(directory, "chromium"));
  // The graphics library, the NSS libraries that a minimal system lacks, and one font family.
  for (const archive of ["swiftshader.tar.br", "al2023.tar.br", "fonts.tar.br"]) {
    const tar = join(directory, "archive.tar");
    await unpack(archive, tar);
    await runToEnd("tar", ["-x", "--no-same-owner", "-f", tar, "-C", directory], {
      title: "Unpacking",
      onProgress: () => {},
      environment: process.env,
      timeLimitMs: 60_000,
      relay: null,
    });
    await rm(tar);
  }
  await chmod(join(directory, "chromium"), 0o755);
  await writeFile(join(directory, "fonts.conf"), FONTS_CONF);
  await writeFile(join(directory, BUNDLED_SHELL_NAME), LAUNCHER, { mode: 0o755 });
}

/** Relative, so that the data directory may move; the package's own file names /tmp. */
const FONTS_CONF = `<?xml version="1.0"?>
<!DOCTYPE fontconfig SYSTEM "fonts.dtd">
<fontconfig>
  <dir prefix="relative">fonts</dir>
  <cachedir prefix="xdg">fontconfig</cachedir>
</fontconfig>
`;

/**
 * The binary has no search path for libraries of its own, and this way is for machines where they
 * (and fonts) may be missing; hence a script, though it costs a millisecond at each launch.
 */
const LAUNCHER = `#!/bin/sh
here=\${0%/*}
export LD_LIBRARY_PATH="$here/lib\${LD_LIBRARY_PATH:+:$LD_LIBRARY_PATH}"
[ -e /etc/fonts/fonts.conf ] || export FONTCONFIG_PATH="$here"
exec "$here/chromium" "$@"
`;

/**
 * Lets `fill` make `directory` under another name and moves it there when all went well, so that
 * half an installation is never found. What it made becomes readable to every user, whatever our
 * umask: sessions of a root server run under other user ids.
 */
async function installInto(
  directory: string,
  fill: (temporary: string) => Promise<void>,
): Promise<void> {
  const parent = dirname(directory);
  await mkdir(parent, { recursive: true });
  await chmod(parent, 0o755);
  await removeAbandoned(parent);
  const temporary = join(parent, `${TEMPORARY_PREFIX}${process.pid}`);
  try {
    await mkdir(temporary);
    await fill(temporary);
    await openToOthers(temporary);
    await rm(directory, { recursive: true, force: true });
    await rename(temporary, directory);
  } finally {
    await rm(temporary, { recursive: true, force: true });
  }
}

const TEMPORARY_PREFIX = ".installing-";

/** Removes what installers left that were killed half-way. */
async function removeAbandoned(parent: string): Promise<void> {
  for (const name of await readdir(parent)) {
    if (!name.startsWith(TEMPORARY_PREFIX)) continue;
    if (isRunning(Number(name.slice(TEMPORARY_PREFIX.length)))) continue;
    await rm(join(parent, name), { recursive: true, force: true });
  }
}

function isRunning(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === "EPERM";
  }
}

async function openToOthers(path: string): Promise<void> {
  const stats = await lstat(path);
  if (stats.isSymbolicLink()) return;
  const isOpenable = stats.isDirectory() || (stats.mode & 0o100) !== 0;
  await chmod(path, (stats.mode & 0o755) | (isOpenable ? 0o755 : 0o644));
  if (!stats.isDirectory()) return;
  for (const name of await readdir(path)) await openToOthers(join(path, name));
}

/** For a root server: what would keep session users from a browser below the data directory. */
async function dataDirObstacle(dataDir: string): Promise<string | null> {
  await mkdir(dataDir, { recursive: true, mode: 0o711 });
  const obstacle = await obstacleToOthers(dataDir);
  return obstacle === null
    ? null
    : `session users could not reach the data directory ${dataDir}, because ${obstacle} (set NIGHTJAR_DATA_DIR to another place, such as /var/lib/nightjar)`;
}

function playwrightCli(): string | null {
  try {
    const manifest = createRequire(import.meta.url).resolve("playwright-core/package.json");
    return join(dirname(manifest), "cli.js");
  } catch {
    return null;
  }
}
