import { failureTo } from "../sessions/egress-failures.ts";
import type { EgressFailure, WatchedEvent, WatchedTarget } from "../sessions/ports.ts";
import type { GrowingEntry, NetworkEntry } from "./network-entry.ts";
import type { NetworkEvents } from "./network-events.ts";
import { isToTell, RequestChain } from "./request-chain.ts";
import type { BodySource } from "./response-bodies.ts";
import { followWebSocket } from "./web-socket-entry.ts";

/** Requests that are followed at once; a page that begins more loses the oldest from sight. */
const mostRunning = 2000;

/** How long to wait for what the browser still owes of a request that is over, in ms. */
const patienceMs = 1000;

/** How long the page that was left may still tell of its requests, in ms. */
const farewellMs = 1000;

/** How long to keep what went over the wire for a request of which nothing else is told, in ms. */
const orphanMs = 10_000;

/** By how much the browser's times may differ from ours, in ms. */
const clockSlackMs = 100;

const domain = "Network.";

/** `source`: where its body can be had, for a while. */
type AnsweredListener = (entry: NetworkEntry, source: BodySource) => void;

/** Follows the network events of a session's targets and makes an entry of each request. */
export class NetworkLog {
  readonly #write: (entry: NetworkEntry) => void;
  readonly #egressFailures: () => readonly EgressFailure[];
  readonly #onAnswered: AnsweredListener;
  /** By the browser's id, which all redirects of a request share. */
  readonly #chains = new Map<string, RequestChain>();

  /**
   * `egressFailures`: the last connections that did not come about, and why. `onAnswered` is told of
   * each request whose answer has come to its end.
   */
  constructor(
    write: (entry: NetworkEntry) => void,
    egressFailures: () => readonly EgressFailure[] = () => [],
    onAnswered: AnsweredListener = () => {},
  ) {
    this.#write = write;
    this.#egressFailures = egressFailures;
    this.#onAnswered = onAnswered;
  }

  /** Goes on with a request that was not over when the log was last written; unless its page is gone. */
  resume(entry: NetworkEntry, isGone: boolean): void {
    const chain = RequestChain.resumed(entry);
    this.#chains.set(chain.requestId, chain);
    if (isGone) this.#giveUp(chain, "the page was closed");
  }

  receive({ method, params, target }: WatchedEvent): void {
    if (target === null || !method.startsWith(domain)) return;
    const event = method.slice(domain.length);
    if (!isFollowed(event)) return;
    const { requestId } = params as { readonly requestId: string };
    const known = this.#chains.get(requestId);
    if (known === undefined && !beginnings.has(event)) return;
    const chain = known ?? this.#follow(requestId);
    const entry = chain.running?.entry;
    handlers[event](chain, params as never, target);
    if (entry !== undefined) this.#explain(event, entry);
    if (entry !== undefined && event === "loadingFinished") {
      this.#onAnswered(entry, { requestId, sessionId: target.sessionId });
    }
    if (chain.hasBegun) chain.targetId ??= target.targetId;
    // Only a document that is shown is read; one that is downloaded is not.
    if (event === "dataReceived" || event === "loadingFinished") this.#show(chain, target);
    this.#settle(chain, patienceMs);
  }

  /** A page, frame or worker is gone, and tells nothing more of its requests. */
  targetClosed(target: WatchedTarget): void {
    for (const chain of this.#chains.values()) {
      if (isOf(chain, target)) this.#giveUp(chain, "the page was closed");
    }
  }

  /** To be called every second or so: writes down what takes long, gives up what will not come. */
  tend(): void {
    const now = Date.now();
    for (const chain of this.#chains.values()) {
      if (chain.leftAt !== null && now - chain.leftAt > farewellMs) {
        this.#giveUp(chain, "the page was left");
      }
      const { running } = chain;
      if (running !== null && isToTell(running, now)) this.#write({ ...running.entry });
      this.#settle(chain, patienceMs);
      if (!chain.hasBegun && now - chain.createdAt > orphanMs) this.#forget(chain);
    }
  }

  /** Writes down everything as it is, for the next process to go on with. */
  leave(): void {
    for (const chain of this.#chains.values()) {
      this.#settle(chain, 0);
      if (chain.running !== null) this.#write({ ...chain.running.entry });
    }
    this.#chains.clear();
  }

  /** The session ends, and with it what goes on. */
  close(): void {
    for (const chain of this.#chains.values()) {
      this.#giveUp(chain, "the session ended");
      this.#settle(chain, 0);
    }
    this.#chains.clear();
  }

  #follow(requestId: string): RequestChain {
    const chain = new RequestChain(requestId);
    this.#chains.set(requestId, chain);
    if (this.#chains.size > mostRunning) {
      const [oldest] = this.#chains.values();
      if (oldest !== undefined) {
        this.#giveUp(oldest, "too many requests went on at once to follow it");
        this.#settle(oldest, 0);
        this.#forget(oldest);
      }
    }
    return chain;
  }

  /** Adds what the browser's way out knows of a failure; browsers say no more than that there was one. */
  #explain(event: keyof NetworkEvents, entry: GrowingEntry): void {
    const isRefusedHere = event === "responseReceived" && entry.status === 403;
    const isFailed = event === "loadingFailed" || event === "webSocketFrameError";
    if (!isRefusedHere && !(isFailed && entry.failure !== null)) return;
    const known = failureTo(this.#egressFailures(), entry.url, entry.startedAt - clockSlackMs);
    if (known === null) return;
    if (isFailed) entry.failure = `${entry.failure}: ${known.message}`;
    // An answer of the way out itself, not of the server.
    else if (known.kind === "refused") entry.failure = known.message;
  }

  /** A frame shows a new document: what its last one requested will not be told to the end. */
  #show(document: RequestChain, target: WatchedTarget): void {
    if (!document.isNavigation || document.isShown) return;
    document.isShown = true;
    // With the uppermost frame of a target all others in it go.
    const isWhole = document.frameId === target.targetId;
    const begun = document.begun ?? 0;
    for (const chain of this.#chains.values()) {
      if (!isOf(chain, target) || chain.loaderId === document.requestId) continue;
      if (!isWhole && chain.frameId !== document.frameId) continue;
      if (chain.isNavigation && (chain.begun ?? 0) >= begun) continue;
      chain.leftAt ??= Date.now();
    }
  }

  #giveUp(chain: RequestChain, why: string): void {
    const { running } = chain;
    if (running === null) return;
    if (!isOpenEnded(running.entry)) running.entry.failure ??= `${why} before it was over`;
    chain.end(running, null);
    this.#settle(chain, patienceMs);
  }

  #settle(chain: RequestChain, patience: number): void {
    for (const hop of chain.toWrite(patience)) {
      hop.written = true;
      this.#write(hop.entry);
    }
    if (chain.isDone) this.#forget(chain);
  }

  #forget(chain: RequestChain): void {
    this.#chains.delete(chain.requestId);
  }
}

/** What may come first of a request. */
const beginnings: ReadonlySet<string> = new Set<keyof NetworkEvents>([
  "requestWillBeSent",
  "requestWillBeSentExtraInfo",
  "webSocketCreated",
]);

type Handlers = {
  readonly [Event in keyof NetworkEvents]: (
    chain: RequestChain,
    event: NetworkEvents[Event],
    target: WatchedTarget,
  ) => void;
};

const handlers: Handlers = {
  requestWillBeSent: (chain, event, { targetId, tabId }) => chain.begin(event, targetId, tabId),
  requestWillBeSentExtraInfo: (chain, event) => chain.headSent(event),
  responseReceivedExtraInfo: (chain, event) => chain.headReceived(event),
  responseReceived: (chain, event) => chain.answered(event),
  requestServedFromCache: ({ running }) => {
    if (running !== null) running.entry.fromCache = true;
  },
  dataReceived: ({ running }, { dataLength, encodedDataLength }) => {
    if (running === null) return;
    running.entry.contentBytes += dataLength;
    running.entry.responseBytes += encodedDataLength;
  },
  loadingFinished: (chain, { encodedDataLength, timestamp }) => {
    const { running } = chain;
    if (running === null) return;
    running.entry.responseBytes = Math.max(0, Math.round(encodedDataLength));
    chain.end(running, timestamp);
  },
  loadingFailed: (chain, event) => {
    const { running } = chain;
    if (running === null) return;
    running.entry.failure = failureOf(running.entry, event);
    chain.end(running, event.timestamp);
  },
  webSocketCreated: followWebSocket.created,
  webSocketWillSendHandshakeRequest: followWebSocket.handshakeSent,
  webSocketHandshakeResponseReceived: followWebSocket.handshakeReceived,
  webSocketFrameSent: followWebSocket.messageSent,
  webSocketFrameReceived: followWebSocket.messageReceived,
  webSocketFrameError: followWebSocket.failed,
  webSocketClosed: followWebSocket.closed,
};

function failureOf(entry: GrowingEntry, event: NetworkEvents["loadingFailed"]): string | null {
  const { blockedReason, corsErrorStatus, errorText, canceled } = event;
  if (errorText === "net::ERR_ABORTED" && isNoPage(entry)) return null;
  const cause = blockedReason ?? corsErrorStatus?.corsError;
  const words = errorText === "" ? (canceled === true ? "cancelled" : "failed") : errorText;
  return cause === undefined ? words : `${words} (${cause})`;
}

/** Whether a navigation ended without a page because the answer was a download or nothing. */
function isNoPage({ type, status, mimeType, responseHeaders }: NetworkEntry): boolean {
  if (type !== "Document" || status === null || status >= 400) return false;
  if (status === 204 || status === 205) return true;
  const [, disposition = ""] =
    Object.entries(responseHeaders).find(
      ([name]) => name.toLowerCase() === "content-disposition",
    ) ?? [];
  return /^\s*attachment/i.test(disposition) || /^application\/(octet-stream|zip)$/.test(mimeType);
}

/** Whether it is not meant to come to an end, or nobody is meant to learn of it. */
function isOpenEnded({ type, status }: NetworkEntry): boolean {
  if (type === "Ping") return true;
  return (type === "WebSocket" || type === "EventSource") && status !== null;
}

/** Of what the log of a process before this one told, only the tab is known until more is heard. */
function isOf(chain: RequestChain, { kind, targetId, tabId }: WatchedTarget): boolean {
  if (chain.targetId !== null) return chain.targetId === targetId;
  return kind === "page" && chain.running?.entry.tabId === tabId;
}

function isFollowed(event: string): event is keyof NetworkEvents {
  return Object.hasOwn(handlers, event);
}
