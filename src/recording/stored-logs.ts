import path from "node:path";
import { type ConsoleEntry, type ConsoleLevel, isConsoleEntry } from "./console-entry.ts";
import { type LogBatch, logBatches, logEntries } from "./log-reader.ts";
import { isNetworkEntry, type NetworkEntry } from "./network-entry.ts";
import type { RecordingFolders } from "./recording-folder.ts";

export interface NetworkQuery {
  /** As the protocol calls it, case-insensitive; null for all. */
  readonly type: string | null;
  readonly status: number | null;
  /** A part of the URL, case-insensitive; null for all. */
  readonly search: string | null;
  readonly onlyFailed: boolean;
}

/** Reads what is logged of sessions, of those that run and of those that ended. */
export class StoredLogs {
  readonly #folders: RecordingFolders;

  constructor(folders: RecordingFolders) {
    this.#folders = folders;
  }

  /** The requests of a session by their beginning, each once. */
  async network(sessionId: string, query: NetworkQuery): Promise<readonly NetworkEntry[]> {
    const entries = new Map<string, NetworkEntry>();
    for await (const entry of logEntries(this.#directory(sessionId), "network")) {
      // A later line of a request says more than an earlier one, but keeps its place.
      if (isNetworkEntry(entry)) entries.set(entry.id, entry);
    }
    return [...entries.values()]
      .filter((entry) => matches(entry, query))
      .sort((a, b) => a.startedAt - b.startedAt);
  }

  /** The messages of a session in their order. */
  async console(sessionId: string, level: ConsoleLevel | null): Promise<readonly ConsoleEntry[]> {
    const entries: ConsoleEntry[] = [];
    for await (const entry of logEntries(this.#directory(sessionId), "console")) {
      if (isConsoleEntry(entry) && (level === null || entry.level === level)) entries.push(entry);
    }
    return entries;
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

  #directory(sessionId: string): string {
    return path.dirname(this.#folders.file(sessionId, "network"));
  }
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
