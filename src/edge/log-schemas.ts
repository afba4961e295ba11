import { z } from "zod";
import { consoleLevels, consoleSources } from "../recording/console-entry.ts";
import { queryBoolean, sessionIdParams } from "./session-schemas.ts";

const paging = {
  page: z.coerce.number().int().min(1).max(1_000_000).default(1).describe("From 1."),
  page_size: z.coerce.number().int().min(1).max(1000).default(100).describe("At most 1000."),
};

const pageAnswer = {
  page: z.int().min(1).describe("As asked for."),
  page_size: z
    .int()
    .min(1)
    .meta({ examples: [100] })
    .describe("As asked for."),
  total: z.int().min(0).describe("How many there are on all pages."),
  has_next: z.boolean().describe("Whether there is a page after this one."),
  has_previous: z.boolean().describe("Whether there is a page before this one."),
  dropped: z
    .int()
    .min(0)
    .describe(
      "How many had no room in the log any more. Of a session that goes far beyond it, not all are counted.",
    ),
};

export const requestsQuery = z.object({
  ...paging,
  type: z
    .string()
    .max(50)
    .optional()
    .describe("Only requests of this type, e.g. `document`, `xhr`, `fetch`, `websocket`."),
  status: z.coerce
    .number()
    .int()
    .min(0)
    .max(999)
    .optional()
    .describe("Only requests that were answered with this status."),
  search: z.string().max(500).optional().describe("Only requests with this text in their URL."),
  failed: queryBoolean
    .default(false)
    .describe("Only requests that failed, or were answered with 400 or above."),
});

const loggedRequest = z
  .object({
    id: z
      .string()
      .meta({ examples: ["1000002.12"] })
      .describe("Unique in the session."),
    tab_id: z
      .string()
      .meta({ examples: ["6F8A0C1D"] })
      .describe("The CDP target of its tab; empty where it belongs to none."),
    method: z.string().meta({ examples: ["GET"] }),
    url: z
      .string()
      .meta({ examples: ["https://example.com/"] })
      .describe("Without credentials and values of parameters that are secrets."),
    status: z.int().nullable().describe("Null until an answer came."),
    status_text: z.string().meta({ examples: ["OK"] }),
    type: z.string().meta({ examples: ["Document"] }),
    mime_type: z.string().meta({ examples: ["text/html"] }),
    started_at: z.iso.datetime({ offset: true }).describe("When it began."),
    duration_ms: z.number().nullable().describe("Until its last byte; null while it goes on."),
    request_bytes: z.int().min(0).describe("Head and body as sent."),
    response_bytes: z.int().min(0).describe("As received, compressed."),
    initiator: z
      .string()
      .meta({ examples: ["script https://example.com/app.js:12"] })
      .describe("What made it."),
    failure: z.string().nullable().describe("Why it failed; null where it did not."),
    from_cache: z.boolean().describe("Whether nothing went over the network."),
    messages: z
      .object({
        sent: z.int().min(0).describe("By the page."),
        received: z.int().min(0).describe("By the page."),
      })
      .nullable()
      .describe("Of a WebSocket; null for other requests."),
  })
  .meta({ id: "LoggedRequest" });

export const requestsAnswer = z
  .object({ items: z.array(loggedRequest).describe("By their beginning."), ...pageAnswer })
  .meta({ id: "LoggedRequests" });

export const consoleQuery = z.object({
  ...paging,
  level: z.enum(consoleLevels).optional().describe("Only messages of this level."),
  download: queryBoolean
    .default(false)
    .describe("`true` answers all of them as a file with a JSON object a line."),
});

const loggedMessage = z
  .object({
    at: z.iso.datetime({ offset: true }).describe("When it was said."),
    level: z.enum(consoleLevels).describe("How serious it is."),
    source: z
      .enum(consoleSources)
      .describe("A script's console, an exception that nobody caught, or the browser itself."),
    text: z.string().meta({ examples: ["Ready"] }),
    url: z
      .string()
      .meta({ examples: ["https://example.com/app.js"] })
      .describe("Where it was said; empty where that is not known."),
    line: z.int().nullable().describe("From 1."),
    column: z.int().nullable().describe("From 1."),
    tab_id: z
      .string()
      .meta({ examples: ["6F8A0C1D"] })
      .describe("The CDP target of its tab; empty where it belongs to none."),
  })
  .meta({ id: "LoggedMessage" });

export const consoleAnswer = z
  .object({ items: z.array(loggedMessage).describe("In their order."), ...pageAnswer })
  .meta({ id: "LoggedMessages" });

export const batchesQuery = z.object({
  limit: z.coerce
    .number()
    .int()
    .min(1)
    .max(1000)
    .default(100)
    .describe("The most files to list; the newest ones where there are more."),
  download: queryBoolean
    .default(false)
    .describe("Accepted because clients send it: every file has its URL in any case."),
});

export const batchesAnswer = z
  .object({
    session_id: z.string().describe("The session's id."),
    format: z
      .literal("ndjson")
      .describe(
        "A JSON object a line; the last line of an `id` holds. A line with `dropped` says how many had no room so far.",
      ),
    batches: z
      .array(
        z.object({
          key: z.string().describe("Ends in a name for the file."),
          size: z.int().min(0).describe("In bytes."),
          download_url: z.string().describe("Opens without a key, for an hour."),
          download_url_expires_in_seconds: z.int().describe("How long the URL is good for."),
        }),
      )
      .describe("Oldest first."),
    total_batch_count: z.int().min(0).describe("How many there are."),
  })
  .meta({ id: "NetworkLogBatches" });

export const requestBodyParams = sessionIdParams.extend({
  request_id: z.string().max(200).describe("The request's id in the network log."),
});

/** Anything: whether there is such a file is nobody's business who has no token for it. */
export const logFileParams = z.object({
  session_id: z.string().describe("The session's id."),
  name: z.string().describe("The file's name."),
});

export const harAnswer = z
  .object({ log: z.record(z.string(), z.unknown()).describe("As HAR 1.2 has it.") })
  .meta({ id: "Har" });
