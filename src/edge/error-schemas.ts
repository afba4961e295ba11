import { z } from "zod";
import { errorTable } from "../sessions/errors.ts";

const codes = Object.keys(errorTable) as (keyof typeof errorTable)[];

const common = {
  status: z.int().describe("The HTTP status again."),
  code: z.enum(codes).describe("A stable word for the kind of error."),
  message: z.string().describe("What is wrong and what to do about it."),
  error: z.string().describe("The message again, for older clients."),
  request_id: z.string().optional().describe("Stands beside the cause in the server's log."),
};

const errorBody = z
  .object({ ...common, detail: z.string().describe("The message again.") })
  .meta({ id: "Error" });

const validationErrorBody = z
  .object({
    ...common,
    detail: z
      .array(
        z.object({
          loc: z
            .array(z.union([z.string(), z.int()]))
            .describe("Where: `body`, `query` or `header`, then the field."),
          msg: z.string().describe("What is wrong with it."),
          type: z.string().describe("A word for the kind of mistake."),
        }),
      )
      .describe("Each mistake."),
  })
  .meta({ id: "ValidationError" });

type DocumentedStatus =
  | (400 | 401 | 403 | 404 | 409 | 410 | 413 | 415 | 416 | 422 | 429)
  | (500 | 501 | 502 | 503 | 507 | 529);

const meanings: Readonly<Record<DocumentedStatus, string>> = {
  400: "Something in the request is missing or wrong.",
  401: "No API key, or one that is not valid.",
  403: "`cdp_url` leads to an address that this server does not connect to.",
  404: "No such session, profile, file, replay or key of yours, or not yet.",
  409: "The Idempotency-Key was used for another request, the session is still active, the profile is being written by another session, or there are as many profiles or API keys as there may be.",
  410: "The session has ended, the time of the link is over, or the replay could not be made.",
  413: "What was sent or asked for is too large.",
  415: "The body is in a format that this route does not read.",
  416: "The file has nothing of what `Range` asks for.",
  422: "Something in the request is wrong; `detail` names each field.",
  429: "Your own limit is reached; see `Retry-After` and `X-RateLimit-*`.",
  500: "The server failed unexpectedly.",
  501: "Asked for something that this server cannot do.",
  502: "The page, or the browser at `cdp_url`, could not be reached or did not do it.",
  503: "The browser did not start or answer, the store cannot be used, or the server is stopping.",
  507: "The tenant, the session or the disk has no room for it.",
  529: "The host is full, and no room came within the wait; see `Retry-After`.",
};

/** The error answers of a route, for its schema; 500 and 503 are always among them. */
export function errorAnswers(...statuses: readonly DocumentedStatus[]) {
  const all = new Set([...statuses, 500 as const, 503 as const]);
  const entries = [...all].map((status) => {
    const body = status === 422 ? validationErrorBody : errorBody;
    return [
      status,
      { description: meanings[status], content: { "application/json": { schema: body } } },
    ];
  });
  return Object.fromEntries(entries) as Record<string, { description: string }>;
}
