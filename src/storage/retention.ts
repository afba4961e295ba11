import type { Clock } from "../sessions/ports.ts";
import { Rounds } from "../sessions/rounds.ts";
import type { Session } from "../sessions/session.ts";
import { isActive } from "../sessions/session.ts";
import type { FileStorage } from "./file-storage.ts";

const everyMs = 3_600_000;
const msPerHour = 3_600_000;

export interface RetentionOptions {
  readonly storage: Pick<FileStorage, "sessionsWithDownloads" | "removeDownloads" | "list">;
  /** Null for a session that nobody knows any more. */
  readonly findSession: (sessionId: string) => Promise<Session | null>;
  readonly clock: Clock;
  /** From the end of a session, or from the last file that was stored for it later; 0: for good. */
  readonly hours: number;
  readonly onFailure: (error: unknown) => void;
}

/** Removes the downloads of sessions that ended long ago, now and every hour. Returns the way to stop. */
export function removeOldDownloads(options: RetentionOptions): () => Promise<void> {
  if (options.hours === 0) return async () => {};
  const rounds = new Rounds(options.clock, async ({ stop }) => {
    await removeOnce(options, stop).catch(options.onFailure);
    return everyMs;
  });
  rounds.within(0);
  return () => rounds.stop();
}

async function removeOnce(options: RetentionOptions, stop: AbortSignal): Promise<void> {
  const { storage, findSession, clock, hours } = options;
  const before = clock.now() - hours * msPerHour;
  for (const id of await storage.sessionsWithDownloads()) {
    if (stop.aborted) return;
    const session = await findSession(id);
    if (session !== null && isActive(session)) continue;
    const [newest] = await storage.list("downloads", id);
    const lastUse = Math.max(session?.state.closedAt ?? 0, newest?.updatedAt ?? 0);
    if (lastUse < before) await storage.removeDownloads(id);
  }
}
