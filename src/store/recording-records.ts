import type { RecordingRecord, RecordingStore } from "../recording/recording-store.ts";
import type { Database } from "./database.ts";
import type { RecordingRow, RecordingsTable } from "./schema.ts";

/** What became of recordings, in the store. */
export class RecordingRecords implements RecordingStore {
  readonly #database: Database;

  constructor(database: Database) {
    this.#database = database;
  }

  async save(record: RecordingRecord): Promise<void> {
    const { session_id, ...values } = toRow(record);
    await this.#database.query
      .insertInto("recordings")
      .values({ session_id, ...values })
      .onConflict((conflict) => conflict.column("session_id").doUpdateSet(values))
      .execute();
    // Files are removed once it is written that they are to be.
    await this.#database.flush();
  }

  async find(sessionId: string): Promise<RecordingRecord | null> {
    return (await this.findAll([sessionId])).get(sessionId) ?? null;
  }

  async findAll(sessionIds: readonly string[]): Promise<ReadonlyMap<string, RecordingRecord>> {
    const found = new Map<string, RecordingRecord>();
    // One statement for any number of them, so that it is prepared once.
    for (const id of sessionIds) {
      const row = await this.#database.query
        .selectFrom("recordings")
        .selectAll()
        .where("session_id", "=", id)
        .executeTakeFirst();
      if (row !== undefined) found.set(id, toRecord(row));
    }
    return found;
  }
}

function toRow(record: RecordingRecord): RecordingsTable {
  const ready = record.status === "ready" ? record : null;
  return {
    session_id: record.sessionId,
    status: record.status,
    error: record.status === "failed" ? record.error : null,
    started_at: ready?.startedAt ?? null,
    duration_ms: ready?.durationMs ?? null,
    size_bytes: ready?.sizeBytes ?? null,
    thinned_at: ready?.thinnedAt ?? null,
  };
}

function toRecord(row: RecordingRow): RecordingRecord {
  const sessionId = row.session_id;
  switch (row.status) {
    case "ready":
      return {
        sessionId,
        status: "ready",
        // Postgres gives a bigint column as text.
        startedAt: Number(row.started_at),
        durationMs: Number(row.duration_ms),
        sizeBytes: Number(row.size_bytes),
        thinnedAt: row.thinned_at === null ? null : Number(row.thinned_at),
      };
    case "failed":
      return { sessionId, status: "failed", error: row.error ?? "" };
    case "removed":
      return { sessionId, status: "removed" };
  }
}
