import type { Kysely } from "kysely";
import type { Migration } from "kysely/migration";

/** What was done to the pages of sessions. */
export const steps: Migration = {
  async up(db: Kysely<unknown>): Promise<void> {
    await db.schema
      .createTable("session_steps")
      .addColumn("session_id", "text", (column) => column.notNull().references("sessions.id"))
      .addColumn("position", "integer", (column) => column.notNull())
      .addColumn("total_characters", "integer", (column) => column.notNull())
      .addColumn("step_json", "text", (column) => column.notNull())
      .addPrimaryKeyConstraint("session_steps_key", ["session_id", "position"])
      .execute();
  },
};
