import type { NetworkEntry } from "./network-entry.ts";
import type { NetworkHistory } from "./stored-logs.ts";

/** Name and value, as HAR lists headers and query parameters. */
interface HarPair {
  readonly name: string;
  readonly value: string;
}

/**
 * The requests of a session as the text of a HAR 1.2, piece by piece. Bodies are in it as
 * far as they were kept, and secrets are masked as in the log. See w3c.github.io/web-performance/specs/HAR/Overview.html; what
 * begins with `_` is as Chromium's DevTools writes and reads it.
 */
export async function* harText(
  { firstOfTab, entries, bodyOf }: NetworkHistory,
  version: string,
): AsyncGenerator<string> {
  const pages = [...firstOfTab].map(([tabId, first]) => ({
    id: tabId,
    title: first.url,
    startedDateTime: new Date(first.startedAt).toISOString(),
    pageTimings: {},
  }));
  const creator = { name: "Nightjar", version };
  yield `{"log":{"version":"1.2","creator":${JSON.stringify(creator)},"pages":${JSON.stringify(pages)},"entries":[`;
  let separator = "";
  for await (const entry of entries) {
    yield `${separator}\n${JSON.stringify(toHarEntry(entry, await bodyOf(entry.id)))}`;
    separator = ",";
  }
  yield "\n]}}\n";
}

function toHarEntry(entry: NetworkEntry, body: string | null): object {
  const httpVersion = entry.protocol === "" ? "http/1.1" : entry.protocol;
  const responseHeadBytes = entry.fromCache || entry.contentBytes === 0 ? entry.responseBytes : -1;
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
      headersSize: entry.requestBytes - entry.requestBodyBytes,
      bodySize: entry.requestBodyBytes,
    },
    response: {
      status: entry.status ?? 0,
      statusText: entry.statusText,
      httpVersion,
      cookies: [],
      headers: pairs(entry.responseHeaders),
      content: {
        size: entry.contentBytes,
        mimeType: entry.mimeType || "x-unknown",
        ...(body === null ? {} : { text: body }),
      },
      redirectURL: entry.redirectUrl,
      headersSize: responseHeadBytes,
      bodySize: responseHeadBytes === -1 ? -1 : 0,
      _transferSize: entry.responseBytes,
      _error: entry.failure,
    },
    cache: {},
    timings: entry.timings ?? {
      blocked: -1,
      dns: -1,
      connect: -1,
      ssl: -1,
      send: 0,
      wait: entry.durationMs ?? 0,
      receive: 0,
    },
    ...(entry.remoteAddress === "" ? {} : { serverIPAddress: entry.remoteAddress }),
    ...(entry.fromCache ? { _fromCache: "disk" } : {}),
    _resourceType: resourceTypes[entry.type] ?? entry.type.toLowerCase(),
    _initiator: harInitiator(entry.initiator),
  };
}

/** Types that DevTools calls otherwise than the protocol does. */
const resourceTypes: Readonly<Record<string, string>> = {
  SignedExchange: "signed-exchange",
  CSPViolationReport: "csp-violation-report",
};

function harInitiator(initiator: string): object {
  const [, type = "other", url, line] = /^(\S+)(?: (.*?)(?::(\d+))?)?$/.exec(initiator) ?? [];
  return {
    type,
    ...(url === undefined ? {} : { url }),
    ...(line === undefined ? {} : { lineNumber: Number(line) - 1 }),
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
