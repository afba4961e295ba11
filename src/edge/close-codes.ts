import type { EndReason } from "../sessions/session.ts";

/** The close code of every WebSocket that was open on a session when it ended, by the reason. */
export const closeCodeOf: Readonly<Record<EndReason, number>> = {
  client_stop: 4000,
  idle_timeout: 4001,
  max_duration: 4002,
  browser_crash: 4003,
  out_of_memory: 4004,
  node_lost: 4005,
  server_stop: 4006,
  policy: 4007,
};

/** Close codes that RFC 6455 (7.4.1) and its registry define. */
export const standardCloseCodes = {
  normal: 1000,
  internalError: 1011,
  /** The server stops and the session goes on: connect again. */
  serviceRestart: 1012,
} as const;
