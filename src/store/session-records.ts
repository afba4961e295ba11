import { type Insertable, sql } from "kysely";
import { z } from "zod";
import { browserTypes, screenshotTypes } from "../sessions/browser-settings.ts";
import type {
  ActiveWhere,
  IdempotencyClaim,
  SessionListQuery,
  SessionPage,
  SessionProgress,
  SessionStore,
} from "../sessions/ports.ts";
import {
  type ActiveSession,
  type EndedState,
  endReasons,
  isActive,
  type Session,
} from "../sessions/session.ts";
import type { Traffic } from "../sessions/traffic.ts";
import type { Database } from "./database.ts";
import { checkProfile } from "./profile-lock.ts";
import type { SessionRow, SessionsTable } from "./schema.ts";

/** Sessions and idempotency claims in the store. */
export class SessionRecords implements SessionStore {
  readonly #database: Database;

  constructor(database: Database) {
    this.#database = database;
  }

  async insert(
    session: ActiveSession,
    claim: IdempotencyClaim | null,
    profileRevision = 0,
  ): Promise<boolean> {
    const isInserted = await this.#insert(session, claim, profileRevision);
    const flushed = this.#database.flush();
    flushed.catch(() => {});
    // No session of a browser on this host outlives a loss of power, so no start need wait for the disk.
    if (session.settings.attachUrl !== null) await flushed;
    return isInserted;
  }

  async #insert(
    session: ActiveSession,
    claim: IdempotencyClaim | null,
    profileRevision: number,
  ): Promise<boolean> {
    const { query } = this.#database;
    const { profile } = session.settings;
    if (claim === null && profile === null) {
      await query.insertInto("sessions").values(toRow(session)).execute();
      return true;
    }
    try {
      await query.transaction().execute(async (transaction) => {
        if (profile !== null) {
          await checkProfile(transaction, session.tenantId, profile, profileRevision);
        }
        await transaction.insertInto("sessions").values(toRow(session)).execute();
        if (claim === null) return;
        await transaction
          .insertInto("idempotency_claims")
          .values({
            tenant_id: session.tenantId,
            idempotency_key: claim.key,
            fingerprint: claim.fingerprint,
            session_id: session.id,
            created_at: session.createdAt,
          })
          .execute();
      });
      return true;
    } catch (error) {
      if (claim !== null && this.#database.isUniqueViolation(error)) return false;
      throw error;
    }
  }

  async find(id: string): Promise<Session | null> {
    const row = await this.#database.query
      .selectFrom("sessions")
      .selectAll()
      .where("id", "=", id)
      .executeTakeFirst();
    return row === undefined ? null : toSession(row);
  }

  async findClaim(
    tenantId: string,
    key: string,
  ): Promise<{ readonly sessionId: string; readonly fingerprint: string } | null> {
    const row = await this.#database.query
      .selectFrom("idempotency_claims")
      .select(["session_id", "fingerprint"])
      .where("tenant_id", "=", tenantId)
      .where("idempotency_key", "=", key)
      .executeTakeFirst();
    return row === undefined ? null : { sessionId: row.session_id, fingerprint: row.fingerprint };
  }

  async list(query: SessionListQuery): Promise<SessionPage> {
    let select = this.#database.query
      .selectFrom("sessions")
      .selectAll()
      .where("tenant_id", "=", query.tenantId);
    if (query.onlyActive) select = select.where("status", "=", "active");
    if (query.apiKeyId !== undefined) select = select.where("api_key_id", "=", query.apiKeyId);
    if (query.status !== undefined) select = select.where("status", "=", query.status);
    if (query.search !== undefined) {
      const text = query.search.toLowerCase().replace(/[\\%_]/g, "\\$&");
      const reason = text.replaceAll(" ", "\\_");
      select = select.where((has) =>
        has.or([
          sql<boolean>`lower(id) like ${`${text}%`} escape '\\'`,
          sql<boolean>`lower(error) like ${`%${text}%`} escape '\\'`,
          sql<boolean>`lower(end_reason) like ${`%${reason}%`} escape '\\'`,
        ]),
      );
    }
    const rows = await select
      .orderBy("created_at", "desc")
      .orderBy("id", "desc")
      .limit(query.pageSize + 1)
      .offset((query.page - 1) * query.pageSize)
      .execute();
    return {
      sessions: rows.slice(0, query.pageSize).map(toSession),
      hasNext: rows.length > query.pageSize,
    };
  }

  async activeOnNode(nodeId: string): Promise<readonly ActiveSession[]> {
    const rows = await this.#database.query
      .selectFrom("sessions")
      .selectAll()
      .where("status", "=", "active")
      .where("node_id", "=", nodeId)
      .execute();
    return rows.map(toSession).filter(isActive);
  }

  async activeSince(where: ActiveWhere): Promise<ReadonlyMap<string, number>> {
    const active = this.#database.query
      .selectFrom("sessions")
      .select(["id", "created_at"])
      .where("status", "=", "active");
    const select =
      "nodeId" in where
        ? active.where("node_id", "=", where.nodeId)
        : "tenantId" in where
          ? active.where("tenant_id", "=", where.tenantId)
          : active.where("api_key_id", "=", where.apiKeyId);
    return new Map((await select.execute()).map((row) => [row.id, Number(row.created_at)]));
  }

  async end(
    id: string,
    state: EndedState,
    lastAccessedAt: number,
    traffic?: Traffic,
  ): Promise<boolean> {
    const result = await this.#database.query
      .updateTable("sessions")
      .set({
        status: state.status,
        end_reason: state.endReason,
        error: state.error,
        closed_at: state.closedAt,
        profile_save_json: state.profileSave === null ? null : JSON.stringify(state.profileSave),
        last_accessed_at: lastAccessedAt,
        // As `endSession` has it.
        browser_reference: "",
        ...(traffic === undefined ? {} : trafficColumns(traffic)),
      })
      .where("id", "=", id)
      .where("status", "=", "active")
      .executeTakeFirst();
    // It stands, also where the disk cannot say so: it must not be tried again.
    await this.#database.flush().catch(() => {});
    return result.numUpdatedRows > 0n;
  }

  async retime(session: ActiveSession): Promise<boolean> {
    const result = await this.#database.query
      .updateTable("sessions")
      .set({
        idle_timeout_minutes: session.idleTimeoutMinutes,
        keep_alive: session.keepAlive ? 1 : 0,
        last_accessed_at: session.lastAccessedAt,
      })
      .where("id", "=", session.id)
      .where("status", "=", "active")
      .executeTakeFirst();
    return result.numUpdatedRows > 0n;
  }

  async saveProgress(progress: ReadonlyMap<string, SessionProgress>): Promise<void> {
    await this.#database.query.transaction().execute(async (transaction) => {
      for (const [id, { lastAccessedAt, traffic }] of progress) {
        await transaction
          .updateTable("sessions")
          .set({ last_accessed_at: lastAccessedAt, ...trafficColumns(traffic) })
          .where("id", "=", id)
          .where("status", "=", "active")
          .execute();
      }
    });
  }
}

function toRow(session: ActiveSession): Insertable<SessionsTable> {
  return {
    id: session.id,
    tenant_id: session.tenantId,
    api_key_id: session.apiKeyId,
    node_id: session.nodeId,
    browser_reference: session.browserReference,
    settings_json: JSON.stringify(session.settings),
    created_at: session.createdAt,
    last_accessed_at: session.lastAccessedAt,
    idle_timeout_minutes: session.idleTimeoutMinutes,
    max_duration_minutes: session.maxDurationMinutes,
    keep_alive: session.keepAlive ? 1 : 0,
    status: "active",
    end_reason: null,
    error: null,
    closed_at: null,
    persists_profile_id: session.settings.profile?.persist ? session.settings.profile.id : null,
    ...trafficColumns(session.traffic),
  };
}

function trafficColumns({ requestBytes, responseBytes }: Traffic) {
  return { request_bytes: requestBytes, response_bytes: responseBytes };
}

const settingsSchema = z.object({
  browserType: z.enum(browserTypes),
  headless: z.boolean(),
  userAgent: z.string().nullable(),
  chromeArgs: z.array(z.string()),
  viewport: z.object({ width: z.number(), height: z.number() }).nullable(),
  extraHttpHeaders: z.record(z.string(), z.string()),
  screenshotType: z.enum(screenshotTypes),
  // Sessions of before there was file storage had none.
  useFileStorage: z.boolean().default(false),
  recording: z.boolean().default(false),
  recordBodies: z.boolean().default(false),
  proxy: z
    .discriminatedUnion("kind", [
      z.object({ kind: z.literal("default") }),
      z.object({
        kind: z.literal("external"),
        server: z.string(),
        username: z.string().nullable(),
        password: z.string().nullable(),
        bypass: z.array(z.string()),
      }),
    ])
    .nullable()
    .default(null),
  attachUrl: z.string().nullable(),
  profile: z.object({ id: z.string(), persist: z.boolean() }).nullable().default(null),
});

const profileSaveSchema = z.object({
  savedAt: z.number().nullable(),
  error: z.string().nullable(),
});

const endReasonSchema = z.enum(endReasons);

function toSession(row: SessionRow): Session {
  const record = {
    id: row.id,
    tenantId: row.tenant_id,
    apiKeyId: row.api_key_id,
    nodeId: row.node_id,
    browserReference: row.browser_reference,
    settings: settingsSchema.parse(JSON.parse(row.settings_json)),
    // Postgres gives a bigint column as text.
    createdAt: Number(row.created_at),
    lastAccessedAt: Number(row.last_accessed_at),
    idleTimeoutMinutes: row.idle_timeout_minutes,
    maxDurationMinutes: row.max_duration_minutes,
    keepAlive: row.keep_alive !== 0,
    traffic: {
      requestBytes: Number(row.request_bytes),
      responseBytes: Number(row.response_bytes),
    },
  };
  if (row.status === "active") return { ...record, state: { status: "active" } };
  return {
    ...record,
    state: {
      status: row.status,
      endReason: endReasonSchema.parse(row.end_reason),
      error: row.error,
      closedAt: Number(row.closed_at),
      profileSave:
        row.profile_save_json === null
          ? null
          : profileSaveSchema.parse(JSON.parse(row.profile_save_json)),
    },
  };
}
