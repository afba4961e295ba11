import type { BrowserSettings } from "./browser-settings.ts";
import { lostWithBrowser, type ProfileSave } from "./profile.ts";
import type { Traffic } from "./traffic.ts";

/** What a client sees of a session's life. A start either answers `active` or fails and leaves nothing. */
export const sessionStatuses = ["active", "closed", "timed_out", "error"] as const;
export type SessionStatus = (typeof sessionStatuses)[number];

/** Why a session ended: a closed list, said in the store, the API, the log and every close frame. */
export const endReasons = [
  "client_stop",
  "idle_timeout",
  "max_duration",
  "browser_crash",
  "out_of_memory",
  "node_lost",
  "server_stop",
  "policy",
] as const;

export type EndReason = (typeof endReasons)[number];

/** The status that each end leads to. */
export const statusOfEnd: Readonly<Record<EndReason, Exclude<SessionStatus, "active">>> = {
  client_stop: "closed",
  server_stop: "closed",
  policy: "closed",
  idle_timeout: "timed_out",
  max_duration: "timed_out",
  browser_crash: "error",
  out_of_memory: "error",
  node_lost: "error",
};

export interface ActiveState {
  readonly status: "active";
}

/** A terminal state: never changes again. */
export interface EndedState {
  readonly status: Exclude<SessionStatus, "active">;
  readonly endReason: EndReason;
  /** What went wrong, in words for the session's owner; null where nothing did. */
  readonly error: string | null;
  /** Epoch ms. */
  readonly closedAt: number;
  /** What became of its profile; null where it persists none. */
  readonly profileSave: ProfileSave | null;
}

interface SessionRecord {
  /** A random UUID. */
  readonly id: string;
  readonly tenantId: string;
  /** The API key that started it; null when that key is not known any more. */
  readonly apiKeyId: string | null;
  /** The server process group that holds its browser. */
  readonly nodeId: string;
  /** What the browser host needs to find the browser again after a restart; opaque here, empty after the end. */
  readonly browserReference: string;
  readonly settings: BrowserSettings;
  /** Epoch ms. */
  readonly createdAt: number;
  /** Epoch ms of the last operation through the API, CDP traffic or live-view input. */
  readonly lastAccessedAt: number;
  readonly idleTimeoutMinutes: number;
  readonly maxDurationMinutes: number;
  /** First API: whether a page operation leaves the session open. */
  readonly keepAlive: boolean;
  /** Of its whole life, as far as it has been measured or saved. */
  readonly traffic: Traffic;
}

export interface ActiveSession extends SessionRecord {
  readonly state: ActiveState;
}

export interface EndedSession extends SessionRecord {
  readonly state: EndedState;
}

export type Session = ActiveSession | EndedSession;

export interface Deadline {
  /** Epoch ms. */
  readonly at: number;
  readonly reason: Extract<EndReason, "idle_timeout" | "max_duration">;
}

const msPerMinute = 60_000;

/** When an active session ends if nothing touches it: the earlier of its idle and maximum limits. */
export function deadlineOf(session: ActiveSession): Deadline {
  const idleAt = session.lastAccessedAt + session.idleTimeoutMinutes * msPerMinute;
  const maxAt = session.createdAt + session.maxDurationMinutes * msPerMinute;
  return maxAt <= idleAt
    ? { at: maxAt, reason: "max_duration" }
    : { at: idleAt, reason: "idle_timeout" };
}

export function isActive(session: Session): session is ActiveSession {
  return session.state.status === "active";
}

/** Records an access at `now` (epoch ms). An ended session is past touching and comes back as it is. */
export function touchSession<S extends Session>(session: S, now: number): S {
  if (!isActive(session) || now <= session.lastAccessedAt) return session;
  return { ...session, lastAccessedAt: now };
}

/** Gives an active session new limits; limits left out stay. */
export function retimeSession(
  session: ActiveSession,
  limits: { readonly idleTimeoutMinutes?: number; readonly keepAlive?: boolean },
): ActiveSession {
  return {
    ...session,
    idleTimeoutMinutes: limits.idleTimeoutMinutes ?? session.idleTimeoutMinutes,
    keepAlive: limits.keepAlive ?? session.keepAlive,
  };
}

/**
 * Ends a session at `now` (epoch ms). A session that has already ended keeps its first end. Without
 * `profileSave`, the state of a session that persists one was lost with its browser.
 */
export function endSession(
  session: Session,
  reason: EndReason,
  now: number,
  error: string | null = null,
  profileSave: ProfileSave = { savedAt: null, error: lostWithBrowser },
): EndedSession {
  if (!isActive(session)) return session;
  const state: EndedState = {
    status: statusOfEnd[reason],
    endReason: reason,
    error,
    closedAt: Math.max(now, session.createdAt),
    profileSave: session.settings.profile?.persist ? profileSave : null,
  };
  // There is no browser to find again, and what finds it may hold the password of its proxy.
  return { ...session, browserReference: "", state };
}

/** How long the session has lived, in ms: until its end, or until `now` (epoch ms). */
export function lifetimeMs(session: Session, now: number): number {
  const until = isActive(session) ? now : session.state.closedAt;
  return Math.max(0, until - session.createdAt);
}
