import type { FastifyInstance } from "fastify";

/**
 * Headers of every answer that does not say otherwise: data that a browser must neither guess the
 * type of, nor run, nor show in a frame. Pages (documentation, console, viewer) set policies of
 * their own.
 */
const defaults = {
  "X-Content-Type-Options": "nosniff",
  "Referrer-Policy": "no-referrer",
  "Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'",
} as const;

/** What the documentation page needs: its script and styles stand in the page itself. */
export const documentationPolicy = [
  "default-src 'none'",
  "script-src 'self' 'unsafe-inline'",
  "style-src 'self' 'unsafe-inline'",
  "img-src 'self' data: blob:",
  "font-src 'self' data:",
  "connect-src 'self'",
  "worker-src 'self' blob:",
  "base-uri 'none'",
  "form-action 'none'",
  "frame-ancestors 'none'",
].join("; ");

/** Gives every answer the safe headers, unless its route sets its own. */
export function answerSafely(server: FastifyInstance): void {
  server.addHook("onRequest", async (_request, reply) => {
    reply.headers(defaults);
  });
}
