import { createHash } from "node:crypto";
import { readFile } from "node:fs/promises";
import type { FastifyInstance } from "fastify";
import type { ZodTypeProvider } from "fastify-type-provider-zod";
import { z } from "zod";
import type { Capabilities } from "../sessions/capabilities.ts";
import { NightjarError, sessionNotFound } from "../sessions/errors.ts";
import { endReasons, isActive } from "../sessions/session.ts";
import type { SessionService } from "../sessions/session-service.ts";
import { principalOf } from "./auth.ts";
import { errorAnswers } from "./error-schemas.ts";
import { sessionIdParams } from "./session-schemas.ts";
import type { Urls } from "./urls.ts";
import {
  checkViewerQuery,
  viewerAccesses,
  viewerLinkEnd,
  viewerLinkLifeSeconds,
} from "./viewer-tickets.ts";
import { wireTime } from "./wire-time.ts";

export interface ViewerRoutesOptions {
  readonly sessions: SessionService;
  readonly capabilities: Capabilities;
  readonly urls: Urls;
  readonly embedOrigins: readonly string[];
}

const linkBody = z
  .strictObject({
    access: z
      .enum(viewerAccesses)
      .default("control")
      .describe("`watch`: whoever has the link can look, but never take control."),
    expires_in_seconds: z
      .int()
      .min(1)
      .max(86_400)
      .default(viewerLinkLifeSeconds)
      .describe("How long the link can be opened; what it opened stays open."),
  })
  .describe("Everything is optional.");

const linkAnswer = z
  .object({
    viewer_url: z.string().describe("The live view, for whoever has this link."),
    expires_at: z.iso
      .datetime({ offset: true })
      .describe("When the link cannot be opened any more.")
      .meta({ examples: ["2026-11-24T12:15:00.000+00:00"] }),
  })
  .meta({ id: "ViewerLink" });

const linkQuery = z.looseObject({
  session: z.string().default("").describe("As in the link."),
  access: z.string().default("").describe("As in the link."),
  expires: z.string().default("").describe("As in the link."),
  ticket: z.string().default("").describe("As in the link."),
});

const stateAnswer = z
  .object({
    session_id: z.uuid().meta({ examples: ["f47ac10b-58cc-4372-a567-0e02b2c3d479"] }),
    status: z.enum(["active", "closed", "error", "timed_out"]).meta({ examples: ["active"] }),
    end_reason: z.enum(endReasons).nullable().describe("Why it ended; null while it runs."),
    error: z.string().nullable().describe("What went wrong, in words; null where nothing did."),
  })
  .meta({ id: "ViewedSession" });

/** What the page of the live view is made of, and how each part is served. */
const assets = [
  { route: "/viewer", file: "viewer.html", type: "text/html; charset=utf-8" },
  { route: "/viewer/viewer.js", file: "viewer.js", type: "text/javascript; charset=utf-8" },
  { route: "/viewer/viewer.css", file: "viewer.css", type: "text/css; charset=utf-8" },
] as const;

const assetsDirectory = new URL("../../dist/viewer/", import.meta.url);

/** The live view's page, and the links that open it. */
export async function viewerRoutes(
  instance: FastifyInstance,
  options: ViewerRoutesOptions,
): Promise<void> {
  const { sessions, capabilities, urls } = options;
  const server = instance.withTypeProvider<ZodTypeProvider>();

  server.post(
    "/sessions/:session_id/viewer",
    {
      schema: {
        summary: "Make a link to the live view",
        description:
          "For people: it needs no key, so it is short-lived, and it opens this session alone. Asking for it does not count as an access. (An addition of Nightjar.)",
        tags: ["Sessions"],
        params: sessionIdParams,
        body: linkBody,
        response: { 200: linkAnswer, ...errorAnswers(422, 401, 404, 410) },
      },
    },
    async (request) => {
      const session = await sessions.get(principalOf(request), request.params.session_id);
      if (!isActive(session)) {
        const { endReason } = session.state;
        throw new NightjarError(
          "session_ended",
          `Session "${session.id}" has ended: ${endReason}.`,
        );
      }
      const { access, expires_in_seconds } = request.body;
      const expiresAt = viewerLinkEnd(expires_in_seconds);
      return {
        viewer_url: urls.viewer(request, { sessionId: session.id, access }, expiresAt),
        expires_at: wireTime(expiresAt * 1000),
      };
    },
  );

  server.get(
    "/viewer/session",
    {
      // The ticket in the URL stands for the key.
      config: { public: true },
      schema: {
        summary: "How the session of a link to the live view is",
        description: "With the query of the link. Works for sessions that ended, too.",
        tags: ["Sessions"],
        security: [],
        querystring: linkQuery,
        response: { 200: stateAnswer, ...errorAnswers(401, 404, 410) },
      },
    },
    async (request) => {
      const { session: id, access, expires, ticket } = request.query;
      checkViewerQuery(capabilities, new URLSearchParams({ session: id, access, expires, ticket }));
      const session = await sessions.find(id);
      if (session === null) throw sessionNotFound(id);
      const active = isActive(session);
      return {
        session_id: session.id,
        status: session.state.status,
        end_reason: active ? null : session.state.endReason,
        error: active ? null : session.state.error,
      };
    },
  );

  for (const { route, file, type } of assets) {
    const content = await readFile(new URL(file, assetsDirectory));
    const etag = `"${createHash("sha256").update(content).digest("base64url").slice(0, 22)}"`;
    server.get(
      route,
      { config: { public: true }, schema: { hide: true } },
      async (request, reply) => {
        reply.headers({
          "content-type": type,
          etag,
          // The page is one with its server: after an update the old one may not fit.
          "cache-control": "no-cache",
          "content-security-policy": contentPolicy(options.embedOrigins),
          // The ticket stands in the page's URL.
          "referrer-policy": "no-referrer",
          "x-content-type-options": "nosniff",
        });
        if (request.headers["if-none-match"] === etag) return reply.code(304).send();
        return reply.send(content);
      },
    );
  }
}

/** Nothing but what the page is made of, and frames only where the operator wants them. */
function contentPolicy(embedOrigins: readonly string[]): string {
  return [
    "default-src 'none'",
    "script-src 'self'",
    "style-src 'self'",
    "connect-src 'self'",
    "img-src 'self' data:",
    "base-uri 'none'",
    "form-action 'none'",
    `frame-ancestors ${["'self'", ...embedOrigins].join(" ")}`,
  ].join("; ");
}
