import { setTimeout as delay } from "node:timers/promises";
import {
  type CompiledQuery,
  type DatabaseConnection,
  type Driver,
  type QueryResult,
  SqliteDialect,
  SqliteDriver,
} from "kysely";
import { messageOf, NightjarError } from "../sessions/errors.ts";

/** How long a statement waits for another process that writes, e.g. `nightjar keys` beside a server. */
const patienceMs = 2000;
const retryEveryMs = 20;

/** Primary result codes (sqlite.org/rescode.html): somebody else is writing. */
const busyCodes: ReadonlySet<number> = new Set([5, 6]);

/** Primary result codes of a disk that cannot be used now: no rights, no memory, read-only, failed, full, not to be opened. */
const unusableCodes: ReadonlySet<number> = new Set([3, 7, 8, 10, 13, 14]);

const retryAfterSeconds = 5;

/**
 * Kysely's dialect of SQLite, which waits for other processes without blocking this one's thread
 * (SQLite's own busy timeout does), and says `store_unavailable` where the store cannot be used.
 */
export class PatientSqliteDialect extends SqliteDialect {
  readonly #config: ConstructorParameters<typeof SqliteDriver>[0];

  constructor(config: ConstructorParameters<typeof SqliteDriver>[0]) {
    super(config);
    this.#config = config;
  }

  override createDriver(): Driver {
    return new PatientSqliteDriver(this.#config);
  }
}

class PatientSqliteDriver extends SqliteDriver {
  override async acquireConnection(): Promise<DatabaseConnection> {
    return new PatientConnection(await super.acquireConnection());
  }

  override async rollbackTransaction(connection: DatabaseConnection): Promise<void> {
    try {
      await super.rollbackTransaction(connection);
    } catch (error) {
      // Where its disk fails, SQLite has rolled back by itself, and the failure must not be hidden
      // by this one (sqlite.org/lang_transaction.html).
      if (!/no transaction is active/.test(messageOf(error))) throw error;
    }
  }
}

class PatientConnection implements DatabaseConnection {
  readonly #inner: DatabaseConnection;

  constructor(inner: DatabaseConnection) {
    this.#inner = inner;
  }

  async executeQuery<R>(
    ...given: Parameters<DatabaseConnection["executeQuery"]>
  ): Promise<QueryResult<R>> {
    const until = performance.now() + patienceMs;
    for (;;) {
      try {
        return await this.#inner.executeQuery<R>(...given);
      } catch (error) {
        const code = resultCode(error);
        if (!busyCodes.has(code)) throw unusableCodes.has(code) ? storeUnavailable(error) : error;
        if (performance.now() > until) throw storeUnavailable(error);
        await delay(retryEveryMs);
      }
    }
  }

  streamQuery<R>(query: CompiledQuery, chunkSize: number): AsyncIterableIterator<QueryResult<R>> {
    return this.#inner.streamQuery<R>(query, chunkSize);
  }
}

/** The primary result code of an error of SQLite's; 0 for any other error. */
function resultCode(error: unknown): number {
  if (!(error instanceof Error) || !("errcode" in error)) return 0;
  return typeof error.errcode === "number" ? error.errcode & 0xff : 0;
}

/** That the store cannot be used now, and when to try again. */
export function storeUnavailable(cause: unknown): NightjarError {
  return new NightjarError(
    "store_unavailable",
    `The server's store cannot be used now: its disk is full, read-only or failing, or another process holds it. Try again in ${retryAfterSeconds} seconds.`,
    { cause, retryAfterSeconds },
  );
}
