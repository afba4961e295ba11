import fastifyRateLimit from "@fastify/rate-limit";
import type { FastifyInstance, FastifyRequest } from "fastify";
import { NightjarError } from "../sessions/errors.ts";

/** Over which failures are counted, in ms. */
const windowMs = 60_000;

/** Addresses that are remembered; the one that was not seen for longest is forgotten first. */
const mostAddresses = 10_000;

/** To be called for each failed authentication, before it is answered. */
export type CountFailure = (request: FastifyRequest) => Promise<void>;

/**
 * Counts failed authentications by address. What it returns throws `too_many_failures` where an
 * address had more than `max` in a minute; right keys are never counted nor kept waiting.
 */
export async function countFailedAuthentications(
  server: FastifyInstance,
  max: number,
): Promise<CountFailure> {
  await server.register(fastifyRateLimit, { global: false, cache: mostAddresses });
  const check = server.createRateLimit({ max, timeWindow: windowMs });
  return async (request) => {
    const result = await check(request);
    if (result.isAllowed || !result.isExceeded) return;
    const retryAfterSeconds = Math.max(1, result.ttlInSeconds);
    throw new NightjarError(
      "too_many_failures",
      `Too many requests from your address carried no valid API key. Try again in ${retryAfterSeconds} seconds, with a valid one.`,
      { retryAfterSeconds },
    );
  };
}
