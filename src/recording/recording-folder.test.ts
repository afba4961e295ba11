import { mkdtemp, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { RecordingFolders } from "./recording-folder.ts";

const id = "f47ac10b-58cc-4372-a567-0e02b2c3d479";
let directory: string;
let folders: RecordingFolders;

beforeEach(async () => {
  directory = await mkdtemp(path.join(tmpdir(), "nightjar-recordings-"));
  folders = new RecordingFolders(path.join(directory, "recordings"));
});

afterEach(async () => {
  await rm(directory, { recursive: true, force: true });
});

describe("folders of recordings", () => {
  it("are closed to other users, and are counted with all that lies in them", async () => {
    const folder = await folders.open(id);
    await writeFile(folder.file("frames.bin"), Buffer.alloc(10_000));
    await writeFile(folder.file("network.ndjson"), Buffer.alloc(5000));
    folder.close();

    expect((await stat(folder.directory)).mode & 0o777).toBe(0o700);
    expect(await folders.list()).toEqual([id]);
    const described = await folders.describe(id);
    expect(described?.sizeBytes).toBeGreaterThanOrEqual(15_000);
    expect(described?.updatedAt).toBeGreaterThan(Date.now() - 60_000);
  });

  it("are removed when the last who writes to them is done", async () => {
    const frames = await folders.open(id);
    const log = await folders.open(id);
    const removed = folders.remove(id);
    frames.close();
    frames.close();
    await writeFile(log.file("network.ndjson"), "{}\n");
    expect(folders.isOpen(id)).toBe(true);
    log.close();

    expect(await removed).toBe(true);
    expect(await folders.describe(id)).toBeNull();
    expect(await folders.remove(id)).toBe(false);
    expect(folders.isOpen(id)).toBe(false);
  });

  it("are named by ids of sessions and by nothing else", async () => {
    for (const name of ["", "..", "../files", `${id}/..`]) {
      await expect(folders.open(name)).rejects.toThrow("cannot name a recording");
    }
  });

  it("are none before the first recording", async () => {
    expect(await folders.list()).toEqual([]);
  });
});
