import path from "node:path";
import { type ConsoleEntry, type ConsoleLevel, isConsoleEntry } from "./console-entry.ts";
import {
  droppedBy,
  entriesAt,
  type LinePlace,
  type LogBatch,
  logBatches,
  loggedLines,
} from "./log-reader.ts";
import { isNetworkEntry, type NetworkEntry } from "./network-entry.ts";
import type { RecordingFolders } from "./recording-folder.ts";
import { isBodyEntry } from "./response-bodies.ts";

export interface NetworkQuery {
  /** As the protocol calls it, case-insensitive; null for all. */
  readonly type: string | null;
  readonly status: number | null;
  /** A part of the URL, case-insensitive; null for all. */
  readonly search: string | null;
  readonly onlyFailed: boolean;
}

/** Which of what is found: `count` of them behind the first `skip`. */
export interface LogSlice {
  readonly skip: number;
  readonly count: number;
}

/** A part of a log. */
export interface LogPage<Entry> {
  readonly entries: readonly Entry[];
  /** How many there are in all. */
  readonly total: number;
  /** How many had no room in the log, as far as they were counted. */
  readonly dropped: number;
}

/** All requests of a session. */
export interface NetworkHistory {
  /** The first request of each tab, by its id. */
  readonly firstOfTab: ReadonlyMap<string, NetworkEntry>;
  /** By their beginning. To be read once. */
  readonly entries: AsyncIterable<NetworkEntry>;
  /** The body of a request's answer, where it was kept; null where it was not. */
  readonly bodyOf: (id: string) => Promise<string | null>;
}

/**
 * Reads what is logged of sessions, of those that run and of those that ended. Logs may be large, and
 * many may read them: of each only a piece is in memory at a time, and where its entries stand.
 */
export class StoredLogs {
  readonly #folders: RecordingFolders;

  constructor(folders: RecordingFolders) {
    this.#folders = folders;
  }

  /** Some requests of a session by their beginning, each once. */
  async network(
    sessionId: string,
    query: NetworkQuery,
    { skip, count }: LogSlice,
  ): Promise<LogPage<NetworkEntry>> {
    const { places, dropped } = await this.#networkIndex(sessionId, (entry) =>
      matches(entry, query),
    );
    const entries: NetworkEntry[] = [];
    for await (const entry of networkEntriesAt(places.slice(skip, skip + count))) {
      entries.push(entry);
    }
    return { entries, total: places.length, dropped };
  }

  /** All requests of a session. */
  async networkHistory(sessionId: string): Promise<NetworkHistory> {
    const firstOfTab = new Map<string, NetworkEntry>();
    const { places } = await this.#networkIndex(sessionId, (entry) => {
      if (entry.tabId !== "" && !firstOfTab.has(entry.tabId)) firstOfTab.set(entry.tabId, entry);
      return true;
    });
    const bodies = await this.#bodyPlaces(sessionId);
    return {
      firstOfTab,
      entries: networkEntriesAt(places),
      bodyOf: async (id) => bodyAt(bodies.get(id)),
    };
  }

  /** The body of the answer to one request; null where none was kept. */
  async body(sessionId: string, requestId: string): Promise<string | null> {
    let body: string | null = null;
    for await (const { entry } of loggedLines(this.#directory(sessionId), "bodies", {
      beginsWith: `{"id":${JSON.stringify(requestId)},`,
    })) {
      if (isBodyEntry(entry)) body = entry.text;
    }
    return body;
  }

  /** Some messages of a session in their order; null for those of all levels. */
  async console(
    sessionId: string,
    level: ConsoleLevel | null,
    { skip, count }: LogSlice,
  ): Promise<LogPage<ConsoleEntry>> {
    const entries: ConsoleEntry[] = [];
    let total = 0;
    let dropped = 0;
    for await (const { entry } of loggedLines(this.#directory(sessionId), "console")) {
      dropped = Math.max(dropped, droppedBy(entry));
      if (!isConsoleEntry(entry) || (level !== null && entry.level !== level)) continue;
      if (total >= skip && entries.length < count) entries.push(entry);
      total += 1;
    }
    return { entries, total, dropped };
  }

  /** All messages of a session in their order; null for those of all levels. */
  async *consoleHistory(
    sessionId: string,
    level: ConsoleLevel | null,
  ): AsyncGenerator<ConsoleEntry> {
    for await (const { entry } of loggedLines(this.#directory(sessionId), "console")) {
      if (isConsoleEntry(entry) && (level === null || entry.level === level)) yield entry;
    }
  }

  /** The files of the network log. */
  networkBatches(sessionId: string): Promise<readonly LogBatch[]> {
    return logBatches(this.#directory(sessionId), "network");
  }

  /** One file of the network log; null where there is none of this name. */
  async networkBatch(sessionId: string, name: string): Promise<LogBatch | null> {
    const batches = await this.networkBatches(sessionId);
    return batches.find((batch) => batch.name === name) ?? null;
  }

  /** Where the requests stand that are wanted, by their beginning. */
  async #networkIndex(
    sessionId: string,
    isWanted: (entry: NetworkEntry) => boolean,
  ): Promise<{ readonly places: readonly LinePlace[]; readonly dropped: number }> {
    const index = new Map<
      string,
      { readonly startedAt: number; readonly place: LinePlace | null }
    >();
    let dropped = 0;
    for await (const { entry, place } of loggedLines(this.#directory(sessionId), "network")) {
      dropped = Math.max(dropped, droppedBy(entry));
      if (!isNetworkEntry(entry)) continue;
      // A later line of a request says more than an earlier one, but keeps its place.
      index.set(entry.id, {
        startedAt: entry.startedAt,
        place: isWanted(entry) ? place : null,
      });
    }
    const places = [...index.values()]
      .sort((a, b) => a.startedAt - b.startedAt)
      .map(({ place }) => place)
      .filter((place) => place !== null);
    return { places, dropped };
  }

  /** Where the bodies stand, by the ids of their requests. */
  async #bodyPlaces(sessionId: string): Promise<ReadonlyMap<string, LinePlace>> {
    const places = new Map<string, LinePlace>();
    for await (const { entry, place } of loggedLines(this.#directory(sessionId), "bodies")) {
      if (isBodyEntry(entry)) places.set(entry.id, place);
    }
    return places;
  }

  #directory(sessionId: string): string {
    return path.dirname(this.#folders.file(sessionId, "network"));
  }
}

async function bodyAt(place: LinePlace | undefined): Promise<string | null> {
  if (place === undefined) return null;
  for await (const entry of entriesAt([place])) if (isBodyEntry(entry)) return entry.text;
  return null;
}

async function* networkEntriesAt(places: readonly LinePlace[]): AsyncGenerator<NetworkEntry> {
  for await (const entry of entriesAt(places)) if (isNetworkEntry(entry)) yield entry;
}

function matches(entry: NetworkEntry, query: NetworkQuery): boolean {
  const { type, status, search, onlyFailed } = query;
  return (
    (type === null || entry.type.toLowerCase() === type.toLowerCase()) &&
    (status === null || entry.status === status) &&
    (search === null || entry.url.toLowerCase().includes(search.toLowerCase())) &&
    (!onlyFailed || entry.failure !== null || (entry.status ?? 0) >= 400)
  );
}
