import { execFile } from "node:child_process";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { promisify } from "node:util";
import { expect } from "vitest";

const run = promisify(execFile);
const megabyte = 1024 ** 2;

/** A file system in memory that can be filled and made read-only. */
export class SmallDisk {
  readonly directory: string;
  readonly #sizeMb: number;

  private constructor(directory: string, sizeMb: number) {
    this.directory = directory;
    this.#sizeMb = sizeMb;
  }

  static async mount(sizeMb: number): Promise<SmallDisk> {
    const directory = await mkdtemp(path.join(tmpdir(), "nightjar-disk-"));
    try {
      await run("mount", ["-t", "tmpfs", "-o", `size=${sizeMb}m,mode=711`, "tmpfs", directory]);
    } catch (error) {
      await rm(directory, { recursive: true });
      throw error;
    }
    return new SmallDisk(directory, sizeMb);
  }

  /** Whether this machine lets anything be mounted. */
  static async isPossible(): Promise<boolean> {
    const disk = await SmallDisk.mount(1).catch(() => null);
    await disk?.unmount();
    return disk !== null;
  }

  /** Writes until it takes no more. Answers the way to make room again. */
  async fill(): Promise<() => Promise<void>> {
    const filler = path.join(this.directory, "filler");
    const tooMuch = Buffer.alloc(this.#sizeMb * megabyte);
    await expect(writeFile(filler, tooMuch)).rejects.toThrow(/ENOSPC/);
    return () => rm(filler);
  }

  /** Fails while anybody has a file in it open for writing. */
  async remount(access: "ro" | "rw"): Promise<void> {
    await run("mount", ["-o", `remount,${access}`, this.directory]);
  }

  async unmount(): Promise<void> {
    await run("umount", ["-l", this.directory]);
    await rm(this.directory, { recursive: true });
  }
}
