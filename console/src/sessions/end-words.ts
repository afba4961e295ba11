import type { EndReason, Session, SessionStatus } from "../api/types.ts";

export const statusNames: Readonly<Record<SessionStatus, string>> = {
  active: "Active",
  closed: "Closed",
  timed_out: "Timed out",
  error: "Error",
};

/** Why a session ended, in a few words. */
export const endNames: Readonly<Record<EndReason, string>> = {
  client_stop: "Stopped by request",
  idle_timeout: "Idle too long",
  max_duration: "Reached its longest duration",
  browser_crash: "Browser crashed",
  out_of_memory: "Out of memory",
  node_lost: "Machine restarted",
  server_stop: "Server stopped",
  policy: "Ended by policy",
};

/** Why a session ended, in a sentence. */
export function endSentence(session: Session): string {
  switch (session.end_reason) {
    case "client_stop":
      return "Somebody asked for it: through the API, this console, or by closing the browser.";
    case "idle_timeout":
      return `Nothing operated it for ${minutes(session.idle_timeout_minutes)}, its idle timeout.`;
    case "max_duration":
      return `It reached ${minutes(session.max_duration_minutes)}, the longest it was allowed to last.`;
    case "browser_crash":
      return "Its browser died though nobody had asked for it.";
    case "out_of_memory":
      return "It used more memory than a session may.";
    case "node_lost":
      return "The machine that it ran on was restarted.";
    case "server_stop":
      return "The operator stopped the server.";
    case "policy":
      return "It did something that this server does not allow.";
    case null:
      return "";
    default:
      return "For a reason that this console does not know.";
  }
}

export function minutes(number: number): string {
  return number === 1 ? "1 minute" : `${number} minutes`;
}
