import { type FileHandle, open, realpath } from "node:fs/promises";

/**
 * Makes commits durable beside SQLite. Its own way (`synchronous = FULL`) waits for the disk inside
 * each commit, on the one thread that serves all sessions, for milliseconds each time. Here a commit
 * only writes to the log, which outlives a kill of the process; who needs it to outlive a loss of
 * power as well waits for `flush`, off the thread, and all who wait at the same time share one.
 */
export class WriteAheadLog {
  readonly #file: FileHandle;
  #running: Promise<void> = Promise.resolve();
  #next: Promise<void> | null = null;

  private constructor(file: FileHandle) {
    this.#file = file;
  }

  /** `databaseFile`: one that is open in WAL mode and has been read, so that its log is there to stay. */
  static async open(databaseFile: string): Promise<WriteAheadLog> {
    // SQLite follows links before it names the log.
    return new WriteAheadLog(await open(`${await realpath(databaseFile)}-wal`, "r+"));
  }

  /** Resolves when all that was committed before is on the disk. Throws what the disk says. */
  flush(): Promise<void> {
    // One under way may have begun before the commit: the next is the one to wait for.
    this.#next ??= this.#running
      .catch(() => {})
      .then(() => {
        this.#next = null;
        this.#running = this.#file.datasync();
        return this.#running;
      });
    return this.#next;
  }

  async close(): Promise<void> {
    await this.#running.catch(() => {});
    await this.#file.close();
  }
}
