import path from "node:path";
import type { BrowserDownload } from "../sessions/ports.ts";
import type { CdpConnection } from "./cdp-connection.ts";

/** How much a browser may download before it is stopped, so that no page can fill the disk. */
export interface DownloadLimits {
  readonly fileBytes: number;
  /** Of all downloads of one browser together. */
  readonly totalBytes: number;
}

/** How many contexts of clients are remembered; clients use a handful and drop them. */
const mostContexts = 200;

interface RunningDownload {
  readonly url: string;
  readonly suggestedName: string;
  receivedBytes: number;
  /** Set once it was told to stop. */
  refusal: string | null;
}

/**
 * Makes a browser put the downloads of all of its pages into one directory, each under its id, and
 * tells of them. A headless browser would refuse them, and a full one would put them into a home.
 */
export class BrowserDownloads {
  readonly #directory: string;
  readonly #connection: CdpConnection;
  readonly #limits: DownloadLimits;
  readonly #contexts = new Set<string>();
  readonly #running = new Map<string, RunningDownload>();
  readonly #listeners = new Set<(download: BrowserDownload) => void>();
  #finishedBytes = 0;

  constructor(directory: string, connection: CdpConnection, limits: DownloadLimits) {
    this.#directory = directory;
    this.#connection = connection;
    this.#limits = limits;
    this.#listen();
  }

  /** Resolves when it is in force for the browser's own context. Throws when the browser refuses. */
  async start(): Promise<void> {
    await this.#setBehavior(null);
    // Contexts that clients make have a behavior of their own, and a page in them shows that they exist.
    await this.#connection.send("Target.setDiscoverTargets", {
      discover: true,
      filter: [{ type: "page" }],
    });
  }

  onDownload(listener: (download: BrowserDownload) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /**
   * Puts it in force again. A CDP client that set a behavior of its own, as Playwright always does,
   * takes every behavior with it when it goes: call once its connection is closed.
   */
  insist(): void {
    if (!this.#connection.open) return;
    // What fails here fails because the browser ends.
    this.#setBehavior(null).catch(() => {});
    for (const context of this.#contexts) this.#include(context);
  }

  #setBehavior(context: string | null): Promise<void> {
    return this.#connection.send("Browser.setDownloadBehavior", {
      behavior: "allowAndName",
      downloadPath: this.#directory,
      eventsEnabled: true,
      ...(context === null ? {} : { browserContextId: context }),
    });
  }

  #include(context: string): void {
    this.#contexts.add(context);
    const [oldest] = this.#contexts;
    if (this.#contexts.size > mostContexts && oldest !== undefined) this.#contexts.delete(oldest);
    // The context is gone: contexts are named once, so it does not come back.
    this.#setBehavior(context).catch(() => this.#contexts.delete(context));
  }

  #listen(): void {
    this.#connection.on("Target.targetCreated", ({ targetInfo }) => {
      const { browserContextId: context } = targetInfo;
      if (context !== undefined && !this.#contexts.has(context)) this.#include(context);
    });
    this.#connection.on("Browser.downloadWillBegin", ({ guid: id, url, suggestedFilename }) => {
      this.#running.set(id, {
        url,
        suggestedName: suggestedFilename,
        receivedBytes: 0,
        refusal: null,
      });
      this.#tell({ kind: "began", id, url, suggestedName: suggestedFilename, path: null });
    });
    this.#connection.on("Browser.downloadProgress", (progress) => {
      const { guid: id, state, receivedBytes, filePath } = progress;
      const download = this.#running.get(id);
      if (download === undefined) return;
      if (state === "inProgress") {
        download.receivedBytes = receivedBytes;
        this.#stopIfTooLarge(id, download);
        return;
      }
      this.#running.delete(id);
      const { url, suggestedName, refusal } = download;
      if (state === "completed") {
        this.#finishedBytes += receivedBytes;
        const file = filePath ?? path.join(this.#directory, id);
        this.#tell({ kind: "completed", id, url, suggestedName, path: file });
      } else {
        const reason = refusal ?? "it was cancelled or its server broke it off";
        this.#tell({ kind: "failed", id, url, suggestedName, path: null, reason });
      }
    });
  }

  #stopIfTooLarge(id: string, download: RunningDownload): void {
    if (download.refusal !== null) return;
    const { fileBytes, totalBytes } = this.#limits;
    let together = this.#finishedBytes;
    for (const { receivedBytes } of this.#running.values()) together += receivedBytes;
    if (download.receivedBytes > fileBytes) {
      download.refusal = `it is larger than ${fileBytes} bytes`;
    } else if (together > totalBytes) {
      download.refusal = `the session's downloads are together larger than ${totalBytes} bytes`;
    } else {
      return;
    }
    // The events do not say which context a download belongs to; every other one does not know it.
    for (const context of [null, ...this.#contexts]) {
      const browserContextId = context === null ? {} : { browserContextId: context };
      this.#connection
        .send("Browser.cancelDownload", { guid: id, ...browserContextId })
        .catch(() => {});
    }
  }

  #tell(download: BrowserDownload): void {
    for (const listener of [...this.#listeners]) listener(download);
  }
}
