import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { Readable } from "node:stream";
import type { SessionFiles } from "../../src/pages/actions/ports.ts";
import { defaultBrowserSettings } from "../../src/sessions/browser-settings.ts";
import type { Browser } from "../../src/sessions/ports.ts";
import { DownloadCollector } from "../../src/storage/download-collector.ts";
import { FileStorage } from "../../src/storage/file-storage.ts";
import { SessionFileAccess } from "../../src/storage/session-file-access.ts";

const tenantId = "acme";
const sessionId = "session";

/** The real storage of one session, in a directory of its own, without a server around it. */
export class StoredFiles {
  readonly access: SessionFiles;
  readonly #storage: FileStorage;
  readonly #stop: () => Promise<void>;
  readonly #directory: string;

  private constructor(storage: FileStorage, browser: Browser, directory: string) {
    const downloads = new DownloadCollector({ storage, onDropped: () => {} });
    this.access = new SessionFileAccess({ files: storage, downloads, tenantId, sessionId });
    this.#storage = storage;
    this.#stop = downloads.collect({ id: sessionId, settings: defaultBrowserSettings }, browser);
    this.#directory = directory;
  }

  static async open(browser: Browser): Promise<StoredFiles> {
    const directory = await mkdtemp(path.join(tmpdir(), "nightjar-files-"));
    const limits = { fileBytes: 10_000_000, totalBytes: 100_000_000 };
    return new StoredFiles(await FileStorage.open({ directory, limits }), browser, directory);
  }

  async upload(name: string, content: string): Promise<void> {
    await this.#storage.saveUpload(tenantId, name, Readable.from([Buffer.from(content)]));
  }

  /** What the session's downloads hold, by the names that pages gave them. */
  async downloads(): Promise<Readonly<Record<string, string>>> {
    const found: Record<string, string> = {};
    for (const { name } of await this.#storage.list("downloads", sessionId)) {
      const { path: file } = await this.#storage.find("downloads", sessionId, name);
      found[name.replace(/^[\d_]+-/, "")] = await readFile(file, "utf8");
    }
    return found;
  }

  async dispose(): Promise<void> {
    await this.#stop();
    await rm(this.#directory, { recursive: true, force: true });
  }
}
