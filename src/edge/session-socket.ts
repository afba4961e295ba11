import type { WebSocket } from "ws";
import type { SessionFeeds } from "../events/session-feeds.ts";
import type { LiveViews } from "../live/live-views.ts";
import type { StepStore } from "../pages/steps/step-store.ts";
import type { SessionScreencasts } from "../recording/session-screencasts.ts";
import type { Capabilities } from "../sessions/capabilities.ts";
import type { EndedSession, Session } from "../sessions/session.ts";
import type { SessionService } from "../sessions/session-service.ts";

export interface SessionSocketsOptions {
  readonly sessions: SessionService;
  readonly capabilities: Capabilities;
  readonly steps: StepStore;
  readonly feeds: SessionFeeds;
  readonly screencasts: SessionScreencasts;
  readonly views: LiveViews;
  /** How often a client is asked whether it is still there, in ms. */
  readonly pingEveryMs: number;
  /** Told of what went wrong unexpectedly; the client is not. */
  readonly onFailure: (error: unknown) => void;
}

/** One open WebSocket of a session. */
export interface SessionSocket {
  readonly socket: WebSocket;
  readonly session: Session;
  readonly query: URLSearchParams;
  readonly options: SessionSocketsOptions;
  /** Calls back when it is closed, by whichever side; at once where it is closed already. */
  onClosed(callback: () => void): void;
}

/**
 * Serves one kind of socket; called when it is open. It answers what is to be said when the session
 * ends; the close frame is sent by others.
 */
export type SocketService = (socket: SessionSocket) => Promise<SocketFarewell>;

/** `ended`: null when the server stops and leaves the session running. */
export type SocketFarewell = (ended: EndedSession | null) => void | Promise<void>;
