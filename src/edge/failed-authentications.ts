import { createHash } from "node:crypto";
import type { FastifyInstance, FastifyRequest } from "fastify";
import { NightjarError } from "../sessions/errors.ts";

/** Over which failures are counted, in ms. */
const windowMs = 60_000;

/** Keys that are remembered as valid; the one that was not seen for longest is forgotten first. */
const mostKeys = 10_000;

/** Keeps those from guessing who have failed too often. */
export interface AuthenticationGuard {
  /**
   * Before a key is looked up: throws `too_many_failures` where the request's address had too many
   * failures within a minute. Keys that were found valid before are no guesses and pass.
   */
  admit(request: FastifyRequest, key: string | null): Promise<void>;
  failed(request: FastifyRequest): Promise<void>;
  succeeded(key: string): void;
}

/** Counts failed authentications by address, `max` a minute. Needs `@fastify/rate-limit`. */
export function guardAuthentication(server: FastifyInstance, max: number): AuthenticationGuard {
  const options = { max, timeWindow: windowMs };
  const count = server.createRateLimit(options);
  const known = new Set<string>();
  return {
    async admit(request, key) {
      const result = await count(request, { increment: false });
      if (result.isAllowed || result.remaining > 0) return;
      if (key !== null && known.has(digest(key))) return;
      const retryAfterSeconds = Math.max(1, result.ttlInSeconds);
      throw new NightjarError(
        "too_many_failures",
        `Too many requests from your address carried no valid API key. Try again in ${retryAfterSeconds} seconds, with a valid one.`,
        {
          retryAfterSeconds,
          allowance: { limit: max, remaining: 0, resetAt: Date.now() + retryAfterSeconds * 1000 },
        },
      );
    },
    async failed(request) {
      await count(request);
    },
    succeeded(key) {
      const name = digest(key);
      known.delete(name);
      known.add(name);
      const [oldest] = known;
      if (known.size > mostKeys && oldest !== undefined) known.delete(oldest);
    },
  };
}

function digest(key: string): string {
  return createHash("sha256").update(key).digest("base64");
}
