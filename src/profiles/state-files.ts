import { createHash, randomUUID } from "node:crypto";
import { constants, copyFile, open, readdir, readFile, rm } from "node:fs/promises";
import path from "node:path";
import { promisify } from "node:util";
import { gunzip, gzip } from "node:zlib";
import { NightjarError } from "../sessions/errors.ts";
import { type BrowserState, stateSchema } from "./browser-state.ts";
import { fitSites } from "./fit-sites.ts";
import { Slots } from "./slots.ts";

/** What a file may unpack to, whatever limit it was written under: it must not fill the memory. */
const mostBytesEver = 1024 ** 3;

/** From how many bytes of JSON on a state is large: read, it takes several times as much memory. */
const largeBytes = 1024 ** 2;
/** Large states that are in work at once. */
const largeAtOnce = 2;

/** A state as it is written. */
export interface PackedState {
  readonly text: string;
  /** The same for the same state. */
  readonly digest: string;
}

export interface FittedState {
  readonly state: BrowserState;
  readonly packed: PackedState;
  /** In words. */
  readonly leftOut: readonly string[];
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
  readonly #large = new Slots(largeAtOnce);

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
    return { text, digest: digestOf(text) };
  }

  /**
   * As `pack`, but of what is too large the storage of sites is left out until it fits. Throws
   * `profile_too_large` where the rest alone, the cookies, is too large.
   */
  packFitting(state: BrowserState): FittedState {
    const text = JSON.stringify(state);
    if (Buffer.byteLength(text) <= this.#options.mostBytes) {
      return { state, packed: { text, digest: digestOf(text) }, leftOut: [] };
    }
    const rest = Buffer.byteLength(JSON.stringify({ ...state, sites: [] }));
    const { sites, leftOut } = fitSites(state.sites, this.#options.mostBytes - rest);
    const fitted = { ...state, sites };
    return { state: fitted, packed: this.pack(fitted), leftOut };
  }

  /** Answers the file's name; it is on the disk then. Throws `storage_full`, with nothing left. */
  async write({ text }: PackedState): Promise<string> {
    const name = `${randomUUID()}.json.gz`;
    return this.#synced(name, async () => {
      const file = await open(this.#pathOf(name), "wx", 0o600);
      try {
        await file.writeFile(await promisify(gzip)(text, { level: 1 }));
        await file.sync();
      } finally {
        await file.close();
      }
    });
  }

  /** Makes a file, and sees to it that its name is on the disk, too. Throws `storage_full`, with nothing left. */
  async #synced(name: string, make: () => Promise<void>): Promise<string> {
    try {
      await make();
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
      if (isMissing(error)) return null;
      throw error;
    }
    try {
      const text = await promisify(gunzip)(packed, { maxOutputLength: mostBytesEver });
      return stateSchema.parse(JSON.parse(text.toString("utf8")));
    } catch (error) {
      throw damaged(`Its file ${name} is broken, or was written by a newer server.`, error);
    }
  }

  /**
   * Does something with a state, as `read` answers it. Few large ones are in memory at once: others wait
   * in line. Throws what `read` and the work throw.
   */
  async use<T>(name: string, work: (state: BrowserState | null) => Promise<T>): Promise<T> {
    const readAndWork = async () => work(await this.read(name));
    const bytes = await this.#unpackedBytes(name);
    return bytes > largeBytes ? this.#large.run(readAndWork) : readAndWork();
  }

  /** Another file with the same state; null where there is no such file any more. Throws like `write`. */
  async copy(name: string): Promise<string | null> {
    const copied = `${randomUUID()}.json.gz`;
    try {
      return await this.#synced(copied, async () => {
        await copyFile(this.#pathOf(name), this.#pathOf(copied), constants.COPYFILE_EXCL);
        const file = await open(this.#pathOf(copied), "r+");
        await file.sync().finally(() => file.close());
      });
    } catch (error) {
      if (isMissing(error)) return null;
      throw error;
    }
  }

  /** As the file says at its end; 0 where it is gone or broken, as reading it will tell. */
  async #unpackedBytes(name: string): Promise<number> {
    const end = Buffer.alloc(4);
    try {
      const file = await open(this.#pathOf(name));
      try {
        const { size } = await file.stat();
        const { bytesRead } = await file.read(end, 0, 4, Math.max(0, size - 4));
        return bytesRead === 4 ? end.readUInt32LE() : 0;
      } finally {
        await file.close();
      }
    } catch (error) {
      if (isMissing(error)) return 0;
      throw error;
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

function isMissing(error: unknown): boolean {
  return error instanceof Error && "code" in error && error.code === "ENOENT";
}

function digestOf(text: string): string {
  return createHash("sha256").update(text).digest("hex");
}

/** `why`: a sentence, for the owner. */
export function damaged(why: string, cause?: unknown): NightjarError {
  return new NightjarError(
    "profile_damaged",
    `The state of the profile cannot be read. ${why} Delete the profile, or have the operator bring the file back from a backup.`,
    cause === undefined ? {} : { cause },
  );
}
