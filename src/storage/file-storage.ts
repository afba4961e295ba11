import { mkdir, readdir, rm } from "node:fs/promises";
import path from "node:path";
import type { Readable } from "node:stream";
import { NightjarError } from "../sessions/errors.ts";
import { FileFolder, type FileLimits, type StoredFile } from "./file-folder.ts";
import {
  cleanFileName,
  fitFileName,
  longestNameBytes,
  numberedName,
  timePrefix,
  withoutTimePrefix,
} from "./file-names.ts";

/** Whose files: a tenant's uploads, or what one of its sessions downloaded. */
export type FileKind = "uploads" | "downloads";

/** A stored file, and where it lies. */
export interface LocatedFile extends StoredFile {
  readonly path: string;
}

export interface FileStorageOptions {
  /** Of the server alone. */
  readonly directory: string;
  readonly limits: FileLimits;
}

/**
 * The files of tenants and sessions in a directory:
 * `uploads/<tenant>/<name>`, `downloads/<session>/<time>-<name>`, and `incoming/` for what is not
 * complete. Who may see which is the caller's business.
 */
export class FileStorage {
  readonly #directory: string;
  readonly #limits: FileLimits;
  readonly #receiving = new Map<string, number>();
  #lastTurn: Promise<unknown> = Promise.resolve();

  private constructor(options: FileStorageOptions) {
    this.#directory = options.directory;
    this.#limits = options.limits;
  }

  /** Removes what an earlier process was receiving when it ended. */
  static async open(options: FileStorageOptions): Promise<FileStorage> {
    const storage = new FileStorage(options);
    await rm(storage.#incomingDirectory, { recursive: true, force: true });
    await mkdir(storage.#incomingDirectory, { recursive: true, mode: 0o700 });
    return storage;
  }

  /** The largest file that is stored, in bytes. */
  get maxFileBytes(): number {
    return this.#limits.fileBytes;
  }

  /**
   * Stores an upload of a tenant; one of the same name is replaced.
   * Throws `invalid_request`, `file_too_large`, `storage_limit` or `storage_full`.
   */
  async saveUpload(tenantId: string, givenName: string, content: Readable): Promise<StoredFile> {
    const name = checkedName(givenName);
    return this.#folder("uploads", tenantId).save(content, () => name);
  }

  /**
   * Stores a file among the downloads of a session, the time before its name; it never replaces
   * another. A name of which nothing can be kept becomes `download`.
   * Throws `file_too_large`, `storage_limit` or `storage_full`.
   */
  async saveDownload(
    sessionId: string,
    suggestedName: string,
    content: Readable,
    at: Date = new Date(),
  ): Promise<StoredFile> {
    const clean = fitFileName(cleanFileName(suggestedName));
    const name = `${timePrefix(at)}${clean === "" ? "download" : clean}`;
    return this.#folder("downloads", sessionId).save(content, (taken) => {
      let free = name;
      for (let number = 2; taken.has(free); number += 1) free = numberedName(name, number);
      return free;
    });
  }

  /** Newest first. `owner`: the tenant of uploads, the session of downloads. */
  list(kind: FileKind, owner: string): Promise<readonly StoredFile[]> {
    return this.#folder(kind, owner).list();
  }

  /**
   * Finds a file. A download is also found by the name that its page gave it; the newest where
   * there are several. Throws `file_not_found`.
   */
  async find(kind: FileKind, owner: string, givenName: string): Promise<LocatedFile> {
    const folder = this.#folder(kind, owner);
    const name = cleanFileName(givenName);
    const found =
      (name === "" ? null : await folder.find(name)) ??
      (kind === "downloads" ? await newestCalled(folder, name) : null);
    if (found === null) throw fileNotFound(givenName);
    return { ...found, path: path.join(folder.directory, found.name) };
  }

  /** Throws `file_not_found`. */
  async delete(kind: FileKind, owner: string, givenName: string): Promise<void> {
    const { name } = await this.find(kind, owner, givenName);
    if (!(await this.#folder(kind, owner).delete(name))) throw fileNotFound(givenName);
  }

  /** The sessions that have downloads, as far as they were not removed. */
  async sessionsWithDownloads(): Promise<readonly string[]> {
    const names = await readdir(path.join(this.#directory, "downloads")).catch(() => []);
    return names.map(decodeURIComponent);
  }

  /** Removes all downloads of a session. */
  async removeDownloads(sessionId: string): Promise<void> {
    await rm(this.#folder("downloads", sessionId).directory, { recursive: true, force: true });
  }

  get #incomingDirectory(): string {
    return path.join(this.#directory, "incoming");
  }

  #folder(kind: FileKind, owner: string): FileFolder {
    return new FileFolder({
      directory: path.join(this.#directory, kind, folderName(owner)),
      incomingDirectory: this.#incomingDirectory,
      limits: this.#limits,
      receiving: this.#receiving,
      inTurn: (work) => this.#inTurn(work),
    });
  }

  #inTurn<T>(work: () => Promise<T>): Promise<T> {
    const turn = this.#lastTurn.then(work);
    this.#lastTurn = turn.catch(() => {});
    return turn;
  }
}

/** A tenant may be called `..`; no two owners have the same folder. */
function folderName(owner: string): string {
  if (owner === "") throw new Error("files need an owner");
  return encodeURIComponent(owner).replace(/^\./, "%2E");
}

function checkedName(given: string): string {
  const name = cleanFileName(given);
  if (name === "") {
    throw invalidName(`filename: nothing is left of ${shown(given)} that can name a file.`);
  }
  if (Buffer.byteLength(name) > longestNameBytes) {
    throw invalidName(
      `filename: a name may have at most ${longestNameBytes} bytes in UTF-8; this one has ${Buffer.byteLength(name)}.`,
    );
  }
  return name;
}

function invalidName(message: string): NightjarError {
  return new NightjarError("invalid_request", message, {
    issues: [{ location: ["path", "filename"], message, kind: "file_name" }],
  });
}

async function newestCalled(folder: FileFolder, name: string): Promise<StoredFile | null> {
  if (name === "") return null;
  const files = await folder.list();
  return files.find((file) => withoutTimePrefix(file.name) === name) ?? null;
}

export function fileNotFound(givenName: string): NightjarError {
  return new NightjarError(
    "file_not_found",
    `There is no file ${shown(givenName)}. List the files for the names there are.`,
  );
}

function shown(name: string): string {
  return JSON.stringify(name.slice(0, 200));
}
