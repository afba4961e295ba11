import { chmodSync, closeSync, existsSync, mkdirSync, openSync } from "node:fs";
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
  /** The states of profiles. */
  readonly profilesDirectory: string;
  /** One directory for each session that was recorded, named by the session's id. */
  readonly recordingsDirectory: string;
  /** What replays are made in; nothing in it outlives the process. */
  readonly encodingDirectory: string;
  /** Locked by the server that runs on it. */
  readonly lockFile: string;
  /** Says where that server is reached. */
  readonly serverFile: string;
}

/** What lies where in a data directory, whether it is there or not. */
export function dataDirectoryAt(root: string): DataDirectory {
  const absolute = path.resolve(root);
  return {
    root: absolute,
    databaseFile: path.join(absolute, "nightjar.db"),
    browsersDirectory: path.join(absolute, "browsers"),
    filesDirectory: path.join(absolute, "files"),
    profilesDirectory: path.join(absolute, "profiles"),
    recordingsDirectory: path.join(absolute, "recordings"),
    encodingDirectory: path.join(absolute, "encoding"),
    lockFile: path.join(absolute, "server.lock"),
    serverFile: path.join(absolute, "server.json"),
  };
}

/**
 * Makes the data directory where it is missing. Other users may pass through it (0711) because
 * each browser runs as a user of its own; they can list nothing, and what is inside is closed to them.
 */
export function openDataDirectory(root: string): DataDirectory {
  const directory = dataDirectoryAt(root);
  const { browsersDirectory, databaseFile } = directory;
  const { filesDirectory, profilesDirectory, recordingsDirectory } = directory;
  // Answers the first directory that it made: all from there down are ours to open.
  const firstMade = mkdirSync(browsersDirectory, { recursive: true });
  if (firstMade !== undefined) {
    for (let made = browsersDirectory; made.length >= firstMade.length; made = path.dirname(made)) {
      chmodSync(made, 0o711);
    }
  }
  // SQLite gives the files beside it the same mode.
  closeSync(openSync(databaseFile, "a", 0o600));
  for (const made of [filesDirectory, profilesDirectory, recordingsDirectory]) {
    mkdirSync(made, { recursive: true, mode: 0o700 });
  }
  return directory;
}

/** How long somebody may look whether it is locked, in ms: far longer than it takes. */
const glanceMs = 100;

/**
 * Keeps a second server off the data directory. The lock is SQLite's own on a file of its own: the
 * operating system drops it when the process dies, however it dies, so no stale lock is left.
 * Returns the way to unlock; throws when another process holds it.
 */
export function lockDataDirectory(directory: DataDirectory): () => void {
  const lock = new DatabaseSync(directory.lockFile);
  try {
    lock.exec(`PRAGMA busy_timeout = ${glanceMs}`);
    lock.exec("PRAGMA journal_mode = DELETE");
    lock.exec("BEGIN EXCLUSIVE");
  } catch (error) {
    lock.close();
    if (isBusy(error)) {
      throw new Error(
        `Another Nightjar server is running on the data directory ${directory.root}. Stop it, or give this one its own with NIGHTJAR_DATA_DIR.`,
      );
    }
    throw error;
  }
  return () => lock.close();
}

/** Whether a server has locked the data directory. */
export function isLocked(directory: DataDirectory): boolean {
  if (!existsSync(directory.lockFile)) return false;
  const lock = new DatabaseSync(directory.lockFile, { readOnly: true });
  try {
    lock.prepare("SELECT 1 FROM sqlite_schema").all();
    return false;
  } catch (error) {
    if (isBusy(error)) return true;
    throw error;
  } finally {
    lock.close();
  }
}

/** SQLITE_BUSY (sqlite.org/rescode.html): another process has it locked. */
function isBusy(error: unknown): boolean {
  return error instanceof Error && "errcode" in error && error.errcode === 5;
}
