import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, mkdirSync } from "node:fs";
import path from "node:path";
import { DatabaseSync } from "node:sqlite";
import { afterAll, beforeAll, expect, test } from "vitest";
import { findCgroupPlace } from "../src/browsers/cgroup-place.ts";
import { serverMark } from "../src/browsers/server-mark.ts";
import { Nightjar } from "./support/nightjar.ts";
import { RawCdp } from "./support/raw-cdp.ts";
import { leaksOf } from "./support/scrape.ts";

const token = "a-token-for-the-metrics";
/** Two looks of the server, 5 s apart, on a busy machine, too. */
const soon = { timeout: 40_000, interval: 250 };

let server: Nightjar;
const planted: ChildProcess[] = [];

beforeAll(async () => {
  server = await Nightjar.start({ NIGHTJAR_METRICS_TOKEN: token });
  server.mayRepairLeaks = true;
});

afterAll(async () => {
  for (const child of planted) child.kill("SIGKILL");
  await server?.dispose();
});

/** A process that looks like a browser of this server that it knows nothing of. */
function plantProcess(id: string): ChildProcess {
  const directory = path.join(server.dataDir, "browsers", id);
  const child = spawn(
    process.execPath,
    ["-e", "setInterval(() => {}, 1000)", "--", `--user-data-dir=${directory}/profile`],
    { stdio: "ignore" },
  );
  planted.push(child);
  return child;
}

test("what is planted is found, repaired and counted, and nothing else is", async () => {
  // Ordinary and less ordinary lives, which must leave nothing to repair.
  const [stopped, killed, { id }] = await Promise.all([
    server.startSession(),
    server.startSession(),
    server.startSession(),
  ]);
  const client = await RawCdp.connect(killed.cdpUrl);
  void client.send("Browser.crash");
  await server.call("DELETE", `/sessions/${stopped.id}/stop`);
  await client.closed;
  const browsers = path.join(server.dataDir, "browsers");
  const orphan = plantProcess("0123456789ab");
  const gone = once(orphan, "exit");
  const directory = path.join(browsers, "ba9876543210");
  mkdirSync(path.join(directory, "profile"), { recursive: true });
  const recording = path.join(server.dataDir, "recordings", crypto.randomUUID());
  mkdirSync(recording, { recursive: true });
  const place = findCgroupPlace();
  const cgroup =
    place === null ? null : path.join(place.directory, serverMark(server.dataDir), "aaaabbbbcccc");
  if (cgroup !== null) mkdirSync(cgroup);
  // An active row that nobody serves: a copy of the session's own.
  const database = new DatabaseSync(path.join(server.dataDir, "nightjar.db"));
  const lost = crypto.randomUUID();
  const row = database.prepare("SELECT * FROM sessions WHERE id = ?").get(id) ?? {};
  const columns = Object.keys(row);
  database
    .prepare(`INSERT INTO sessions VALUES (${columns.map(() => "?").join(", ")})`)
    .run(...columns.map((column) => (column === "id" ? lost : (row[column] ?? null))));
  database.close();

  await gone;
  await expect.poll(() => existsSync(directory), soon).toBe(false);
  await expect.poll(() => existsSync(recording), soon).toBe(false);
  if (cgroup !== null) await expect.poll(() => existsSync(cgroup), soon).toBe(false);
  await expect
    .poll(async () => (await server.call("GET", `/sessions/${lost}`)).body["status"], soon)
    .toBe("error");
  expect(await leaksOf(server, token)).toEqual({
    process: 1,
    directory: 1,
    recording: 1,
    row: 1,
    ...(cgroup !== null && { cgroup: 1 }),
  });
  // Who was there rightly goes on.
  expect((await server.call("GET", `/sessions/${id}`)).body["status"]).toBe("active");
  expect(server.output).toContain("repaired a leak");
  const { body } = await server.call("GET", "/health", { key: null });
  expect(body["leaks_repaired"]).toBe(cgroup === null ? 4 : 5);
}, 90_000);
