import type { Kysely } from "kysely";
import type { Migration } from "kysely/migration";

/** Finds sessions by their end, and what belongs to them, for those that are removed. */
export const endedSessions: Migration = {
  async up(db: Kysely<unknown>): Promise<void> {
    await db.schema
      .createIndex("sessions_by_end")
      .on("sessions")
      .columns(["closed_at", "id"])
      .execute();
    await db.schema
      .createIndex("idempotency_claims_by_session")
      .on("idempotency_claims")
      .column("session_id")
      .execute();
  },
};
