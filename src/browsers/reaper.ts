import { rm } from "node:fs/promises";
import { setTimeout as delay } from "node:timers/promises";
import { killGroup, killProcess } from "./browser-process.ts";
import type { BrowserUser, BrowserUsers } from "./isolation.ts";
import { isRunning, listProcesses, type ProcessIdentity } from "./process-identity.ts";

/** What is left of a browser that is over. */
export interface Remains {
  /** Null when its process is known to be gone or never was. */
  readonly identity: ProcessIdentity | null;
  readonly directory: string;
  readonly user: BrowserUser | null;
}

/**
 * Ends browsers for certain, off the fast path: kills the tree at once, then looks until nothing of
 * it runs, removes the directory and only then gives the user id back. One look at the process
 * table serves all that are being buried. What a dying server leaves behind, the next start sweeps.
 */
export class Reaper {
  readonly #users: BrowserUsers;
  readonly #onFailure: (what: string, error: unknown) => void;
  readonly #remains = new Set<Remains>();
  #work: Promise<void> | null = null;

  constructor(users: BrowserUsers, onFailure: (what: string, error: unknown) => void) {
    this.#users = users;
    this.#onFailure = onFailure;
  }

  bury(remains: Remains): void {
    if (remains.identity !== null && isRunning(remains.identity)) killGroup(remains.identity.pid);
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
      const { identity, user } = remains;
      // With a user of its own the id tells the tree, also what left the group. Without, the group does.
      const survivors = processes.filter((entry) =>
        user === null ? entry.processGroup === identity?.pid : entry.uid === user.uid,
      );
      if (survivors.length > 0) {
        for (const { pid } of survivors) killProcess(pid);
        continue;
      }
      await rm(remains.directory, { recursive: true, force: true });
      if (user !== null) this.#users.giveBack(user.uid);
      this.#remains.delete(remains);
    }
  }
}
