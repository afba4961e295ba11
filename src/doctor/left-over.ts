import { existsSync } from "node:fs";
import { findLeftOverBrowsers } from "../browsers/left-over-browsers.ts";
import { RecordingFolders } from "../recording/recording-folder.ts";
import { RecordingLeaks } from "../recording/recording-leaks.ts";
import type { LeakKind } from "../sessions/reconciler.ts";
import type { DataDirectory } from "../store/data-directory.ts";
import { SessionRecords } from "../store/session-records.ts";
import { embeddedNodeId, openSqliteToRead } from "../store/sqlite.ts";

/** Something that the last server left. */
export interface LeftOver {
  readonly kind: LeakKind;
  readonly name: string;
}

export interface Comparison {
  /** How many sessions wait for the next start, with their browsers. */
  readonly keptSessions: number;
  readonly leftOver: readonly LeftOver[];
}

/**
 * Compares rows, processes, directories, cgroups and recordings while no server runs on the data
 * directory, and changes nothing. Throws where the store cannot be read.
 */
export async function compare(directory: DataDirectory, firstUid: number): Promise<Comparison> {
  if (!existsSync(directory.databaseFile)) return { keptSessions: 0, leftOver: [] };
  const database = openSqliteToRead(directory.databaseFile);
  try {
    const sessions = new SessionRecords(database);
    const active = await sessions.activeOnNode(embeddedNodeId);
    const { kept, leaks } = await findLeftOverBrowsers({
      dataDirectory: directory.root,
      browsersDirectory: directory.browsersDirectory,
      firstUid,
      references: new Map(active.map(({ id, browserReference }) => [id, browserReference])),
    });
    const recordings = new RecordingLeaks(
      new RecordingFolders(directory.recordingsDirectory),
      async (id) => (await sessions.find(id)) !== null,
      Number.POSITIVE_INFINITY,
    );
    const lost = active.filter(({ id }) => !kept.has(id));
    return {
      keptSessions: kept.size,
      leftOver: [
        ...lost.map(({ id }) => ({ kind: "row" as const, name: id })),
        ...[...leaks, ...(await recordings.find())].map(({ kind, name }) => ({ kind, name })),
      ],
    };
  } finally {
    await database.close();
  }
}
