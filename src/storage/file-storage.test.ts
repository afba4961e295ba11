import { execFile } from "node:child_process";
import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { Readable } from "node:stream";
import { promisify } from "node:util";
import fc from "fast-check";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { FileStorage } from "./file-storage.ts";

const run = promisify(execFile);

let directory: string;
let storage: FileStorage;

beforeEach(async () => {
  directory = await mkdtemp(path.join(tmpdir(), "nightjar-files-"));
  storage = await open();
});

afterEach(() => rm(directory, { recursive: true, force: true }));

function open(limits = { fileBytes: 1000, totalBytes: 2500 }): Promise<FileStorage> {
  return FileStorage.open({ directory, limits });
}

function bytes(count: number): Readable {
  return Readable.from([Buffer.alloc(count)]);
}

function text(content: string): Readable {
  return Readable.from([Buffer.from(content)]);
}

async function contentOf(kind: "uploads" | "downloads", owner: string, name: string) {
  return readFile((await storage.find(kind, owner, name)).path, "utf8");
}

/** What stands in the directory, relative to it. */
async function everyFile(): Promise<readonly string[]> {
  const entries = await readdir(directory, { recursive: true, withFileTypes: true });
  return entries
    .filter((entry) => entry.isFile())
    .map((entry) => path.relative(directory, path.join(entry.parentPath, entry.name)))
    .sort();
}

describe("an upload", () => {
  test("is there under its name, and replaced by the next of that name", async () => {
    await storage.saveUpload("acme", "a.txt", text("one"));
    const second = await storage.saveUpload("acme", "folder/a.txt", text("three"));
    expect(second).toMatchObject({ name: "a.txt", sizeBytes: 5 });
    expect(await contentOf("uploads", "acme", "a.txt")).toBe("three");
    expect(await everyFile()).toEqual(["uploads/acme/a.txt"]);
  });

  test("is not there before it is complete, and leaves nothing when its stream breaks", async () => {
    const broken = new Readable({ read() {} });
    const saving = storage.saveUpload("acme", "a.txt", broken);
    broken.push("half");
    await expect.poll(everyFile).toEqual([expect.stringMatching(/^incoming\//)]);
    broken.destroy(new Error("the client is gone"));
    await expect(saving).rejects.toThrow("the client is gone");
    expect(await everyFile()).toEqual([]);
  });

  test("of a tenant with an odd name stays in a folder of that tenant alone", async () => {
    const owners = ["..", ".", "%2E%2E", "a/b", "acme"];
    for (const owner of owners) await storage.saveUpload(owner, "a.txt", text(owner));
    for (const owner of owners) expect(await contentOf("uploads", owner, "a.txt")).toBe(owner);
    const found = await everyFile();
    expect(found).toHaveLength(owners.length);
    for (const file of found) expect(file).toMatch(/^uploads\/[^/]+\/a\.txt$/);
  });

  test("can be found by whatever name it was given", async () => {
    await fc.assert(
      fc.asyncProperty(fc.string({ unit: "grapheme", maxLength: 30 }), async (given) => {
        const saved = await storage.saveUpload("acme", given, text(given)).catch(() => null);
        if (saved === null) return;
        expect((await storage.find("uploads", "acme", given)).name).toBe(saved.name);
        await storage.delete("uploads", "acme", given);
      }),
      { numRuns: 100 },
    );
    expect(await everyFile()).toEqual([]);
  });
});

describe("limits", () => {
  test("hold for one file", async () => {
    await storage.saveUpload("acme", "fits", bytes(1000));
    await expect(storage.saveUpload("acme", "large", bytes(1001))).rejects.toMatchObject({
      code: "file_too_large",
      message: expect.stringContaining("1000 bytes"),
    });
    expect(await everyFile()).toEqual(["uploads/acme/fits"]);
  });

  test("hold for the files of one owner together, however many come at once", async () => {
    const saves = Array.from({ length: 6 }, (_, index) =>
      storage.saveUpload("acme", `${index}`, bytes(800)),
    );
    const settled = await Promise.allSettled(saves);
    expect(settled.filter(({ status }) => status === "fulfilled")).toHaveLength(3);
    for (const result of settled) {
      if (result.status === "rejected") expect(result.reason.code).toBe("storage_limit");
    }
    expect(await everyFile()).toHaveLength(3);
    await storage.saveUpload("other", "a", bytes(800));
  });

  test("hold for what is being received as well", async () => {
    const open = ["1", "2", "3"].map((name) => {
      const content = new Readable({ read() {} });
      content.push(Buffer.alloc(900));
      return { content, saving: storage.saveUpload("acme", name, content) };
    });
    const first = await Promise.race(
      open.map(({ saving }) => saving.catch((error: unknown) => error)),
    );
    expect(first).toMatchObject({ code: "storage_limit" });
    for (const { content } of open) content.push(null);
    const settled = await Promise.allSettled(open.map(({ saving }) => saving));
    expect(settled.filter(({ status }) => status === "fulfilled")).toHaveLength(2);
    await storage.saveUpload("acme", "1", bytes(900));
  });

  test("count a file that is replaced only once", async () => {
    for (const name of ["a", "b", "a", "b", "a"]) {
      await storage.saveUpload("acme", name, bytes(1000));
    }
    expect(await everyFile()).toHaveLength(2);
  });
});

describe("a download", () => {
  const at = new Date("2026-11-24T12:00:00Z");

  test("has its time before its name and never replaces another, however many come at once", async () => {
    const contents = ["1", "2", "3", "4"];
    const saved = await Promise.all(
      contents.map((content) => storage.saveDownload("session", "a.pdf", text(content), at)),
    );
    expect(saved.map(({ name }) => name).sort()).toEqual([
      "2026_11_24_12_00_00-a (2).pdf",
      "2026_11_24_12_00_00-a (3).pdf",
      "2026_11_24_12_00_00-a (4).pdf",
      "2026_11_24_12_00_00-a.pdf",
    ]);
    const stored = saved.map(({ name }) => contentOf("downloads", "session", name));
    expect((await Promise.all(stored)).sort()).toEqual(contents);
  });

  test("is found by the name that its page gave it", async () => {
    await storage.saveDownload(
      "session",
      "../a.pdf",
      text("old"),
      new Date("2026-01-01T00:00:00Z"),
    );
    expect(await contentOf("downloads", "session", "a.pdf")).toBe("old");
    await expect(storage.find("downloads", "other", "a.pdf")).rejects.toMatchObject({
      code: "file_not_found",
    });
  });

  test.each(["", "..", "\0"])("called %j is called download", async (suggested) => {
    const { name } = await storage.saveDownload("session", suggested, text("x"), at);
    expect(name).toBe("2026_11_24_12_00_00-download");
  });

  test("with a name that is too long keeps its extension", async () => {
    const { name } = await storage.saveDownload("s", `${"ä".repeat(400)}.pdf`, text("x"), at);
    expect(name).toMatch(/^2026_11_24_12_00_00-ä+\.pdf$/);
  });

  test("goes with all others of its session", async () => {
    await storage.saveDownload("one", "a", text("x"));
    await storage.saveDownload("two", "a", text("x"));
    expect([...(await storage.sessionsWithDownloads())].sort()).toEqual(["one", "two"]);
    await storage.removeDownloads("one");
    expect(await storage.list("downloads", "one")).toEqual([]);
    expect(await storage.list("downloads", "two")).toHaveLength(1);
  });
});

describe("the next start", () => {
  test("removes what was being received and keeps what was complete", async () => {
    await storage.saveUpload("acme", "a.txt", text("whole"));
    await writeFile(path.join(directory, "incoming", "left-behind"), "half");
    storage = await open();
    expect(await everyFile()).toEqual(["uploads/acme/a.txt"]);
    await storage.saveUpload("acme", "b.txt", text("next"));
  });
});

/** Whether a small file system can be mounted here: only as root, and not in every container. */
const canMount = await (async () => {
  const probe = await mkdtemp(path.join(tmpdir(), "nightjar-mount-"));
  try {
    await run("mount", ["-t", "tmpfs", "-o", "size=64k", "tmpfs", probe]);
    await run("umount", [probe]);
    return true;
  } catch {
    return false;
  } finally {
    await rm(probe, { recursive: true });
  }
})();

describe.runIf(canMount)("a full disk", () => {
  test("is said, leaves nothing half and everything whole", async () => {
    const small = path.join(directory, "small");
    await mkdir(small);
    await run("mount", ["-t", "tmpfs", "-o", "size=64k", "tmpfs", small]);
    try {
      const limits = { fileBytes: 1_000_000, totalBytes: 1_000_000 };
      const full = await FileStorage.open({ directory: small, limits });
      await full.saveUpload("acme", "kept", bytes(20_000));
      await expect(full.saveUpload("acme", "kept", bytes(200_000))).rejects.toMatchObject({
        code: "storage_full",
      });
      expect(await full.list("uploads", "acme")).toMatchObject([
        { name: "kept", sizeBytes: 20_000 },
      ]);
      expect(await readdir(path.join(small, "incoming"))).toEqual([]);
      await full.saveUpload("acme", "next", bytes(10_000));
    } finally {
      await run("umount", [small]);
    }
  });
});
