import type { Duplex } from "node:stream";
import type { BrowserSettings } from "./browser-settings.ts";
import type { ProfileSave, ProfileUse } from "./profile.ts";
import type { ActiveSession, EndedState, EndReason, Session, SessionStatus } from "./session.ts";
import type { Traffic } from "./traffic.ts";

/** The time, and being called at a time. Replaced in tests. */
export interface Clock {
  /** Epoch ms. */
  now(): number;
  /** Calls back at `at` (epoch ms) or soon after. Returns the way to cancel. */
  callAt(at: number, callback: () => void): () => void;
}

/** Why a browser is not there any more, without anyone having released it. */
export interface BrowserLoss {
  readonly reason: Extract<EndReason, "browser_crash" | "out_of_memory" | "node_lost">;
  readonly message: string;
}

/** A tab of a session's browser. */
export interface PageTarget {
  readonly targetId: string;
  readonly title: string;
  readonly url: string;
}

/** Which CDP endpoint of a browser to talk to: the browser itself, or one of its targets. */
export type CdpScope =
  | { readonly kind: "browser" }
  | { readonly kind: "page"; readonly targetId: string };

/** A CDP connection of the server's own to a browser: one JSON object a message. */
export interface CdpMessages {
  send(message: object): void;
  /** Calls back for every message; one listener at a time. */
  onMessage(listener: (message: object) => void): void;
  /** Settles when the connection is closed, by whichever side; never rejects. */
  readonly closed: Promise<void>;
  close(): void;
}

/** A page, a frame of another site or a worker, while the server watches it. */
export interface WatchedTarget {
  readonly targetId: string;
  /** The watch's own CDP session in it. */
  readonly sessionId: string;
  readonly kind: "page" | "iframe" | "worker" | "service_worker" | "shared_worker";
  /** The target id of the tab that it belongs to; its own for a page; empty for workers of no tab. */
  readonly tabId: string;
  readonly url: string;
  /** As of the last change of its URL: browsers do not tell when a title alone changes. */
  readonly title: string;
}

export interface WatchedChange {
  readonly kind: "opened" | "changed" | "closed";
  readonly target: WatchedTarget;
}

export interface WatchedEvent {
  /** A CDP event, e.g. `Network.requestWillBeSent`. */
  readonly method: string;
  readonly params: unknown;
  /** Null for events of the browser itself. */
  readonly target: WatchedTarget | null;
}

/**
 * The server's own look at everything in a browser, beside its clients: one CDP connection that is
 * attached to every page, frame of another site and worker. Where the session is recorded, their
 * network, runtime and log events come from the very first one on.
 */
export interface BrowserWatch {
  /** The pages, in the order in which they opened. */
  readonly tabs: readonly WatchedTarget[];
  readonly targets: readonly WatchedTarget[];
  /** Calls back for targets that come, change their URL or title, or go; returns the way to stop. */
  onTarget(listener: (change: WatchedChange) => void): () => void;
  /** Calls back for every event; returns the way to stop. */
  onEvent(listener: (event: WatchedEvent) => void): () => void;
  /**
   * Sends a CDP command to a target, or without `sessionId` to the browser. Throws for an error that
   * the browser answers, and when no answer comes within `timeoutMs` (5000 unless given).
   */
  send(
    method: string,
    params?: object,
    options?: { readonly sessionId?: string; readonly timeoutMs?: number },
  ): Promise<unknown>;
  /** Settles when the connection is closed, by whichever side; never rejects. */
  readonly closed: Promise<void>;
}

/** A tab of the server's own. */
export interface OwnTab {
  readonly targetId: string;
  /** As `BrowserWatch.send`. */
  send(method: string, params?: object, timeoutMs?: number): Promise<unknown>;
  /** Calls back for its events; one listener. */
  onEvent(listener: (method: string, params: unknown) => void): void;
  /** Never throws. */
  close(): Promise<void>;
}

/** What becomes of a file that a page downloads. A download begins once and ends once. */
export type BrowserDownload = {
  /** Unique among the browser's downloads. */
  readonly id: string;
  readonly url: string;
  /** What the page or its server calls the file: not to be trusted. */
  readonly suggestedName: string;
} & (
  | { readonly kind: "began"; readonly path: null }
  /** `path`: where the browser says that it put the file: not to be trusted either. */
  | { readonly kind: "completed"; readonly path: string }
  | { readonly kind: "failed"; readonly path: null; readonly reason: string }
);

/** A connection of a browser's that this server did not make, or that did not come about. */
export type EgressFailure = {
  /** Epoch ms. */
  readonly at: number;
  /** A name, or an address without brackets. */
  readonly host: string;
  readonly port: number;
  /** Half a sentence for the session's owner: why. */
  readonly message: string;
} & (
  | {
      readonly kind: "refused";
      /** What was against it: the address, a list of hosts, a port of ours, or who asked. */
      readonly reason: "address" | "domain" | "port" | "peer";
    }
  | {
      readonly kind: "failed";
      readonly reason:
        | "name"
        | "refused_there"
        | "closed"
        | "timed_out"
        | "unreachable"
        /** The session's own proxy, or what it says of its target. */
        | "upstream"
        | "upstream_target"
        | "other";
    }
);

/** One browser process (or one browser elsewhere) that belongs to one session. */
export interface Browser {
  /** Plain text that `BrowserHost.recover` understands after a restart. */
  readonly reference: string;
  /** Product and version, e.g. `HeadlessChrome/156.0.8078.79`. */
  readonly product: string;
  /** The only directory that the browser may write to; null for a browser elsewhere. */
  readonly directory: string | null;
  /** Settles when the browser is gone though nobody released it; never rejects. */
  readonly lost: Promise<BrowserLoss>;
  /** Opens a WebSocket to the browser and hands over its byte stream, the handshake done. */
  openCdp(scope: CdpScope): Promise<Duplex>;
  /** Opens a CDP connection to the browser, for the server's own use. */
  openMessages(): Promise<CdpMessages>;
  /** The server's own look at all of its targets; one for all who ask. Throws when it cannot connect. */
  watch(): Promise<BrowserWatch>;
  /**
   * Opens a tab for the server's own use, in the browser's own context. Its watch shows nothing of it;
   * clients of the browser see it. Throws when the browser opens none.
   */
  openTab(): Promise<OwnTab>;
  /** Its tabs, most recently used first. */
  pages(): Promise<readonly PageTarget[]>;
  /**
   * Calls back for the downloads of all of its pages; returns the way to stop. A browser elsewhere
   * keeps its files there and tells of none.
   */
  onDownload(listener: (download: BrowserDownload) => void): () => void;
  /** What it sent and received so far, while this server has had it; zeros for a browser elsewhere. */
  readonly traffic: Traffic;
  /** The last connections that did not come about, oldest first; none for a browser elsewhere. */
  readonly egressFailures: readonly EgressFailure[];
  /** Calls back for every connection that does not come about; returns the way to stop. */
  onEgressFailure(listener: (failure: EgressFailure) => void): () => void;
  /** A PNG of the most recently used tab. Throws `browser_unavailable` within 15 s if it cannot. */
  screenshot(): Promise<Buffer>;
  /** Ends the browser, its whole process tree and its directory, soon but certainly. Idempotent. */
  release(): void;
}

/** Hands out browsers. The domain never assumes that they run in this process. */
export interface BrowserHost {
  /**
   * Throws `browser_unavailable`, `attach_failed`, `attach_refused`, `proxy_failed`, `not_supported`
   * or, for a proxy that is none, `invalid_request`.
   */
  acquire(settings: BrowserSettings, tenantId: string): Promise<Browser>;
  /**
   * Finds the browsers of sessions again after a restart, given their references by session id, and
   * ends every other browser and directory of this node. The answer has an entry for each session.
   */
  recover(
    references: ReadonlyMap<string, string>,
  ): Promise<ReadonlyMap<string, Browser | BrowserLoss>>;
}

/** The state of a profile, read for a session that is being started. */
export interface LoadedProfile {
  /** Changes whenever the state is written. */
  readonly revision: number;
  /** Puts the state into a browser that nobody has used yet. Throws `browser_unavailable`. */
  restore(browser: Browser): Promise<void>;
}

/** What sessions need of profiles. */
export interface SessionProfiles {
  /** Throws `profile_not_found`, or `profile_in_use` where it is to be persisted and another session does. */
  load(tenantId: string, use: ProfileUse): Promise<LoadedProfile>;
  /**
   * Writes the state of a session back, while its browser still lives; with null, only answers what
   * was written while it lived. Bounded in time; never rejects.
   */
  save(session: ActiveSession, browser: Browser | null): Promise<ProfileSave>;
  /**
   * Writes down what the next process cannot find out of a session that it takes over, such as where it
   * has been since. Never rejects.
   */
  leave(session: ActiveSession, browser: Browser): Promise<void>;
}

/** What a host has left, as measured. Sizes in bytes. */
export interface HostReading {
  readonly memory: {
    readonly totalBytes: number;
    /** What could be used before anything would have to be taken away from somebody. */
    readonly availableBytes: number;
    /** What idle warm browsers hold: a session that takes one over needs that much less. */
    readonly idleBytes: number;
  };
  /** Of the file system that sessions write to; null where it cannot be told. */
  readonly disk: { readonly totalBytes: number; readonly freeBytes: number } | null;
  readonly cpu: {
    readonly cores: number;
    /** All cores together over the last seconds, 0 to 100. */
    readonly loadPercent: number;
  };
}

/** Measures the host. */
export interface HostGauge {
  /** Quick: it is asked at each start. */
  read(): Promise<HostReading>;
}

/** A client's promise that a repeated request is the same one. */
export interface IdempotencyClaim {
  readonly key: string;
  /** A digest of the request: the same key with another digest is a conflict. */
  readonly fingerprint: string;
}

export interface SessionListQuery {
  readonly tenantId: string;
  readonly onlyActive: boolean;
  /** Only sessions that this key started. */
  readonly apiKeyId?: string;
  /** Only sessions in this state. */
  readonly status?: SessionStatus;
  /**
   * Only sessions whose id begins with this text, or that ended with it in their reason or error.
   * Letter case does not count, and in reasons a space is as good as an underscore.
   */
  readonly search?: string;
  /** From 1. */
  readonly page: number;
  readonly pageSize: number;
}

export interface SessionPage {
  /** Newest first. */
  readonly sessions: readonly Session[];
  readonly hasNext: boolean;
}

/** Whose active sessions: a node's, a tenant's, or those that a key started. */
export type ActiveWhere =
  | { readonly nodeId: string }
  | { readonly tenantId: string }
  | { readonly apiKeyId: string };

export interface SessionProgress {
  /** Epoch ms. */
  readonly lastAccessedAt: number;
  readonly traffic: Traffic;
}

/** The durable truth about sessions. Every method has committed when its promise resolves. */
export interface SessionStore {
  /**
   * Inserts the session and its claim in one transaction; false when the claim was already taken. With
   * a profile, in the same transaction: throws `profile_not_found`; where the session persists it,
   * `profile_in_use` while another one does, and `ProfileChanged` where its state has another
   * revision now. From then on until the session's end nobody else writes that profile.
   */
  insert(
    session: ActiveSession,
    claim: IdempotencyClaim | null,
    profileRevision?: number,
  ): Promise<boolean>;
  find(id: string): Promise<Session | null>;
  findClaim(
    tenantId: string,
    key: string,
  ): Promise<{ readonly sessionId: string; readonly fingerprint: string } | null>;
  list(query: SessionListQuery): Promise<SessionPage>;
  activeOnNode(nodeId: string): Promise<readonly ActiveSession[]>;
  /** Since when each active session runs (epoch ms), by id. */
  activeSince(where: ActiveWhere): Promise<ReadonlyMap<string, number>>;
  /**
   * Ends the session if it is active, compare-and-set; false when it had ended before. Traffic that
   * is not given stays as it was saved.
   */
  end(id: string, state: EndedState, lastAccessedAt: number, traffic?: Traffic): Promise<boolean>;
  /** Saves limits and last access of an active session; false when it had ended before. */
  retime(session: ActiveSession): Promise<boolean>;
  /** Saves what changes all the time, by session id, where the session is active. */
  saveProgress(progress: ReadonlyMap<string, SessionProgress>): Promise<void>;
}
