import type { NetworkEntry } from "./network-entry.ts";

/** Name and value, as HAR lists headers and query parameters. */
interface HarPair {
  readonly name: string;
  readonly value: string;
}

/** HAR 1.2 (w3c.github.io/web-performance/specs/HAR/Overview.html), as far as it is filled in here. */
export interface Har {
  readonly log: {
    readonly version: "1.2";
    readonly creator: { readonly name: string; readonly version: string };
    readonly pages: readonly object[];
    readonly entries: readonly object[];
  };
}

/** The requests of a session as HAR. Bodies are not in it, and secrets are masked as in the log. */
export function toHar(entries: readonly NetworkEntry[], version: string): Har {
  const pages = new Map<string, NetworkEntry>();
  for (const entry of entries) {
    if (entry.tabId !== "" && !pages.has(entry.tabId)) pages.set(entry.tabId, entry);
  }
  return {
    log: {
      version: "1.2",
      creator: { name: "Nightjar", version },
      pages: [...pages].map(([tabId, first]) => ({
        id: tabId,
        title: first.url,
        startedDateTime: new Date(first.startedAt).toISOString(),
        pageTimings: {},
      })),
      entries: entries.map(toHarEntry),
    },
  };
}

function toHarEntry(entry: NetworkEntry): object {
  const httpVersion = entry.protocol === "" ? "http/1.1" : entry.protocol;
  const timings = entry.timings ?? {
    blocked: -1,
    dns: -1,
    connect: -1,
    ssl: -1,
    send: 0,
    wait: entry.durationMs ?? 0,
    receive: 0,
  };
  return {
    ...(entry.tabId === "" ? {} : { pageref: entry.tabId }),
    startedDateTime: new Date(entry.startedAt).toISOString(),
    time: entry.durationMs ?? 0,
    request: {
      method: entry.method,
      url: entry.url,
      httpVersion,
      cookies: [],
      headers: pairs(entry.requestHeaders),
      queryString: queryOf(entry.url),
      headersSize: -1,
      bodySize: -1,
    },
    response: {
      status: entry.status ?? 0,
      statusText: entry.statusText,
      httpVersion,
      cookies: [],
      headers: pairs(entry.responseHeaders),
      content: { size: entry.responseBytes, mimeType: entry.mimeType || "x-unknown" },
      redirectURL: entry.redirectUrl,
      headersSize: -1,
      bodySize: entry.fromCache ? 0 : entry.responseBytes,
      _transferSize: entry.responseBytes,
      _error: entry.failure,
    },
    cache: {},
    timings,
    ...(entry.remoteAddress === "" ? {} : { serverIPAddress: entry.remoteAddress }),
    _resourceType: entry.type.toLowerCase(),
    _initiator: { type: entry.initiator.split(" ", 1)[0] },
  };
}

function pairs(headers: Readonly<Record<string, string>>): readonly HarPair[] {
  // Several headers of one name come joined by line breaks.
  return Object.entries(headers).flatMap(([name, values]) =>
    values.split("\n").map((value) => ({ name, value })),
  );
}

function queryOf(url: string): readonly HarPair[] {
  const query = URL.parse(url)?.searchParams;
  return query === undefined ? [] : [...query].map(([name, value]) => ({ name, value }));
}
