import { createHash, timingSafeEqual } from "node:crypto";
import type { FastifyInstance } from "fastify";
import { NightjarError } from "../sessions/errors.ts";
import { bearerToken } from "./auth.ts";

/** The server's numbers, as far as the edge serves and adds to them. */
export interface MetricsPort {
  requestAnswered(method: string, route: string, status: number, elapsedMs: number): void;
  text(): Promise<{ readonly contentType: string; readonly body: string }>;
}

/**
 * `GET /metrics` for Prometheus, by a token of its own: numbers of all tenants are for the operator
 * alone. Without a token the route does not exist.
 */
export function metricsRoutes(
  server: FastifyInstance,
  metrics: MetricsPort,
  token: string | null,
): void {
  server.addHook("onResponse", async (request, reply) => {
    const route = request.routeOptions.url ?? "";
    metrics.requestAnswered(request.method, route, reply.statusCode, reply.elapsedTime);
  });
  if (token === null) return;
  const expected = digest(token);
  server.get(
    "/metrics",
    { config: { public: true }, schema: { hide: true } },
    async (request, reply) => {
      const given = digest(bearerToken(request.headers.authorization) ?? "");
      if (!timingSafeEqual(given, expected)) {
        throw new NightjarError(
          "unauthorized",
          "The metrics need the header `Authorization: Bearer <NIGHTJAR_METRICS_TOKEN>`.",
        );
      }
      const { contentType, body } = await metrics.text();
      return reply.type(contentType).send(body);
    },
  );
}

function digest(text: string): Buffer {
  return createHash("sha256").update(text).digest();
}
