import type { FastifyRequest } from "fastify";
import type { Step } from "../pages/steps/step.ts";
import type { ReplayStatus } from "../recording/recordings.ts";
import { defaultViewport } from "../sessions/browser-settings.ts";
import { isActive, lifetimeMs, type Session } from "../sessions/session.ts";
import type { SessionAnswer } from "./session-schemas.ts";
import { toWireStep } from "./step-wire.ts";
import type { Urls } from "./urls.ts";
import { wireDuration, wireTime } from "./wire-time.ts";

/** A session as it goes over the wire. */
export function toSessionAnswer(
  session: Session,
  urls: Urls,
  request: FastifyRequest,
  replayStatus: ReplayStatus,
  steps: readonly Step[] = [],
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
    viewer_url: active ? urls.viewer(request, { sessionId: session.id, access: "control" }) : null,
    browser_type: settings.browserType,
    headless: settings.headless,
    user_agent: settings.userAgent,
    viewport_width: viewport?.width ?? null,
    viewport_height: viewport?.height ?? null,
    proxies: settings.proxy !== null,
    use_file_storage: settings.useFileStorage,
    solve_captchas: false,
    web_bot_auth: false,
    auth_ids: [],
    system_hidden: false,
    replay_status: replayStatus,
    record_bodies: settings.recordBodies,
    steps: steps.map(toWireStep),
    network_request_bytes: session.traffic.requestBytes,
    network_response_bytes: session.traffic.responseBytes,
  };
}
