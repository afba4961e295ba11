import { randomInt } from "node:crypto";
import { chown, mkdir, readdir, stat } from "node:fs/promises";
import path from "node:path";

/** The user and group that a browser runs as. */
export interface BrowserUser {
  readonly uid: number;
  readonly gid: number;
}

/** How many user ids, from the configured first one on, are for browsers: as many as ports for their proxies. */
export const userIdCount = 1000;

/**
 * Gives each browser a user id of its own while the server runs as root, so that the operating
 * system keeps sessions out of each other's files and processes. As an ordinary user all browsers
 * run as that user, apart from each other only by their directories and Chromium's sandbox.
 */
export class BrowserUsers {
  readonly #firstUid: number;
  readonly #enabled: boolean;
  readonly #taken = new Set<number>();

  /** `firstUid`: the first of `userIdCount` ids that belong to nobody else on this machine. */
  constructor(firstUid: number, enabled = process.getuid?.() === 0) {
    this.#firstUid = firstUid;
    this.#enabled = enabled;
  }

  /** Null where browsers run as the server's own user. Throws when no id is free. */
  async take(): Promise<BrowserUser | null> {
    if (!this.#enabled) return null;
    // At random, and never one that a process has: other servers on this machine use the same ids.
    const running = await runningUids();
    const start = randomInt(userIdCount);
    for (let offset = 0; offset < userIdCount; offset += 1) {
      const uid = this.#firstUid + ((start + offset) % userIdCount);
      if (this.#taken.has(uid) || running.has(uid)) continue;
      this.#taken.add(uid);
      return { uid, gid: uid };
    }
    throw new Error(`all ${userIdCount} user ids for browsers are taken`);
  }

  /** Marks the id of a browser that was found again after a restart. */
  claim(uid: number): void {
    this.#taken.add(uid);
  }

  giveBack(uid: number): void {
    this.#taken.delete(uid);
  }

  /** The ids that are taken now. */
  get taken(): readonly number[] {
    return [...this.#taken];
  }

  owns(uid: number): boolean {
    return this.#enabled && uid >= this.#firstUid && uid < this.#firstUid + userIdCount;
  }
}

/** The users of all processes; the main process of a browser shows its own in /proc. */
async function runningUids(): Promise<ReadonlySet<number>> {
  const names = process.platform === "linux" ? await readdir("/proc") : [];
  const uids = await Promise.all(
    names
      .filter((name) => /^\d+$/.test(name))
      .map((name) =>
        stat(`/proc/${name}`).then(
          ({ uid }) => uid,
          () => 0,
        ),
      ),
  );
  return new Set(uids);
}

/** The directories of one browser, closed to everyone but its own user. */
export interface BrowserDirectories {
  readonly root: string;
  readonly profile: string;
  readonly downloads: string;
}

export function browserDirectories(root: string): BrowserDirectories {
  return { root, profile: path.join(root, "profile"), downloads: path.join(root, "downloads") };
}

export async function makeBrowserDirectories(
  root: string,
  user: BrowserUser | null,
): Promise<BrowserDirectories> {
  const directories = browserDirectories(root);
  for (const directory of [directories.root, directories.profile, directories.downloads]) {
    await mkdir(directory, { mode: 0o700 });
    if (user !== null) await chown(directory, user.uid, user.gid);
  }
  return directories;
}

/**
 * What keeps browsers, which run as users of their own while the server is root, from a directory
 * that is there, and what to do; null for nothing.
 */
export async function passageProblem(directory: string): Promise<string | null> {
  if (process.getuid?.() !== 0) return null;
  const closed = await closedDirectoryOnPath(directory);
  if (closed === null) return null;
  return `Browsers run as users of their own, and ${closed} lets no other user through. Choose another NIGHTJAR_DATA_DIR, or run: chmod o+x ${closed}`;
}

/**
 * The first directory on the way to `target` that users other than its owner cannot pass through;
 * null when there is none. Browsers that run as users of their own cannot reach what lies behind it.
 */
async function closedDirectoryOnPath(target: string): Promise<string | null> {
  const directories: string[] = [];
  for (let at = path.resolve(target); ; at = path.dirname(at)) {
    directories.unshift(at);
    if (at === path.dirname(at)) break;
  }
  for (const directory of directories) {
    const { mode } = await stat(directory);
    if ((mode & 0o001) === 0) return directory;
  }
  return null;
}
