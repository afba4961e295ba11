import { chmodSync, closeSync, mkdirSync, openSync } from "node:fs";
import path from "node:path";
import { DatabaseSync } from "node:sqlite";

/** What lies where in the data directory. */
export interface DataDirectory {
  readonly root: string;
  readonly databaseFile: string;
  /** One directory for each browser, named by the browser's id. */
  readonly browsersDirectory: string;
  /** Uploads, downloads, and what is being received. */
  readonly filesDirectory: string;
  /** One directory for each session that was recorded, named by the session's id. */
  readonly recordingsDirectory: string;
}

/**
 * Makes the data directory where it is missing. Other users may pass through it (0711) because
 * each browser runs as a user of its own; they can list nothing, and what is inside is closed to them.
 */
export function openDataDirectory(root: string): DataDirectory {
  const absolute = path.resolve(root);
  const browsersDirectory = path.join(absolute, "browsers");
  // Answers the first directory that it made: all from there down are ours to open.
  const firstMade = mkdirSync(browsersDirectory, { recursive: true });
  if (firstMade !== undefined) {
    for (let made = browsersDirectory; made.length >= firstMade.length; made = path.dirname(made)) {
      chmodSync(made, 0o711);
    }
  }
  const databaseFile = path.join(absolute, "nightjar.db");
  // SQLite gives the files beside it the same mode.
  closeSync(openSync(databaseFile, "a", 0o600));
  const filesDirectory = path.join(absolute, "files");
  const recordingsDirectory = path.join(absolute, "recordings");
  for (const made of [filesDirectory, recordingsDirectory]) {
    mkdirSync(made, { recursive: true, mode: 0o700 });
  }
  return { root: absolute, databaseFile, browsersDirectory, filesDirectory, recordingsDirectory };
}

/**
 * Keeps a second server off the data directory. The lock is SQLite's own on a file of its own: the
 * operating system drops it when the process dies, however it dies, so no stale lock is left.
 * Returns the way to unlock; throws when another process holds it.
 */
export function lockDataDirectory(directory: DataDirectory): () => void {
  const lock = new DatabaseSync(path.join(directory.root, "server.lock"));
  try {
    lock.exec("PRAGMA journal_mode = DELETE");
    lock.exec("BEGIN EXCLUSIVE");
  } catch (error) {
    lock.close();
    if (error instanceof Error && "errcode" in error && error.errcode === 5) {
      throw new Error(
        `Another Nightjar server is running on the data directory ${directory.root}. Stop it, or give this one its own with NIGHTJAR_DATA_DIR.`,
      );
    }
    throw error;
  }
  return () => lock.close();
}
