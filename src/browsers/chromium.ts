import { spawn } from "node:child_process";
import { open, readdir, realpath, stat } from "node:fs/promises";
import { homedir } from "node:os";
import { delimiter, dirname, isAbsolute, join, resolve } from "node:path";

export type ChromiumKind = "headless-shell" | "chromium";

export interface ChromiumExecutable {
  readonly path: string;
  readonly kind: ChromiumKind;
  /** Four numbers, for example `156.0.8078.79`. */
  readonly version: string;
  readonly majorVersion: number;
  readonly source: ChromiumSource;
}

/** Where an executable comes from; `bundled` is what Nightjar's own install step placed. */
export type ChromiumSource = "setting" | "system" | "playwright-cache" | "bundled";

export interface RejectedChromium {
  readonly path: string;
  readonly reason: string;
}

export interface ChromiumExecutables {
  /** Serves headless sessions when there is one: it starts faster and takes half the memory. */
  readonly headlessShell: ChromiumExecutable | null;
  /** Serves sessions that need the whole browser, and headless ones when there is no shell. */
  readonly chromium: ChromiumExecutable | null;
  /** What was there but cannot be used, so that a log can say why it was passed over. */
  readonly rejected: readonly RejectedChromium[];
}

export interface ChromiumSearch {
  /** NIGHTJAR_CHROMIUM, or null to search. */
  readonly chromiumPath: string | null;
  /** NIGHTJAR_HEADLESS_SHELL, or null to search. */
  readonly headlessShellPath: string | null;
  readonly dataDir: string;
}

/** What the search reads of the machine that it runs on; tests pass one of their own. */
export interface Machine {
  readonly platform: NodeJS.Platform;
  readonly environment: Readonly<Record<string, string | undefined>>;
  readonly homeDirectory: string;
  /** What well-known absolute paths start from. */
  readonly rootDirectory: string;
  /** A root server runs each session under a user id of its own. */
  readonly isRoot: boolean;
  /** How long an executable may take to say its version. */
  readonly versionTimeLimitMs: number;
}

export function thisMachine(): Machine {
  return {
    platform: process.platform,
    environment: process.env,
    homeDirectory: homedir(),
    rootDirectory: "/",
    isRoot: process.getuid?.() === 0,
    // Generous: the first start after boot reads a 300 MB file from a cold and perhaps slow disk.
    versionTimeLimitMs: 15_000,
  };
}

/** Where the install step puts Playwright's browsers when its default cache will not do. */
export function bundledPlaywrightDirectory(dataDir: string): string {
  return join(dataDir, "chromium", "playwright");
}

/** The directory of the headless shell that comes as an npm package, and its executable. */
export function bundledShellDirectory(dataDir: string): string {
  return join(dataDir, "chromium", "sparticuz");
}
export const BUNDLED_SHELL_NAME = "chromium-headless-shell";

/**
 * Finds an executable of each kind. Each is resolved on its own, in this order: the setting, an
 * installed browser, Playwright's cache, what the install step placed.
 *
 * @throws when a setting names something that cannot be used: an operator who chose a browser must
 *   not silently get another one.
 * @example
 * const { headlessShell, chromium } = await findChromium({
 *   chromiumPath: null, headlessShellPath: null, dataDir: "/var/lib/nightjar",
 * });
 */
export async function findChromium(
  options: ChromiumSearch,
  machine: Machine = thisMachine(),
): Promise<ChromiumExecutables> {
  const rejected: RejectedChromium[] = [];
  const [headlessShell, chromium] = await Promise.all([
    findKind("headless-shell", options, machine, rejected),
    findKind("chromium", options, machine, rejected),
  ]);
  return { headlessShell, chromium, rejected };
}

interface Candidate {
  readonly path: string;
  readonly source: ChromiumSource;
}

async function findKind(
  kind: ChromiumKind,
  options: ChromiumSearch,
  machine: Machine,
  rejected: RejectedChromium[],
): Promise<ChromiumExecutable | null> {
  const set = kind === "chromium" ? options.chromiumPath : options.headlessShellPath;
  if (set !== null) return await useSetting(kind, set, machine);
  for (const { path, source } of await listCandidates(kind, options.dataDir, machine)) {
    const result = await inspect(path, machine);
    if (result.outcome === "usable") return executable(path, kind, result.version, source);
    if (result.outcome === "rejected") rejected.push({ path, reason: result.reason });
  }
  return null;
}

async function useSetting(
  kind: ChromiumKind,
  path: string,
  machine: Machine,
): Promise<ChromiumExecutable> {
  const setting = kind === "chromium" ? "NIGHTJAR_CHROMIUM" : "NIGHTJAR_HEADLESS_SHELL";
  const result = await inspect(resolve(path), machine);
  if (result.outcome === "usable") {
    return executable(resolve(path), kind, result.version, "setting");
  }
  const reason = result.outcome === "absent" ? "does not exist" : result.reason;
  throw new Error(
    `${setting} names ${path}, which ${reason}. Set it to a browser's executable, or unset it to have one found.`,
  );
}

function executable(
  path: string,
  kind: ChromiumKind,
  version: string,
  source: ChromiumSource,
): ChromiumExecutable {
  return { path, kind, version, majorVersion: Number.parseInt(version, 10), source };
}

async function listCandidates(
  kind: ChromiumKind,
  dataDir: string,
  machine: Machine,
): Promise<readonly Candidate[]> {
  const bundledRoot = bundledPlaywrightDirectory(dataDir);
  const bundled: Candidate[] = await listPlaywrightBrowsers(
    [bundledRoot],
    kind,
    machine,
    "bundled",
  );
  if (kind === "headless-shell") {
    const path = join(bundledShellDirectory(dataDir), BUNDLED_SHELL_NAME);
    bundled.push({ path, source: "bundled" });
  }
  return [
    ...listSystemPaths(kind, machine).map((path) => ({ path, source: "system" as const })),
    ...(await listPlaywrightBrowsers(playwrightCaches(machine), kind, machine, "playwright-cache")),
    ...bundled,
  ];
}

/**
 * The ELF binaries come before anything on PATH: there, Debian has shell scripts
 * (`/usr/bin/chromium`) that cost an extra process and some milliseconds at each launch, and the
 * first of them adds the desktop's flags from /etc/chromium.d to ours. The same goes for Google
 * Chrome's /usr/bin/google-chrome.
 */
const LINUX_PATHS: Readonly<Record<ChromiumKind, readonly string[]>> = {
  "headless-shell": [
    "usr/lib/chromium/chromium-headless-shell", // Debian
    "usr/lib64/chromium-browser/headless_shell", // Fedora
  ],
  chromium: [
    "usr/lib/chromium/chromium", // Debian, Arch
    "usr/lib64/chromium-browser/chromium-browser", // Fedora
    "opt/google/chrome/chrome",
    "opt/chromium.org/chromium/chrome",
  ],
};

const MAC_PATHS = [
  "Applications/Google Chrome.app/Contents/MacOS/Google Chrome",
  "Applications/Chromium.app/Contents/MacOS/Chromium",
];

const NAMES_ON_PATH: Readonly<Record<ChromiumKind, readonly string[]>> = {
  "headless-shell": ["chromium-headless-shell", "chrome-headless-shell", "headless_shell"],
  chromium: ["chromium", "chromium-browser", "google-chrome-stable", "google-chrome"],
};

function listSystemPaths(kind: ChromiumKind, machine: Machine): readonly string[] {
  const directories = (machine.environment["PATH"] ?? "").split(delimiter).filter(isAbsolute);
  const onPath = NAMES_ON_PATH[kind].flatMap((name) =>
    directories.map((directory) => join(directory, name)),
  );
  if (machine.platform === "darwin") {
    const roots = [machine.rootDirectory, machine.homeDirectory];
    const applications = roots.flatMap((root) => MAC_PATHS.map((path) => join(root, path)));
    return kind === "chromium" ? [...applications, ...onPath] : onPath;
  }
  if (machine.platform !== "linux") return onPath;
  return [...LINUX_PATHS[kind].map((path) => join(machine.rootDirectory, path)), ...onPath];
}

/** The directories where Playwright keeps browsers, as its own registry chooses them. */
function playwrightCaches(machine: Machine): readonly string[] {
  const { environment, homeDirectory } = machine;
  const named = environment["PLAYWRIGHT_BROWSERS_PATH"];
  const cache =
    machine.platform === "darwin"
      ? join(homeDirectory, "Library", "Caches")
      : environment["XDG_CACHE_HOME"] || join(homeDirectory, ".cache");
  const standard = join(cache, "ms-playwright");
  // "0" means inside node_modules of the package that installs: nothing that we can name.
  return named === undefined || named === "" || named === "0" ? [standard] : [named, standard];
}

/** Playwright's folder names and the executables in them, by platform, newest layout first. */
const PLAYWRIGHT_LAYOUT: Readonly<
  Record<ChromiumKind, { readonly folder: RegExp; readonly executables: readonly string[] }>
> = {
  "headless-shell": {
    folder: /^chromium_headless_shell-(\d+)$/,
    executables: [
      "chrome-headless-shell-linux64/chrome-headless-shell",
      "chrome-headless-shell-linux-arm64/chrome-headless-shell",
      "chrome-headless-shell-mac-arm64/chrome-headless-shell",
      "chrome-headless-shell-mac-x64/chrome-headless-shell",
      "chrome-linux/headless_shell",
      "chrome-mac/headless_shell",
    ],
  },
  chromium: {
    folder: /^chromium-(\d+)$/,
    executables: [
      "chrome-linux64/chrome",
      "chrome-linux-arm64/chrome",
      "chrome-mac-arm64/Google Chrome for Testing.app/Contents/MacOS/Google Chrome for Testing",
      "chrome-mac-x64/Google Chrome for Testing.app/Contents/MacOS/Google Chrome for Testing",
      "chrome-linux/chrome",
      "chrome-mac/Chromium.app/Contents/MacOS/Chromium",
    ],
  },
};

/** Playwright writes this file last: a folder without it is a download that was cut short. */
const PLAYWRIGHT_COMPLETE_MARKER = "INSTALLATION_COMPLETE";

async function listPlaywrightBrowsers(
  roots: readonly string[],
  kind: ChromiumKind,
  machine: Machine,
  source: ChromiumSource,
): Promise<Candidate[]> {
  const { folder, executables } = PLAYWRIGHT_LAYOUT[kind];
  const os = machine.platform === "darwin" ? "mac" : "linux";
  const found: { revision: number; path: string }[] = [];
  for (const root of roots) {
    for (const name of await readdir(root).catch(() => [])) {
      const revision = Number(folder.exec(name)?.[1] ?? Number.NaN);
      if (Number.isNaN(revision)) continue;
      if (!(await exists(join(root, name, PLAYWRIGHT_COMPLETE_MARKER)))) continue;
      for (const path of executables.filter((each) => each.includes(`-${os}`))) {
        found.push({ revision, path: join(root, name, path) });
      }
    }
  }
  // Sorting is stable: within one revision the order of roots and layouts stays.
  return found.sort((a, b) => b.revision - a.revision).map(({ path }) => ({ path, source }));
}

type Inspection =
  | { readonly outcome: "usable"; readonly version: string }
  | { readonly outcome: "absent" }
  | { readonly outcome: "rejected"; readonly reason: string };

async function inspect(path: string, machine: Machine): Promise<Inspection> {
  const rejected = (reason: string) => ({ outcome: "rejected", reason }) as const;
  const stats = await stat(path).catch((error: NodeJS.ErrnoException) => error);
  if (stats instanceof Error) {
    const isAbsent = stats.code === "ENOENT" || stats.code === "ENOTDIR";
    return isAbsent ? { outcome: "absent" } : rejected(`cannot be read (${stats.code})`);
  }
  if (!stats.isFile()) return rejected("is not a file");
  if ((stats.mode & 0o111) === 0) return rejected("is not executable");
  if (await isSnap(path)) {
    return rejected(
      "is a snap, whose confinement hides the profile directories of sessions from it",
    );
  }
  if (machine.isRoot) {
    const obstacle = await obstacleToOthers(path);
    if (obstacle !== null) {
      return rejected(`session users cannot run, because ${obstacle}`);
    }
  }
  return await readVersion(path, machine);
}

/** Ubuntu's `chromium-browser` is a script that starts the snap of the same name, or asks for it. */
async function isSnap(path: string): Promise<boolean> {
  const target = await realpath(path);
  if (target.endsWith("/usr/bin/snap") || target.startsWith("/snap/")) return true;
  const file = await open(target, "r").catch(() => null);
  if (file === null) return false;
  try {
    const { bytesRead, buffer } = await file.read(Buffer.alloc(4096), 0, 4096, 0);
    const start = buffer.toString("latin1", 0, bytesRead);
    return start.startsWith("#!") && start.includes("/snap/bin/");
  } finally {
    await file.close();
  }
}

/**
 * What keeps a user who owns nothing from running the file at `path`, as the end of a sentence that
 * begins with "because", or null. A root server needs this: its sessions run under other user ids,
 * to which a browser below /root (mode 0700) is not there at all.
 */
export async function obstacleToOthers(path: string): Promise<string | null> {
  const target = await realpath(path);
  const targetStats = await stat(target);
  if (targetStats.isFile() && (targetStats.mode & 0o005) !== 0o005) {
    return `${target} has mode ${octal(targetStats.mode)}`;
  }
  const starts = targetStats.isDirectory() ? [target, resolve(path)] : [path, target].map(dirname);
  // Both the path as written and where its links lead must be open all the way.
  for (const start of new Set(starts.flatMap(withParents))) {
    const { mode } = await stat(start);
    if ((mode & 0o001) === 0) return `the directory ${start} has mode ${octal(mode)}`;
  }
  return null;
}

function withParents(directory: string): readonly string[] {
  const parent = dirname(directory);
  return parent === directory ? [directory] : [...withParents(parent), directory];
}

function octal(mode: number): string {
  return (mode & 0o7777).toString(8).padStart(4, "0");
}

/** `nobody` on Linux: any id that owns nothing would do, and this one need not exist. */
const UNPRIVILEGED_ID = 65_534;

async function readVersion(path: string, machine: Machine): Promise<Inspection> {
  const run = await runVersion(path, machine, machine.isRoot);
  // Root of a user namespace may be unable to take another id; then sessions do not either.
  const result =
    run.error === "EPERM" || run.error === "EINVAL" ? await runVersion(path, machine, false) : run;
  const version = /chrom(?:e|ium)\b\D*?(\d+\.\d+\.\d+\.\d+)/i.exec(result.stdout)?.[1];
  if (result.error === null && version !== undefined) return { outcome: "usable", version };
  const said = lastLine(result.stderr) || lastLine(result.stdout);
  const failure = result.error ?? "no version of Chromium in what it printed";
  return {
    outcome: "rejected",
    reason: `does not answer to --version: ${failure}${said === "" ? "" : ` (${said})`}`,
  };
}

interface VersionRun {
  readonly stdout: string;
  readonly stderr: string;
  /** Why it failed: an error code of the system, or a sentence; null when it ended with 0. */
  readonly error: string | null;
}

/**
 * Runs `--version` as a user who owns nothing when we are root: that is who will run the browser, so
 * it proves what the check of modes only suggests, and root runs no unknown file. The environment is
 * a small one, because ours may hold NIGHTJAR_API_KEY.
 */
function runVersion(path: string, machine: Machine, unprivileged: boolean): Promise<VersionRun> {
  return new Promise((done) => {
    const output = { stdout: "", stderr: "" };
    let timedOut = false;
    let child: ReturnType<typeof spawn>;
    try {
      child = spawn(path, ["--version"], {
        stdio: ["ignore", "pipe", "pipe"],
        // Its own process group, so that the time limit ends what a wrapper script has started too.
        detached: true,
        cwd: "/",
        env: {
          PATH: machine.environment["PATH"],
          HOME: machine.homeDirectory,
          LANG: "C",
        },
        ...(unprivileged ? { uid: UNPRIVILEGED_ID, gid: UNPRIVILEGED_ID } : {}),
      });
    } catch (error) {
      done({ ...output, error: codeOf(error) });
      return;
    }
    const timer = setTimeout(() => {
      timedOut = true;
      if (child.pid !== undefined) killGroup(child.pid);
    }, machine.versionTimeLimitMs);
    for (const name of ["stdout", "stderr"] as const) {
      child[name]?.setEncoding("utf8").on("data", (chunk: string) => {
        output[name] = (output[name] + chunk).slice(0, 10_000);
      });
    }
    child.once("error", (error) => {
      clearTimeout(timer);
      done({ ...output, error: codeOf(error) });
    });
    child.once("close", (code, signal) => {
      clearTimeout(timer);
      if (timedOut)
        done({ ...output, error: `no answer in ${machine.versionTimeLimitMs / 1000} s` });
      else if (code === 0) done({ ...output, error: null });
      else done({ ...output, error: signal === null ? `exit code ${code}` : `ended by ${signal}` });
    });
  });
}

function killGroup(pid: number): void {
  try {
    process.kill(-pid, "SIGKILL");
  } catch {
    // It ended by itself in the meantime.
  }
}

function codeOf(error: unknown): string {
  const { code, message } = error as NodeJS.ErrnoException;
  return code ?? message;
}

function lastLine(text: string): string {
  return text.trimEnd().split("\n").at(-1)?.trim().slice(0, 300) ?? "";
}

async function exists(path: string): Promise<boolean> {
  return await stat(path).then(
    () => true,
    () => false,
  );
}

const DAY_MS = 86_400_000;
const OLD_AFTER_DAYS = 90;

/**
 * How long ago a major version became stable by Chromium's release calendar, and whether it is old
 * enough (more than 90 days) that an operator should be told: each newer version has published the
 * security holes of the older ones.
 *
 * The calendar, as Google announced it in March 2026 ("Chrome is moving to a two-week release
 * cycle"): every four weeks up to 152 on 2026-08-25, every two weeks from 153 on 2026-09-08; 159 is
 * due on 2026-12-08, a week later than the rhythm says, because holidays are skipped. The dates at
 * which Debian packaged 150 to 156 (changelog.Debian of `chromium`) agree within days. Outside what
 * was published, the mean rate of a year stands in: 12 versions a year before, 24 since, about two
 * rhythms a year lost to holidays.
 *
 * @example browserAge(150, new Date("2026-11-24")) // { ageDays: 147, old: true }
 */
export function browserAge(
  majorVersion: number,
  now: Date,
): { readonly ageDays: number; readonly old: boolean } {
  const ageMs = now.getTime() - stableReleaseTime(majorVersion);
  // A beta, such as Playwright often brings, is not yet on the calendar: it is new.
  const ageDays = Math.max(0, Math.floor(ageMs / DAY_MS));
  return { ageDays, old: ageDays > OLD_AFTER_DAYS };
}

function stableReleaseTime(majorVersion: number): number {
  const from = (version: number, date: string, daysEach: number) =>
    Date.parse(date) + (majorVersion - version) * daysEach * DAY_MS;
  if (majorVersion >= 159) return from(159, "2026-12-08", 365.25 / 24);
  if (majorVersion >= 153) return from(153, "2026-09-08", 14);
  if (majorVersion >= 144) return from(152, "2026-08-25", 28);
  return from(144, "2026-01-13", 365.25 / 12);
}
