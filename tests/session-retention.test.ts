import { access, mkdir, writeFile } from "node:fs/promises";
import path from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { openSqlite } from "../src/store/sqlite.ts";
import { eventually } from "./support/eventually.ts";
import { Nightjar } from "./support/nightjar.ts";

let nightjar: Nightjar;

beforeAll(async () => {
  nightjar = await Nightjar.start({ NIGHTJAR_ON_STOP: "close" });
}, 60_000);

afterAll(() => nightjar.dispose());

async function startWith(key: string): Promise<string> {
  const answer = await nightjar.call("POST", "/sessions/start", {
    body: {},
    headers: { "Idempotency-Key": key },
  });
  expect(answer.status).toBe(200);
  return String(answer.body["session_id"]);
}

test("a session that ended long ago goes with all that is kept of it, and its idempotency key is free", {
  tags: ["long"],
  timeout: 60_000,
}, async () => {
  const old = await startWith("old");
  const newer = await startWith("newer");
  for (const id of [old, newer]) {
    expect((await nightjar.call("POST", `/sessions/${id}/page/observe`, { body: {} })).status).toBe(
      200,
    );
    expect((await nightjar.call("DELETE", `/sessions/${id}/stop`)).status).toBe(200);
  }
  await nightjar.signal("SIGTERM");
  const folders = [path.join("recordings", old), path.join("files", "downloads", old)].map((name) =>
    path.join(nightjar.dataDir, name),
  );
  for (const folder of folders) {
    await mkdir(folder, { recursive: true });
    await writeFile(path.join(folder, "kept"), "something");
  }
  const database = await openSqlite(path.join(nightjar.dataDir, "nightjar.db"));
  await database.query
    .updateTable("sessions")
    .set({ closed_at: Date.now() - 49 * 3_600_000 })
    .where("id", "=", old)
    .execute();
  await database.close();

  await nightjar.run({ NIGHTJAR_SESSION_RETENTION_DAYS: "2" });
  await eventually(async () => {
    expect((await nightjar.call("GET", `/sessions/${old}`)).status).toBe(404);
  });
  for (const folder of folders) await expect(access(folder)).rejects.toThrow("ENOENT");
  expect((await nightjar.call("GET", `/sessions/${old}/steps`)).status).toBe(404);
  expect((await nightjar.call("GET", `/sessions/${newer}`)).status).toBe(200);
  expect((await nightjar.call("GET", `/sessions/${newer}/steps`)).body["items"]).toHaveLength(1);
  expect(await startWith("newer")).toBe(newer);
  expect(await startWith("old")).not.toBe(old);
});
