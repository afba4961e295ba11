import { mkdir, readdir, rm, stat } from "node:fs/promises";
import path from "node:path";

/** What stands in the place of a recording, by session. */
export interface StoredRecording {
  readonly sessionId: string;
  readonly sizeBytes: number;
  /** When something was last written to it, epoch ms. */
  readonly updatedAt: number;
}

/**
 * The folder of one session's recording, while somebody writes to it. Everything that is kept of
 * what a session showed, requested and logged lies in it, so that it is counted and removed as one.
 */
export class RecordingFolder {
  readonly sessionId: string;
  readonly directory: string;
  readonly #onClose: () => void;
  #closed = false;

  constructor(sessionId: string, directory: string, onClose: () => void) {
    this.sessionId = sessionId;
    this.directory = directory;
    this.#onClose = onClose;
  }

  /** The path of a file in it, e.g. `network.ndjson`. */
  file(name: string): string {
    return path.join(this.directory, name);
  }

  /** To be called when the last byte was written: who removes the folder waits for it. Idempotent. */
  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#onClose();
  }
}

/** Who writes to a folder now. */
interface Writers {
  count: number;
  readonly done: Promise<void>;
  readonly settle: () => void;
}

/** The recordings of all sessions: `<directory>/<session id>/`, for the server's own user alone. */
export class RecordingFolders {
  readonly #directory: string;
  readonly #writers = new Map<string, Writers>();

  constructor(directory: string) {
    this.#directory = directory;
  }

  /** Opens the folder of a session to write to it, making it where it is missing; close it. */
  async open(sessionId: string): Promise<RecordingFolder> {
    const directory = this.#directoryOf(sessionId);
    // Counted before anything is awaited, so that a removal that comes meanwhile waits.
    const writers = this.#writers.get(sessionId) ?? newWriters();
    this.#writers.set(sessionId, writers);
    writers.count += 1;
    const folder = new RecordingFolder(sessionId, directory, () => this.#left(sessionId, writers));
    try {
      await mkdir(directory, { recursive: true, mode: 0o700 });
      return folder;
    } catch (error) {
      folder.close();
      throw error;
    }
  }

  /** The path of a file of a recording, to read it; whether it is there is another question. */
  file(sessionId: string, name: string): string {
    return path.join(this.#directoryOf(sessionId), name);
  }

  /** Whether somebody writes to the session's folder now. */
  isOpen(sessionId: string): boolean {
    return this.#writers.has(sessionId);
  }

  /** Settles when nobody writes to the session's folder. */
  async settled(sessionId: string): Promise<void> {
    for (;;) {
      const writers = this.#writers.get(sessionId);
      if (writers === undefined) return;
      await writers.done;
    }
  }

  /** The sessions that have a folder. */
  async list(): Promise<readonly string[]> {
    return (await readdir(this.#directory).catch(absentAs([]))).filter(isSessionId);
  }

  /** Null where the session has no folder. */
  async describe(sessionId: string): Promise<StoredRecording | null> {
    const directory = this.#directoryOf(sessionId);
    const names = await readdir(directory).catch(absentAs(null));
    if (names === null) return null;
    const found = await Promise.all(
      names.map((name) => stat(path.join(directory, name)).catch(absentAs(null))),
    );
    const files = found.filter((file) => file !== null);
    return {
      sessionId,
      // What it takes on the disk, and not less than it holds: blocks are of 512 bytes.
      sizeBytes: files.reduce((sum, { size, blocks }) => sum + Math.max(size, blocks * 512), 0),
      updatedAt: Math.floor(Math.max(0, ...files.map(({ mtimeMs }) => mtimeMs))),
    };
  }

  /** Removes the folder of a session, once nobody writes to it. False when there was none. */
  async remove(sessionId: string): Promise<boolean> {
    await this.settled(sessionId);
    const directory = this.#directoryOf(sessionId);
    const existed = (await stat(directory).catch(absentAs(null))) !== null;
    await rm(directory, { recursive: true, force: true });
    return existed;
  }

  #left(sessionId: string, writers: Writers): void {
    writers.count -= 1;
    if (writers.count > 0) return;
    this.#writers.delete(sessionId);
    writers.settle();
  }

  #directoryOf(sessionId: string): string {
    if (!isSessionId(sessionId)) throw new Error(`"${sessionId}" cannot name a recording`);
    return path.join(this.#directory, sessionId);
  }
}

function newWriters(): Writers {
  const { promise, resolve } = Promise.withResolvers<void>();
  return { count: 0, done: promise, settle: resolve };
}

/** Ids of sessions are UUIDs: nothing else may become part of a path. */
function isSessionId(name: string): boolean {
  return /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/.test(name);
}

/** For `catch`: a value in place of what is not there. */
function absentAs<T>(value: T): (error: unknown) => T {
  return (error) => {
    if (error instanceof Error && "code" in error && error.code === "ENOENT") return value;
    throw error;
  };
}
