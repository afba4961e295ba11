import { createHash, randomBytes, timingSafeEqual } from "node:crypto";
import type { ApiKey, ApiKeyStore } from "../sessions/api-keys.ts";
import type { Principal } from "../sessions/session-service.ts";
import type { Database } from "./database.ts";

/** The tenant of a server that has only one. */
export const defaultTenantId = "default";

/** API keys in the store, as hashes only. */
export class ApiKeyRecords implements ApiKeyStore {
  readonly #database: Database;

  constructor(database: Database) {
    this.#database = database;
  }

  /** Makes a key of 256 random bits, and its tenant where it is new. The answer alone holds the key. */
  async create(
    tenantId: string,
    name: string,
  ): Promise<{ readonly key: string; readonly id: string }> {
    const key = `nj_${randomBytes(32).toString("base64url")}`;
    const id = await this.#insert(tenantId, name, key);
    return { key, id };
  }

  /**
   * Makes this key, which the operator chose, valid for the tenant, and makes the one that had the
   * name before invalid: changing the setting rotates the key.
   */
  async ensure(tenantId: string, name: string, key: string): Promise<void> {
    await this.#database.query
      .updateTable("api_keys")
      .set({ revoked_at: Date.now() })
      .where("tenant_id", "=", tenantId)
      .where("name", "=", name)
      .where("key_hash", "!=", hashOf(key))
      .where("revoked_at", "is", null)
      .execute();
    const known = await this.#database.query
      .selectFrom("api_keys")
      .select(["id", "tenant_id", "revoked_at"])
      .where("key_hash", "=", hashOf(key))
      .executeTakeFirst();
    if (known === undefined) await this.#insert(tenantId, name, key);
    else if (known.revoked_at !== null) {
      await this.#database.query
        .updateTable("api_keys")
        .set({ revoked_at: null })
        .where("id", "=", known.id)
        .execute();
    }
    await this.#database.flush();
  }

  /** Whose key this is; null for a key that is unknown or revoked. */
  async verify(key: string): Promise<Principal | null> {
    const hash = hashOf(key);
    const row = await this.#database.query
      .selectFrom("api_keys")
      .select(["id", "tenant_id", "key_hash"])
      .where("key_hash", "=", hash)
      .where("revoked_at", "is", null)
      .executeTakeFirst();
    if (row === undefined || !timingSafeEqual(Buffer.from(row.key_hash), Buffer.from(hash))) {
      return null;
    }
    return { tenantId: row.tenant_id, apiKeyId: row.id };
  }

  /** Newest first, revoked ones included. */
  async list(tenantId?: string): Promise<readonly ApiKey[]> {
    let select = this.#database.query
      .selectFrom("api_keys")
      .select(["id", "tenant_id", "name", "hint", "created_at", "revoked_at"]);
    if (tenantId !== undefined) select = select.where("tenant_id", "=", tenantId);
    const rows = await select.orderBy("created_at", "desc").execute();
    return rows.map((row) => ({
      id: row.id,
      tenantId: row.tenant_id,
      name: row.name,
      hint: row.hint,
      createdAt: Number(row.created_at),
      revokedAt: row.revoked_at === null ? null : Number(row.revoked_at),
    }));
  }

  /** False when no valid key, of this tenant where one is named, has this id. */
  async revoke(id: string, tenantId?: string): Promise<boolean> {
    let update = this.#database.query
      .updateTable("api_keys")
      .set({ revoked_at: Date.now() })
      .where("id", "=", id)
      .where("revoked_at", "is", null);
    if (tenantId !== undefined) update = update.where("tenant_id", "=", tenantId);
    const result = await update.executeTakeFirst();
    await this.#database.flush();
    return result.numUpdatedRows > 0n;
  }

  async #insert(tenantId: string, name: string, key: string): Promise<string> {
    const id = `key_${randomBytes(6).toString("hex")}`;
    const now = Date.now();
    await this.#database.query.transaction().execute(async (transaction) => {
      await transaction
        .insertInto("tenants")
        .values({ id: tenantId, created_at: now })
        .onConflict((conflict) => conflict.column("id").doNothing())
        .execute();
      await transaction
        .insertInto("api_keys")
        .values({
          id,
          tenant_id: tenantId,
          name,
          // A key that an operator chose may be short: less of it is shown.
          hint: `${key.slice(0, key.length >= 40 ? 6 : 3)}...`,
          key_hash: hashOf(key),
          created_at: now,
          revoked_at: null,
        })
        .execute();
    });
    await this.#database.flush();
    return id;
  }
}

function hashOf(key: string): string {
  return createHash("sha256").update(key).digest("hex");
}
