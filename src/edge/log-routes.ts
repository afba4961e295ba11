import { createReadStream } from "node:fs";
import { Readable } from "node:stream";
import type { FastifyInstance, FastifyReply } from "fastify";
import type { ZodTypeProvider } from "fastify-type-provider-zod";
import { z } from "zod";
import type { ConsoleEntry } from "../recording/console-entry.ts";
import { harText } from "../recording/har.ts";
import type { LogBatch } from "../recording/log-reader.ts";
import type { NetworkEntry } from "../recording/network-entry.ts";
import type { LogPage, LogSlice, StoredLogs } from "../recording/stored-logs.ts";
import type { Capabilities } from "../sessions/capabilities.ts";
import { NightjarError } from "../sessions/errors.ts";
import type { SessionService } from "../sessions/session-service.ts";
import { principalOf } from "./auth.ts";
import { errorAnswers } from "./error-schemas.ts";
import {
  batchesAnswer,
  batchesQuery,
  consoleAnswer,
  consoleQuery,
  harAnswer,
  logFileParams,
  requestBodyParams,
  requestsAnswer,
  requestsQuery,
} from "./log-schemas.ts";
import { sessionIdParams } from "./session-schemas.ts";
import { fileUrlQuery } from "./storage-schemas.ts";
import { checkExpiringUrl, fileUrlLifeSeconds, logSubject, type Urls } from "./urls.ts";
import { wireTime } from "./wire-time.ts";

export interface LogRoutesOptions {
  readonly sessions: SessionService;
  readonly logs: StoredLogs;
  readonly urls: Urls;
  readonly capabilities: Capabilities;
  readonly version: string;
}

const ndjsonType = "application/x-ndjson";
const ndjson = { [ndjsonType]: { schema: z.string().describe("A JSON object a line.") } };

/** What the pages of sessions requested and said. None of it counts as an access. */
export function logRoutes(instance: FastifyInstance, options: LogRoutesOptions): void {
  const { sessions, logs, urls, capabilities, version } = options;
  const server = instance.withTypeProvider<ZodTypeProvider>();

  server.get(
    "/sessions/:session_id/network/logs",
    {
      schema: {
        summary: "The files of a session's network log",
        description:
          "Each with a URL to fetch it by. Works while the session runs, too: what happened until a second ago is in the files.",
        tags: ["Logs"],
        params: sessionIdParams,
        querystring: batchesQuery,
        response: { 200: batchesAnswer, ...errorAnswers(422, 401, 404) },
      },
    },
    async (request) => {
      const { id } = await sessions.get(principalOf(request), request.params.session_id);
      const batches = await logs.networkBatches(id);
      return {
        session_id: id,
        format: "ndjson" as const,
        batches: batches.slice(-request.query.limit).map(({ name, sizeBytes }) => ({
          key: `sessions/${id}/${name}`,
          size: sizeBytes,
          download_url: urls.log(request, id, name),
          download_url_expires_in_seconds: fileUrlLifeSeconds,
        })),
        total_batch_count: batches.length,
      };
    },
  );

  server.get(
    "/logs/:session_id/:name",
    {
      // The token in the URL stands for the key.
      config: { public: true },
      schema: {
        summary: "Fetch a file of a network log by its URL",
        description: "Use the URL as it was answered.",
        tags: ["Logs"],
        security: [],
        params: logFileParams,
        querystring: fileUrlQuery,
        response: {
          200: { description: "The file.", content: ndjson },
          ...errorAnswers(422, 401, 404, 410),
        },
      },
    },
    async (request, reply) => {
      const { session_id: id, name } = request.params;
      checkExpiringUrl(capabilities, logSubject(id, name), request.query);
      const batch = await logs.networkBatch(id, name);
      if (batch === null) {
        throw new NightjarError("file_not_found", `There is no log "${name}" any more.`);
      }
      return sendBatch(reply, batch);
    },
  );

  server.get(
    "/sessions/:session_id/network/requests",
    {
      schema: {
        summary: "The requests of a session's pages",
        description:
          "Page by page, with filters. Works for sessions that ended, too. Headers are in the HAR. (An addition of Nightjar.)",
        tags: ["Logs"],
        params: sessionIdParams,
        querystring: requestsQuery,
        response: { 200: requestsAnswer, ...errorAnswers(422, 401, 404) },
      },
    },
    async (request) => {
      const { id } = await sessions.get(principalOf(request), request.params.session_id);
      const { type = null, status = null, search = null, failed } = request.query;
      const query = { type, status, search, onlyFailed: failed };
      const found = await logs.network(id, query, sliceOf(request.query));
      return pageOf(found, request.query, toWireRequest);
    },
  );

  server.get(
    "/sessions/:session_id/network/requests/:request_id/body",
    {
      schema: {
        summary: "The text that a request was answered",
        description:
          "For sessions that were started with `record_bodies`: texts of up to 512 kB, tokens and credentials in them masked as in URLs. (An addition of Nightjar.)",
        tags: ["Logs"],
        params: requestBodyParams,
        response: {
          200: {
            description: "The body, as plain text whatever it was.",
            content: { "text/plain": { schema: z.string().describe("The body.") } },
          },
          ...errorAnswers(422, 401, 404),
        },
      },
    },
    async (request, reply) => {
      const { session_id, request_id } = request.params;
      const { id } = await sessions.get(principalOf(request), session_id);
      const body = await logs.body(id, request_id);
      if (body === null) {
        throw new NightjarError(
          "file_not_found",
          `No body of request "${request_id}" was kept: the session was not started with record_bodies, it was no text or too long, or its page was left at once.`,
        );
      }
      return (
        reply
          .header("X-Content-Type-Options", "nosniff")
          // Whatever shows it, it is no page of this server.
          .header("Content-Security-Policy", "sandbox; default-src 'none'")
          .header("Cache-Control", "private, no-cache")
          .type("text/plain; charset=utf-8")
          .send(body)
      );
    },
  );

  server.get(
    "/sessions/:session_id/network/har",
    {
      schema: {
        summary: "The requests of a session's pages as HAR",
        description:
          "HAR 1.2, which the network panel of DevTools imports: with headers and timings, and with bodies as far as `record_bodies` had them kept; what lets somebody in is masked. (An addition of Nightjar.)",
        tags: ["Logs"],
        params: sessionIdParams,
        response: { 200: harAnswer, ...errorAnswers(401, 404) },
      },
    },
    async (request, reply) => {
      const { id } = await sessions.get(principalOf(request), request.params.session_id);
      const history = await logs.networkHistory(id);
      return sendText(reply, harText(history, version), {
        type: "application/json; charset=utf-8",
        disposition: `inline; filename="${id}.har"`,
      });
    },
  );

  server.get(
    "/sessions/:session_id/console/logs",
    {
      schema: {
        summary: "What a session's pages said",
        description:
          "Messages of the console, exceptions that nobody caught, and complaints of the browser. Works for sessions that ended, too. With `download=true`, or `application/x-ndjson` as the only type in `Accept`, all of them come as a file with a JSON object a line. (An addition of Nightjar.)",
        tags: ["Logs"],
        params: sessionIdParams,
        querystring: consoleQuery,
        response: {
          200: {
            description: "The messages.",
            content: { "application/json": { schema: consoleAnswer }, ...ndjson },
          },
          ...errorAnswers(422, 401, 404),
        },
      },
    },
    async (request, reply) => {
      const { id } = await sessions.get(principalOf(request), request.params.session_id);
      const { level = null, download } = request.query;
      if (!download && request.headers.accept?.trim() !== ndjsonType) {
        const found = await logs.console(id, level, sliceOf(request.query));
        return pageOf(found, request.query, toWireMessage);
      }
      return sendText(reply, linesOf(logs.consoleHistory(id, level)), {
        type: ndjsonType,
        disposition: `attachment; filename="${id}.console.ndjson"`,
      });
    },
  );
}

async function* linesOf(entries: AsyncIterable<ConsoleEntry>): AsyncGenerator<string> {
  for await (const entry of entries) yield `${JSON.stringify(toWireMessage(entry))}\n`;
}

/** Sends a text that is made while it is sent, as fast as the client takes it. */
function sendText(
  reply: FastifyReply,
  text: AsyncIterable<string>,
  { type, disposition }: { readonly type: string; readonly disposition: string },
): FastifyReply {
  return reply
    .header("Content-Disposition", disposition)
    .type(type)
    .send(Readable.from(text, { objectMode: false, encoding: "utf8" }));
}

function sendBatch(reply: FastifyReply, { name, path, sizeBytes }: LogBatch): FastifyReply {
  return reply
    .header("X-Content-Type-Options", "nosniff")
    .header("Cache-Control", "private, no-cache")
    .header("Content-Disposition", `attachment; filename="${name}"`)
    .header("Content-Length", sizeBytes)
    .type(ndjsonType)
    .send(
      // A running session goes on to write to it.
      sizeBytes === 0 ? "" : createReadStream(path, { end: sizeBytes - 1 }),
    );
}

interface PageQuery {
  readonly page: number;
  readonly page_size: number;
}

function sliceOf({ page, page_size }: PageQuery): LogSlice {
  return { skip: (page - 1) * page_size, count: page_size };
}

function pageOf<Entry, Item>(
  { entries, total, dropped }: LogPage<Entry>,
  { page, page_size }: PageQuery,
  toItem: (entry: Entry) => Item,
) {
  return {
    items: entries.map(toItem),
    page,
    page_size,
    total,
    has_next: page * page_size < total,
    has_previous: page > 1,
    dropped,
  };
}

function toWireRequest(entry: NetworkEntry) {
  return {
    id: entry.id,
    tab_id: entry.tabId,
    method: entry.method,
    url: entry.url,
    status: entry.status,
    status_text: entry.statusText,
    type: entry.type,
    mime_type: entry.mimeType,
    started_at: wireTime(entry.startedAt),
    duration_ms: entry.durationMs,
    request_bytes: entry.requestBytes,
    response_bytes: entry.responseBytes,
    initiator: entry.initiator,
    failure: entry.failure,
    from_cache: entry.fromCache,
    messages: entry.messages,
  };
}

function toWireMessage(entry: ConsoleEntry) {
  return {
    at: wireTime(entry.at),
    level: entry.level,
    source: entry.source,
    text: entry.text,
    url: entry.url,
    line: entry.line,
    column: entry.column,
    tab_id: entry.tabId,
  };
}
