import { rm } from "node:fs/promises";
import path from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { killProcess } from "./browser-process.ts";
import type { BrowserRegister } from "./browser-register.ts";
import type { BrowserUser, BrowserUsers } from "./isolation.ts";
import type { MemoryCaps } from "./memory-cap.ts";
import { listProcesses, type ProcessEntry } from "./process-identity.ts";

/** What is left of a browser that is over. */
export interface Remains {
  /** The group that its processes are in, killed by now or within ms; null when none was ever started. */
  readonly processGroup: number | null;
  /** Named by the browser's id. */
  readonly directory: string;
  readonly user: BrowserUser | null;
}

/**
 * Ends browsers for certain, off the fast path: kills until nothing of a tree runs, removes the
 * directory and what capped its memory, and only then gives the user id back. One look at the process table serves all that are
 * being buried. What a dying server leaves behind, the next start sweeps.
 */
export class Reaper {
  readonly #register: BrowserRegister;
  readonly #users: BrowserUsers;
  readonly #memoryCaps: MemoryCaps;
  readonly #onFailure: (what: string, error: unknown) => void;
  readonly #remains = new Set<Remains>();
  readonly #told = new WeakSet<Remains>();
  #work: Promise<void> | null = null;

  constructor(
    register: BrowserRegister,
    users: BrowserUsers,
    memoryCaps: MemoryCaps,
    onFailure: (what: string, error: unknown) => void,
  ) {
    this.#register = register;
    this.#users = users;
    this.#memoryCaps = memoryCaps;
    this.#onFailure = onFailure;
  }

  bury(remains: Remains): void {
    this.#remains.add(remains);
    this.#work ??= this.#dig().finally(() => {
      this.#work = null;
    });
  }

  /** Resolves when everything handed over so far is gone, or after `timeoutMs`. */
  async finished(timeoutMs: number): Promise<void> {
    const deadline = Date.now() + timeoutMs;
    while (this.#work !== null && Date.now() < deadline) {
      await Promise.race([this.#work, delay(deadline - Date.now(), undefined, { ref: false })]);
    }
  }

  async #dig(): Promise<void> {
    for (let waitMs = 20; this.#remains.size > 0; waitMs = Math.min(waitMs * 2, 1000)) {
      await delay(waitMs);
      try {
        await this.#buryWhatIsDead();
      } catch (error) {
        this.#onFailure("bury a browser", error);
      }
    }
  }

  async #buryWhatIsDead(): Promise<void> {
    const batch = [...this.#remains];
    const processes = await listProcesses();
    for (const remains of batch) {
      const survivors = processes.filter((entry) => belongsTo(entry, remains));
      if (survivors.length > 0) {
        for (const { pid } of survivors) killProcess(pid);
        continue;
      }
      try {
        await rm(remains.directory, { recursive: true, force: true });
      } catch (error) {
        // One that cannot be removed must not keep the others from it; it is said once.
        if (!this.#told.has(remains)) this.#onFailure("remove a browser's directory", error);
        this.#told.add(remains);
        continue;
      }
      const id = path.basename(remains.directory);
      // The kernel may take a moment to see that the last process has left.
      if (!this.#memoryCaps.remove(id)) continue;
      if (remains.user !== null) this.#users.giveBack(remains.user.uid);
      this.#remains.delete(remains);
      this.#register.strike(id);
    }
  }
}

/**
 * With a user of its own the id tells the tree, also what left the group. Without, the group does,
 * and the command line tells a browser from a later process that was given the same number.
 */
function belongsTo(entry: ProcessEntry, { processGroup, user }: Remains): boolean {
  if (user !== null) return entry.uid === user.uid;
  return entry.processGroup === processGroup && /--(?:type|user-data-dir)=/.test(entry.commandLine);
}
