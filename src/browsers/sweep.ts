import { readdir, stat } from "node:fs/promises";
import path from "node:path";
import { killProcess } from "./browser-process.ts";
import type { BrowserRegister } from "./browser-register.ts";
import type { BrowserUsers } from "./isolation.ts";
import type { MemoryCaps } from "./memory-cap.ts";
import { listProcesses } from "./process-identity.ts";
import type { Reaper } from "./reaper.ts";

export interface SweepOptions {
  readonly browsersDirectory: string;
  readonly register: BrowserRegister;
  readonly users: BrowserUsers;
  readonly memoryCaps: MemoryCaps;
  /** Ids of the browsers that sessions own. */
  readonly kept: ReadonlySet<string>;
  readonly reaper: Reaper;
}

/**
 * Ends every browser that no session owns and removes every directory that no session owns: what a
 * server that died left behind. A browser is known by its command line, which names its directory,
 * and by its user, so one that was never written down is found too.
 */
export async function sweepBrowsers(options: SweepOptions): Promise<void> {
  const { browsersDirectory, register, users, memoryCaps, kept, reaper } = options;
  const processes = await listProcesses();
  for (const id of await browserIds(browsersDirectory)) {
    if (kept.has(id)) continue;
    const directory = path.join(browsersDirectory, id);
    const { uid } = await stat(directory);
    const user = users.owns(uid) ? { uid, gid: uid } : null;
    if (user !== null) users.claim(uid);
    const main = processes.find((entry) =>
      entry.commandLine.includes(`--user-data-dir=${directory}/`),
    );
    register.enter(id, user?.uid ?? null);
    reaper.bury({ processGroup: main?.processGroup ?? null, directory, user });
  }
  // A browser whose directory is gone, or was never written down.
  for (const { pid, commandLine } of processes) {
    if (isStray(commandLine, browsersDirectory, kept)) killProcess(pid);
  }
  // Those that still hold somebody are found again by the reconciler.
  for (const id of memoryCaps.held()) if (!register.has(id)) memoryCaps.remove(id);
}

function isStray(
  commandLine: string,
  browsersDirectory: string,
  kept: ReadonlySet<string>,
): boolean {
  const prefix = `--user-data-dir=${browsersDirectory}/`;
  const at = commandLine.indexOf(prefix);
  if (at === -1) return false;
  const id = commandLine.slice(at + prefix.length).split("/", 1)[0] ?? "";
  return !kept.has(id);
}

/** The ids of the browsers that have a directory. */
export async function browserIds(browsersDirectory: string): Promise<readonly string[]> {
  const entries = await readdir(browsersDirectory, { withFileTypes: true });
  return entries.filter((entry) => entry.isDirectory()).map((entry) => entry.name);
}
