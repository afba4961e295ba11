import type { Kysely } from "kysely";
import type { Migration } from "kysely/migration";

/** Which ids of elements a session has given; null where that stands in its steps alone. */
export const elementNumbers: Migration = {
  async up(db: Kysely<unknown>): Promise<void> {
    await db.schema.alterTable("sessions").addColumn("element_numbers_json", "text").execute();
  },
};
