/** An answer that is an error, with the API's own words for people. */
export class ApiError extends Error {
  readonly status: number;
  readonly code: string;
  readonly requestId: string | null;

  constructor(status: number, code: string, message: string, requestId: string | null) {
    super(message);
    this.name = "ApiError";
    this.status = status;
    this.code = code;
    this.requestId = requestId;
  }
}

/** Whether the server lacks what was asked for: the route, or what it would answer. */
export function isMissing(error: unknown): boolean {
  return error instanceof ApiError && (error.status === 404 || error.status === 501);
}

/** The text of any thrown value, for people. */
export function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : "Something went wrong.";
}

export interface CallOptions {
  readonly method?: "GET" | "POST" | "DELETE";
  readonly body?: unknown;
  readonly headers?: Readonly<Record<string, string>>;
  readonly signal?: AbortSignal;
}

/** Talks to the server that served the console, with one API key. */
export class ApiClient {
  readonly key: string;
  readonly #onRefused: () => void;

  /** `onRefused` is called when the key is not valid (any more). */
  constructor(key: string, onRefused: () => void) {
    this.key = key;
    this.#onRefused = onRefused;
  }

  /** The answer's JSON. Throws `ApiError`, also where the server cannot be reached (status 0). */
  async call<Answer>(path: string, options: CallOptions = {}): Promise<Answer> {
    const response = await this.open(path, options);
    return (await response.json()) as Answer;
  }

  /** The response itself, for downloads and streams. Throws as `call` does. */
  async open(path: string, options: CallOptions = {}): Promise<Response> {
    const { method = "GET", body, headers, signal } = options;
    let response: Response;
    try {
      response = await fetch(path, {
        method,
        headers: {
          Authorization: `Bearer ${this.key}`,
          ...(body === undefined ? {} : { "Content-Type": "application/json" }),
          ...headers,
        },
        ...(body === undefined ? {} : { body: JSON.stringify(body) }),
        ...(signal === undefined ? {} : { signal }),
        cache: "no-store",
      });
    } catch (error) {
      if (signal?.aborted) throw error;
      throw new ApiError(0, "unreachable", "The server cannot be reached.", null);
    }
    if (response.ok) return response;
    const failure = await toError(response);
    if (failure.status === 401) this.#onRefused();
    throw failure;
  }
}

async function toError(response: Response): Promise<ApiError> {
  const answer: unknown = await response.json().catch(() => null);
  const { code, message, request_id } = (answer ?? {}) as Record<string, unknown>;
  return new ApiError(
    response.status,
    typeof code === "string" ? code : "unknown",
    typeof message === "string" ? message : `The server answered ${response.status}.`,
    typeof request_id === "string" ? request_id : null,
  );
}
