import { createHash } from "node:crypto";
import type { IncomingMessage } from "node:http";
import type { Duplex } from "node:stream";
import type { Capabilities } from "../sessions/capabilities.ts";
import { NightjarError } from "../sessions/errors.ts";
import type { CdpScope } from "../sessions/ports.ts";
import { type EndedSession, isActive } from "../sessions/session.ts";
import type { SessionService } from "../sessions/session-service.ts";
import { CdpRelay } from "./cdp-relay.ts";
import { closeCodeOf, standardCloseCodes } from "./close-codes.ts";
import { refuseUpgrade } from "./upgrade-refusal.ts";
import { tokenIn } from "./url-token.ts";

/** What is relayed, added up: bytes since the start, and the connections of now. */
export interface CdpTraffic {
  connections: number;
  bytesToClients: number;
  bytesToBrowsers: number;
}

export interface CdpGatewayOptions {
  readonly sessions: SessionService;
  readonly capabilities: Capabilities;
  /** How often a client is asked whether it is still there, in ms. */
  readonly pingEveryMs: number;
  readonly traffic: CdpTraffic;
  /** Told of each tab that a client works in, by its id in CDP. */
  readonly onTabUsed: (sessionId: string, targetId: string) => void;
  /** Told of what went wrong unexpectedly; the client is not. */
  readonly onFailure: (error: unknown, sessionId?: string) => void;
}

/** The CDP paths of a session. */
const paths: readonly {
  readonly pattern: RegExp;
  readonly scope: (match: RegExpExecArray) => CdpScope;
}[] = [
  { pattern: /^\/sessions\/([^/]+)\/cdp\/?$/, scope: () => ({ kind: "browser" }) },
  {
    pattern: /^\/sessions\/([^/]+)\/cdp\/page\/(\w+)\/?$/,
    scope: (match) => ({ kind: "page", targetId: match[2] ?? "" }),
  },
];

/** RFC 6455, 1.3. */
const handshakeGuid = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11";

/**
 * CDP over WebSocket: joins a client to the browser of the session that its URL names, for as long
 * as the session lives. The token in the URL is the session's own and opens nothing else.
 */
export class CdpGateway {
  readonly #options: CdpGatewayOptions;
  readonly #relays = new Set<CdpRelay>();

  constructor(options: CdpGatewayOptions) {
    this.#options = options;
  }

  /** Takes a request to upgrade to WebSocket, for the HTTP server's `upgrade` event. */
  handleUpgrade(request: IncomingMessage, socket: Duplex, head: Buffer): void {
    // A client that vanishes must not end the process.
    socket.on("error", () => {});
    this.#connect(request, socket, head).catch((error: unknown) => {
      if (!(error instanceof NightjarError)) this.#options.onFailure(error);
      if (!socket.destroyed) refuseUpgrade(socket, error);
    });
  }

  async #connect(request: IncomingMessage, socket: Duplex, head: Buffer): Promise<void> {
    const { sessions } = this.#options;
    const key = checkHandshake(request);
    const { sessionId, scope } = this.#authorize(request.url ?? "");
    const browser = await sessions.browserOf(sessionId, null);
    const upstream = await browser.openCdp(scope).catch((error: unknown) => {
      if (error instanceof NightjarError) throw error;
      throw new NightjarError("browser_unavailable", "The browser did not accept the connection.", {
        cause: error,
      });
    });
    // A client that left meanwhile has said so already, and says it once.
    if (socket.destroyed || socket.readableEnded) {
      upstream.destroy();
      socket.destroy();
      return;
    }
    socket.write(
      `HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: ${acceptFor(key)}\r\n\r\n`,
    );
    if (head.length > 0) socket.unshift(head);
    const relay: CdpRelay = new CdpRelay({
      client: socket,
      browser: upstream,
      directory: browser.directory,
      pingEveryMs: this.#options.pingEveryMs,
      traffic: this.#options.traffic,
      onlyTab: scope.kind === "page" ? scope.targetId : null,
      onTabUsed: (targetId) => this.#options.onTabUsed(sessionId, targetId),
      onActivity: () => sessions.touch(sessionId),
      onEndRequest: () => {
        sessions
          .endById(sessionId, "client_stop")
          .catch((error: unknown) => this.#options.onFailure(error, sessionId));
      },
      onClosed: () => {
        this.#relays.delete(relay);
        this.#options.traffic.connections = this.#relays.size;
        cancel?.();
      },
    });
    this.#relays.add(relay);
    this.#options.traffic.connections = this.#relays.size;
    sessions.touch(sessionId);
    const cancel = sessions.onEnd(sessionId, (ended) => closeFor(relay, ended));
    if (cancel !== null) return;
    // It ended while the browser was being connected.
    const session = await sessions.find(sessionId);
    await closeFor(relay, session !== null && !isActive(session) ? session : null);
  }

  #authorize(rawUrl: string): { readonly sessionId: string; readonly scope: CdpScope } {
    const url = URL.parse(rawUrl.replace(/^[/\\]+/, "/"), "http://localhost");
    if (url === null) throw new NightjarError("route_not_found", "This is no URL of this server.");
    for (const { pattern, scope } of paths) {
      const match = pattern.exec(url.pathname);
      if (match === null) continue;
      const sessionId = match[1] ?? "";
      if (!this.#options.capabilities.verify("cdp", sessionId, tokenIn(url.searchParams))) {
        throw new NightjarError(
          "unauthorized",
          "The token in the URL is missing or wrong. Use the session's cdp_url as it stands.",
        );
      }
      return { sessionId, scope: scope(match) };
    }
    throw new NightjarError("route_not_found", `No WebSocket is served at ${url.pathname}.`);
  }
}

function closeFor(relay: CdpRelay, ended: EndedSession | null): Promise<void> {
  if (ended === null) {
    return relay.close(
      standardCloseCodes.serviceRestart,
      "the server restarts; the session goes on, connect again",
    );
  }
  const { endReason } = ended.state;
  return relay.close(closeCodeOf[endReason], `session ended: ${endReason}`);
}

function checkHandshake(request: IncomingMessage): string {
  const key = request.headers["sec-websocket-key"];
  const right =
    request.method === "GET" &&
    request.headers.upgrade?.toLowerCase() === "websocket" &&
    request.headers["sec-websocket-version"] === "13" &&
    key !== undefined &&
    /^[+/0-9A-Za-z]{22}==$/.test(key);
  if (!right) throw new NightjarError("invalid_request", "This is no WebSocket handshake.");
  return key;
}

function acceptFor(key: string): string {
  return createHash("sha1").update(`${key}${handshakeGuid}`).digest("base64");
}
