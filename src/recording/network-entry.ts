/** The phases of a request, in ms each; -1 where a phase did not take place. As in HAR 1.2. */
export interface RequestTimings {
  readonly blocked: number;
  readonly dns: number;
  readonly connect: number;
  readonly ssl: number;
  readonly send: number;
  readonly wait: number;
  readonly receive: number;
}

/**
 * One request of a session's pages, as it is logged: secrets masked, no bodies. A redirect makes an
 * entry of its own. Written when it is over, and once before if it takes longer; the last line of an
 * id holds.
 */
export interface NetworkEntry {
  /** Unique in the session. */
  readonly id: string;
  /** The target id of the tab; empty for what belongs to none. */
  readonly tabId: string;
  readonly method: string;
  readonly url: string;
  /** Null until an answer came. */
  readonly status: number | null;
  readonly statusText: string;
  /** As the protocol calls it, e.g. `Document`, `XHR`, `WebSocket`. */
  readonly type: string;
  readonly mimeType: string;
  /** E.g. `h2`, `http/1.1`. */
  readonly protocol: string;
  /** Epoch ms. */
  readonly startedAt: number;
  /** In ms; null while it goes on. */
  readonly durationMs: number | null;
  /** Head and body as sent, in bytes; of the head, what the browser tells of it. */
  readonly requestBytes: number;
  /** As received, compressed and with its head, in bytes. */
  readonly responseBytes: number;
  /** Who asked: the kind, and where it stands. */
  readonly initiator: string;
  /** Why it failed; null where it did not. */
  readonly failure: string | null;
  readonly fromCache: boolean;
  readonly remoteAddress: string;
  readonly requestHeaders: Readonly<Record<string, string>>;
  readonly responseHeaders: Readonly<Record<string, string>>;
  readonly timings: RequestTimings | null;
  readonly redirectUrl: string;
  /** Of a WebSocket: messages sent and received so far; null for other requests. */
  readonly messages: { readonly sent: number; readonly received: number } | null;
}

/** Whether a parsed line of the log is an entry. */
export function isNetworkEntry(value: unknown): value is NetworkEntry {
  return (
    typeof value === "object" &&
    value !== null &&
    "id" in value &&
    "startedAt" in value &&
    "url" in value
  );
}
