import { constants } from "node:fs";
import { type FileHandle, open, stat } from "node:fs/promises";
import path from "node:path";

/**
 * Opens a file that a browser says it has written. A browser that was broken out of may say
 * anything and link anywhere, and the server may read what the browser may not: so only a plain
 * file inside the browser's own directory counts, that is its own and has no other name.
 * Throws for everything else.
 */
export async function openBrowserFile(directory: string, file: string): Promise<FileHandle> {
  const resolved = path.resolve(file);
  if (!resolved.startsWith(`${directory}${path.sep}`)) {
    throw new Error(`${JSON.stringify(file)} is outside the browser's directory`);
  }
  // The directory itself stands where the browser cannot put another in its place.
  const owner = await stat(directory);
  // A pipe would otherwise be waited for.
  const flags = constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK;
  const handle = await open(resolved, flags);
  try {
    const found = await handle.stat();
    if (found.isFile() && found.uid === owner.uid && found.nlink === 1) return handle;
    throw new Error(`${JSON.stringify(file)} is not a plain file of the browser's own`);
  } catch (error) {
    await handle.close();
    throw error;
  }
}
