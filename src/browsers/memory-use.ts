import { readFile } from "node:fs/promises";
import type { BrowserUsers } from "./isolation.ts";
import { listProcesses, type ProcessEntry } from "./process-identity.ts";

/** A measurement takes the kernel about 1 ms a process, so at most a 50th of the time goes into it. */
const restFactor = 50;
const shortestRestMs = 2000;

/** Reads at once: enough to keep the thread pool busy, few enough to leave it for others. */
const readsAtOnce = 2;

/** What all browsers of this host have in memory: their proportional share (PSS), measured when asked. */
export class BrowserMemory {
  readonly #browsersDirectory: string;
  readonly #users: Pick<BrowserUsers, "owns">;
  #bytes: number | null = null;
  #measureAgainAt = 0;
  #measuring: Promise<number | null> | null = null;

  constructor(browsersDirectory: string, users: Pick<BrowserUsers, "owns">) {
    this.#browsersDirectory = browsersDirectory;
    this.#users = users;
  }

  /** In bytes, some seconds old where it was asked for just before; null where the platform tells none. */
  async bytes(): Promise<number | null> {
    if (process.platform !== "linux") return null;
    if (performance.now() < this.#measureAgainAt) return this.#bytes;
    // It is a number to look at: where it cannot be taken now, the last one does.
    this.#measuring ??= this.#measure()
      .catch(() => this.#bytes)
      .finally(() => {
        this.#measuring = null;
      });
    return this.#measuring;
  }

  async #measure(): Promise<number | null> {
    const began = performance.now();
    const processes = ofBrowsers(await listProcesses(), this.#browsersDirectory, this.#users);
    let kilobytes = 0;
    for (let at = 0; at < processes.length; at += readsAtOnce) {
      const batch = processes.slice(at, at + readsAtOnce);
      for (const share of await Promise.all(batch.map(({ pid }) => shareOf(pid)))) {
        kilobytes += share;
      }
    }
    this.#bytes = kilobytes * 1024;
    const took = performance.now() - began;
    this.#measureAgainAt = performance.now() + Math.max(shortestRestMs, took * restFactor);
    return this.#bytes;
  }
}

/** The processes of browsers: those of their users, or else those in a group that a browser leads. */
function ofBrowsers(
  processes: readonly ProcessEntry[],
  browsersDirectory: string,
  users: Pick<BrowserUsers, "owns">,
): readonly ProcessEntry[] {
  const mark = `--user-data-dir=${browsersDirectory}/`;
  const groups = new Set(
    processes
      .filter(({ commandLine }) => commandLine.includes(mark))
      .map(({ processGroup }) => processGroup),
  );
  // Another server on this machine may use the same user ids: the groups tell whose they are.
  const uids = new Set(
    processes
      .filter(({ processGroup, uid }) => groups.has(processGroup) && users.owns(uid))
      .map(({ uid }) => uid),
  );
  return processes.filter(({ processGroup, uid }) => groups.has(processGroup) || uids.has(uid));
}

/** A process's proportional share of the memory, in kB; 0 when it ended or may not be read. */
async function shareOf(pid: number): Promise<number> {
  try {
    const text = await readFile(`/proc/${pid}/smaps_rollup`, "utf8");
    return Number(/^Pss:\s+(\d+) kB/m.exec(text)?.[1] ?? 0);
  } catch {
    return 0;
  }
}
