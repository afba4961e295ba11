import { type Allowance, asKnownError, type ErrorCode } from "../sessions/errors.ts";

/** The generation of the API that a route belongs to: they differ in how they say what is invalid. */
export type ApiGeneration = "first" | "today";

/** The status of each error, with the first API's own where it differs. */
const statusOf: Readonly<
  Record<ErrorCode, number | { readonly first: number; readonly today: number }>
> = {
  invalid_request: { first: 400, today: 422 },
  malformed_body: { first: 400, today: 422 },
  unsupported_media_type: 415,
  body_too_large: 413,
  unauthorized: 401,
  too_many_failures: 429,
  too_many_requests: 429,
  bad_request: 400,
  headers_too_large: 431,
  request_timeout: 408,
  session_not_found: 404,
  session_ended: 410,
  session_active: 409,
  // The official clients ask again on 404 and give up on anything else.
  replay_not_ready: 404,
  replay_not_found: 404,
  replay_failed: 410,
  api_key_not_found: 404,
  api_key_limit: 409,
  profile_not_found: 404,
  profile_in_use: 409,
  profile_too_large: 413,
  profile_damaged: 500,
  profile_limit: 409,
  route_not_found: 404,
  idempotency_conflict: 409,
  tenant_limit: 429,
  too_many_starts: 429,
  at_capacity: 529,
  // As nginx logs it; nobody is there to read it.
  client_gone: 499,
  shutting_down: 503,
  too_many_operations: 429,
  page_failed: 502,
  answer_too_large: 413,
  file_not_found: 404,
  file_too_large: 413,
  storage_limit: 507,
  storage_full: 507,
  store_unavailable: 503,
  upload_aborted: 400,
  range_not_satisfiable: 416,
  link_expired: 410,
  not_supported: 501,
  browser_unavailable: 503,
  attach_failed: 502,
  attach_refused: 403,
  proxy_failed: 502,
  internal: 500,
};

export function statusOfError(code: ErrorCode, generation: ApiGeneration): number {
  const status = statusOf[code];
  return typeof status === "number" ? status : status[generation];
}

/** FastAPI's validation item, which the official clients parse. */
export interface ValidationItem {
  readonly loc: readonly (string | number)[];
  readonly msg: string;
  readonly type: string;
}

/**
 * The body of every error: the union of what the official clients read. `detail` is a list where
 * the status is 422, since their generated code insists on it there, and a text elsewhere.
 */
export interface ErrorBody {
  readonly status: number;
  readonly code: ErrorCode;
  readonly message: string;
  readonly detail: string | readonly ValidationItem[];
  readonly error: string;
  readonly request_id?: string;
}

export interface ErrorAnswer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: ErrorBody;
}

/** The contract's headers for what is left of a limit; none where there is no limit. */
export function rateLimitHeaders(allowance: Allowance | null): Record<string, string> {
  if (allowance === null) return {};
  return {
    "X-RateLimit-Limit": String(allowance.limit),
    "X-RateLimit-Remaining": String(allowance.remaining),
    "X-RateLimit-Reset": String(Math.ceil(allowance.resetAt / 1000)),
  };
}

/** What a client is told of an error. Of an unexpected one that is only that it happened. */
export function errorAnswer(
  error: unknown,
  generation: ApiGeneration,
  requestId?: string,
): ErrorAnswer {
  const known = asKnownError(error);
  const status = statusOfError(known.code, generation);
  const headers: Record<string, string> = {};
  if (known.code === "unauthorized") headers["WWW-Authenticate"] = 'Bearer realm="nightjar"';
  if (known.retryAfterSeconds !== null) headers["Retry-After"] = String(known.retryAfterSeconds);
  Object.assign(headers, rateLimitHeaders(known.allowance));
  const items = known.issues.map(({ location, message, kind }) => ({
    loc: location,
    msg: message,
    type: kind,
  }));
  const body: ErrorBody = {
    status,
    code: known.code,
    message: known.message,
    detail: status === 422 ? items : known.message,
    error: known.message,
    ...(requestId === undefined ? {} : { request_id: requestId }),
  };
  return { status, headers, body };
}
