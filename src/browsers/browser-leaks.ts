import { stat } from "node:fs/promises";
import path from "node:path";
import type { Leak, LeakFinder } from "../sessions/reconciler.ts";
import { killProcess } from "./browser-process.ts";
import { browserProcesses } from "./browser-processes.ts";
import type { BrowserRegister } from "./browser-register.ts";
import type { Egress } from "./egress/egress.ts";
import type { BrowserUsers } from "./isolation.ts";
import type { MemoryCaps } from "./memory-cap.ts";
import { listProcesses } from "./process-identity.ts";
import type { Reaper } from "./reaper.ts";
import { browserIds } from "./sweep.ts";

/** Nothing of a browser is there before it is registered, nor after it is struck out. */
const patienceMs = 2000;

export interface BrowserLeaksOptions {
  readonly browsersDirectory: string;
  readonly register: BrowserRegister;
  readonly users: BrowserUsers;
  readonly memoryCaps: MemoryCaps;
  readonly egress: Egress;
  readonly reaper: Reaper;
}

/** What is on this machine of browsers that this server does not know. */
export class BrowserLeaks implements LeakFinder {
  readonly #options: BrowserLeaksOptions;

  constructor(options: BrowserLeaksOptions) {
    this.#options = options;
  }

  async find(): Promise<readonly Leak[]> {
    const { browsersDirectory, register, users, memoryCaps, egress } = this.#options;
    const [processes, directories] = await Promise.all([
      browserProcesses(browsersDirectory),
      browserIds(browsersDirectory),
    ]);
    const unknown = (id: string): boolean => !register.has(id);
    const leak = (kind: Leak["kind"], name: string, repair: Leak["repair"]): Leak => ({
      kind,
      name,
      patienceMs,
      repair,
    });
    return [
      ...[...processes]
        .filter(([id]) => unknown(id))
        .map(([id, pids]) => leak("process", id, () => pids.forEach(killProcess))),
      ...directories
        .filter(unknown)
        .map((id) => leak("directory", id, () => this.#bury(id, processes.get(id)?.[0] ?? null))),
      ...memoryCaps
        .held()
        .filter((id) => unknown(id) && !directories.includes(id))
        .map((id) => leak("cgroup", id, () => void memoryCaps.remove(id))),
      ...users.taken
        .filter((uid) => !register.hasUid(uid))
        .map((uid) => leak("uid", String(uid), () => this.#free(uid))),
      ...egress.openPorts
        .filter((port) => !register.hasProxyPort(port))
        .map((port) => leak("port", String(port), () => egress.close(port))),
    ];
  }

  /** Ends what may run of it, and removes the directory and what capped its memory. */
  async #bury(id: string, main: number | null): Promise<void> {
    const { browsersDirectory, register, users, reaper } = this.#options;
    const directory = path.join(browsersDirectory, id);
    const { uid } = await stat(directory);
    const user = users.owns(uid) ? { uid, gid: uid } : null;
    if (user !== null) users.claim(uid);
    register.enter(id, user?.uid ?? null);
    reaper.bury({ processGroup: main, directory, user });
  }

  async #free(uid: number): Promise<void> {
    for (const entry of await listProcesses()) if (entry.uid === uid) killProcess(entry.pid);
    this.#options.users.giveBack(uid);
  }
}
