import type { Kysely, Transaction } from "kysely";
import {
  ProfileChanged,
  type ProfileUse,
  profileInUse,
  profileNotFound,
} from "../sessions/profile.ts";
import type { Schema } from "./schema.ts";

/** The session that writes the profile at its end and keeps others from it; null for none. */
export async function sessionPersisting(
  query: Kysely<Schema>,
  profileId: string,
): Promise<string | null> {
  const row = await query
    .selectFrom("sessions")
    .select("id")
    .where("persists_profile_id", "=", profileId)
    .where("status", "=", "active")
    .executeTakeFirst();
  return row?.id ?? null;
}

/**
 * For a session that is about to be inserted in the same transaction. Throws as `SessionStore.insert`
 * has it.
 */
export async function checkProfile(
  transaction: Transaction<Schema>,
  tenantId: string,
  { id, persist }: ProfileUse,
  revision: number,
): Promise<void> {
  const profile = await transaction
    .selectFrom("profiles")
    .select("revision")
    .where("id", "=", id)
    .where("tenant_id", "=", tenantId)
    .executeTakeFirst();
  if (profile === undefined) throw profileNotFound(id);
  if (!persist) return;
  const holder = await sessionPersisting(transaction, id);
  if (holder !== null) throw profileInUse(id, holder);
  if (profile.revision !== revision) throw new ProfileChanged();
}
