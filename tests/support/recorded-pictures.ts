import { readdir, readFile } from "node:fs/promises";
import path from "node:path";
import { readFrames } from "../../src/recording/frame-file.ts";

/** Where the recording of a session lies. */
export function recordingFolder(dataDir: string, sessionId: string): string {
  return path.join(dataDir, "recordings", sessionId);
}

/** When the last picture of a session was taken that is not in its video yet, epoch ms; 0 for none. */
export async function lastPictureAt(dataDir: string, sessionId: string): Promise<number> {
  const folder = recordingFolder(dataDir, sessionId);
  const names = await readdir(folder).catch(() => []);
  const newest = names
    .filter((name) => name.startsWith("frames-"))
    .sort()
    .at(-1);
  if (newest === undefined) return 0;
  // It may have become video meanwhile.
  const content = await readFile(path.join(folder, newest)).catch(() => Buffer.alloc(0));
  return readFrames(content).at(-1)?.at ?? 0;
}
