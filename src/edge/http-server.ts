import fastifyCors from "@fastify/cors";
import fastifyRateLimit from "@fastify/rate-limit";
import Fastify, {
  type FastifyBaseLogger,
  type FastifyError,
  type FastifyInstance,
  type FastifyReply,
  type FastifyRequest,
  LogController,
} from "fastify";
import {
  hasZodFastifySchemaValidationErrors,
  serializerCompiler,
  validatorCompiler,
} from "fastify-type-provider-zod";
import type { SessionFeeds } from "../events/session-feeds.ts";
import type { LiveViews } from "../live/live-views.ts";
import type { PageService } from "../pages/page-service.ts";
import type { StructuredExtractor } from "../pages/scrape/structured-extractor.ts";
import type { StepLog } from "../pages/step-log.ts";
import type { StepStore } from "../pages/steps/step-store.ts";
import type { Recordings } from "../recording/recordings.ts";
import type { SessionScreencasts } from "../recording/session-screencasts.ts";
import type { StoredLogs } from "../recording/stored-logs.ts";
import { type ApiKeyStore, ApiKeys } from "../sessions/api-keys.ts";
import type { Capabilities } from "../sessions/capabilities.ts";
import { asKnownError, NightjarError } from "../sessions/errors.ts";
import type { SessionService } from "../sessions/session-service.ts";
import type { DownloadCollector } from "../storage/download-collector.ts";
import type { FileStorage } from "../storage/file-storage.ts";
import { apiKeysRoutes } from "./api-keys-routes.ts";
import { type ApiKeyVerifier, requireApiKey } from "./auth.ts";
import { answerBrokenRequest } from "./broken-requests.ts";
import { CdpGateway, type CdpTraffic } from "./cdp-gateway.ts";
import { cdpHttpRoutes } from "./cdp-http-routes.ts";
import { limitBodyTime, limitConnections } from "./connection-limits.ts";
import type { ConsoleFiles } from "./console-files.ts";
import { consoleRoutes } from "./console-routes.ts";
import { cookiesRoutes } from "./cookies-routes.ts";
import { collectOpenApi, docsRoutes } from "./docs-routes.ts";
import { type ApiGeneration, errorAnswer } from "./error-response.ts";
import { eventsRoutes } from "./events-routes.ts";
import { guardAuthentication } from "./failed-authentications.ts";
import { fileRoutes } from "./file-routes.ts";
import { type HostHealth, healthRoutes } from "./health-routes.ts";
import { type HostStatus, hostRoutes } from "./host-routes.ts";
import { acceptJson, malformedBody } from "./json-body.ts";
import { logRoutes } from "./log-routes.ts";
import { type MetricsPort, metricsRoutes } from "./metrics-routes.ts";
import { pageRoutes } from "./page-routes.ts";
import { pressureRoutes } from "./pressure-routes.ts";
import { replayRoutes } from "./replay-routes.ts";
import { limitRequests } from "./request-rates.ts";
import {
  noteError,
  type RequestTracer,
  requestLogger,
  scopeRequests,
  scopeUpgrade,
} from "./request-scope.ts";
import { answerSafely } from "./safe-answers.ts";
import { scrapeRoutes } from "./scrape-routes.ts";
import { SessionSockets } from "./session-sockets.ts";
import { sessionsRoutes } from "./sessions-routes.ts";
import { SteadyStore } from "./steady-store.ts";
import { stepsRoutes } from "./steps-routes.ts";
import { storageRoutes } from "./storage-routes.ts";
import { Urls } from "./urls.ts";
import { firstPageRoutes } from "./v0/page-routes.ts";
import { firstSessionRoutes } from "./v0/session-routes.ts";
import { fieldIssues } from "./validation-issues.ts";
import { viewerRoutes } from "./viewer-routes.ts";

declare module "fastify" {
  interface FastifyContextConfig {
    /** The generation of the API that the route speaks; today's where it is left out. */
    readonly generation?: ApiGeneration;
    /** True where the body is a form with a file in it; JSON everywhere else. */
    readonly takesFile?: boolean;
  }
}

export interface HttpServerOptions {
  readonly sessions: SessionService;
  readonly pages: PageService;
  readonly steps: StepStore;
  readonly stepLog: Pick<StepLog, "runningIn">;
  readonly logs: StoredLogs;
  readonly feeds: SessionFeeds;
  readonly screencasts: SessionScreencasts;
  readonly views: LiveViews;
  readonly files: FileStorage;
  readonly recordings: Recordings;
  readonly downloads: DownloadCollector;
  /** Null where no model is configured. */
  readonly extractor: StructuredExtractor | null;
  readonly keys: ApiKeyVerifier & ApiKeyStore;
  readonly capabilities: Capabilities;
  readonly health: () => HostHealth;
  readonly hostStatus: () => Promise<HostStatus>;
  /** Null where it was not built. */
  readonly console: ConsoleFiles | null;
  readonly publicUrl: string | null;
  /** Whose pages may show the live view in a frame. */
  readonly embedOrigins: readonly string[];
  readonly maxSessionMinutes: number;
  readonly metrics: MetricsPort;
  /** Opens `/metrics`; null where it is not served. */
  readonly metricsToken: string | null;
  /** Told of every CDP gateway's traffic. */
  readonly cdpTraffic: CdpTraffic;
  /** Web origins whose pages may call the API; `*` for all. */
  readonly corsOrigins: readonly string[];
  /** Addresses or CIDR blocks of proxies whose `X-Forwarded-*` headers are believed. */
  readonly trustedProxies: readonly string[];
  /** Failed authentications that an address may have in a minute. */
  readonly maxFailedAuthentications: number;
  /** Null for no limit. */
  readonly requestsPerMinutePerKey: number | null;
  readonly maxConnections: number;
  /** How often a CDP client is asked whether it is still there, in ms. */
  readonly pingEveryMs: number;
  readonly maxSessions: number;
  readonly queueLength: number;
  readonly version: string;
  /** Null where nobody traces. */
  readonly tracer: RequestTracer | null;
  readonly logger: FastifyBaseLogger;
}

const maxBodyBytes = 1024 * 1024;

/** How long a client may take for the head of a request, and for all of it (an upload), in ms. */
const headersTimeoutMs = 15_000;
const requestTimeoutMs = 300_000;
/** How often these are looked at, in ms. */
const checkConnectionsEveryMs = 2000;
/** How long a connection may wait for its next request: longer than balancers keep theirs, in ms. */
const keepAliveTimeoutMs = 75_000;
/** After how much silence the system asks the other side of a connection for a sign of life, in ms. */
const tcpKeepAliveMs = 30_000;
const maxHeaderBytes = 16 * 1024;

/** Puts the whole edge together: HTTP routes, documentation and the CDP gateway. */
export async function buildHttpServer(options: HttpServerOptions): Promise<FastifyInstance> {
  const { sessions, capabilities, logger } = options;
  const server: FastifyInstance = Fastify({
    loggerInstance: logger,
    // One line a request is written below, without the query, which may hold tokens.
    logController: new LogController({
      disableRequestLogging: true,
      requestIdLogLabel: "request_id",
    }),
    childLoggerFactory: requestLogger,
    bodyLimit: maxBodyBytes,
    requestIdHeader: false,
    genReqId: () => crypto.randomUUID(),
    // A stop waits for answers that are under way; main.ts says for how long.
    forceCloseConnections: "idle",
    // Clients that offer HTTP/2 on the side (`Upgrade: h2c`) are answered in HTTP/1.1.
    requestTimeout: requestTimeoutMs,
    keepAliveTimeout: keepAliveTimeoutMs,
    clientErrorHandler: answerBrokenRequest,
    ...(options.trustedProxies.length > 0 ? { trustProxy: [...options.trustedProxies] } : {}),
    http: {
      headersTimeout: headersTimeoutMs,
      connectionsCheckingInterval: checkConnectionsEveryMs,
      keepAlive: true,
      keepAliveInitialDelay: tcpKeepAliveMs,
      maxHeaderSize: maxHeaderBytes,
      shouldUpgradeCallback: (request) => request.headers.upgrade?.toLowerCase() === "websocket",
    },
    frameworkErrors: answerBadUrl,
    // Official clients call lists with and without a slash, and some double the first one.
    routerOptions: {
      ignoreTrailingSlash: true,
      ignoreDuplicateSlashes: true,
      maxParamLength: 1000,
    },
  });
  server.setValidatorCompiler(validatorCompiler);
  server.setSerializerCompiler(serializerCompiler);
  acceptJson(server);
  answerErrors(server);
  scopeRequests(server, options.tracer);
  server.addHook("onRequest", async (request, reply) => {
    reply.header("x-request-id", request.id);
  });
  // Every body may be left out, as if it were `{}`: no field of a start is required.
  server.addHook("preValidation", async (request) => {
    if (request.routeOptions.schema?.body !== undefined) request.body ??= {};
  });
  server.addHook("onResponse", async (request, reply) => {
    request.log.debug(
      {
        method: request.method,
        path: request.url.split("?", 1)[0],
        status: reply.statusCode,
        elapsed_ms: Math.round(reply.elapsedTime * 10) / 10,
      },
      "request",
    );
  });
  answerSafely(server);
  metricsRoutes(server, options.metrics, options.metricsToken);
  if (options.corsOrigins.length > 0) await allowOrigins(server, options.corsOrigins);
  limitConnections(server.server, options.maxConnections);
  limitBodyTime(server);
  await server.register(fastifyRateLimit, { global: false, store: SteadyStore });
  requireApiKey(server, {
    keys: options.keys,
    guard: guardAuthentication(server, options.maxFailedAuthentications),
    countRequest: limitRequests(server, options.requestsPerMinutePerKey),
  });

  const urls = new Urls(options.publicUrl, capabilities);
  await collectOpenApi(server, options.version);
  await server.register(async (api) => {
    healthRoutes(api, options.health);
    hostRoutes(api, options.hostStatus);
    pressureRoutes(api, options);
    sessionsRoutes(api, { ...options, urls });
    stepsRoutes(api, options);
    logRoutes(api, { ...options, urls });
    eventsRoutes(api, options);
    pageRoutes(api, options.pages);
    cookiesRoutes(api, options.pages);
    scrapeRoutes(api, options);
    await storageRoutes(api, { ...options, urls });
    fileRoutes(api, options);
    replayRoutes(api, { ...options, urls });
    apiKeysRoutes(api, new ApiKeys(options.keys));
    firstSessionRoutes(api, { ...options, urls });
    firstPageRoutes(api, { ...options, urls });
    await viewerRoutes(api, { ...options, urls });
    cdpHttpRoutes(api, { sessions, capabilities, urls });
    consoleRoutes(api, options.console);
    await docsRoutes(api);
  });

  const gateway = new CdpGateway({
    sessions,
    capabilities,
    pingEveryMs: options.pingEveryMs,
    traffic: options.cdpTraffic,
    onTabUsed: (sessionId, targetId) => options.screencasts.activate(sessionId, targetId),
    onFailure: (error, sessionId) =>
      logger.error({ err: error, session_id: sessionId }, "CDP gateway failure"),
  });
  const sockets = new SessionSockets({
    ...options,
    onFailure: (error) => logger.error({ err: error }, "session socket failure"),
  });
  server.server.on("upgrade", (request, socket, head) => {
    scopeUpgrade(request, socket, () => {
      if (sockets.handleUpgrade(request, socket, head)) return;
      gateway.handleUpgrade(request, socket, head);
    });
  });
  return server;
}

/** Lets pages of other origins call the API; never with cookies, for there are none. */
async function allowOrigins(server: FastifyInstance, origins: readonly string[]): Promise<void> {
  await server.register(fastifyCors, {
    origin: origins.includes("*") ? "*" : [...origins],
    methods: ["GET", "POST", "PUT", "PATCH", "DELETE"],
    exposedHeaders: [
      "Retry-After",
      "X-RateLimit-Limit",
      "X-RateLimit-Remaining",
      "X-RateLimit-Reset",
      "X-Request-Id",
      "Content-Disposition",
    ],
    maxAge: 600,
  });
}

/** URLs that the router cannot read never reach a route, nor its error handler. */
function answerBadUrl(error: FastifyError, request: FastifyRequest, reply: FastifyReply): void {
  const known = new NightjarError("route_not_found", `No route has this URL: ${error.code}.`);
  const answer = errorAnswer(known, "today", request.id);
  reply.code(answer.status).headers(answer.headers).send(answer.body);
}

function answerErrors(server: FastifyInstance): void {
  server.setNotFoundHandler(async (request) => {
    throw new NightjarError(
      "route_not_found",
      `No route ${request.method} ${request.url.split("?", 1)[0]}. See /docs for those there are.`,
    );
  });
  server.setErrorHandler((error: FastifyError, request, reply) => {
    const generation = request.routeOptions.config.generation ?? "today";
    const known = toNightjarError(error, request);
    noteError(request, known.code);
    if (known.code === "internal") request.log.error({ err: error }, "unexpected failure");
    else if (known.cause !== undefined) {
      request.log.warn({ err: known.cause, code: known.code }, known.message);
    }
    const answer = errorAnswer(known, generation, request.id);
    reply.code(answer.status).headers(answer.headers).send(answer.body);
  });
}

function toNightjarError(error: FastifyError, request: FastifyRequest): NightjarError {
  if (error instanceof NightjarError) return error;
  if (hasZodFastifySchemaValidationErrors(error)) {
    const context = error.validationContext ?? "body";
    const input = context === "querystring" ? request.query : request.body;
    const issues = fieldIssues(error.validation, context, input);
    const text = issues.map(({ message }) => message).join(" ");
    return new NightjarError("invalid_request", text, { issues });
  }
  switch (error.code) {
    case "FST_ERR_CTP_INVALID_MEDIA_TYPE":
      return new NightjarError(
        "unsupported_media_type",
        request.routeOptions.config.takesFile === true
          ? "The request body must be a form (`Content-Type: multipart/form-data`) with one part `file`."
          : "The request body must be JSON, with the header `Content-Type: application/json`.",
      );
    case "FST_ERR_CTP_BODY_TOO_LARGE":
      return new NightjarError(
        "body_too_large",
        `The request body may have at most ${maxBodyBytes} bytes.`,
      );
    case "FST_ERR_CTP_INVALID_JSON_BODY":
    case "FST_ERR_CTP_INVALID_CONTENT_LENGTH":
      return malformedBody(error.message);
  }
  // The JSON parser's own errors carry only a status.
  if (error.statusCode === 400) return malformedBody(error.message);
  return asKnownError(error);
}
