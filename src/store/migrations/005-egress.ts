import type { Kysely } from "kysely";
import type { Migration } from "kysely/migration";

/** What sessions sent and received, and where the sessions of a tenant may connect to. */
export const egress: Migration = {
  async up(db: Kysely<unknown>): Promise<void> {
    await db.schema
      .alterTable("sessions")
      .addColumn("request_bytes", "bigint", (column) => column.notNull().defaultTo(0))
      .execute();
    await db.schema
      .alterTable("sessions")
      .addColumn("response_bytes", "bigint", (column) => column.notNull().defaultTo(0))
      .execute();
    await db.schema
      .alterTable("tenants")
      .addColumn("egress_allow_json", "text", (column) => column.notNull().defaultTo("[]"))
      .execute();
  },
};
