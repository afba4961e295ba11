import { randomBytes } from "node:crypto";
import { chown, copyFile, mkdir, readFile, rm, stat } from "node:fs/promises";
import path from "node:path";
import type { PageDriver } from "../driver/page-driver.ts";
import { ActionFailed } from "./failure.ts";

/** Pages read a file when they send it, long after it was chosen: so many are kept for them. */
const mostStaged = 20;
/** What Playwright sends to a browser elsewhere in one piece, in bytes. */
const largestSentBytes = 50 * 1024 * 1024;

/** The folders with files that the pages of each browser were given, oldest first. */
const staged = new WeakMap<PageDriver, string[]>();

/** A file in a form that Playwright gives to a page. */
export type StagedFile =
  | string
  | { readonly name: string; readonly mimeType: string; readonly buffer: Buffer };

/**
 * A file in a form that the browser can read: a copy in its own directory, since it runs as a user
 * who can read nothing else; the bytes themselves for a browser elsewhere. Throws `ActionFailed`.
 */
export async function stage(driver: PageDriver, source: string, name: string): Promise<StagedFile> {
  const { directory } = driver.browser;
  if (directory === null) {
    const { size } = await stat(source);
    if (size > largestSentBytes) {
      throw new ActionFailed(
        "too_large",
        `"${name}" has ${size} bytes; a browser elsewhere is sent at most ${largestSentBytes}.`,
      );
    }
    return { name, mimeType: "application/octet-stream", buffer: await readFile(source) };
  }
  const { uid, gid } = await stat(directory);
  // A name that nobody can foresee, and closed until all is in place: the directory is the browser's.
  const folder = path.join(directory, `upload-${randomBytes(6).toString("hex")}`);
  const copy = path.join(folder, path.basename(name));
  await mkdir(folder, { mode: 0o700 });
  await copyFile(source, copy);
  if (process.getuid?.() === 0) {
    await chown(copy, uid, gid);
    await chown(folder, uid, gid);
  }
  await forgetOldest(driver, folder);
  return copy;
}

async function forgetOldest(driver: PageDriver, latest: string): Promise<void> {
  const folders = staged.get(driver) ?? [];
  staged.set(driver, folders);
  folders.push(latest);
  while (folders.length > mostStaged) {
    const oldest = folders.shift();
    if (oldest !== undefined) await rm(oldest, { recursive: true, force: true });
  }
}
