import type { Protocol } from "devtools-protocol";
import { failureTo } from "../sessions/egress-failures.ts";
import type { EgressFailure, WatchedEvent } from "../sessions/ports.ts";
import { loggedUrl, maskHeaders } from "./masking.ts";
import type { NetworkEntry, RequestTimings } from "./network-entry.ts";

type Network<Event extends string> = Event extends keyof NetworkEvents
  ? NetworkEvents[Event]
  : never;

interface NetworkEvents {
  readonly requestWillBeSent: Protocol.Network.RequestWillBeSentEvent;
  readonly requestWillBeSentExtraInfo: Protocol.Network.RequestWillBeSentExtraInfoEvent;
  readonly requestServedFromCache: Protocol.Network.RequestServedFromCacheEvent;
  readonly responseReceived: Protocol.Network.ResponseReceivedEvent;
  readonly dataReceived: Protocol.Network.DataReceivedEvent;
  readonly loadingFinished: Protocol.Network.LoadingFinishedEvent;
  readonly loadingFailed: Protocol.Network.LoadingFailedEvent;
  readonly webSocketCreated: Protocol.Network.WebSocketCreatedEvent;
  readonly webSocketWillSendHandshakeRequest: Protocol.Network.WebSocketWillSendHandshakeRequestEvent;
  readonly webSocketHandshakeResponseReceived: Protocol.Network.WebSocketHandshakeResponseReceivedEvent;
  readonly webSocketFrameSent: Protocol.Network.WebSocketFrameSentEvent;
  readonly webSocketFrameReceived: Protocol.Network.WebSocketFrameReceivedEvent;
  readonly webSocketFrameError: Protocol.Network.WebSocketFrameErrorEvent;
  readonly webSocketClosed: Protocol.Network.WebSocketClosedEvent;
}

type Mutable<T> = { -readonly [Key in keyof T]: T[Key] };

interface Running {
  readonly entry: Mutable<NetworkEntry>;
  /** The browser's own clock at its start, in s. */
  begun: number;
  redirects: number;
  /** Whether a line of it stands in the log already. */
  told: boolean;
}

/** By how much the browser's times may differ from ours, in ms. */
const clockSlackMs = 100;

/** Requests that are followed at once; a page that begins more loses the oldest. */
const mostRunning = 2000;

/** Follows the network events of a session's targets and makes an entry of each request. */
export class NetworkLog {
  readonly #write: (entry: NetworkEntry) => void;
  readonly #egressFailures: () => readonly EgressFailure[];
  /** By the browser's id of the request, which all of its redirects share. */
  readonly #running = new Map<string, Running>();

  /** `egressFailures`: the last connections that did not come about, and why. */
  constructor(
    write: (entry: NetworkEntry) => void,
    egressFailures: () => readonly EgressFailure[] = () => [],
  ) {
    this.#write = write;
    this.#egressFailures = egressFailures;
  }

  receive({ method, params, target }: WatchedEvent): void {
    const tabId = target?.tabId ?? "";
    switch (method) {
      case "Network.requestWillBeSent":
        this.#begun(params as Network<"requestWillBeSent">, tabId);
        break;
      case "Network.requestWillBeSentExtraInfo":
        this.#headersSent(params as Network<"requestWillBeSentExtraInfo">);
        break;
      case "Network.requestServedFromCache":
        this.#change(params as Network<"requestServedFromCache">, ({ entry }) => {
          entry.fromCache = true;
        });
        break;
      case "Network.responseReceived":
        this.#answered(params as Network<"responseReceived">);
        break;
      case "Network.dataReceived":
        this.#change(params as Network<"dataReceived">, ({ entry }) => {
          entry.responseBytes += (params as Network<"dataReceived">).encodedDataLength;
        });
        break;
      case "Network.loadingFinished":
        this.#finished(params as Network<"loadingFinished">);
        break;
      case "Network.loadingFailed":
        this.#failed(params as Network<"loadingFailed">);
        break;
      default:
        if (method.startsWith("Network.webSocket")) this.#webSocket(method, params, tabId);
    }
  }

  /** Tells of the requests that go on and that the log does not know of yet. */
  tellRunning(): void {
    for (const running of this.#running.values()) {
      if (running.told) continue;
      running.told = true;
      this.#write({ ...running.entry });
    }
  }

  /** What still goes on will not be seen to end. */
  close(): void {
    for (const { entry } of this.#running.values()) {
      this.#write({ ...entry, failure: entry.failure ?? "the session ended" });
    }
    this.#running.clear();
  }

  #begun(event: Network<"requestWillBeSent">, tabId: string): void {
    const { requestId, request, redirectResponse, timestamp, wallTime } = event;
    const before = this.#running.get(requestId);
    if (before !== undefined && redirectResponse === undefined) return;
    if (before !== undefined && redirectResponse !== undefined) {
      takeResponse(before.entry, redirectResponse);
      before.entry.redirectUrl = loggedUrl(request.url);
      this.#over(requestId, before, timestamp);
    }
    const redirects = before === undefined ? 0 : before.redirects + 1;
    const hash = request.urlFragment ?? "";
    this.#follow(requestId, {
      begun: timestamp,
      redirects,
      told: false,
      entry: newEntry({
        id: redirects === 0 ? requestId : `${requestId}:${redirects}`,
        tabId,
        method: request.method,
        url: loggedUrl(`${request.url}${hash}`),
        type: event.type ?? "Other",
        startedAt: Math.round(wallTime * 1000),
        requestBytes: sentBytes(request.method, request.url, request.headers, request),
        initiator: initiatorOf(event.initiator),
        requestHeaders: maskHeaders(request.headers),
      }),
    });
  }

  #headersSent({ requestId, headers }: Network<"requestWillBeSentExtraInfo">): void {
    this.#change({ requestId }, ({ entry }) => {
      const length = Number(headers["Content-Length"] ?? headers["content-length"] ?? 0);
      entry.requestBytes = headBytes(entry.method, entry.url, headers) + (length || 0);
      entry.requestHeaders = maskHeaders(headers);
    });
  }

  #answered({ requestId, response, type }: Network<"responseReceived">): void {
    this.#change({ requestId }, ({ entry }) => {
      takeResponse(entry, response);
      entry.type = type;
      // An answer of the browser's own way out, not of the server.
      if (response.status === 403) entry.failure = this.#reasonOf(entry, "refused");
    });
  }

  #finished({ requestId, encodedDataLength, timestamp }: Network<"loadingFinished">): void {
    const running = this.#running.get(requestId);
    if (running === undefined) return;
    running.entry.responseBytes = Math.max(0, Math.round(encodedDataLength));
    this.#over(requestId, running, timestamp);
  }

  #failed(event: Network<"loadingFailed">): void {
    const running = this.#running.get(event.requestId);
    if (running === undefined) return;
    const { blockedReason, corsErrorStatus, errorText, canceled } = event;
    const cause = blockedReason ?? corsErrorStatus?.corsError;
    const words = errorText === "" ? (canceled === true ? "cancelled" : "failed") : errorText;
    const failure = cause === undefined ? words : `${words} (${cause})`;
    const reason = this.#reasonOf(running.entry);
    running.entry.failure = reason === null ? failure : `${failure}: ${reason}`;
    this.#over(event.requestId, running, event.timestamp);
  }

  #webSocket(method: string, params: unknown, tabId: string): void {
    const { requestId } = params as { readonly requestId: string };
    if (method === "Network.webSocketCreated") {
      const { url, initiator } = params as Network<"webSocketCreated">;
      const entry = newEntry({
        id: requestId,
        tabId,
        method: "GET",
        url: loggedUrl(url),
        type: "WebSocket",
        startedAt: Date.now(),
        requestBytes: 0,
        initiator: initiator === undefined ? "other" : initiatorOf(initiator),
        requestHeaders: {},
      });
      entry.messages = { sent: 0, received: 0 };
      this.#follow(requestId, { entry, begun: 0, redirects: 0, told: false });
      return;
    }
    const running = this.#running.get(requestId);
    if (running === undefined) return;
    const { entry } = running;
    switch (method) {
      case "Network.webSocketWillSendHandshakeRequest": {
        const event = params as Network<"webSocketWillSendHandshakeRequest">;
        running.begun = event.timestamp;
        entry.startedAt = Math.round(event.wallTime * 1000);
        entry.requestHeaders = maskHeaders(event.request.headers);
        entry.requestBytes = headBytes("GET", entry.url, event.request.headers);
        return;
      }
      case "Network.webSocketHandshakeResponseReceived": {
        const { response } = params as Network<"webSocketHandshakeResponseReceived">;
        entry.status = response.status;
        entry.statusText = response.statusText;
        entry.responseHeaders = maskHeaders(response.headers);
        return;
      }
      case "Network.webSocketFrameSent": {
        const { response } = params as Network<"webSocketFrameSent">;
        entry.requestBytes += response.payloadData.length;
        entry.messages = count(entry.messages, "sent");
        return;
      }
      case "Network.webSocketFrameReceived": {
        const { response } = params as Network<"webSocketFrameReceived">;
        entry.responseBytes += response.payloadData.length;
        entry.messages = count(entry.messages, "received");
        return;
      }
      case "Network.webSocketFrameError": {
        const { errorMessage } = params as Network<"webSocketFrameError">;
        const reason = this.#reasonOf(entry);
        entry.failure = reason === null ? errorMessage : `${errorMessage}: ${reason}`;
        return;
      }
      case "Network.webSocketClosed":
        this.#over(requestId, running, (params as Network<"webSocketClosed">).timestamp);
    }
  }

  /** What the browser's way out knows of a request that failed; browsers say no more than that it did. */
  #reasonOf({ url, startedAt }: NetworkEntry, kind?: EgressFailure["kind"]): string | null {
    const failure = failureTo(this.#egressFailures(), url, startedAt - clockSlackMs);
    if (failure === null || (kind !== undefined && failure.kind !== kind)) return null;
    return failure.message;
  }

  #change(event: { readonly requestId: string }, change: (running: Running) => void): void {
    const running = this.#running.get(event.requestId);
    if (running !== undefined) change(running);
  }

  #follow(requestId: string, running: Running): void {
    this.#running.set(requestId, running);
    if (this.#running.size <= mostRunning) return;
    const [oldest] = this.#running;
    if (oldest === undefined) return;
    this.#running.delete(oldest[0]);
    if (!oldest[1].told) this.#write({ ...oldest[1].entry });
  }

  #over(requestId: string, { entry, begun }: Running, at: number): void {
    this.#running.delete(requestId);
    entry.durationMs = begun === 0 ? 0 : Math.max(0, Math.round((at - begun) * 1e6) / 1000);
    entry.timings = withReceive(entry.timings, entry.durationMs);
    this.#write(entry);
  }
}

function newEntry(
  known: Pick<
    NetworkEntry,
    | "id"
    | "tabId"
    | "method"
    | "url"
    | "type"
    | "startedAt"
    | "requestBytes"
    | "initiator"
    | "requestHeaders"
  >,
): Mutable<NetworkEntry> {
  return {
    ...known,
    status: null,
    statusText: "",
    mimeType: "",
    protocol: "",
    durationMs: null,
    responseBytes: 0,
    failure: null,
    fromCache: false,
    remoteAddress: "",
    responseHeaders: {},
    timings: null,
    redirectUrl: "",
    messages: null,
  };
}

function takeResponse(entry: Mutable<NetworkEntry>, response: Protocol.Network.Response): void {
  entry.status = response.status;
  entry.statusText = response.statusText;
  entry.mimeType = response.mimeType;
  entry.protocol = response.protocol ?? "";
  entry.remoteAddress = response.remoteIPAddress ?? "";
  entry.responseHeaders = maskHeaders(response.headers);
  entry.responseBytes = Math.max(entry.responseBytes, Math.round(response.encodedDataLength));
  if (response.fromDiskCache === true || response.fromServiceWorker === true) {
    entry.fromCache = true;
  }
  entry.timings = timingsOf(response.timing);
}

/** The phases before the answer's head, by the browser's own measure (HAR 1.2, "timings"). */
function timingsOf(timing: Protocol.Network.ResourceTiming | undefined): RequestTimings | null {
  if (timing === undefined) return null;
  const between = (from: number, to: number): number => (from < 0 || to < 0 ? -1 : to - from);
  const begins = [timing.dnsStart, timing.connectStart, timing.sendStart].filter((at) => at >= 0);
  return {
    blocked: Math.min(...begins, timing.sendStart),
    dns: between(timing.dnsStart, timing.dnsEnd),
    connect: between(timing.connectStart, timing.connectEnd),
    ssl: between(timing.sslStart, timing.sslEnd),
    send: Math.max(0, timing.sendEnd - timing.sendStart),
    wait: Math.max(0, timing.receiveHeadersEnd - timing.sendEnd),
    receive: 0,
  };
}

function withReceive(timings: RequestTimings | null, durationMs: number): RequestTimings | null {
  if (timings === null) return null;
  const { blocked, dns, connect, send, wait } = timings;
  const before = [blocked, dns, connect, send, wait].reduce((sum, ms) => sum + Math.max(0, ms), 0);
  return { ...timings, receive: Math.max(0, durationMs - before) };
}

/** HTTP/1.1's form, also where HTTP/2 packed it smaller. */
function headBytes(method: string, url: string, headers: Readonly<Record<string, string>>): number {
  let bytes = method.length + url.length + 12;
  for (const [name, value] of Object.entries(headers)) bytes += name.length + value.length + 4;
  return bytes;
}

function sentBytes(
  method: string,
  url: string,
  headers: Readonly<Record<string, string>>,
  request: Protocol.Network.Request,
): number {
  return headBytes(method, url, headers) + Buffer.byteLength(request.postData ?? "");
}

function initiatorOf({ type, url, lineNumber, stack }: Protocol.Network.Initiator): string {
  const frame = stack?.callFrames[0];
  const at = url ?? frame?.url;
  if (at === undefined || at === "") return type;
  const line = lineNumber ?? frame?.lineNumber;
  return `${type} ${loggedUrl(at)}${line === undefined ? "" : `:${line + 1}`}`;
}

function count(
  messages: NetworkEntry["messages"],
  which: "sent" | "received",
): NetworkEntry["messages"] {
  const { sent, received } = messages ?? { sent: 0, received: 0 };
  return which === "sent" ? { sent: sent + 1, received } : { sent, received: received + 1 };
}
