import type { Kysely } from "kysely";
import type { Migration } from "kysely/migration";

/** The first schema: tenants, their keys, sessions and idempotency claims. */
export const first: Migration = {
  async up(db: Kysely<unknown>): Promise<void> {
    await db.schema
      .createTable("tenants")
      .addColumn("id", "text", (column) => column.primaryKey().notNull())
      .addColumn("created_at", "bigint", (column) => column.notNull())
      .execute();

    await db.schema
      .createTable("api_keys")
      .addColumn("id", "text", (column) => column.primaryKey().notNull())
      .addColumn("tenant_id", "text", (column) => column.notNull().references("tenants.id"))
      .addColumn("name", "text", (column) => column.notNull())
      .addColumn("hint", "text", (column) => column.notNull())
      .addColumn("key_hash", "text", (column) => column.notNull().unique())
      .addColumn("created_at", "bigint", (column) => column.notNull())
      .addColumn("revoked_at", "bigint")
      .execute();

    await db.schema
      .createTable("sessions")
      .addColumn("id", "text", (column) => column.primaryKey().notNull())
      .addColumn("tenant_id", "text", (column) => column.notNull().references("tenants.id"))
      .addColumn("api_key_id", "text")
      .addColumn("node_id", "text", (column) => column.notNull())
      .addColumn("browser_reference", "text", (column) => column.notNull())
      .addColumn("settings_json", "text", (column) => column.notNull())
      .addColumn("created_at", "bigint", (column) => column.notNull())
      .addColumn("last_accessed_at", "bigint", (column) => column.notNull())
      .addColumn("idle_timeout_minutes", "integer", (column) => column.notNull())
      .addColumn("max_duration_minutes", "integer", (column) => column.notNull())
      .addColumn("keep_alive", "integer", (column) => column.notNull())
      .addColumn("status", "text", (column) => column.notNull())
      .addColumn("end_reason", "text")
      .addColumn("error", "text")
      .addColumn("closed_at", "bigint")
      .execute();

    await db.schema
      .createIndex("sessions_by_status")
      .on("sessions")
      .columns(["status", "node_id", "tenant_id"])
      .execute();

    await db.schema
      .createIndex("sessions_by_tenant")
      .on("sessions")
      .columns(["tenant_id", "created_at"])
      .execute();

    await db.schema
      .createTable("idempotency_claims")
      .addColumn("tenant_id", "text", (column) => column.notNull().references("tenants.id"))
      .addColumn("idempotency_key", "text", (column) => column.notNull())
      .addColumn("fingerprint", "text", (column) => column.notNull())
      .addColumn("session_id", "text", (column) => column.notNull().references("sessions.id"))
      .addColumn("created_at", "bigint", (column) => column.notNull())
      .addPrimaryKeyConstraint("idempotency_claims_key", ["tenant_id", "idempotency_key"])
      .execute();

    await db.schema
      .createTable("server_secrets")
      .addColumn("name", "text", (column) => column.primaryKey().notNull())
      .addColumn("value", "text", (column) => column.notNull())
      .execute();
  },
};
