import { z } from "zod";
import type {
  ProfilePage,
  ProfileQuery,
  ProfileRecord,
  ProfileStore,
  ProfileWrite,
} from "../profiles/profile-store.ts";
import { ProfileChanged, profileInUse, profileNotFound } from "../sessions/profile.ts";
import type { Database } from "./database.ts";
import { sessionPersisting } from "./profile-lock.ts";
import type { ProfileRow } from "./schema.ts";

/** Profiles in the store. */
export class ProfileRecords implements ProfileStore {
  readonly #database: Database;

  constructor(database: Database) {
    this.#database = database;
  }

  async insert(profile: ProfileRecord, most: number): Promise<boolean> {
    const isInserted = await this.#database.query.transaction().execute(async (transaction) => {
      const { count } = await transaction
        .selectFrom("profiles")
        .select((has) => has.fn.countAll<number>().as("count"))
        .where("tenant_id", "=", profile.tenantId)
        .executeTakeFirstOrThrow();
      if (Number(count) >= most) return false;
      await transaction
        .insertInto("profiles")
        .values({
          id: profile.id,
          tenant_id: profile.tenantId,
          name: profile.name,
          created_at: profile.createdAt,
          updated_at: profile.updatedAt,
          revision: profile.revision,
          state_file: profile.stateFile,
          domains_json: JSON.stringify(profile.domains),
        })
        .execute();
      return true;
    });
    await this.#isOnDisk();
    return isInserted;
  }

  async find(tenantId: string, id: string): Promise<ProfileRecord | null> {
    const row = await this.#database.query
      .selectFrom("profiles")
      .selectAll()
      .where("id", "=", id)
      .where("tenant_id", "=", tenantId)
      .executeTakeFirst();
    return row === undefined ? null : toProfile(row);
  }

  async list({ tenantId, name, page, pageSize }: ProfileQuery): Promise<ProfilePage> {
    const offset = (page - 1) * pageSize;
    const newestFirst = this.#database.query
      .selectFrom("profiles")
      .selectAll()
      .where("tenant_id", "=", tenantId)
      .orderBy("created_at", "desc")
      .orderBy("id", "desc");
    // SQLite knows the letter case of ASCII alone; a tenant's profiles are few enough to look at all.
    const text = name?.toLowerCase();
    const rows =
      text === undefined
        ? await newestFirst
            .limit(pageSize + 1)
            .offset(offset)
            .execute()
        : (await newestFirst.execute())
            .filter((row) => row.name?.toLowerCase().includes(text))
            .slice(offset, offset + pageSize + 1);
    return { profiles: rows.slice(0, pageSize).map(toProfile), hasNext: rows.length > pageSize };
  }

  sessionPersisting(id: string): Promise<string | null> {
    return sessionPersisting(this.#database.query, id);
  }

  async delete(tenantId: string, id: string): Promise<string | null> {
    const file = await this.#database.query.transaction().execute(async (transaction) => {
      const row = await transaction
        .selectFrom("profiles")
        .select("state_file")
        .where("id", "=", id)
        .where("tenant_id", "=", tenantId)
        .executeTakeFirst();
      if (row === undefined) throw profileNotFound(id);
      const holder = await sessionPersisting(transaction, id);
      if (holder !== null) throw profileInUse(id, holder);
      await transaction.deleteFrom("profiles").where("id", "=", id).execute();
      return row.state_file;
    });
    return (await this.#isOnDisk()) ? file : null;
  }

  async write({ profileId, writer, stateFile, domains, at }: ProfileWrite): Promise<string | null> {
    const replaced = await this.#database.query.transaction().execute(async (transaction) => {
      const row = await transaction
        .selectFrom("profiles")
        .select(["state_file", "revision"])
        .where("id", "=", profileId)
        .executeTakeFirst();
      if (row === undefined) throw profileNotFound(profileId);
      const holder = await sessionPersisting(transaction, profileId);
      if ("sessionId" in writer) {
        if (holder !== writer.sessionId) throw new ProfileChanged();
      } else {
        if (holder !== null) throw profileInUse(profileId, holder);
        if (row.revision !== writer.revision) throw new ProfileChanged();
      }
      await transaction
        .updateTable("profiles")
        .set({
          state_file: stateFile,
          domains_json: JSON.stringify(domains),
          updated_at: at,
          revision: row.revision + 1,
        })
        .where("id", "=", profileId)
        .execute();
      return row.state_file;
    });
    return (await this.#isOnDisk()) ? replaced : null;
  }

  /**
   * Waits for what was committed, ahead of the removal of a file that the store has named: it would
   * name it again after a loss of power. False where the disk fails: it is committed all the same.
   */
  #isOnDisk(): Promise<boolean> {
    return this.#database.flush().then(
      () => true,
      () => false,
    );
  }

  async stateFiles(): Promise<readonly string[]> {
    const rows = await this.#database.query.selectFrom("profiles").select("state_file").execute();
    return rows.flatMap(({ state_file }) => (state_file === null ? [] : [state_file]));
  }
}

const domainsSchema = z.array(z.string());

function toProfile(row: ProfileRow): ProfileRecord {
  return {
    id: row.id,
    tenantId: row.tenant_id,
    name: row.name,
    // Postgres gives a bigint column as text.
    createdAt: Number(row.created_at),
    updatedAt: Number(row.updated_at),
    revision: row.revision,
    stateFile: row.state_file,
    domains: domainsSchema.parse(JSON.parse(row.domains_json)),
  };
}
