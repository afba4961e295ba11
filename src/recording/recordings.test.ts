import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { makeSession } from "../../tests/support/domain-fakes.ts";
import { endSession, type Session } from "../sessions/session.ts";
import { noTracer } from "../sessions/tracer.ts";
import { framesName, replayName } from "./recording-files.ts";
import { RecordingFolders } from "./recording-folder.ts";
import type { RecordingRecord, RecordingStore } from "./recording-store.ts";
import { Recordings } from "./recordings.ts";
import type { ReplayOutcome } from "./replay-maker.ts";
import { ReplayQueue } from "./replay-queue.ts";

class StoreInMemory implements RecordingStore {
  readonly records = new Map<string, RecordingRecord>();

  async save(record: RecordingRecord): Promise<void> {
    this.records.set(record.sessionId, record);
  }

  async find(sessionId: string): Promise<RecordingRecord | null> {
    return this.records.get(sessionId) ?? null;
  }

  async findAll(sessionIds: readonly string[]): Promise<ReadonlyMap<string, RecordingRecord>> {
    return new Map([...this.records].filter(([id]) => sessionIds.includes(id)));
  }
}

const made: ReplayOutcome = {
  kind: "ready",
  video: { startedAt: 1000, endedAt: 3000, width: 640, height: 480, lastSegment: 1 },
  sizeBytes: 7,
};

let directory: string;
let folders: RecordingFolders;
let store: StoreInMemory;
let sessions: Map<string, Session>;
let failures: string[];
/** What the work on the next replays comes to. */
let making: PromiseWithResolvers<ReplayOutcome>;

beforeEach(async () => {
  directory = await mkdtemp(path.join(tmpdir(), "nightjar-recordings-"));
  folders = new RecordingFolders(directory);
  store = new StoreInMemory();
  sessions = new Map();
  failures = [];
  making = Promise.withResolvers();
});

afterEach(async () => {
  await rm(directory, { recursive: true, force: true });
});

/** A session that was recorded and ended, and what lies in its folder. */
async function place(...files: readonly string[]): Promise<Session> {
  const session = endSession(makeSession(), "client_stop", 2_000_000);
  sessions.set(session.id, session);
  const folder = await folders.open(session.id);
  for (const file of files) await writeFile(folder.file(file), "something");
  folder.close();
  return session;
}

/** The recordings of a server that has just started, with an encoder or without. */
function startedServer(encoder: "with" | "without"): Recordings {
  const queue = new ReplayQueue({
    tracer: noTracer,
    maker: { encode: async () => {}, finish: () => making.promise },
    directoryOf: (sessionId) => folders.directoryOf(sessionId),
    onFinished: (sessionId, outcome) => recordings.finished(sessionId, outcome),
    onFailed: (sessionId, error) => recordings.failed(sessionId, error),
    onFailure: () => {},
  });
  const recordings = new Recordings({
    folders,
    store,
    queue: encoder === "with" ? queue : null,
    recorder: { isRecording: () => false, settled: async () => {} },
    onFailure: (sessionId) => void failures.push(sessionId),
  });
  return recordings;
}

const findSession = async (id: string) => sessions.get(id) ?? null;

describe("recordings that an earlier process left", () => {
  it("and that failed for want of an encoder are taken up once there is one", async () => {
    const session = await place(framesName(1));
    const blank = await place("network.ndjson");
    const withoutEncoder = startedServer("without");
    await withoutEncoder.resume(findSession);
    expect(await withoutEncoder.statusesOf([session, blank])).toEqual(
      new Map([
        [session.id, "failed"],
        [blank.id, "failed"],
      ]),
    );

    const recordings = startedServer("with");
    // A client that asks too early is not sent away.
    expect(await recordings.statusOf(session)).toBe("processing");
    await recordings.resume(findSession);
    expect(await recordings.statusesOf([session, blank])).toEqual(
      new Map([
        [session.id, "processing"],
        [blank.id, "failed"],
      ]),
    );
    await expect(recordings.replay(session)).rejects.toMatchObject({ code: "replay_not_ready" });
    making.resolve(made);
    await expect.poll(() => recordings.statusOf(session)).toBe("ready");
    expect(await recordings.replay(session)).toMatchObject({ durationMs: 2000, sizeBytes: 7 });
  });

  it("and that fail again say so again", async () => {
    const session = await place(framesName(1));
    await store.save({ sessionId: session.id, status: "failed", error: "no room" });
    const recordings = startedServer("with");
    await recordings.resume(findSession);
    making.reject(new Error("still no room"));
    await expect.poll(() => recordings.statusOf(session)).toBe("failed");
    await expect(recordings.replay(session)).rejects.toMatchObject({
      code: "replay_failed",
      message: expect.stringContaining("still no room"),
    });
  });

  it("are processing before they are taken up, and those without a picture are none", async () => {
    const [framed, finished, blank] = [
      await place(framesName(1)),
      // Killed before it was written down that it is ready.
      await place(replayName),
      await place("network.ndjson"),
    ];
    const all = [framed, finished, blank];
    const recordings = startedServer("with");
    const before = await recordings.statusesOf(all);
    expect([...before.values()]).toEqual(["processing", "processing", "none"]);
    await expect(recordings.replay(framed)).rejects.toMatchObject({ code: "replay_not_ready" });
    await recordings.resume(findSession);
    expect(await recordings.statusesOf(all)).toEqual(before);
    making.resolve(made);
    await expect
      .poll(async () => [...(await recordings.statusesOf(all)).values()])
      .toEqual(["ready", "ready", "none"]);
  });

  it("are not held up by one of which nothing can be found out", async () => {
    const [first, second] = [await place(framesName(1)), await place(framesName(1))];
    const recordings = startedServer("with");
    const [broken, ...others] = await folders.list();
    await recordings.resume(async (id) => {
      if (id === broken) throw new Error("the store is locked");
      return findSession(id);
    });
    expect(failures).toEqual([broken]);
    const statuses = await recordings.statusesOf([first, second]);
    expect(statuses.get(others[0] ?? "")).toBe("processing");
  });
});
