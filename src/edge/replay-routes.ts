import type { FastifyInstance } from "fastify";
import type { ZodTypeProvider } from "fastify-type-provider-zod";
import { z } from "zod";
import type { Recordings } from "../recording/recordings.ts";
import type { Capabilities } from "../sessions/capabilities.ts";
import { NightjarError } from "../sessions/errors.ts";
import type { SessionService } from "../sessions/session-service.ts";
import { principalOf } from "./auth.ts";
import { errorAnswers } from "./error-schemas.ts";
import { recordingRemovedAnswer, replayAnswer, replayUrlParams } from "./replay-schemas.ts";
import { sendFile } from "./sent-file.ts";
import { sessionIdParams } from "./session-schemas.ts";
import { fileUrlQuery } from "./storage-schemas.ts";
import { checkExpiringUrl, replaySubject, type Urls } from "./urls.ts";
import { wireTime } from "./wire-time.ts";

export interface ReplayRoutesOptions {
  readonly sessions: SessionService;
  readonly recordings: Recordings;
  readonly capabilities: Capabilities;
  readonly urls: Urls;
}

/** How long the URL of a replay can be played, in s. */
const replayUrlLifeSeconds = 24 * 3600;

const videoContent = { "video/mp4": { schema: z.string().meta({ format: "binary" }) } };

/** A video and nothing else; other sites may show it, since who has its URL may see it. */
const videoHeaders = {
  "Content-Type": "video/mp4",
  "Content-Disposition": "inline",
  "X-Content-Type-Options": "nosniff",
  "Content-Security-Policy": "default-src 'none'; media-src 'self'; style-src 'unsafe-inline'",
  "Cross-Origin-Resource-Policy": "cross-origin",
  "Cache-Control": "private, no-cache",
  "Referrer-Policy": "no-referrer",
};

/** What a session showed, as a video after its end. */
export function replayRoutes(instance: FastifyInstance, options: ReplayRoutesOptions): void {
  const { sessions, recordings, capabilities, urls } = options;
  const server = instance.withTypeProvider<ZodTypeProvider>();

  server.get(
    "/sessions/:session_id/replay",
    {
      schema: {
        summary: "The replay of a session",
        description:
          "Made after the session's end, within seconds: ask again while it is answered 404 and `replay_status` is `processing`.",
        tags: ["Sessions"],
        params: sessionIdParams,
        response: { 200: replayAnswer, ...errorAnswers(401, 404, 410) },
      },
    },
    async (request) => {
      const session = await sessions.get(principalOf(request), request.params.session_id);
      const replay = await recordings.replay(session);
      const expiresAt = Math.floor(Date.now() / 1000) + replayUrlLifeSeconds;
      return {
        mp4_url: urls.replay(request, session.id, expiresAt),
        playlist_content: null,
        expires_at: wireTime(expiresAt * 1000),
        video_start_ms: replay.startedAt,
        video_duration_ms: replay.durationMs,
        size_bytes: replay.sizeBytes,
        thinned_from_ms: replay.thinnedAt,
      };
    },
  );

  server.delete(
    "/sessions/:session_id/recording",
    {
      schema: {
        summary: "Remove the recording of a session",
        description:
          "Removes its replay and its network and console logs; URLs of them that were answered lead nowhere from then on. An addition of Nightjar's.",
        tags: ["Sessions"],
        params: sessionIdParams,
        response: { 200: recordingRemovedAnswer, ...errorAnswers(401, 404, 409) },
      },
    },
    async (request) => {
      const session = await sessions.get(principalOf(request), request.params.session_id);
      await recordings.remove(session);
      return { success: true as const, message: "The recording and the logs were removed." };
    },
  );

  server.get(
    "/replays/:session_id/replay.mp4",
    {
      // The token in the URL stands for the key.
      config: { public: true },
      schema: {
        summary: "Play a replay by its URL",
        description: "Use the URL as it was answered. Takes `Range`, so players can seek.",
        tags: ["Sessions"],
        security: [],
        params: replayUrlParams,
        querystring: fileUrlQuery,
        response: {
          200: { description: "The video.", content: videoContent },
          206: { description: "The range of it that was asked for.", content: videoContent },
          ...errorAnswers(401, 404, 410, 416),
        },
      },
    },
    async (request, reply) => {
      const { session_id: id } = request.params;
      checkExpiringUrl(capabilities, replaySubject(id), request.query);
      const replay = await recordings.fileOf(id);
      return sendFile(request, reply, replay, {
        headers: videoHeaders,
        missing: () => new NightjarError("replay_not_found", "This replay was removed."),
      });
    },
  );
}
