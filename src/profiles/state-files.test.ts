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
  unrestored: { origins: ["https://example.com"], cookies: ["key"] },
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

test("of a state that is too large the cookies stay, and who has most gives way", async () => {
  const files = new StateFiles({ directory, mostBytes: 2000 });
  const [site] = state.sites;
  if (site === undefined) throw new Error("no site");
  const large = { ...site, localStorage: [["x", "x".repeat(5000)]] as const };
  const greedy = { ...large, origin: "https://greedy.example" };
  const fitted = files.packFitting({ ...state, sites: [greedy, site] });
  expect(fitted.state.sites).toEqual([site]);
  expect(fitted.leftOut).toEqual(
    expect.arrayContaining([expect.stringMatching(/^https:..greedy/)]),
  );
  expect(await files.read(await files.write(fitted.packed))).toEqual({ ...state, sites: [site] });
  const cookie = { ...state.cookies[0], value: "x".repeat(5000) } as (typeof state.cookies)[0];
  expect(() => files.packFitting({ ...state, cookies: [cookie] })).toThrow(/at most 2000 /);
});

test("a copy is a state of its own", async () => {
  const files = new StateFiles({ directory, mostBytes: 10_000 });
  const name = await files.write(files.pack(state));
  const copy = (await files.copy(name)) ?? "";
  await files.remove(name);
  expect(await files.read(copy)).toEqual(state);
  expect((await stat(path.join(directory, copy))).mode & 0o777).toBe(0o600);
  expect(await files.copy(name)).toBeNull();
  expect(await readdir(directory)).toEqual([copy]);
});

test("few large states are in work at once, and small ones do not wait for them", async () => {
  const files = new StateFiles({ directory, mostBytes: 10_000_000 });
  const large = { ...state, pending: ["x".repeat(1_100_000)] };
  const name = await files.write(files.pack(large));
  const small = await files.write(files.pack(state));
  const done = Promise.withResolvers<void>();
  let begun = 0;
  const uses = Array.from({ length: 5 }, () =>
    files.use(name, async () => {
      begun += 1;
      await done.promise;
      return begun;
    }),
  );
  await expect.poll(() => begun).toBe(2);
  expect(await files.use(small, async (read) => read)).toEqual(state);
  expect(begun).toBe(2);
  done.resolve();
  await Promise.all(uses);
  expect(begun).toBe(5);
  await expect(files.use(name, () => Promise.reject(new Error("failed")))).rejects.toThrow(
    "failed",
  );
  expect(await files.use("none.json.gz", async (read) => read)).toBeNull();
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
