import { readFileSync, rmSync, writeFileSync } from "node:fs";
import { z } from "zod";
import { type DataDirectory, isLocked } from "./data-directory.ts";

const announcement = z.object({ url: z.url() });

/** A server that runs on a data directory; its URL is null while it is starting or stopping. */
export interface RunningServer {
  readonly url: string | null;
}

/** Tells other processes of this machine where the server of a locked data directory is reached. */
export function announceServer({ serverFile }: DataDirectory, url: string): void {
  writeFileSync(serverFile, `${JSON.stringify({ url })}\n`, { mode: 0o600 });
}

/** Takes the announcement back, also what a server that was killed had announced. */
export function withdrawServer({ serverFile }: DataDirectory): void {
  rmSync(serverFile, { force: true });
}

/** The server that runs on a data directory now, as the lock tells; null for none. */
export function runningServer(directory: DataDirectory): RunningServer | null {
  if (!isLocked(directory)) return null;
  try {
    return announcement.parse(JSON.parse(readFileSync(directory.serverFile, "utf8")));
  } catch {
    return { url: null };
  }
}
