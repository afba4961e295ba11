import type { FastifyInstance, FastifyReply, FastifyRequest } from "fastify";
import { NightjarError } from "../sessions/errors.ts";
import type { Principal } from "../sessions/session-service.ts";
import { rateLimitHeaders } from "./error-response.ts";

const windowMs = 60_000;

/** Counts a request of a key and says in the answer's headers what is left. Throws `too_many_requests`. */
export type CountRequest = (
  request: FastifyRequest,
  reply: FastifyReply,
  principal: Principal,
) => Promise<void>;

/** Limits the requests of each API key to `max` a minute; null for no limit. Needs `@fastify/rate-limit`. */
export function limitRequests(server: FastifyInstance, max: number | null): CountRequest {
  if (max === null) return async () => {};
  const callers = new WeakMap<FastifyRequest, string>();
  const options = {
    max,
    timeWindow: windowMs,
    keyGenerator: (request: FastifyRequest) => callers.get(request) ?? "",
  };
  const count = server.createRateLimit(options);
  return async (request, reply, { apiKeyId }) => {
    callers.set(request, apiKeyId);
    const result = await count(request);
    if (result.isAllowed) return;
    const { remaining, ttl, isExceeded } = result;
    const allowance = { limit: max, remaining, resetAt: Date.now() + ttl };
    reply.headers(rateLimitHeaders(allowance));
    if (!isExceeded) return;
    const retryAfterSeconds = Math.max(1, result.ttlInSeconds);
    throw new NightjarError(
      "too_many_requests",
      `This API key has made ${max} requests within a minute, as many as it may. Try again in ${retryAfterSeconds} seconds.`,
      { retryAfterSeconds, allowance },
    );
  };
}
