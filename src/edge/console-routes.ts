import type { FastifyInstance, FastifyReply, FastifyRequest } from "fastify";
import { NightjarError } from "../sessions/errors.ts";
import type { ConsoleFile, ConsoleFiles } from "./console-files.ts";

/** A year: nothing may be kept for longer. */
const longestAge = 31_536_000;

/**
 * The web console at `/console`. It holds nothing secret, so it needs no key: whoever uses it signs
 * in with one, and it then asks the API like any other client.
 */
export function consoleRoutes(server: FastifyInstance, built: ConsoleFiles | null): void {
  const publicRoute = { config: { public: true }, schema: { hide: true } };
  const policy = built === null ? "" : contentPolicy(built.inlineScripts);

  // No `*` without the slash: the console's own addresses begin with it.
  server.get("/console", publicRoute, answer);
  server.get("/console/*", publicRoute, answer);

  function answer(request: FastifyRequest, reply: FastifyReply): FastifyReply {
    if (built === null) {
      throw new NightjarError(
        "route_not_found",
        "The console was not built. Run `npm run build`, then start the server again.",
      );
    }
    const name = (request.params as { readonly "*"?: string })["*"] ?? "";
    const file = built.files.get(name);
    if (file !== undefined && file !== built.page) return send(request, reply, file);
    // Whatever has an ending would be a file; a page of the wrong type would only puzzle who asked.
    if (/\.\w+$/.test(name) && name !== "index.html") {
      throw new NightjarError("route_not_found", "The console has no such file.");
    }
    // Every other address is a screen of the console, which finds its way by itself.
    return send(request, reply.headers(pageHeaders(policy)), built.page);
  }
}

/**
 * Everything comes from this server: scripts, styles, fonts, the API, the live view in its frame and
 * the replay. No other page may hold the console in a frame.
 */
function contentPolicy(inlineScripts: readonly string[]): string {
  return [
    "default-src 'none'",
    `script-src 'self' ${inlineScripts.join(" ")}`.trim(),
    "style-src 'self'",
    "img-src 'self' data:",
    "font-src 'self'",
    "connect-src 'self'",
    "media-src 'self'",
    "frame-src 'self'",
    "base-uri 'none'",
    "form-action 'none'",
    "frame-ancestors 'none'",
    "require-trusted-types-for 'script'",
    "trusted-types 'none'",
  ].join("; ");
}

function pageHeaders(policy: string): Record<string, string> {
  return {
    "Content-Security-Policy": policy,
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Permissions-Policy":
      "camera=(), microphone=(), geolocation=(), payment=(), usb=(), fullscreen=(self), clipboard-read=(self), clipboard-write=(self)",
  };
}

function send(request: FastifyRequest, reply: FastifyReply, file: ConsoleFile): FastifyReply {
  reply.headers({
    "Content-Type": file.type,
    "Cache-Control": file.isImmutable ? `public, max-age=${longestAge}, immutable` : "no-cache",
    "X-Content-Type-Options": "nosniff",
    "Cross-Origin-Resource-Policy": "same-origin",
    ETag: file.etag,
    Vary: "Accept-Encoding",
  });
  // Weak comparison (RFC 9110, 13.1.2): a proxy on the way may have marked the tag as weak.
  const known = (request.headers["if-none-match"] ?? "").split(",").map((tag) => tag.trim());
  if (known.some((tag) => tag === "*" || tag.replace(/^W\//, "") === file.etag)) {
    return reply.code(304).send();
  }
  const { brotli, gzip } = file;
  if (brotli !== null && accepts(request, "br")) {
    return reply.header("Content-Encoding", "br").send(brotli);
  }
  if (gzip !== null && accepts(request, "gzip")) {
    return reply.header("Content-Encoding", "gzip").send(gzip);
  }
  return reply.send(file.content);
}

/** Whether the client takes this coding: named, and not with a weight of 0. */
function accepts(request: FastifyRequest, coding: string): boolean {
  const header = String(request.headers["accept-encoding"] ?? "");
  return header.split(",").some((part) => {
    const [name, ...parameters] = part.split(";").map((text) => text.trim().toLowerCase());
    return name === coding && !parameters.some((text) => /^q=0(\.0*)?$/.test(text));
  });
}
