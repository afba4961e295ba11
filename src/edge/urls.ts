import type { FastifyRequest } from "fastify";
import type { Capabilities } from "../sessions/capabilities.ts";
import { NightjarError } from "../sessions/errors.ts";
import { tokenIn } from "./url-token.ts";
import { answeredLinkEnd, type ViewerTicket, viewerQuery } from "./viewer-tickets.ts";

/** What a file URL names; `owner` is a tenant for uploads and a session for downloads. */
export interface FileAddress {
  readonly kind: "uploads" | "downloads";
  readonly owner: string;
  readonly name: string;
}

/** How long a file URL can be fetched, in s. */
export const fileUrlLifeSeconds = 3600;

/** Makes every URL that an answer carries. */
export class Urls {
  readonly #publicUrl: string | null;
  readonly #capabilities: Capabilities;

  /** `publicUrl`: how clients reach the server, without a slash at the end; null: as each request says. */
  constructor(publicUrl: string | null, capabilities: Capabilities) {
    this.#publicUrl = publicUrl;
    this.#capabilities = capabilities;
  }

  /** `http(s)://host` as the client of this request reaches the server. */
  base(request: FastifyRequest): string {
    return this.#publicUrl ?? `${request.protocol}://${request.host}`;
  }

  /** For Playwright's `connectOverCDP` and Puppeteer's `browserWSEndpoint`. */
  cdp(request: FastifyRequest, sessionId: string): string {
    return `${this.#webSocketBase(request)}/sessions/${sessionId}/cdp?${this.#token(sessionId)}`;
  }

  /** CDP of one tab. */
  pageCdp(request: FastifyRequest, sessionId: string, targetId: string): string {
    return `${this.#webSocketBase(request)}/sessions/${sessionId}/cdp/page/${targetId}?${this.#token(sessionId)}`;
  }

  /** A stream of the contract's debug answer. */
  stream(request: FastifyRequest, sessionId: string, name: "recording" | "logs"): string {
    return `${this.#webSocketBase(request)}/sessions/${sessionId}/debug/${name}?${this.#token(sessionId)}`;
  }

  /**
   * The live view, for whoever has the URL, until `expiresAt` (epoch s). It has a query, so that
   * `&mode=...` and the like can be added.
   */
  viewer(request: FastifyRequest, ticket: ViewerTicket, expiresAt = answeredLinkEnd()): string {
    return `${this.base(request)}/viewer?${viewerQuery(this.#capabilities, ticket, expiresAt)}`;
  }

  /** DevTools for one tab; opens in the address bar of any Chromium. */
  devtools(request: FastifyRequest, sessionId: string, targetId: string): string {
    const [scheme, address] = this.pageCdp(request, sessionId, targetId).split("://");
    return `devtools://devtools/bundled/devtools_app.html?${scheme}=${encodeURIComponent(address ?? "")}`;
  }

  /** A stored file, for whoever has the URL, for an hour. */
  file(request: FastifyRequest, address: FileAddress, now = Date.now()): string {
    const path = [address.kind, address.owner, address.name].map(encodeURIComponent).join("/");
    return `${this.base(request)}/files/${path}?${this.#expiring(fileSubject(address), now)}`;
  }

  /** A file of a session's network log, for whoever has the URL, for an hour. */
  log(request: FastifyRequest, sessionId: string, name: string, now = Date.now()): string {
    const query = this.#expiring(logSubject(sessionId, name), now);
    return `${this.base(request)}/logs/${sessionId}/${name}?${query}`;
  }

  #expiring(subject: string, now: number): string {
    const expiresAt = Math.floor(now / 1000) + fileUrlLifeSeconds;
    const token = this.#capabilities.expiringToken("file", subject, expiresAt);
    return `expires=${expiresAt}&token=${token}`;
  }

  #webSocketBase(request: FastifyRequest): string {
    return this.base(request).replace(/^http/, "ws");
  }

  #token(sessionId: string): string {
    return `token=${this.#capabilities.tokenFor("cdp", sessionId)}`;
  }
}

/** What the token of a file URL is made for. */
export function fileSubject({ kind, owner, name }: FileAddress): string {
  return JSON.stringify([kind, owner, name]);
}

/** What the token of a log's URL is made for. */
export function logSubject(sessionId: string, name: string): string {
  return JSON.stringify(["logs", sessionId, name]);
}

/** Throws `unauthorized` for a URL whose token was not made for it, and `link_expired` for an old one. */
export function checkExpiringUrl(
  capabilities: Capabilities,
  subject: string,
  query: { readonly expires: string; readonly token: string },
): void {
  const expiresAt = /^\d{1,12}$/.test(query.expires) ? Number(query.expires) : 0;
  const token = tokenIn(new URLSearchParams({ token: query.token }));
  if (!capabilities.verifyExpiring("file", subject, expiresAt, token)) {
    throw new NightjarError(
      "unauthorized",
      "The token in the URL is missing or wrong. Use the URL as it was answered.",
    );
  }
  if (expiresAt * 1000 < Date.now()) {
    throw new NightjarError(
      "link_expired",
      "The time of this URL is over. Ask for the file again to get a new one.",
    );
  }
}
