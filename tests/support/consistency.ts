import { readdir } from "node:fs/promises";
import path from "node:path";
import { DatabaseSync } from "node:sqlite";
import { expect, vi } from "vitest";
import { browsersWithCgroup } from "../../src/browsers/cgroup-memory-caps.ts";
import { type EndReason, statusOfEnd } from "../../src/sessions/session.ts";
import type { Nightjar } from "./nightjar.ts";
import { browserDirectories, listeningSockets, mainProcesses } from "./processes.ts";

/** Ends are cleaned up off the fast path, and browsers launched ahead, each after the other, on a busy machine, too. */
const soon = { timeout: 45_000, interval: 100 };

/** A session's row, as far as it must agree with what runs. */
export interface StoredSession {
  readonly id: string;
  readonly status: string;
  readonly endReason: string | null;
  readonly closedAt: number | null;
  /** The browser's id and its pid; null once the session has ended. */
  readonly browser: { readonly id: string; readonly pid: number } | null;
}

/** All sessions of a server's store, read beside it. Throws where SQLite finds the store damaged. */
export function storedSessions(dataDir: string): readonly StoredSession[] {
  const database = new DatabaseSync(path.join(dataDir, "nightjar.db"), { readOnly: true });
  try {
    expect(database.prepare("pragma integrity_check").get()).toEqual({ integrity_check: "ok" });
    const rows = database
      .prepare("select id, status, end_reason, closed_at, browser_reference from sessions")
      .all();
    return rows.map((row) => ({
      id: String(row["id"]),
      status: String(row["status"]),
      endReason: row["end_reason"] === null ? null : String(row["end_reason"]),
      closedAt: row["closed_at"] === null ? null : Number(row["closed_at"]),
      browser:
        row["browser_reference"] === ""
          ? null
          : (JSON.parse(String(row["browser_reference"])) as { id: string; pid: number }),
    }));
  } finally {
    database.close();
  }
}

/**
 * What holds whenever nothing is starting or ending: the store is whole; each active row has its
 * browser, and each browser is a row's or warm; processes, directories, cgroups, proxies and recordings
 * are there for those and for nothing else; and the server had no leak to repair so far.
 */
export async function expectConsistent(server: Nightjar): Promise<void> {
  await vi.waitFor(() => compare(server), soon);
  // After the comparison: what leaked was either still there, or has been repaired, and counted.
  if (server.mayRepairLeaks) return;
  const { body } = await server.call("GET", "/health", { key: null });
  expect(body["leaks_repaired"], "leaks that the server had to repair").toBe(0);
}

async function compare(server: Nightjar): Promise<void> {
  const { dataDir } = server;
  const { body: health } = await server.call("GET", "/health", { key: null });
  const sessions = storedSessions(dataDir);
  for (const session of sessions) expectWholeRow(session);
  const owned = sessions.flatMap(({ browser }) => (browser === null ? [] : [browser]));
  expect(health["active_sessions"]).toBe(owned.length);

  const mains = await mainProcesses(dataDir);
  for (const { id, pid } of owned) {
    expect(mains.get(id)?.pid, "the browser of an active row").toBe(pid);
  }
  const directories = [...(await browserDirectories(dataDir))].sort();
  expect(directories).toHaveLength(owned.length + Number(health["warm_browsers"]));
  expect([...mains.keys()].sort(), "processes, by directory").toEqual(directories);
  if (String(health["memory_cap"]).startsWith("cgroup")) {
    expect([...browsersWithCgroup(dataDir)].sort(), "cgroups, by directory").toEqual(directories);
  }
  // The server's own, and the proxy of each browser.
  expect(await listeningSockets(server.pid)).toBe(1 + directories.length);
  const rows = new Set(sessions.map(({ id }) => id));
  const recordings = await readdir(path.join(dataDir, "recordings"));
  expect(recordings.filter((id) => !rows.has(id))).toEqual([]);
}

/** A row is that of a session that runs, or says when and why it ended. */
function expectWholeRow({ status, endReason, closedAt, browser }: StoredSession): void {
  if (status === "active")
    expect({ endReason, closedAt }).toEqual({ endReason: null, closedAt: null });
  else {
    expect(status).toBe(statusOfEnd[endReason as EndReason]);
    expect(closedAt).toBeGreaterThan(0);
    expect(browser).toBeNull();
  }
}
