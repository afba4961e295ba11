import { setTimeout as delay } from "node:timers/promises";
import { messageOf } from "../sessions/errors.ts";
import type { Browser, BrowserDownload } from "../sessions/ports.ts";
import type { ActiveSession } from "../sessions/session.ts";
import { openBrowserFile } from "./browser-file.ts";
import { DownloadWatch } from "./download-watch.ts";
import type { FileStorage } from "./file-storage.ts";

/** How long the end of a session may wait for its last downloads to be stored, in ms. */
const drainTimeoutMs = 10_000;

export interface DownloadCollectorOptions {
  readonly storage: Pick<FileStorage, "saveDownload">;
  /** Told why a download was not stored, in words. */
  readonly onDropped: (sessionId: string, download: BrowserDownload, reason: string) => void;
}

interface CollectedSession {
  readonly id: string;
  /** The browser's; null where its downloads are not to be kept. */
  readonly directory: string | null;
  /** Settles when the last of them is stored: one after the other, or a page could open files without end. */
  storing: Promise<void>;
  readonly watches: Set<DownloadWatch>;
}

/** Stores what the pages of sessions download, whoever started it, as soon as it is complete. */
export class DownloadCollector {
  readonly #options: DownloadCollectorOptions;
  readonly #sessions = new Map<string, CollectedSession>();

  constructor(options: DownloadCollectorOptions) {
    this.#options = options;
  }

  /**
   * Begins to collect the downloads of a session, unless it asked for none to be kept. Returns what
   * to do when it ends: the promise settles when its last downloads are stored, or after 10 s.
   */
  collect(
    session: Pick<ActiveSession, "id" | "settings">,
    browser: Pick<Browser, "directory" | "onDownload">,
  ): () => Promise<void> {
    const collected: CollectedSession = {
      id: session.id,
      directory: session.settings.useFileStorage ? browser.directory : null,
      storing: Promise.resolve(),
      watches: new Set(),
    };
    this.#sessions.set(session.id, collected);
    const stop = browser.onDownload((download) => this.#follow(collected, download));
    return async () => {
      stop();
      await within(drainTimeoutMs, collected.storing);
      if (this.#sessions.get(session.id) === collected) this.#sessions.delete(session.id);
    };
  }

  /** Follows the downloads of a session that begin from now on, until its `stop`. */
  watch(sessionId: string): DownloadWatch {
    const watches = this.#sessions.get(sessionId)?.watches;
    const watch = new DownloadWatch(() => watches?.delete(watch));
    watches?.add(watch);
    return watch;
  }

  /** Resolves when every download of the session that is complete by now is stored, or dropped. */
  async settled(sessionId: string): Promise<void> {
    await this.#sessions.get(sessionId)?.storing;
  }

  /** As `settled`, for all sessions, but within `timeoutMs`: for the stop of the server. */
  async allSettled(timeoutMs: number): Promise<void> {
    await within(
      timeoutMs,
      Promise.all([...this.#sessions.values()].map(({ storing }) => storing)),
    );
  }

  #follow(collected: CollectedSession, download: BrowserDownload): void {
    const { directory } = collected;
    if (download.kind === "began") {
      for (const watch of collected.watches) watch.began(download);
    } else if (download.kind === "failed") {
      this.#drop(collected, download, download.reason);
    } else if (directory === null) {
      // Not worth a line in the log: it is what the session asked for.
      const reason = "the session was started without file storage, so it is not kept";
      for (const watch of collected.watches) watch.failed(download, reason);
    } else {
      collected.storing = collected.storing.then(() => this.#store(collected, directory, download));
    }
  }

  async #store(
    collected: CollectedSession,
    directory: string,
    download: BrowserDownload & { readonly kind: "completed" },
  ): Promise<void> {
    try {
      // Copied, not moved: a CDP client may use the browser's own file, and the browser's user owns it.
      const handle = await openBrowserFile(directory, download.path);
      const content = handle.createReadStream();
      const file = await this.#options.storage.saveDownload(
        collected.id,
        download.suggestedName,
        content,
      );
      for (const watch of collected.watches) watch.stored(download, file);
    } catch (error) {
      this.#drop(collected, download, messageOf(error));
    }
  }

  #drop(collected: CollectedSession, download: BrowserDownload, reason: string): void {
    this.#options.onDropped(collected.id, download, reason);
    for (const watch of collected.watches) watch.failed(download, reason);
  }
}

async function within(timeoutMs: number, work: Promise<unknown>): Promise<void> {
  const done = new AbortController();
  const late = delay(timeoutMs, undefined, { signal: done.signal }).catch(() => {});
  await Promise.race([work, late]);
  done.abort();
}
