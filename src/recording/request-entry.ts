import type { Protocol } from "devtools-protocol";
import { loggedUrl, maskHeaders } from "./masking.ts";
import type { GrowingEntry, RequestTimings } from "./network-entry.ts";
import type { NetworkEvents } from "./network-events.ts";

type Headers = Readonly<Record<string, string>>;

/** The entry of a request that begins. */
export function entryOfRequest(
  id: string,
  event: NetworkEvents["requestWillBeSent"],
  tabId: string,
): GrowingEntry {
  const { request, wallTime, type = "Other", initiator } = event;
  return {
    ...blankEntry(id, tabId),
    method: request.method,
    url: loggedUrl(`${request.url}${request.urlFragment ?? ""}`),
    type,
    startedAt: Math.round(wallTime * 1000),
    requestBytes: headBytes(request.method, request.url, request.headers),
    initiator: initiatorOf(initiator),
    requestHeaders: maskHeaders(request.headers),
  };
}

/** The entry of a WebSocket that is made; nothing is known of its handshake yet. */
export function entryOfWebSocket(
  event: NetworkEvents["webSocketCreated"],
  tabId: string,
): GrowingEntry {
  return {
    ...blankEntry(event.requestId, tabId),
    url: loggedUrl(event.url),
    type: "WebSocket",
    initiator: event.initiator === undefined ? "other" : initiatorOf(event.initiator),
    messages: { sent: 0, received: 0 },
  };
}

function blankEntry(id: string, tabId: string): GrowingEntry {
  return {
    id,
    tabId,
    method: "GET",
    url: "",
    status: null,
    statusText: "",
    type: "Other",
    mimeType: "",
    protocol: "",
    startedAt: Date.now(),
    durationMs: null,
    requestBytes: 0,
    requestBodyBytes: 0,
    responseBytes: 0,
    contentBytes: 0,
    initiator: "",
    failure: null,
    fromCache: false,
    remoteAddress: "",
    requestHeaders: {},
    responseHeaders: {},
    timings: null,
    redirectUrl: "",
    messages: null,
  };
}

/** What the page was told of an answer. */
export function takeResponse(entry: GrowingEntry, response: Protocol.Network.Response): void {
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

/** What really went over the wire, cookies included. */
export function takeSentHead(
  entry: GrowingEntry,
  { headers }: NetworkEvents["requestWillBeSentExtraInfo"],
): void {
  const length = Number(headers["Content-Length"] ?? headers["content-length"] ?? 0);
  entry.requestBodyBytes = Number.isSafeInteger(length) ? Math.max(0, length) : 0;
  entry.requestBytes = headBytes(entry.method, entry.url, headers) + entry.requestBodyBytes;
  entry.requestHeaders = maskHeaders(headers);
}

/** What really came over the wire: of a cached answer that is still good, a 304. */
export function takeReceivedHead(
  entry: GrowingEntry,
  { headers, headersText = "", statusCode }: NetworkEvents["responseReceivedExtraInfo"],
): void {
  if (entry.status !== statusCode) {
    entry.status = statusCode;
    entry.statusText = /^HTTP\/\S+ \d+ ([^\r\n]*)/.exec(headersText)?.[1] ?? "";
  }
  entry.responseHeaders = maskHeaders(headers);
}

/** Ends an entry: `durationMs` after it began. */
export function takeEnd(entry: GrowingEntry, durationMs: number): void {
  // To the microsecond: the browser's clock says no more.
  entry.durationMs = Math.max(0, Math.round(durationMs * 1000) / 1000);
  if (entry.timings === null) return;
  const { blocked, dns, connect, send, wait } = entry.timings;
  const before = [blocked, dns, connect, send, wait].reduce((sum, ms) => sum + Math.max(0, ms), 0);
  entry.timings = { ...entry.timings, receive: Math.max(0, entry.durationMs - before) };
}

/** The phases before the answer's head, by the browser's own measure (HAR 1.2, "timings"). */
function timingsOf(timing: Protocol.Network.ResourceTiming | undefined): RequestTimings | null {
  if (timing === undefined) return null;
  const between = (from: number, to: number): number => (from < 0 || to < 0 ? -1 : to - from);
  const begins = [timing.dnsStart, timing.connectStart, timing.sendStart].filter((at) => at >= 0);
  return {
    blocked: Math.max(0, Math.min(...begins, timing.sendStart)),
    dns: between(timing.dnsStart, timing.dnsEnd),
    connect: between(timing.connectStart, timing.connectEnd),
    ssl: between(timing.sslStart, timing.sslEnd),
    send: Math.max(0, timing.sendEnd - timing.sendStart),
    wait: Math.max(0, timing.receiveHeadersEnd - timing.sendEnd),
    receive: 0,
  };
}

/** HTTP/1.1's form, also where HTTP/2 packed it smaller. */
export function headBytes(method: string, url: string, headers: Headers): number {
  let bytes = method.length + url.length + 12;
  for (const [name, value] of Object.entries(headers)) bytes += name.length + value.length + 4;
  return bytes;
}

function initiatorOf({ type, url, lineNumber, stack }: Protocol.Network.Initiator): string {
  const frame = stack?.callFrames[0];
  const at = url ?? frame?.url;
  if (at === undefined || at === "") return type;
  const line = lineNumber ?? frame?.lineNumber;
  return `${type} ${loggedUrl(at)}${line === undefined ? "" : `:${line + 1}`}`;
}
