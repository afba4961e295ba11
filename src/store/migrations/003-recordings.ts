import type { Kysely } from "kysely";
import type { Migration } from "kysely/migration";

/** What became of the recordings of sessions. */
export const recordings: Migration = {
  async up(db: Kysely<unknown>): Promise<void> {
    await db.schema
      .createTable("recordings")
      .addColumn("session_id", "text", (column) =>
        column.primaryKey().notNull().references("sessions.id"),
      )
      .addColumn("status", "text", (column) => column.notNull())
      .addColumn("error", "text")
      .addColumn("started_at", "bigint")
      .addColumn("duration_ms", "bigint")
      .addColumn("size_bytes", "bigint")
      .addColumn("thinned_at", "bigint")
      .execute();
  },
};
