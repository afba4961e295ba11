/**
 * Every error that a caller can meet, once: what it means and what to do about it. The edge gives
 * each code its HTTP status; the documentation's table is generated from here.
 */
export const errorTable = {
  invalid_request: {
    meaning: "A field of the request is missing, malformed or out of range.",
    remedy: "Correct the field that the message names.",
  },
  malformed_body: {
    meaning: "The request body cannot be read as what its Content-Type says.",
    remedy:
      "Send a JSON object with Content-Type: application/json, or a form where a file is taken.",
  },
  unsupported_media_type: {
    meaning: "The request body is not in a format that this server reads.",
    remedy: "Send JSON with Content-Type: application/json, or a form where a file is taken.",
  },
  body_too_large: {
    meaning: "The request body is larger than this server accepts.",
    remedy: "Send a smaller body.",
  },
  unauthorized: {
    meaning: "The request carries no API key, or one that is not valid.",
    remedy: "Send the header `Authorization: Bearer <API key>`.",
  },
  too_many_failures: {
    meaning: "Too many requests from this address carried no valid API key.",
    remedy: "Try again after the seconds in Retry-After, with a valid key.",
  },
  too_many_requests: {
    meaning: "This API key has made as many requests as it may within a minute.",
    remedy: "Try again after the seconds in Retry-After.",
  },
  bad_request: {
    meaning: "What was sent is no HTTP request that this server reads.",
    remedy: "Send HTTP/1.1.",
  },
  headers_too_large: {
    meaning: "The URL and the headers of the request together are larger than this server reads.",
    remedy: "Send less: what is long belongs into the body.",
  },
  request_timeout: {
    meaning: "The request did not arrive whole in time.",
    remedy: "Send it again.",
  },
  session_not_found: {
    meaning: "No session with this id belongs to you.",
    remedy: "List your sessions, or start a new one.",
  },
  session_ended: {
    meaning: "The session has ended, so it takes no more operations.",
    remedy: "Start a new session; `end_reason` says why this one ended.",
  },
  session_active: {
    meaning: "The session is still active, and what is asked for is for sessions that ended.",
    remedy: "Stop the session first.",
  },
  replay_not_ready: {
    meaning: "The replay is not made yet.",
    remedy: "Stop the session if it runs; a replay is ready some seconds after the end.",
  },
  replay_not_found: {
    meaning: "There is no replay: nothing was recorded, or the recording was removed.",
    remedy: "Start sessions with recording on, and fetch their replays before they get too old.",
  },
  replay_failed: {
    meaning: "The replay could not be made.",
    remedy: "The message says why; the operator finds more in the log.",
  },
  api_key_not_found: {
    meaning: "No valid API key with this id belongs to you.",
    remedy: "List your keys: it may have been revoked before.",
  },
  api_key_limit: {
    meaning: "This tenant has as many valid API keys as it may have.",
    remedy: "Revoke keys that nobody uses.",
  },
  profile_not_found: {
    meaning: "No profile with this id belongs to you.",
    remedy: "List your profiles, or create one.",
  },
  profile_in_use: {
    meaning: "A session that writes this profile at its end is running.",
    remedy: "Stop the session that the message names, or use the profile without `persist`.",
  },
  profile_too_large: {
    meaning: "The state of the profile is larger than this server keeps.",
    remedy: "Keep less in it, or ask the operator to raise NIGHTJAR_MAX_PROFILE_MB.",
  },
  profile_damaged: {
    meaning: "The state of the profile cannot be read any more.",
    remedy: "Delete the profile, or have the operator bring its file back from a backup.",
  },
  profile_limit: {
    meaning: "This tenant has as many profiles as it may have.",
    remedy: "Delete profiles that nobody uses.",
  },
  route_not_found: {
    meaning: "This server has no such route.",
    remedy: "See the API documentation at /docs.",
  },
  idempotency_conflict: {
    meaning: "This Idempotency-Key was used before with a different request.",
    remedy: "Use a new key for a new request.",
  },
  tenant_limit: {
    meaning: "This tenant, or this API key, runs as many sessions as it is allowed to.",
    remedy: "Stop a session, or try again after the seconds in Retry-After.",
  },
  too_many_starts: {
    meaning:
      "This tenant, or this API key, has started as many sessions as it may within a minute.",
    remedy: "Try again after the seconds in Retry-After.",
  },
  at_capacity: {
    meaning: "This host has no room for one more session, and the wait for room was in vain.",
    remedy: "Try again after the seconds in Retry-After.",
  },
  client_gone: {
    meaning: "The client went away before its answer was ready; what could be given up was.",
    remedy: "Ask again. A start is not in doubt with an Idempotency-Key.",
  },
  shutting_down: {
    meaning: "This server is stopping and starts no new sessions.",
    remedy: "Try again after the seconds in Retry-After, or use another server.",
  },
  too_many_operations: {
    meaning: "Too many page operations of this session wait for their turn.",
    remedy: "Wait for the answers before you send more.",
  },
  page_failed: {
    meaning: "The page did not let the operation be done, or did not answer in time.",
    remedy:
      "Look at the page (a screenshot, an observation), then try again or navigate elsewhere.",
  },
  answer_too_large: {
    meaning: "What was asked for is larger than this server answers.",
    remedy: "Ask for less, as the message says.",
  },
  file_not_found: {
    meaning: "There is no file with this name.",
    remedy: "List the files for the names there are.",
  },
  file_too_large: {
    meaning: "The file is larger than this server stores.",
    remedy: "Send a smaller file, or ask the operator to raise NIGHTJAR_MAX_FILE_MB.",
  },
  storage_limit: {
    meaning: "The files of this tenant, or of this session, take all the room that they may.",
    remedy: "Delete files that are not needed, or ask the operator to raise NIGHTJAR_MAX_FILES_MB.",
  },
  storage_full: {
    meaning: "This server's disk is full.",
    remedy: "Try again later; the operator has to make room.",
  },
  store_unavailable: {
    meaning: "The store of this server cannot be used now, so nothing can be started or changed.",
    remedy: "Try again after the seconds in Retry-After; the operator finds the cause in the log.",
  },
  upload_aborted: {
    meaning: "The request broke off before the file was complete; nothing of it was kept.",
    remedy: "Send the file again.",
  },
  range_not_satisfiable: {
    meaning: "The header `Range` asks for nothing that the file has.",
    remedy: "Leave it out, or ask for bytes below the size in Content-Range.",
  },
  link_expired: {
    meaning: "The time of this link is over.",
    remedy: "Ask for what it opens again, a file or a session, to get a new link.",
  },
  not_supported: {
    meaning: "The request asks for something that this server cannot do.",
    remedy: "Leave out the field that the message names.",
  },
  browser_unavailable: {
    meaning: "The browser could not be started or did not answer.",
    remedy: "Try again; if it persists, the server's log says why.",
  },
  attach_failed: {
    meaning: "The browser at `cdp_url` could not be reached.",
    remedy:
      "Check that the URL is right and that its browser accepts connections from this server.",
  },
  attach_refused: {
    meaning: "`cdp_url` leads to an address that this server does not connect to.",
    remedy: "Ask the operator to allow it with NIGHTJAR_EGRESS_ALLOW.",
  },
  proxy_failed: {
    meaning: "The proxy that the session should go through does not work, or may not be used.",
    remedy: "Check its address, user name and password, as the message says.",
  },
  internal: {
    meaning: "The server failed unexpectedly.",
    remedy: "Give the operator the request id: the cause stands beside it in the log.",
  },
} as const;

export type ErrorCode = keyof typeof errorTable;

/** One thing wrong with one field of a request. */
export interface FieldIssue {
  /** Where: `["body", "viewport_width"]`. */
  readonly location: readonly (string | number)[];
  readonly message: string;
  /** A stable word for the kind of mistake, e.g. `missing` or `out_of_range`. */
  readonly kind: string;
}

/** How much of a limit is left to a caller. */
export interface Allowance {
  readonly limit: number;
  readonly remaining: number;
  /** When there is more of it again, at the latest. Epoch ms. */
  readonly resetAt: number;
}

export interface ErrorDetails {
  /** In seconds. */
  readonly retryAfterSeconds?: number;
  /** The limit that was reached. */
  readonly allowance?: Allowance;
  readonly issues?: readonly FieldIssue[];
  readonly cause?: unknown;
}

/** An error that a caller may see: its message is safe to show and names the remedy. */
export class NightjarError extends Error {
  readonly code: ErrorCode;
  readonly retryAfterSeconds: number | null;
  readonly allowance: Allowance | null;
  readonly issues: readonly FieldIssue[];

  constructor(code: ErrorCode, message: string, details: ErrorDetails = {}) {
    super(message, details.cause === undefined ? undefined : { cause: details.cause });
    this.name = "NightjarError";
    this.code = code;
    this.retryAfterSeconds = details.retryAfterSeconds ?? null;
    this.allowance = details.allowance ?? null;
    this.issues = details.issues ?? [];
  }
}

/** A request field that breaks a rule; `field` is the name on the wire. */
export function invalidField(field: string, message: string, kind = "out_of_range"): NightjarError {
  return new NightjarError("invalid_request", message, {
    issues: [{ location: ["body", field], message, kind }],
  });
}

export function sessionNotFound(id: string): NightjarError {
  return new NightjarError("session_not_found", `No session with id "${id}" belongs to you.`);
}

/** What a caller may be told of an error: of an unexpected one only that it happened. */
export function asKnownError(error: unknown): NightjarError {
  return error instanceof NightjarError
    ? error
    : new NightjarError("internal", "The server failed unexpectedly; its log says why.");
}

/** The text of any thrown value, for logs and error causes. */
export function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
