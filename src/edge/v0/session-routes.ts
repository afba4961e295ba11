import type { FastifyInstance, FastifyRequest } from "fastify";
import type { ZodTypeProvider } from "fastify-type-provider-zod";
import { z } from "zod";
import type { Recordings } from "../../recording/recordings.ts";
import { defaultBrowserSettings } from "../../sessions/browser-settings.ts";
import { invalidField, messageOf, NightjarError } from "../../sessions/errors.ts";
import { isActive, type Session } from "../../sessions/session.ts";
import type { SessionService } from "../../sessions/session-service.ts";
import { principalOf } from "../auth.ts";
import { rateLimitHeaders } from "../error-response.ts";
import { errorAnswers } from "../error-schemas.ts";
import { noteSession } from "../request-scope.ts";
import { toSessionAnswer } from "../session-answer.ts";
import { sessionIdParams } from "../session-schemas.ts";
import { claimOf, startHeaders } from "../start-request.ts";
import type { Urls } from "../urls.ts";
import { abortedWithClient, stopIfClientVanishes } from "../vanished-client.ts";
import {
  type FirstSessionBody,
  firstListQuery,
  firstSessionAnswer,
  firstSessionBody,
  firstTimeLimits,
  timeoutOf,
} from "./session-schemas.ts";

export interface FirstSessionRoutesOptions {
  readonly sessions: SessionService;
  readonly recordings: Pick<Recordings, "statusOf">;
  readonly urls: Urls;
  readonly maxSessionMinutes: number;
}

/** The first API of sessions: `POST /session/start`, `POST /session/close`, status and list. */
export function firstSessionRoutes(
  instance: FastifyInstance,
  options: FirstSessionRoutesOptions,
): void {
  const { sessions, urls, maxSessionMinutes, recordings } = options;
  const server = instance.withTypeProvider<ZodTypeProvider>();
  const config = { generation: "first" as const };
  const body = firstSessionBody(maxSessionMinutes);

  server.post(
    "/session/start",
    {
      config,
      schema: {
        summary: "Start a session (first API)",
        description:
          "With the `session_id` of a running session, answers that session instead, with the new timeout.",
        tags: ["First API"],
        headers: startHeaders,
        body,
        response: {
          200: firstSessionAnswer,
          ...errorAnswers(400, 401, 404, 409, 410, 429, 501, 503, 529),
        },
      },
    },
    async (request, reply) => {
      const fields = request.body;
      refuseProxies(fields);
      const principal = principalOf(request);
      const idleTimeoutMinutes = timeoutOf(fields);
      const keepAlive = fields.keep_alive ?? false;
      if (fields.session_id != null && fields.session_id !== "") {
        const session = await sessions.keepAlive(principal, fields.session_id, {
          keepAlive,
          ...(idleTimeoutMinutes === null ? {} : { idleTimeoutMinutes }),
        });
        if (!isActive(session)) {
          throw new NightjarError(
            "session_ended",
            `Session "${session.id}" has ended: ${session.state.endReason}. Leave out session_id to start a new one.`,
          );
        }
        return answer(request, session, await screenshotIfAsked(fields, session));
      }
      const claim = claimOf(request);
      const start = {
        settings: { ...defaultBrowserSettings, recording: null },
        idleTimeoutMinutes:
          idleTimeoutMinutes ?? Math.min(firstTimeLimits.defaultIdleMinutes, maxSessionMinutes),
        // This generation knows only the idle timeout.
        maxDurationMinutes: maxSessionMinutes,
        keepAlive,
        claim,
      };
      const session = await sessions.start(principal, start, abortedWithClient(reply));
      noteSession(request, session.id);
      reply.headers(rateLimitHeaders(sessions.startAllowance(principal)));
      if (claim === null) stopIfClientVanishes(request, reply, session, { sessions, principal });
      return answer(request, session, await screenshotIfAsked(fields, session));
    },
  );

  server.post(
    "/session/close",
    {
      config,
      schema: {
        summary: "Close a session (first API)",
        description:
          "With `keep_alive: true` the session stays active, with the new timeout. Closing a session that has ended answers its final record.",
        tags: ["First API"],
        body,
        response: { 200: firstSessionAnswer, ...errorAnswers(400, 401, 404) },
      },
    },
    async (request) => {
      const fields = request.body;
      const id = requiredSessionId(fields);
      const principal = principalOf(request);
      const session = await sessions.get(principal, id);
      const shot = await screenshotIfAsked(fields, session);
      if (fields.keep_alive === true) {
        const idleTimeoutMinutes = timeoutOf(fields);
        const kept = await sessions.keepAlive(principal, id, {
          keepAlive: true,
          ...(idleTimeoutMinutes === null ? {} : { idleTimeoutMinutes }),
        });
        return answer(request, kept, shot);
      }
      return answer(request, await sessions.stop(principal, id, shot.error), shot);
    },
  );

  server.get(
    "/session/:session_id",
    {
      config,
      schema: {
        summary: "Status of a session (first API)",
        tags: ["First API"],
        params: sessionIdParams,
        response: { 200: firstSessionAnswer, ...errorAnswers(401, 404) },
      },
    },
    async (request) =>
      answer(request, await sessions.get(principalOf(request), request.params.session_id)),
  );

  server.post(
    "/session/status",
    {
      config,
      schema: {
        summary: "Status of a session, by body (first API)",
        tags: ["First API"],
        body,
        response: { 200: firstSessionAnswer, ...errorAnswers(400, 401, 404) },
      },
    },
    async (request) => {
      const id = requiredSessionId(request.body);
      return answer(request, await sessions.get(principalOf(request), id));
    },
  );

  server.get(
    "/session",
    {
      config,
      schema: {
        summary: "List sessions (first API)",
        tags: ["First API"],
        querystring: firstListQuery,
        response: {
          200: z.array(firstSessionAnswer).describe("Newest first."),
          ...errorAnswers(400, 401),
        },
      },
    },
    async (request) => {
      const { sessions: found } = await sessions.list({
        tenantId: principalOf(request).tenantId,
        onlyActive: request.query.only_active,
        page: 1,
        pageSize: request.query.limit,
      });
      return Promise.all(found.map((session) => answer(request, session)));
    },
  );

  async function answer(
    request: FastifyRequest,
    session: Session,
    shot: Screenshot = noScreenshot,
  ) {
    const record = toSessionAnswer(session, urls, request, await recordings.statusOf(session));
    return { ...record, error: record.error ?? shot.error, screenshot: shot.base64 };
  }

  /** A screenshot that fails is reported and never keeps the operation from being done. */
  async function screenshotIfAsked(
    fields: FirstSessionBody,
    session: Session,
  ): Promise<Screenshot> {
    if (fields.screenshot !== true || !isActive(session)) return noScreenshot;
    try {
      const browser = await sessions.browserOf(session.id, null);
      return { base64: (await browser.screenshot()).toString("base64"), error: null };
    } catch (error) {
      return {
        base64: null,
        error: `The screenshot could not be taken: ${messageOf(error)}`,
      };
    }
  }
}

interface Screenshot {
  readonly base64: string | null;
  readonly error: string | null;
}

const noScreenshot: Screenshot = { base64: null, error: null };

function requiredSessionId(fields: FirstSessionBody): string {
  if (fields.session_id != null && fields.session_id !== "") return fields.session_id;
  throw invalidField("session_id", "session_id is required: name the session to close.", "missing");
}

function refuseProxies(fields: FirstSessionBody): void {
  if ((fields.proxies ?? []).length === 0) return;
  throw new NightjarError(
    "not_supported",
    "This server does not support `proxies` yet; start the session without it.",
  );
}
