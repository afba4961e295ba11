import { z } from "zod";
import type { Database } from "./database.ts";

export interface Tenant {
  readonly id: string;
  /** Epoch ms. */
  readonly createdAt: number;
  /** Addresses and CIDR blocks that its sessions may connect to beside those that all may. */
  readonly egressAllow: readonly string[];
}

const blocks = z.array(z.string());

/** Tenants in the store. A tenant comes to be with its first key. */
export class TenantRecords {
  readonly #database: Database;

  constructor(database: Database) {
    this.#database = database;
  }

  /** Oldest first. */
  async list(): Promise<readonly Tenant[]> {
    const rows = await this.#database.query
      .selectFrom("tenants")
      .selectAll()
      .orderBy("created_at")
      .orderBy("id")
      .execute();
    return rows.map((row) => ({
      id: row.id,
      createdAt: Number(row.created_at),
      egressAllow: blocks.parse(JSON.parse(row.egress_allow_json)),
    }));
  }

  /** Empty for a tenant that there is not. */
  async egressAllowOf(id: string): Promise<readonly string[]> {
    const row = await this.#database.query
      .selectFrom("tenants")
      .select("egress_allow_json")
      .where("id", "=", id)
      .executeTakeFirst();
    return row === undefined ? [] : blocks.parse(JSON.parse(row.egress_allow_json));
  }

  /** Holds for sessions that start from now on. False when there is no such tenant. */
  async setEgressAllow(id: string, allow: readonly string[]): Promise<boolean> {
    const result = await this.#database.query
      .updateTable("tenants")
      .set({ egress_allow_json: JSON.stringify(allow) })
      .where("id", "=", id)
      .executeTakeFirst();
    await this.#database.flush();
    return result.numUpdatedRows > 0n;
  }
}
