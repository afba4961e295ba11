import type { Kysely } from "kysely";
import type { Schema } from "./schema.ts";

/** An open store, whatever its dialect. */
export interface Database {
  readonly query: Kysely<Schema>;
  /** Whether an error says that a unique or primary key already exists. */
  isUniqueViolation(error: unknown): boolean;
  /**
   * Resolves when all that was committed before outlives a loss of power; that it outlives the process
   * needs no waiting. Throws `store_unavailable` where the disk fails.
   */
  flush(): Promise<void>;
  close(): Promise<void>;
}
