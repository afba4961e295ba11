import type { EndedSessions } from "../sessions/session-retention.ts";
import type { Database } from "./database.ts";

/** So many steps are removed at once, so that other statements come in between. */
const stepsAtOnce = 500;

/** Sessions that ended, in the store, and their removal. */
export class EndedSessionRecords implements EndedSessions {
  readonly #database: Database;

  constructor(database: Database) {
    this.#database = database;
  }

  async endedBefore(time: number, most: number): Promise<readonly string[]> {
    const rows = await this.#database.query
      .selectFrom("sessions")
      .select("id")
      .where("closed_at", "<", time)
      .orderBy("closed_at")
      .orderBy("id")
      .limit(most)
      .execute();
    return rows.map(({ id }) => id);
  }

  async remove(sessionId: string): Promise<void> {
    if (!(await this.#hasEnded(sessionId))) return;
    await this.#removeSteps(sessionId);
    await this.#database.query.transaction().execute(async (transaction) => {
      // A start that is repeated with the claim's key is a new one from now on.
      for (const table of [
        "idempotency_claims",
        "recordings",
        "started_steps",
        "session_steps",
      ] as const) {
        await transaction.deleteFrom(table).where("session_id", "=", sessionId).execute();
      }
      await transaction.deleteFrom("sessions").where("id", "=", sessionId).execute();
    });
  }

  async #hasEnded(sessionId: string): Promise<boolean> {
    const row = await this.#database.query
      .selectFrom("sessions")
      .select("id")
      .where("id", "=", sessionId)
      .where("closed_at", "is not", null)
      .executeTakeFirst();
    return row !== undefined;
  }

  /** The last ones first: what is left meanwhile has no gaps. */
  async #removeSteps(sessionId: string): Promise<void> {
    const { query } = this.#database;
    for (;;) {
      const last = await query
        .selectFrom("session_steps")
        .select("position")
        .where("session_id", "=", sessionId)
        .orderBy("position", "desc")
        .limit(1)
        .executeTakeFirst();
      if (last === undefined) return;
      await query
        .deleteFrom("session_steps")
        .where("session_id", "=", sessionId)
        .where("position", ">", last.position - stepsAtOnce)
        .execute();
    }
  }
}
