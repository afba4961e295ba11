import type { Kysely } from "kysely";
import type { Migration } from "kysely/migration";

/** What is under way in sessions, for when the process that does it does not live to its end. */
export const startedSteps: Migration = {
  async up(db: Kysely<unknown>): Promise<void> {
    await db.schema
      .createTable("started_steps")
      .addColumn("session_id", "text", (column) => column.primaryKey().references("sessions.id"))
      .addColumn("step_json", "text", (column) => column.notNull())
      .execute();
  },
};
