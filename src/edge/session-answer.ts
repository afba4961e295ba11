import type { FastifyRequest } from "fastify";
import { defaultViewport } from "../sessions/browser-settings.ts";
import { isActive, lifetimeMs, type Session } from "../sessions/session.ts";
import type { SessionAnswer } from "./session-schemas.ts";
import type { Urls } from "./urls.ts";

/** A session as it goes over the wire. */
export function toSessionAnswer(
  session: Session,
  urls: Urls,
  request: FastifyRequest,
  now = Date.now(),
): SessionAnswer {
  const { settings } = session;
  const active = isActive(session);
  const viewport = settings.viewport ?? (settings.attachUrl === null ? defaultViewport : null);
  return {
    session_id: session.id,
    status: session.state.status,
    end_reason: active ? null : session.state.endReason,
    error: active ? null : session.state.error,
    created_at: wireTime(session.createdAt),
    last_accessed_at: wireTime(session.lastAccessedAt),
    closed_at: active ? null : wireTime(session.state.closedAt),
    duration: wireDuration(lifetimeMs(session, now)),
    idle_timeout_minutes: session.idleTimeoutMinutes,
    timeout_minutes: session.idleTimeoutMinutes,
    max_duration_minutes: session.maxDurationMinutes,
    keep_alive: session.keepAlive,
    cdp_url: active ? urls.cdp(request, session.id) : null,
    viewer_url: null,
    browser_type: settings.browserType,
    headless: settings.headless,
    user_agent: settings.userAgent,
    viewport_width: viewport?.width ?? null,
    viewport_height: viewport?.height ?? null,
    proxies: false,
    use_file_storage: false,
    solve_captchas: false,
    web_bot_auth: false,
    auth_ids: [],
    system_hidden: false,
    steps: [],
    network_request_bytes: 0,
    network_response_bytes: 0,
  };
}

/** RFC 3339 in UTC with its offset written out. */
export function wireTime(epochMs: number): string {
  return new Date(epochMs).toISOString().replace("Z", "+00:00");
}

/** An ISO 8601 duration in seconds, as pydantic writes it: `PT12.5S`. */
export function wireDuration(ms: number): string {
  return `PT${ms / 1000}S`;
}
