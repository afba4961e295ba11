import type { FastifyInstance, FastifyRequest } from "fastify";
import { NightjarError } from "../sessions/errors.ts";
import type { Principal } from "../sessions/session-service.ts";
import type { AuthenticationGuard } from "./failed-authentications.ts";
import type { CountRequest } from "./request-rates.ts";

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

export interface AuthenticationOptions {
  readonly keys: ApiKeyVerifier;
  readonly guard: AuthenticationGuard;
  readonly countRequest: CountRequest;
}

/** Closes every route, unknown ones included, to requests without a valid API key. */
export function requireApiKey(server: FastifyInstance, options: AuthenticationOptions): void {
  const { keys, guard, countRequest } = options;
  server.addHook("onRequest", async (request, reply) => {
    if (request.routeOptions.config.public === true) return;
    const key = bearerToken(request.headers.authorization);
    const address: string | undefined = request.ip;
    // It cannot be counted any more, nor answered.
    if (address === undefined) throw new NightjarError("client_gone", "The client went away.");
    await guard.admit(request, key);
    const principal = key === null ? null : await keys.verify(key);
    if (key === null || principal === null) {
      await guard.failed(request);
      throw new NightjarError(
        "unauthorized",
        key === null
          ? "This request carries no API key. Send the header `Authorization: Bearer <API key>`."
          : "This API key is not valid. Check it, or ask the operator for a new one.",
      );
    }
    guard.succeeded(key);
    principals.set(request, principal);
    await countRequest(request, reply, principal);
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
