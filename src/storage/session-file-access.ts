import { Readable } from "node:stream";
import { NightjarError } from "../sessions/errors.ts";
import type { DownloadCollector } from "./download-collector.ts";
import type { DownloadWatch } from "./download-watch.ts";
import type { FileKind, FileStorage, LocatedFile } from "./file-storage.ts";

/** The files that the pages of one session may use: its tenant's uploads and its own downloads. */
export class SessionFileAccess {
  readonly #files: FileStorage;
  readonly #downloads: DownloadCollector;
  readonly #tenantId: string;
  readonly #sessionId: string;

  constructor(options: {
    readonly files: FileStorage;
    readonly downloads: DownloadCollector;
    readonly tenantId: string;
    readonly sessionId: string;
  }) {
    this.#files = options.files;
    this.#downloads = options.downloads;
    this.#tenantId = options.tenantId;
    this.#sessionId = options.sessionId;
  }

  /** Where an upload lies; null where there is none of that name. */
  async uploadPath(name: string): Promise<string | null> {
    return (await this.#find("uploads", this.#tenantId, name))?.path ?? null;
  }

  /** A file among the session's downloads; null where there is none of that name. */
  download(name: string): Promise<LocatedFile | null> {
    return this.#find("downloads", this.#sessionId, name);
  }

  /** Newest first. */
  async uploadNames(): Promise<readonly string[]> {
    return (await this.#files.list("uploads", this.#tenantId)).map(({ name }) => name);
  }

  /** Follows the downloads that begin from now on, until its `stop`. */
  watchDownloads(): DownloadWatch {
    return this.#downloads.watch(this.#sessionId);
  }

  /**
   * Keeps bytes among the session's downloads; answers the name that they are kept under.
   * Throws `file_too_large`, `storage_limit` or `storage_full`.
   */
  async keep(suggestedName: string, content: Buffer): Promise<string> {
    const stream = Readable.from([content]);
    return (await this.#files.saveDownload(this.#sessionId, suggestedName, stream)).name;
  }

  async #find(kind: FileKind, owner: string, name: string): Promise<LocatedFile | null> {
    try {
      return await this.#files.find(kind, owner, name);
    } catch (error) {
      if (error instanceof NightjarError && error.code === "file_not_found") return null;
      throw error;
    }
  }
}
