import type { FastifyInstance, FastifyRequest } from "fastify";
import { NightjarError } from "../sessions/errors.ts";
import type { Principal } from "../sessions/session-service.ts";
import type { CountFailure } from "./failed-authentications.ts";

/** Tells whose an API key is. */
export interface ApiKeyVerifier {
  /** Null for a key that is unknown or revoked. */
  verify(key: string): Promise<Principal | null>;
}

declare module "fastify" {
  interface FastifyContextConfig {
    /** True for routes that answer without an API key. */
    readonly public?: boolean;
  }
}

const principals = new WeakMap<FastifyRequest, Principal>();

/** Closes every route, unknown ones included, to requests without a valid API key. */
export function requireApiKey(
  server: FastifyInstance,
  keys: ApiKeyVerifier,
  countFailure: CountFailure,
): void {
  server.addHook("onRequest", async (request) => {
    if (request.routeOptions.config.public === true) return;
    const key = bearerToken(request.headers.authorization);
    const principal = key === null ? null : await keys.verify(key);
    if (principal === null) {
      await countFailure(request);
      throw new NightjarError(
        "unauthorized",
        key === null
          ? "This request carries no API key. Send the header `Authorization: Bearer <API key>`."
          : "This API key is not valid. Check it, or ask the operator for a new one.",
      );
    }
    principals.set(request, principal);
  });
}

/** Whose request this is; only for routes that need a key. */
export function principalOf(request: FastifyRequest): Principal {
  const principal = principals.get(request);
  if (principal === undefined) throw new Error(`${request.url} is a public route`);
  return principal;
}

/** RFC 6750, 2.1; the scheme's name is case-insensitive. */
export function bearerToken(header: string | undefined): string | null {
  return /^bearer +(\S+) *$/i.exec(header ?? "")?.[1] ?? null;
}
