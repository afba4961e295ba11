import { mkdtemp, rm, stat, symlink } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import type { Database } from "./database.ts";
import { openSqlite } from "./sqlite.ts";
import { WriteAheadLog } from "./write-ahead-log.ts";

let directory: string;
let file: string;
let database: Database;

beforeEach(async () => {
  directory = await mkdtemp(path.join(tmpdir(), "nightjar-wal-"));
  file = path.join(directory, "nightjar.db");
  database = await openSqlite(file);
});

afterEach(async () => {
  await database.close();
  await rm(directory, { recursive: true });
});

test("what is flushed is the log that commits are written to, as long as the store is open", async () => {
  await database.query.insertInto("tenants").values({ id: "one", created_at: 1 }).execute();
  await database.flush();
  const { ino, size } = await stat(`${file}-wal`);
  expect(size).toBeGreaterThan(0);
  // Another process that opens and closes the store must not take the log away.
  const other = await openSqlite(file);
  await other.query.insertInto("tenants").values({ id: "two", created_at: 2 }).execute();
  await other.close();
  await database.query.insertInto("tenants").values({ id: "three", created_at: 3 }).execute();
  await database.flush();
  expect((await stat(`${file}-wal`)).ino).toBe(ino);
});

test("those who wait at the same time share a flush; who comes while one runs waits for the next", async () => {
  const log = await WriteAheadLog.open(file);
  const first = log.flush();
  const together = log.flush();
  expect(together).toBe(first);
  await Promise.resolve();
  await Promise.resolve();
  const later = log.flush();
  expect(later).not.toBe(first);
  await Promise.all([first, later]);
  await log.close();
});

test("a disk that fails is told", async () => {
  const log = await WriteAheadLog.open(file);
  await log.close();
  await expect(log.flush()).rejects.toMatchObject({ code: "EBADF" });
});

test("a store behind a link has its log beside what the link leads to", async () => {
  const link = path.join(directory, "link.db");
  await symlink(file, link);
  const linked = await openSqlite(link);
  await linked.query.insertInto("tenants").values({ id: "one", created_at: 1 }).execute();
  await linked.flush();
  await linked.close();
});
