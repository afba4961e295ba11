import { execFile } from "node:child_process";
import { mkdtemp, open, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { promisify } from "node:util";

const run = promisify(execFile);

/**
 * A server's data directory that becomes read-only while the server runs. No remount is allowed while
 * files are open for writing; a file system does it by itself when its disk fails. Here, whoever opens
 * something meets a read-only mount, and who writes to what was open before an immutable file.
 */
export class ReadOnlyDataDirectory {
  readonly #path: string;

  private constructor(dataDir: string) {
    this.#path = dataDir;
  }

  /** Whether this machine lets it be done: by root, on a file system that knows immutable files. */
  static async isPossible(): Promise<boolean> {
    const probe = await mkdtemp(path.join(tmpdir(), "nightjar-probe-"));
    const file = await open(path.join(probe, "file"), "w");
    try {
      const readOnly = await ReadOnlyDataDirectory.make(probe);
      const written = await file.write("text").then(
        () => true,
        () => false,
      );
      await readOnly.undo();
      return !written;
    } catch {
      return false;
    } finally {
      await file.close();
      await rm(probe, { recursive: true, force: true });
    }
  }

  /** Makes it so. */
  static async make(dataDir: string): Promise<ReadOnlyDataDirectory> {
    const directory = new ReadOnlyDataDirectory(dataDir);
    await directory.#change("+i");
    await run("mount", ["--bind", dataDir, dataDir]);
    await run("mount", ["-o", "remount,bind,ro", dataDir]);
    return directory;
  }

  /** Makes it what it was. */
  async undo(): Promise<void> {
    await run("umount", ["-l", this.#path]);
    await this.#change("-i");
  }

  /**
   * Files that processes have in memory are left out, those of browsers and the index of SQLite's log: a
   * write to one of a file system that failed is kept in memory, but one to an immutable file kills.
   */
  async #change(immutable: "+i" | "-i"): Promise<void> {
    const browsers = path.join(this.#path, "browsers");
    const files = ["-type", "f", "!", "-name", "*-shm"];
    const change = ["-exec", "chattr", immutable, "{}", "+"];
    await run("find", [this.#path, "-path", browsers, "-prune", "-o", ...files, ...change]);
  }
}
