import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { Readable } from "node:stream";
import { afterEach, beforeEach, expect, test } from "vitest";
import type { SessionFiles } from "../pages/actions/ports.ts";
import { DownloadCollector } from "./download-collector.ts";
import { FileStorage } from "./file-storage.ts";
import { SessionFileAccess } from "./session-file-access.ts";

let directory: string;
let files: FileStorage;
let access: SessionFiles;

beforeEach(async () => {
  directory = await mkdtemp(path.join(tmpdir(), "nightjar-access-"));
  files = await FileStorage.open({ directory, limits: { fileBytes: 100, totalBytes: 1000 } });
  const downloads = new DownloadCollector({ storage: files, onDropped: () => {} });
  access = new SessionFileAccess({ files, downloads, tenantId: "acme", sessionId: "session" });
});

afterEach(() => rm(directory, { recursive: true }));

test("pages reach the uploads of their session's tenant, and no other's", async () => {
  await files.saveUpload("acme", "mine.txt", Readable.from([Buffer.from("mine")]));
  await files.saveUpload("other", "theirs.txt", Readable.from([Buffer.from("theirs")]));
  expect(await access.uploadNames()).toEqual(["mine.txt"]);
  expect(await readFile((await access.uploadPath("mine.txt")) ?? "", "utf8")).toBe("mine");
  expect(await access.uploadPath("theirs.txt")).toBeNull();
  expect(await access.uploadPath("../other/theirs.txt")).toBeNull();
});

test("what a page shows can be kept among the downloads", async () => {
  const name = await access.keep("shown.pdf", Buffer.from("%PDF"));
  expect(await files.list("downloads", "session")).toMatchObject([{ name, sizeBytes: 4 }]);
  await expect(access.keep("large.pdf", Buffer.alloc(101))).rejects.toMatchObject({
    code: "file_too_large",
  });
});
