import type { Generated, Selectable } from "kysely";

/** Times are epoch ms as integers; JSON columns are text, so that both dialects store them alike. */
export interface SessionsTable {
  id: string;
  tenant_id: string;
  api_key_id: string | null;
  node_id: string;
  browser_reference: string;
  settings_json: string;
  created_at: number;
  last_accessed_at: number;
  idle_timeout_minutes: number;
  max_duration_minutes: number;
  keep_alive: number;
  status: "active" | "closed" | "timed_out" | "error";
  end_reason: string | null;
  error: string | null;
  closed_at: number | null;
  request_bytes: number;
  response_bytes: number;
  /** The last number of each letter of elements' ids; null where none was noted. */
  element_numbers_json: Generated<string | null>;
}

export interface IdempotencyClaimsTable {
  tenant_id: string;
  idempotency_key: string;
  fingerprint: string;
  session_id: string;
  created_at: number;
}

export interface TenantsTable {
  id: string;
  created_at: number;
  /** Addresses and CIDR blocks; a default of the database stands for none. */
  egress_allow_json: Generated<string>;
}

export interface ApiKeysTable {
  id: string;
  tenant_id: string;
  name: string;
  /** First characters of the key, enough for a person to recognize it. */
  hint: string;
  /** SHA-256 of the key, hexadecimal: keys carry 256 random bits, so no slow hash is needed. */
  key_hash: string;
  created_at: number;
  revoked_at: number | null;
}

/** Values that a server makes once and every node of the store shares. */
export interface ServerSecretsTable {
  name: string;
  value: string;
}

export interface SessionStepsTable {
  session_id: string;
  /** From 0, without gaps. */
  position: number;
  /** Of the JSON of this step and all before it. */
  total_characters: number;
  step_json: string;
}

/** What is under way in a session, where it takes longer than a moment: one row at most. */
export interface StartedStepsTable {
  session_id: string;
  step_json: string;
}

export interface RecordingsTable {
  session_id: string;
  status: "ready" | "failed" | "removed";
  error: string | null;
  started_at: number | null;
  duration_ms: number | null;
  size_bytes: number | null;
  thinned_at: number | null;
}

export interface Schema {
  recordings: RecordingsTable;
  session_steps: SessionStepsTable;
  started_steps: StartedStepsTable;
  sessions: SessionsTable;
  idempotency_claims: IdempotencyClaimsTable;
  tenants: TenantsTable;
  api_keys: ApiKeysTable;
  server_secrets: ServerSecretsTable;
}

export type SessionRow = Selectable<SessionsTable>;
export type RecordingRow = Selectable<RecordingsTable>;
