import type { Leak, LeakFinder } from "../sessions/reconciler.ts";
import type { RecordingFolders } from "./recording-folder.ts";

/** The folder of a session is made after its row, so there is hardly anything to wait for. */
const patienceMs = 10_000;

/** How many folders a server asks about at one look: there may be many thousands. */
const usualFoldersALook = 50;

/** Folders of recordings that no session stands for. */
export class RecordingLeaks implements LeakFinder {
  readonly #folders: RecordingFolders;
  readonly #hasSession: (id: string) => Promise<boolean>;
  readonly #foldersALook: number;
  #next = 0;

  constructor(
    folders: RecordingFolders,
    hasSession: (id: string) => Promise<boolean>,
    foldersALook = usualFoldersALook,
  ) {
    this.#folders = folders;
    this.#hasSession = hasSession;
    this.#foldersALook = foldersALook;
  }

  async find(): Promise<readonly Leak[]> {
    const ids = [...(await this.#folders.list())].sort();
    const some = ids.slice(this.#next, this.#next + this.#foldersALook);
    const leaks: Leak[] = [];
    for (const id of some) {
      if (this.#folders.isOpen(id) || (await this.#hasSession(id))) continue;
      leaks.push({
        kind: "recording",
        name: id,
        patienceMs,
        repair: async () => void (await this.#folders.remove(id)),
      });
    }
    // What was found is looked at again before going on.
    if (leaks.length === 0) {
      this.#next = some.length < this.#foldersALook ? 0 : this.#next + this.#foldersALook;
    }
    return leaks;
  }
}
