import { createHash } from "node:crypto";
import type { FastifyRequest } from "fastify";
import { z } from "zod";
import type { ProxySettings, Viewport } from "../sessions/browser-settings.ts";
import { invalidField, NightjarError } from "../sessions/errors.ts";
import type { IdempotencyClaim } from "../sessions/ports.ts";
import type { StartRequest } from "../sessions/session-service.ts";
import { type StartBody, timeLimits } from "./session-schemas.ts";

/**
 * The domain's request for a body of today's API. Throws `invalid_request` for fields that
 * contradict each other and `not_supported` for what this server cannot do.
 */
export function toStartRequest(
  body: StartBody,
  claim: IdempotencyClaim | null,
  maxSessionMinutes: number,
): StartRequest {
  refuseUnsupported(body);
  checkAttachment(body);
  const maxDurationMinutes =
    body.max_duration_minutes ?? Math.min(timeLimits.defaultMaxDurationMinutes, maxSessionMinutes);
  const idleTimeoutMinutes =
    body.idle_timeout_minutes ??
    body.timeout_minutes ??
    Math.min(timeLimits.defaultIdleMinutes, maxDurationMinutes);
  return {
    settings: {
      browserType: body.browser_type,
      headless: body.headless,
      userAgent: body.user_agent ?? null,
      chromeArgs: body.chrome_args ?? [],
      viewport: viewportOf(body),
      extraHttpHeaders: body.extra_http_headers ?? {},
      screenshotType: body.screenshot_type,
      useFileStorage: body.use_file_storage ?? true,
      recording: body.recording ?? null,
      recordBodies: body.record_bodies ?? false,
      proxy: proxyOf(body),
      attachUrl: body.cdp_url ?? null,
    },
    idleTimeoutMinutes,
    maxDurationMinutes,
    keepAlive: true,
    claim,
  };
}

/** The headers of a start. */
export const startHeaders = z.looseObject({
  "idempotency-key": z
    .string()
    .max(255)
    .optional()
    .describe("A repeat with the same key and body answers the session of the first request."),
});

/** The claim of a request's `Idempotency-Key` header; null without one. */
export function claimOf(request: FastifyRequest): IdempotencyClaim | null {
  const key = request.headers["idempotency-key"];
  if (typeof key !== "string" || key === "") return null;
  const fingerprint = createHash("sha256")
    .update(JSON.stringify([request.routeOptions.url, request.body]))
    .digest("hex");
  return { key, fingerprint };
}

function refuseUnsupported(body: StartBody): void {
  const asked: readonly (readonly [string, boolean])[] = [
    ["profile", body.profile != null],
    ["web_bot_auth", body.web_bot_auth === true],
    ["vault_id", body.vault_id != null],
    ["auth_ids", (body.auth_ids ?? []).length > 0],
  ];
  const first = asked.find(([, isAsked]) => isAsked);
  if (first === undefined) return;
  throw new NightjarError(
    "not_supported",
    `This server does not support \`${first[0]}\` yet; start the session without it.`,
  );
}

/** Throws `invalid_request`, or `not_supported` for a proxy that only a hosted service has. */
function proxyOf({ proxies, cdp_url }: StartBody): ProxySettings | null {
  if (proxies == null || proxies === false) return null;
  const [first, ...others] = proxies === true ? [{ type: "default" as const }] : proxies;
  if (first === undefined) return null;
  if (cdp_url != null) {
    throw invalidField(
      "proxies",
      "proxies cannot be set together with cdp_url: the browser runs already.",
      "contradiction",
    );
  }
  if (others.length > 0) {
    throw invalidField("proxies", `proxies may hold one proxy; got ${others.length + 1}.`);
  }
  if (first.type === "default") return { kind: "default" };
  if (first.type !== "external") {
    throw new NightjarError(
      "not_supported",
      `proxies: this server has no proxies of the type "${first.type}"; name one of your own, as {type: "external", server}.`,
    );
  }
  const bypass = (first.bypass ?? "").split(/[,;\s]+/).filter((pattern) => pattern !== "");
  return {
    kind: "external",
    server: first.server,
    username: first.username ?? null,
    password: first.password ?? null,
    bypass,
  };
}

/** The contract's rule for `cdp_url`: nothing that only a browser of ours can be given. */
function checkAttachment(body: StartBody): void {
  if (body.cdp_url == null) return;
  const contradicting =
    (!body.headless && "headless") ||
    (body.user_agent != null && "user_agent") ||
    (body.chrome_args != null && "chrome_args") ||
    (viewportOf(body) !== null && "viewport_width");
  if (contradicting === false) return;
  throw invalidField(
    contradicting,
    `${contradicting} cannot be set together with cdp_url: the browser runs already.`,
    "contradiction",
  );
}

function viewportOf(body: StartBody): Viewport | null {
  const { viewport_width: width = null, viewport_height: height = null, aspect_ratio } = body;
  if (aspect_ratio != null) {
    if (width !== null || height !== null) {
      throw invalidField(
        "aspect_ratio",
        "aspect_ratio cannot be set together with viewport_width and viewport_height.",
        "contradiction",
      );
    }
    return aspect_ratio === "5:4" ? { width: 1280, height: 1024 } : { width: 1280, height: 720 };
  }
  if (width === null && height === null) return null;
  if (width === null || height === null) {
    const missing = width === null ? "viewport_width" : "viewport_height";
    throw invalidField(missing, "viewport_width and viewport_height go together.", "missing");
  }
  return { width, height };
}
