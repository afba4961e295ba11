import { DatabaseSync, type SQLInputValue, type StatementSync } from "node:sqlite";
import { Kysely, type SqliteDatabase, type SqliteStatement } from "kysely";
import type { Database } from "./database.ts";
import { migrateToLatest } from "./migrations/migrate.ts";
import { PatientSqliteDialect, storeUnavailable } from "./patient-sqlite.ts";
import type { Schema } from "./schema.ts";
import { WriteAheadLog } from "./write-ahead-log.ts";

/** The embedded store has one node. */
export const embeddedNodeId = "local";

/** How long opening waits for another process that writes. */
const openTimeoutMs = 5000;

/**
 * Opens (and makes) the embedded store and brings it to the current schema.
 * `file` is a path, or `:memory:`.
 */
export async function openSqlite(file: string): Promise<Database> {
  const connection = new DatabaseSync(file);
  connection.exec(`PRAGMA busy_timeout = ${openTimeoutMs}`);
  // WAL lets readers go on while one writes; NORMAL leaves it to `flush` to wait for the disk.
  const journal = connection.prepare("PRAGMA journal_mode = WAL").get()?.["journal_mode"];
  const hasLog = journal === "wal";
  // Some file systems have no room for the memory that WAL shares: there each commit waits.
  connection.exec(`PRAGMA synchronous = ${hasLog ? "NORMAL" : "FULL"}`);
  connection.exec("PRAGMA foreign_keys = ON");
  const query = new Kysely<Schema>({
    dialect: new PatientSqliteDialect({ database: kyselyDatabase(connection) }),
  });
  let log: WriteAheadLog | null;
  try {
    await migrateToLatest(query);
    log = hasLog ? await WriteAheadLog.open(file) : null;
  } catch (error) {
    connection.close();
    throw error;
  }
  // It would block the thread; the dialect waits beside it.
  connection.exec("PRAGMA busy_timeout = 0");
  return {
    query,
    isUniqueViolation,
    flush: async () => {
      await log?.flush().catch((error) => {
        throw storeUnavailable(error);
      });
    },
    close: async () => {
      await log?.flush().catch(() => {});
      await log?.close();
      await query.destroy();
    },
  };
}

/** Opens the embedded store as it stands, only to read it. Throws where it cannot be read. */
export function openSqliteToRead(file: string): Database {
  const connection = new DatabaseSync(file, { readOnly: true });
  const query = new Kysely<Schema>({
    dialect: new PatientSqliteDialect({ database: kyselyDatabase(connection) }),
  });
  return { query, isUniqueViolation, flush: async () => {}, close: () => query.destroy() };
}

/** SQLITE_CONSTRAINT_PRIMARYKEY and SQLITE_CONSTRAINT_UNIQUE (sqlite.org/rescode.html). */
const uniqueViolations: readonly unknown[] = [1555, 2067];

function isUniqueViolation(error: unknown): boolean {
  return error instanceof Error && "errcode" in error && uniqueViolations.includes(error.errcode);
}

/** Shows `node:sqlite` to Kysely in the form that it expects, preparing each statement once. */
function kyselyDatabase(connection: DatabaseSync): SqliteDatabase {
  const prepared = new Map<string, SqliteStatement>();
  return {
    close: () => connection.close(),
    prepare(sql) {
      const known = prepared.get(sql);
      if (known !== undefined) return known;
      // The statements of this server are few; what is beyond them is a migration's, used once.
      if (prepared.size >= 200) prepared.clear();
      const statement = kyselyStatement(connection.prepare(sql));
      prepared.set(sql, statement);
      return statement;
    },
  };
}

function kyselyStatement(statement: StatementSync): SqliteStatement {
  return {
    reader: statement.columns().length > 0,
    all: (parameters) => statement.all(...inputs(parameters)),
    run: (parameters) => statement.run(...inputs(parameters)),
    iterate: (parameters) => statement.iterate(...inputs(parameters)),
  };
}

function inputs(parameters: readonly unknown[]): SQLInputValue[] {
  return parameters.map((value) => {
    if (value === null || typeof value === "number" || typeof value === "string") return value;
    if (typeof value === "bigint" || value instanceof Uint8Array) return value;
    throw new TypeError(`the store cannot bind a ${typeof value}`);
  });
}
