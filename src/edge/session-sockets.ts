import type { IncomingMessage } from "node:http";
import type { Duplex } from "node:stream";
import { setTimeout as delay } from "node:timers/promises";
import { type WebSocket, WebSocketServer } from "ws";
import { NightjarError } from "../sessions/errors.ts";
import type { EndedSession, Session } from "../sessions/session.ts";
import { isActive } from "../sessions/session.ts";
import { closeCodeOf, standardCloseCodes } from "./close-codes.ts";
import { serveLogs, serveRecording } from "./debug-sockets.ts";
import type { SessionSocketsOptions, SocketFarewell, SocketService } from "./session-socket.ts";
import { refuseUpgrade } from "./upgrade-refusal.ts";
import { tokenIn } from "./url-token.ts";
import { largestViewerMessage } from "./viewer-messages.ts";
import { serveViewer } from "./viewer-socket.ts";
import { checkViewerQuery } from "./viewer-tickets.ts";

/** How long a client may take to answer a close frame, in ms. */
const closeTimeoutMs = 2000;

/** How long what is said last may take, in ms. */
const farewellTimeoutMs = 1000;

/** A client that lets so much pile up does not read, in bytes. */
const mostBufferedBytes = 16 * 1024 * 1024;

const path = /^\/sessions\/([^/]+)\/(live|debug\/recording|debug\/logs)\/?$/;

/** The WebSockets of sessions that carry frames, input and logs; those of CDP are the gateway's. */
export class SessionSockets {
  readonly #options: SessionSocketsOptions;
  readonly #server = new WebSocketServer({
    noServer: true,
    clientTracking: false,
    // Frames are compressed already.
    perMessageDeflate: false,
    maxPayload: largestViewerMessage,
  });

  constructor(options: SessionSocketsOptions) {
    this.#options = options;
  }

  /** Takes a request to upgrade to WebSocket; false for one that is not for these sockets. */
  handleUpgrade(request: IncomingMessage, socket: Duplex, head: Buffer): boolean {
    const url = URL.parse((request.url ?? "").replace(/^[/\\]+/, "/"), "http://localhost");
    const match = path.exec(url?.pathname ?? "");
    if (url === null || match === null) return false;
    // A client that vanishes must not end the process.
    socket.on("error", () => {});
    this.#connect(request, socket, head, url, match).catch((error: unknown) => {
      if (!(error instanceof NightjarError)) this.#options.onFailure(error);
      if (!socket.destroyed) refuseUpgrade(socket, error);
    });
    return true;
  }

  async #connect(
    request: IncomingMessage,
    stream: Duplex,
    head: Buffer,
    url: URL,
    match: RegExpExecArray,
  ): Promise<void> {
    const sessionId = match[1] ?? "";
    const service = this.#authorize(sessionId, match[2] ?? "", url.searchParams);
    const { sessions } = this.#options;
    // Throws for a session that is none, or none any more.
    await sessions.browserOf(sessionId, null);
    const session = await sessions.find(sessionId);
    if (session === null || stream.destroyed) {
      stream.destroy();
      return;
    }
    this.#server.handleUpgrade(request, stream, head, (socket) => {
      this.#serve(socket, session, url.searchParams, service).catch((error: unknown) => {
        if (!(error instanceof NightjarError)) this.#options.onFailure(error);
        close(socket, standardCloseCodes.internalError, "the browser did not answer");
      });
    });
  }

  #authorize(sessionId: string, kind: string, query: URLSearchParams): SocketService {
    const { capabilities } = this.#options;
    if (kind === "live") {
      const ticket = checkViewerQuery(capabilities, query);
      if (ticket.sessionId !== sessionId) {
        throw new NightjarError("unauthorized", "This ticket is for another session.");
      }
      return (socket) => serveViewer(socket, ticket);
    }
    if (!capabilities.verify("cdp", sessionId, tokenIn(query))) {
      throw new NightjarError(
        "unauthorized",
        "The token in the URL is missing or wrong. Use the URL as the session's debug answer has it.",
      );
    }
    return kind === "debug/logs" ? serveLogs : serveRecording;
  }

  async #serve(
    socket: WebSocket,
    session: Session,
    query: URLSearchParams,
    service: SocketService,
  ): Promise<void> {
    const { sessions } = this.#options;
    // `close` follows every error.
    socket.on("error", () => {});
    keepAlive(socket, this.#options.pingEveryMs);
    // Before the first await, or an end meanwhile would pass unseen.
    const ended = Promise.withResolvers<EndedSession | null>();
    const cancel = sessions.onEnd(session.id, (end) => ended.resolve(end));
    if (cancel === null) {
      const now = await sessions.find(session.id);
      ended.resolve(now !== null && !isActive(now) ? now : null);
    }
    const onClosed = (callback: () => void): void => {
      if (socket.readyState === socket.CLOSED) callback();
      else socket.once("close", callback);
    };
    if (cancel !== null) onClosed(cancel);
    const opened = { socket, session, query, options: this.#options, onClosed };
    const farewell = await service(opened).catch((error: unknown): SocketFarewell => {
      if (error instanceof NightjarError && error.code === "session_ended") return () => {};
      throw error;
    });
    const end = await ended.promise;
    await Promise.race([farewell(end), delay(farewellTimeoutMs)]);
    closeFor(socket, end);
  }
}

/** Lets go of a client that is not there any more, or does not read what it asked for. */
function keepAlive(socket: WebSocket, pingEveryMs: number): void {
  let answered = true;
  socket.on("pong", () => {
    answered = true;
  });
  const timer = setInterval(() => {
    if (!answered || socket.bufferedAmount > mostBufferedBytes) socket.terminate();
    answered = false;
    socket.ping();
  }, pingEveryMs);
  socket.once("close", () => clearInterval(timer));
}

function closeFor(socket: WebSocket, ended: EndedSession | null): void {
  if (ended === null) {
    close(
      socket,
      standardCloseCodes.serviceRestart,
      "the server restarts; the session goes on, connect again",
    );
    return;
  }
  const { endReason } = ended.state;
  close(socket, closeCodeOf[endReason], `session ended: ${endReason}`);
}

function close(socket: WebSocket, code: number, reason: string): void {
  if (socket.readyState !== socket.OPEN) return;
  socket.close(code, reason);
  setTimeout(() => socket.terminate(), closeTimeoutMs).unref();
}
