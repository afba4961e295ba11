import type { Kysely } from "kysely";
import type { Schema } from "./schema.ts";

/** An open store, whatever its dialect. */
export interface Database {
  readonly query: Kysely<Schema>;
  /** Whether an error says that a unique or primary key already exists. */
  isUniqueViolation(error: unknown): boolean;
  close(): Promise<void>;
}
