import { createHash, randomUUID } from "node:crypto";
import { open, readdir, readFile, rm } from "node:fs/promises";
import path from "node:path";
import { promisify } from "node:util";
import { gunzip, gzip } from "node:zlib";
import { NightjarError } from "../sessions/errors.ts";
import { type BrowserState, stateSchema } from "./browser-state.ts";

/** What a file may unpack to, whatever limit it was written under: it must not fill the memory. */
const mostBytesEver = 1024 ** 3;

/** A state as it is written. */
export interface PackedState {
  readonly text: string;
  /** The same for the same state. */
  readonly digest: string;
}

export interface StateFilesOptions {
  /** There already, and closed to everyone else. */
  readonly directory: string;
  /** The largest state that is kept, in bytes of JSON. */
  readonly mostBytes: number;
}

/**
 * The states of profiles on the disk. A file is written once, under a name of its own, and never
 * changed: the store says which file is a profile's state, and nothing refers to one that is not whole.
 */
export class StateFiles {
  readonly #options: StateFilesOptions;

  constructor(options: StateFilesOptions) {
    this.#options = options;
  }

  /** Throws `profile_too_large`. */
  pack(state: BrowserState): PackedState {
    const text = JSON.stringify(state);
    const bytes = Buffer.byteLength(text);
    if (bytes > this.#options.mostBytes) {
      throw new NightjarError(
        "profile_too_large",
        `The state of the profile has ${bytes} bytes; this server keeps at most ${this.#options.mostBytes} (NIGHTJAR_MAX_PROFILE_MB).`,
      );
    }
    return { text, digest: createHash("sha256").update(text).digest("hex") };
  }

  /** Answers the file's name; it is on the disk then. Throws `storage_full`, with nothing left. */
  async write({ text }: PackedState): Promise<string> {
    const name = `${randomUUID()}.json.gz`;
    try {
      const file = await open(this.#pathOf(name), "wx", 0o600);
      try {
        await file.writeFile(await promisify(gzip)(text, { level: 1 }));
        await file.sync();
      } finally {
        await file.close();
      }
      const directory = await open(this.#options.directory);
      // The name itself must be on the disk before the store says it.
      await directory.sync().finally(() => directory.close());
      return name;
    } catch (error) {
      await this.remove(name);
      const code = error instanceof Error && "code" in error ? error.code : "";
      if (code !== "ENOSPC" && code !== "EDQUOT") throw error;
      throw new NightjarError(
        "storage_full",
        "The profile could not be saved: this server's disk is full.",
        { cause: error },
      );
    }
  }

  /**
   * Null where there is no such file any more: the profile has another state, or is deleted. Throws
   * `profile_damaged` where it cannot be read.
   */
  async read(name: string): Promise<BrowserState | null> {
    let packed: Buffer;
    try {
      packed = await readFile(this.#pathOf(name));
    } catch (error) {
      if (error instanceof Error && "code" in error && error.code === "ENOENT") return null;
      throw error;
    }
    try {
      const text = await promisify(gunzip)(packed, { maxOutputLength: mostBytesEver });
      return stateSchema.parse(JSON.parse(text.toString("utf8")));
    } catch (error) {
      throw damaged(`Its file ${name} is broken, or was written by a newer server.`, error);
    }
  }

  async remove(name: string): Promise<void> {
    await rm(this.#pathOf(name), { force: true });
  }

  /** Removes what a process left that ended while it wrote. Only while nothing is being written. */
  async sweep(known: ReadonlySet<string>): Promise<void> {
    for (const name of await readdir(this.#options.directory)) {
      if (!known.has(name)) await this.remove(name);
    }
  }

  #pathOf(name: string): string {
    return path.join(this.#options.directory, name);
  }
}

/** `why`: a sentence, for the owner. */
export function damaged(why: string, cause?: unknown): NightjarError {
  return new NightjarError(
    "profile_damaged",
    `The state of the profile cannot be read. ${why} Delete the profile, or have the operator bring the file back from a backup.`,
    cause === undefined ? {} : { cause },
  );
}
