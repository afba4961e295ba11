import type { FastifyInstance, FastifyRequest } from "fastify";
import type { ZodTypeProvider } from "fastify-type-provider-zod";
import type { StepStore } from "../pages/steps/step-store.ts";
import type { Recordings } from "../recording/recordings.ts";
import { invalidField } from "../sessions/errors.ts";
import type { PageTarget } from "../sessions/ports.ts";
import type { Session } from "../sessions/session.ts";
import type { SessionService } from "../sessions/session-service.ts";
import { principalOf } from "./auth.ts";
import { rateLimitHeaders } from "./error-response.ts";
import { errorAnswers } from "./error-schemas.ts";
import { noteSession } from "./request-scope.ts";
import { toSessionAnswer } from "./session-answer.ts";
import {
  debugAnswer,
  debugTabAnswer,
  debugTabQuery,
  listQuery,
  sessionAnswer,
  sessionIdParams,
  sessionListAnswer,
  startBody,
} from "./session-schemas.ts";
import { claimOf, startHeaders, toStartRequest } from "./start-request.ts";
import { stepsInAnswers } from "./step-wire.ts";
import type { Urls } from "./urls.ts";
import { abortedWithClient, stopIfClientVanishes } from "./vanished-client.ts";

export interface SessionRoutesOptions {
  readonly sessions: SessionService;
  readonly steps: StepStore;
  readonly recordings: Pick<Recordings, "statusOf" | "statusesOf">;
  readonly urls: Urls;
  readonly maxSessionMinutes: number;
}

/** Today's API of sessions. */
export function sessionsRoutes(instance: FastifyInstance, options: SessionRoutesOptions): void {
  const { sessions, urls, steps, recordings } = options;
  const stepsOf = async ({ id }: Session) => (await steps.latest([id], stepsInAnswers)).get(id);
  const server = instance.withTypeProvider<ZodTypeProvider>();

  server.post(
    "/sessions/start",
    {
      schema: {
        summary: "Start a session",
        description:
          "Answers when the browser is ready. Where there is no room, the start waits for some within the server's limits, as long as its client stays; then it is refused with `Retry-After`. A repeat with the same `Idempotency-Key` header answers the same session, also while the first one waits.",
        tags: ["Sessions"],
        headers: startHeaders,
        body: startBody,
        response: {
          200: sessionAnswer,
          ...errorAnswers(422, 401, 403, 409, 429, 501, 502, 503, 529),
        },
      },
    },
    async (request, reply) => {
      const claim = claimOf(request);
      const principal = principalOf(request);
      const session = await sessions.start(
        principal,
        toStartRequest(request.body, claim, options.maxSessionMinutes),
        abortedWithClient(reply),
      );
      noteSession(request, session.id);
      reply.headers(rateLimitHeaders(sessions.startAllowance(principal)));
      // Nobody knows of a session whose start was not answered, unless a retry asks for it.
      if (claim === null) stopIfClientVanishes(request, reply, session, { sessions, principal });
      return toSessionAnswer(session, urls, request, await recordings.statusOf(session));
    },
  );

  server.get(
    "/sessions",
    {
      schema: {
        summary: "List sessions",
        tags: ["Sessions"],
        querystring: listQuery,
        response: { 200: sessionListAnswer, ...errorAnswers(422, 401) },
      },
    },
    async (request) => {
      const { page, page_size, only_active, only_current_token, status, search } = request.query;
      const principal = principalOf(request);
      const found = await sessions.list({
        tenantId: principal.tenantId,
        onlyActive: only_active ?? status === undefined,
        ...(only_current_token ? { apiKeyId: principal.apiKeyId } : {}),
        ...(status === undefined ? {} : { status }),
        ...(search === undefined || search === "" ? {} : { search }),
        page,
        pageSize: page_size,
      });
      const statuses = await recordings.statusesOf(found.sessions);
      return {
        items: found.sessions.map((session) =>
          toSessionAnswer(session, urls, request, statuses.get(session.id) ?? "none"),
        ),
        page,
        page_size,
        has_next: found.hasNext,
        has_previous: page > 1,
      };
    },
  );

  server.get(
    "/sessions/:session_id",
    {
      schema: {
        summary: "Status of a session",
        description: "Works for sessions that ended, too. Does not count as an access.",
        tags: ["Sessions"],
        params: sessionIdParams,
        response: { 200: sessionAnswer, ...errorAnswers(401, 404) },
      },
    },
    async (request) => {
      const session = await sessions.get(principalOf(request), request.params.session_id);
      const replayStatus = await recordings.statusOf(session);
      return toSessionAnswer(session, urls, request, replayStatus, await stepsOf(session));
    },
  );

  const stopSchema = {
    summary: "Stop a session",
    description:
      "Ends the session and its browser. Stopping a session that has ended answers its final record. `status` is always `closed`, as the official clients insist; `end_reason` and `error` tell the truth.",
    tags: ["Sessions"],
    params: sessionIdParams,
    response: { 200: sessionAnswer, ...errorAnswers(401, 404) },
  };
  const stop = async (request: FastifyRequest<{ Params: { session_id: string } }>) => {
    const session = await sessions.stop(principalOf(request), request.params.session_id);
    const replayStatus = await recordings.statusOf(session);
    const answer = toSessionAnswer(session, urls, request, replayStatus, await stepsOf(session));
    return { ...answer, status: "closed" as const };
  };
  server.delete("/sessions/:session_id/stop", { schema: stopSchema }, stop);
  // One page of the contract's documentation stops with POST.
  server.post("/sessions/:session_id/stop", { schema: { ...stopSchema, hide: true } }, stop);

  server.get(
    "/sessions/:session_id/debug",
    {
      schema: {
        summary: "Debug URLs of a session",
        tags: ["Sessions"],
        params: sessionIdParams,
        response: { 200: debugAnswer, ...errorAnswers(401, 404, 410, 503) },
      },
    },
    async (request) => {
      const { session_id: id } = request.params;
      const browser = await sessions.browserOf(id, principalOf(request));
      const tabs = (await browser.pages()).map(debugTabOf(request, id));
      return {
        debug_url: tabs[0]?.debug_url ?? urls.cdp(request, id),
        ws: {
          cdp: urls.cdp(request, id),
          recording: urls.stream(request, id, "recording"),
          logs: urls.stream(request, id, "logs"),
        },
        tabs,
      };
    },
  );

  server.get(
    "/sessions/:session_id/debug/tab",
    {
      schema: {
        summary: "Debug URLs of one tab",
        tags: ["Sessions"],
        params: sessionIdParams,
        querystring: debugTabQuery,
        response: { 200: debugTabAnswer, ...errorAnswers(422, 401, 404, 410, 503) },
      },
    },
    async (request) => {
      const { session_id: id } = request.params;
      const browser = await sessions.browserOf(id, principalOf(request));
      const tabs = (await browser.pages()).map(debugTabOf(request, id));
      const tab = tabs[request.query.tab_idx];
      if (tab !== undefined) return tab;
      throw invalidField("tab_idx", `tab_idx must be below ${tabs.length}, the number of tabs.`);
    },
  );

  function debugTabOf(request: FastifyRequest, id: string) {
    return ({ targetId, title, url }: PageTarget, index: number) => ({
      metadata: { tab_id: index, title, url },
      debug_url: urls.devtools(request, id, targetId),
      ws_url: urls.pageCdp(request, id, targetId),
    });
  }
}
