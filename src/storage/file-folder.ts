import { randomUUID } from "node:crypto";
import { createWriteStream } from "node:fs";
import { mkdir, readdir, rename, rm, stat } from "node:fs/promises";
import path from "node:path";
import { type Readable, Transform } from "node:stream";
import { pipeline } from "node:stream/promises";
import { NightjarError } from "../sessions/errors.ts";
import { systemRefusal } from "../sessions/system-refusals.ts";

/** A file as it is listed. */
export interface StoredFile {
  readonly name: string;
  readonly sizeBytes: number;
  /** Epoch ms. */
  readonly updatedAt: number;
}

export interface FileLimits {
  readonly fileBytes: number;
  /** Of all files of one folder together. */
  readonly totalBytes: number;
}

/** So many files make a listing take some 10 ms, and there is one for each file that is stored. */
const mostFiles = 2000;

export interface FileFolderOptions {
  /** Made with the first file. */
  readonly directory: string;
  /** Where files stand until they are complete; on the same file system. */
  readonly incomingDirectory: string;
  readonly limits: FileLimits;
  /** Bytes that are being received, by directory: what is not complete takes room as well. */
  readonly receiving: Map<string, number>;
  /**
   * Runs one work after the other: files take their places in turn, or two could both take the
   * last room, or the same name.
   */
  readonly inTurn: <T>(work: () => Promise<T>) => Promise<T>;
}

/**
 * The files of one tenant or session. A file appears under its name when all of it has been written
 * and not before, whatever happens meanwhile. Names are taken as they are: clean them first.
 */
export class FileFolder {
  readonly directory: string;
  readonly #options: FileFolderOptions;

  constructor(options: FileFolderOptions) {
    this.directory = options.directory;
    this.#options = options;
  }

  /** Newest first. */
  async list(): Promise<readonly StoredFile[]> {
    const names = await readdir(this.directory).catch(absentAs([]));
    const files = await Promise.all(names.map((name) => this.find(name)));
    return files
      .filter((file) => file !== null)
      .sort((left, right) => right.updatedAt - left.updatedAt || (left.name < right.name ? 1 : -1));
  }

  async find(name: string): Promise<StoredFile | null> {
    const found = await stat(path.join(this.directory, name)).catch(absentAs(null));
    if (found === null || !found.isFile()) return null;
    return { name, sizeBytes: found.size, updatedAt: Math.floor(found.mtimeMs) };
  }

  /**
   * Stores a file; `choose` is told which names are taken and answers the file's own, which may be
   * one of them: that file is replaced. Throws `file_too_large`, `storage_limit`, `storage_full`,
   * `store_unavailable`, and what the stream throws; then nothing of it is left.
   */
  async save(
    content: Readable,
    choose: (taken: ReadonlySet<string>) => string,
  ): Promise<StoredFile> {
    const temporary = path.join(this.#options.incomingDirectory, randomUUID());
    try {
      const sizeBytes = await this.#receive(content, temporary);
      return await this.#options.inTurn(() => this.#place(temporary, sizeBytes, choose));
    } catch (error) {
      // What a disk that fails does not let go of is removed by the next start.
      await rm(temporary, { force: true }).catch(() => {});
      throw systemRefusal(error, "The file could not be stored") ?? error;
    }
  }

  /** False when there was none. */
  async delete(name: string): Promise<boolean> {
    if ((await this.find(name)) === null) return false;
    await rm(path.join(this.directory, name), { force: true });
    return true;
  }

  /** Answers the size. It is on the disk, not only on its way there, when the promise resolves. */
  async #receive(content: Readable, temporary: string): Promise<number> {
    const { limits } = this.#options;
    let sizeBytes = 0;
    const count = new Transform({
      transform: (chunk: Buffer, _encoding, done) => {
        sizeBytes += chunk.length;
        const together = this.#countReceiving(chunk.length);
        if (sizeBytes > limits.fileBytes) done(tooLarge(limits.fileBytes));
        else if (together > limits.totalBytes) done(limitReached(limits.totalBytes));
        else done(null, chunk);
      },
      // At once, so that one that is refused makes room for those beside it.
      destroy: (error, done) => {
        this.#countReceiving(-sizeBytes);
        done(error);
      },
    });
    const file = createWriteStream(temporary, { flags: "wx", mode: 0o600, flush: true });
    await pipeline(content, count, file);
    return sizeBytes;
  }

  /** Answers how many bytes are being received for this directory now. */
  #countReceiving(moreBytes: number): number {
    const { receiving } = this.#options;
    const together = (receiving.get(this.directory) ?? 0) + moreBytes;
    if (together > 0) receiving.set(this.directory, together);
    else receiving.delete(this.directory);
    return together;
  }

  async #place(
    temporary: string,
    sizeBytes: number,
    choose: (taken: ReadonlySet<string>) => string,
  ): Promise<StoredFile> {
    const { totalBytes } = this.#options.limits;
    const files = await this.list();
    const name = choose(new Set(files.map((file) => file.name)));
    const others = files.filter((file) => file.name !== name);
    if (totalOf(others) + sizeBytes > totalBytes) throw limitReached(totalBytes);
    if (others.length >= mostFiles) {
      throw new NightjarError(
        "storage_limit",
        `There are ${mostFiles} files already, the most that are stored together. Delete some first.`,
      );
    }
    await mkdir(this.directory, { recursive: true, mode: 0o700 });
    await rename(temporary, path.join(this.directory, name));
    return (await this.find(name)) ?? { name, sizeBytes, updatedAt: Date.now() };
  }
}

function totalOf(files: readonly StoredFile[]): number {
  return files.reduce((total, { sizeBytes }) => total + sizeBytes, 0);
}

function tooLarge(fileBytes: number): NightjarError {
  return new NightjarError(
    "file_too_large",
    `A file may have at most ${fileBytes} bytes on this server.`,
  );
}

function limitReached(totalBytes: number): NightjarError {
  return new NightjarError(
    "storage_limit",
    `The files stored together may have at most ${totalBytes} bytes. Delete some first.`,
  );
}

/** For `catch`: a value in place of what is not there. */
function absentAs<T>(value: T): (error: unknown) => T {
  return (error) => {
    // A name with more bytes than the file system takes cannot be there either.
    if (["ENOENT", "ENAMETOOLONG"].includes(codeOf(error))) return value;
    throw error;
  };
}

function codeOf(error: unknown): string {
  return error instanceof Error && "code" in error ? String(error.code) : "";
}
