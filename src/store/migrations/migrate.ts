import type { Kysely } from "kysely";
import { type Migration, Migrator } from "kysely/migration";
import type { Schema } from "../schema.ts";
import { first } from "./001-first.ts";
import { steps } from "./002-steps.ts";
import { recordings } from "./003-recordings.ts";
import { egress } from "./005-egress.ts";
import { elementNumbers } from "./006-element-numbers.ts";
import { endedSessions } from "./007-ended-sessions.ts";
import { startedSteps } from "./008-started-steps.ts";

/** In the order they run; a name never changes once released. */
const migrations: Record<string, Migration> = {
  "001-first": first,
  "002-steps": steps,
  "003-recordings": recordings,
  "005-egress": egress,
  "006-element-numbers": elementNumbers,
  "007-ended-sessions": endedSessions,
  "008-started-steps": startedSteps,
};

/** Brings the database to the current schema. Throws when a step fails, leaving the steps before it. */
export async function migrateToLatest(db: Kysely<Schema>): Promise<void> {
  const migrator = new Migrator({ db, provider: { getMigrations: async () => migrations } });
  const { error } = await migrator.migrateToLatest();
  if (error !== undefined) throw error;
}
