import type { FastifyInstance, FastifyReply } from "fastify";
import type { ZodTypeProvider } from "fastify-type-provider-zod";
import { z } from "zod";
import type { SessionFeeds } from "../events/session-feeds.ts";
import type { SessionService } from "../sessions/session-service.ts";
import { principalOf } from "./auth.ts";
import { errorAnswers } from "./error-schemas.ts";
import { EventStream } from "./event-stream.ts";
import { toWireEvent, toWireTenantEvent } from "./event-wire.ts";
import { sessionIdParams } from "./session-schemas.ts";

const eventNumber = z.string().regex(/^\d{1,15}$/, "must be the `id` of an event");

const resumeQuery = z.object({
  last_event_id: eventNumber
    .optional()
    .describe("As the header `Last-Event-ID`, for clients that cannot set it."),
});

const resumeHeaders = z.looseObject({
  "last-event-id": eventNumber
    .or(z.literal(""))
    .optional()
    .describe("The `id` of the last event that was seen: those after it come first."),
});

const streamAnswer = (description: string) => ({
  description,
  content: { "text/event-stream": { schema: z.string().describe("Server-sent events.") } },
});

/** What happens to sessions, as server-sent events. */
export function eventsRoutes(
  instance: FastifyInstance,
  options: { readonly sessions: SessionService; readonly feeds: SessionFeeds },
): void {
  const { sessions, feeds } = options;
  const server = instance.withTypeProvider<ZodTypeProvider>();
  const tenantStreams = new Set<EventStream>();
  // Those of sessions end with their sessions, and tell of it.
  instance.addHook("preClose", async () => {
    for (const stream of tenantStreams) stream.end();
  });

  server.get(
    "/sessions/:session_id/events",
    {
      schema: {
        summary: "What happens in a session",
        description:
          "Server-sent events, each with a number (`id`) that rises, also across restarts of the server: `state` (the session's status and limits), `tabs` (the open tabs) and, where one is under way, `step_started` at first and where events were missed; then `step_started` (a page operation that is under way from now on: what was asked, and where), `step` (what came of it, as in `/steps`), `tab` (`change`: opened, changed, activated, closed), `deadline` (`approaching`: the session ends within a minute, or half its timeout, unless it is used), `state` again when limits change, and `end` with the reason, after which the stream closes. A client that comes back with `Last-Event-ID` gets what it missed; after a restart of the server steps are taken from the store, and one may come twice, with the same `position`. One that has seen the end is answered 204, which tells an `EventSource` to stop. Following a session does not count as an access.",
        tags: ["Sessions"],
        params: sessionIdParams,
        querystring: resumeQuery,
        headers: resumeHeaders,
        response: {
          200: streamAnswer("The events."),
          204: z.undefined().describe("The client has seen the end."),
          ...errorAnswers(422, 401, 404),
        },
      },
    },
    async (request, reply) => {
      const session = await sessions.get(principalOf(request), request.params.session_id);
      const after = lastSeen(request);
      if (feeds.hasSeenEnd(session, after)) return reply.code(204).send();
      const stream = new EventStream();
      const stop = feeds.follow(session, after, {
        ready: () => stream.ready(),
        onEvent: (event) => {
          stream.send({ id: event.id, name: event.kind, data: toWireEvent(event) });
          if (event.kind === "end") stream.end();
        },
        onLeft: () => stream.end(),
      });
      stream.onClosed(stop);
      return sendStream(reply, stream);
    },
  );

  server.get(
    "/events",
    {
      schema: {
        summary: "Sessions that start and end",
        description:
          "Server-sent events for a list that stays up to date: `session` (`change`: started, ended; with the session's status and reason) for every session of yours. `reset` comes first, and where a client comes back for events that are not known any more: list the sessions then.",
        tags: ["Sessions"],
        querystring: resumeQuery,
        headers: resumeHeaders,
        response: { 200: streamAnswer("The events."), ...errorAnswers(422, 401) },
      },
    },
    async (request, reply) => {
      const after = lastSeen(request);
      const stream = new EventStream();
      const stop = feeds.followTenant(principalOf(request).tenantId, after, {
        ready: () => stream.ready(),
        onEvent: (event) =>
          stream.send({ id: event.id, name: "session", data: toWireTenantEvent(event) }),
        onReset: (lastId) => stream.send({ id: lastId, name: "reset", data: {} }),
      });
      tenantStreams.add(stream);
      stream.onClosed(() => {
        tenantStreams.delete(stream);
        stop();
      });
      return sendStream(reply, stream);
    },
  );
}

function lastSeen(request: {
  readonly query: z.output<typeof resumeQuery>;
  readonly headers: z.output<typeof resumeHeaders>;
}): number | null {
  const text = request.headers["last-event-id"] || request.query.last_event_id;
  return text === undefined ? null : Number(text);
}

function sendStream(reply: FastifyReply, stream: EventStream): FastifyReply {
  return (
    reply
      .type("text/event-stream; charset=utf-8")
      .header("cache-control", "no-store")
      // Proxies of the nginx kind hold answers back otherwise.
      .header("x-accel-buffering", "no")
      // Its end is the connection's, which a server that stops would otherwise wait for.
      .header("connection", "close")
      .send(stream.body)
  );
}
