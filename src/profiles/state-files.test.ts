import { mkdtemp, readdir, readFile, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { type BrowserState, emptyState } from "./browser-state.ts";
import { StateFiles } from "./state-files.ts";

let directory: string;

beforeEach(async () => {
  directory = await mkdtemp(path.join(tmpdir(), "nightjar-profiles-"));
});

afterEach(() => rm(directory, { recursive: true }));

const state: BrowserState = {
  version: 1,
  cookies: [
    {
      ...{ name: "sid", value: "secret", domain: ".example.com", path: "/", expires: null },
      ...{ httpOnly: true, secure: true, sameSite: "Lax", priority: "High" },
      partition: { site: "https://top.example", crossSite: true },
      source: { scheme: "Secure", port: 443 },
    },
  ],
  sites: [
    {
      origin: "https://example.com",
      localStorage: [["__proto__", "\ud800"]],
      sessionStorage: [["", ""]],
      databases: [
        {
          name: "d",
          version: 2,
          stores: [
            {
              ...{ name: "s", keyPath: ["a", "b"], autoIncrement: false },
              indexes: [{ name: "i", keyPath: "a", unique: true, multiEntry: false }],
              records: [
                { pair: ["object", 0], objects: [{ is: "set", values: [["bigint", "1"]] }] },
              ],
            },
          ],
        },
      ],
    },
  ],
  pending: ["https://example.com"],
};

test("a state is read as it was written, and nobody else can read it", async () => {
  const files = new StateFiles({ directory, mostBytes: 10_000 });
  const packed = files.pack(state);
  const name = await files.write(packed);
  expect(await files.read(name)).toEqual(state);
  expect((await stat(path.join(directory, name))).mode & 0o777).toBe(0o600);
  expect(files.pack(structuredClone(state)).digest).toBe(packed.digest);
  expect(files.pack({ ...state, pending: [] }).digest).not.toBe(packed.digest);
});

test("a state that is too large is not written", () => {
  const files = new StateFiles({ directory, mostBytes: 100 });
  expect(() => files.pack(state)).toThrow(/has \d+ bytes.*at most 100 /);
  expect(files.pack(emptyState).text.length).toBeLessThan(100);
});

test("a state that is gone is null, and one that is broken an error", async () => {
  const files = new StateFiles({ directory, mostBytes: 10_000 });
  expect(await files.read("none.json.gz")).toBeNull();
  const name = await files.write(files.pack(state));
  const whole = await readFile(path.join(directory, name));
  await writeFile(path.join(directory, name), whole.subarray(0, whole.length - 20));
  await expect(files.read(name)).rejects.toMatchObject({ code: "profile_damaged" });
});

test("what no profile refers to is swept away", async () => {
  const files = new StateFiles({ directory, mostBytes: 10_000 });
  const kept = await files.write(files.pack(state));
  await files.write(files.pack(state));
  await writeFile(path.join(directory, "half.json.gz"), "");
  await files.sweep(new Set([kept]));
  expect(await readdir(directory)).toEqual([kept]);
});
