import { type Kysely, sql } from "kysely";
import type { Migration } from "kysely/migration";

/** Profiles, and which session writes which one. */
export const profiles: Migration = {
  async up(db: Kysely<unknown>): Promise<void> {
    await db.schema
      .createTable("profiles")
      .addColumn("id", "text", (column) => column.primaryKey())
      .addColumn("tenant_id", "text", (column) => column.notNull())
      .addColumn("name", "text")
      .addColumn("created_at", "bigint", (column) => column.notNull())
      .addColumn("updated_at", "bigint", (column) => column.notNull())
      .addColumn("revision", "integer", (column) => column.notNull())
      .addColumn("state_file", "text")
      .addColumn("domains_json", "text", (column) => column.notNull())
      .execute();
    await db.schema
      .createIndex("profiles_by_tenant")
      .on("profiles")
      .columns(["tenant_id", "created_at"])
      .execute();
    await db.schema.alterTable("sessions").addColumn("persists_profile_id", "text").execute();
    await db.schema.alterTable("sessions").addColumn("profile_save_json", "text").execute();
    // The lock itself: it is free as soon as the row is not active any more, however that came.
    await db.schema
      .createIndex("sessions_persisting_profile")
      .unique()
      .on("sessions")
      .column("persists_profile_id")
      .where(sql.ref("status"), "=", sql.lit("active"))
      .execute();
  },
};
