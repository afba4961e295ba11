import path from "node:path";
import type { Step } from "../../src/pages/steps/step.ts";
import { type EndReason, endSession } from "../../src/sessions/session.ts";
import { SessionRecords } from "../../src/store/session-records.ts";
import { openSqlite } from "../../src/store/sqlite.ts";
import { StepRecords } from "../../src/store/step-records.ts";
import { makeSession } from "./domain-fakes.ts";
import type { Nightjar } from "./nightjar.ts";

export interface SeededEnd {
  readonly reason: EndReason;
  readonly error?: string;
}

/**
 * Puts sessions that have ended into a server's store, an hour old and a second apart, as if they
 * had run there. Answers their ids, oldest first.
 */
export async function seedEndedSessions(
  nightjar: Nightjar,
  ends: readonly SeededEnd[],
): Promise<readonly string[]> {
  const database = await openSqlite(path.join(nightjar.dataDir, "nightjar.db"));
  try {
    const records = new SessionRecords(database);
    const ids: string[] = [];
    for (const [index, { reason, error }] of ends.entries()) {
      const createdAt = Date.now() - 3_600_000 + index * 1000;
      const id = crypto.randomUUID();
      const session = makeSession({
        id,
        tenantId: "default",
        createdAt,
        lastAccessedAt: createdAt,
      });
      await records.insert(session, null);
      const { state } = endSession(session, reason, createdAt + 600, error ?? null);
      await records.end(id, state, createdAt);
      ids.push(id);
    }
    return ids;
  } finally {
    await database.close();
  }
}

/** Puts steps into a server's store, as if an earlier process had kept them. */
export async function seedSteps(
  nightjar: Nightjar,
  sessionId: string,
  steps: readonly Step[],
): Promise<void> {
  const database = await openSqlite(path.join(nightjar.dataDir, "nightjar.db"));
  try {
    const records = new StepRecords(database);
    for (const step of steps) await records.append(sessionId, step, null);
  } finally {
    await database.close();
  }
}
