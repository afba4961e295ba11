import type { IncomingMessage } from "node:http";
import type { Duplex } from "node:stream";
import type { FastifyBaseLogger, FastifyInstance, FastifyReply, FastifyRequest } from "fastify";
import { bindToScope, inLogScope, type LogScope } from "../log-scope.ts";
import type { SpanAttributes } from "../sessions/tracer.ts";

/** Takes down requests as spans. */
export interface RequestTracer {
  /** Begins a span that goes on with the trace that the headers name. */
  begin(name: string, attributes: SpanAttributes, headers: IncomingMessage["headers"]): RequestSpan;
}

export interface RequestSpan {
  readonly traceId: string;
  /** Runs work whose spans are within this one. */
  run<T>(work: () => T): T;
  set(attributes: SpanAttributes): void;
  end(failed: boolean): void;
}

interface RequestScope extends LogScope {
  /** Null where nobody traces. */
  span: RequestSpan | null;
}

/** Ids of sessions; what else clients send in their place is neither logged nor traced. */
const sessionIdPattern = /^[\da-f]{8}(?:-[\da-f]{4}){3}-[\da-f]{12}$/;

const scopes = new WeakMap<IncomingMessage, RequestScope>();

/** For Fastify's `childLoggerFactory`: the logger of a request, whose lines have its scope's fields. */
export function requestLogger(
  logger: FastifyBaseLogger,
  bindings: object,
  options: object,
  request: IncomingMessage,
): FastifyBaseLogger {
  const { request_id: id } = bindings as { readonly request_id: string };
  const scope: RequestScope = { fields: { request_id: id }, over: false, span: null };
  scopes.set(request, scope);
  const own = logger.child({}, options);
  bindToScope(own, scope);
  return own;
}

/**
 * Has all that is done for a request know of it: its log lines carry its ids, wherever they are
 * written, and where somebody traces it is a span, of the route as it was declared and never of the
 * URL, which may hold tokens.
 */
export function scopeRequests(server: FastifyInstance, tracer: RequestTracer | null): void {
  const within = (request: FastifyRequest, work: () => void): void => {
    const scope = scopes.get(request.raw);
    if (scope === undefined) work();
    else inLogScope(scope, () => (scope.span === null ? work() : scope.span.run(work)));
  };
  server.addHook("onRequest", (request, reply, done) => {
    const scope = scopes.get(request.raw);
    if (scope !== undefined) {
      noteSession(request, sessionIdIn(request.params));
      if (tracer !== null) begin(request, scope, tracer);
      // Also of an answer that never went out whole.
      reply.raw.once("close", () => finish(scope, reply));
    }
    within(request, done);
  });
  // A body is read in the time of its connection, not of its request.
  server.addHook("preValidation", (request, _reply, done) => within(request, done));
  server.addHook("preHandler", (request, _reply, done) => {
    noteSession(request, sessionIdIn(request.body));
    done();
  });
}

/** Which session the request is about, where that is not plain from its URL or body. */
export function noteSession(request: FastifyRequest, sessionId: string | null): void {
  const scope = scopes.get(request.raw);
  if (scope !== undefined && sessionId !== null) scope.fields.session_id = sessionId;
}

/** Which error the request is answered with. */
export function noteError(request: FastifyRequest, code: string): void {
  scopes.get(request.raw)?.span?.set({ "error.type": code });
}

/** As for requests: a WebSocket, from its handshake until it closes. It is no span. */
export function scopeUpgrade(request: IncomingMessage, socket: Duplex, work: () => void): void {
  const [, sessionId = ""] = /^\/+sessions\/([^/?]+)\//.exec(request.url ?? "") ?? [];
  const scope: LogScope = { fields: { request_id: crypto.randomUUID() }, over: false };
  if (sessionIdPattern.test(sessionId)) scope.fields.session_id = sessionId;
  socket.once("close", () => {
    scope.over = true;
  });
  inLogScope(scope, work);
}

function begin(request: FastifyRequest, scope: RequestScope, tracer: RequestTracer): void {
  const { method, headers } = request;
  const route = request.routeOptions.url;
  scope.span = tracer.begin(
    route === undefined ? method : `${method} ${route}`,
    {
      "http.request.method": method,
      ...(route === undefined ? {} : { "http.route": route }),
      "url.scheme": request.protocol,
      "nightjar.request_id": request.id,
    },
    headers,
  );
  scope.fields.trace_id = scope.span.traceId;
}

function finish(scope: RequestScope, reply: FastifyReply): void {
  scope.over = true;
  const { span, fields } = scope;
  if (span === null) return;
  const { statusCode, writableFinished } = reply.raw;
  span.set({
    ...(writableFinished
      ? { "http.response.status_code": statusCode }
      : { "error.type": "client_gone" }),
    ...(fields.session_id === undefined ? {} : { "nightjar.session_id": fields.session_id }),
  });
  span.end(writableFinished && statusCode >= 500);
}

function sessionIdIn(fields: unknown): string | null {
  if (typeof fields !== "object" || fields === null || !("session_id" in fields)) return null;
  const { session_id: id } = fields;
  return typeof id === "string" && sessionIdPattern.test(id) ? id : null;
}
