import { expect, test } from "vitest";
import { nothingUnrestored } from "./browser-state.ts";
import type { ReadAnswer, SiteState, StoredDatabase } from "./site-protocol.ts";
import { mostSites, SiteShelf } from "./site-shelf.ts";

const bank = "https://bank.com";

function database(name: string, version: number): StoredDatabase {
  return { name, version, stores: [] };
}

function site(origin: string, changes: Partial<SiteState> = {}): SiteState {
  return { origin, localStorage: [["a", "1"]], sessionStorage: [], databases: [], ...changes };
}

function answer(of: SiteState, unread: readonly string[] = []): ReadAnswer {
  return { site: of, unread, leftOut: [] };
}

function shelf(previous: readonly SiteState[], unrestored = nothingUnrestored, mostBytes = 10_000) {
  return new SiteShelf({ previous, unrestored, mostBytes });
}

test("a database that could not be read stays as it was, and one that is gone goes", () => {
  const before = site(bank, { databases: [database("auth", 1), database("cache", 1)] });
  const sites = shelf([before]);
  sites.put(bank, answer(site(bank, { databases: [database("new", 2)] }), ["auth"]), true, 100);
  expect(sites.take([bank]).sites).toEqual([
    site(bank, { databases: [database("new", 2), database("auth", 1)] }),
  ]);
});

test("of an origin that its browser was not given whole, nothing goes that is not replaced", () => {
  const before = site(bank, {
    localStorage: [
      ["a", "old"],
      ["b", "old"],
    ],
    databases: [database("auth", 1), database("cache", 1)],
  });
  const sites = shelf([before], { origins: [bank], cookies: [] });
  const now = site(bank, { localStorage: [["a", "new"]], databases: [database("auth", 2)] });
  sites.put(bank, answer(now), true, 100);
  expect(sites.take([bank]).sites).toEqual([
    site(bank, {
      localStorage: [
        ["a", "new"],
        ["b", "old"],
      ],
      databases: [database("auth", 2), database("cache", 1)],
    }),
  ]);
});

test("the order is that of use, whichever answers first", () => {
  const [first, second, third] = ["https://1.com", "https://2.com", "https://3.com"] as const;
  const sites = shelf([site(third), site(bank)]);
  sites.put(second, answer(site(second)), false, 100);
  sites.put(third, answer(site(third)), false, 100);
  sites.put(first, answer(site(first)), false, 100);
  const origins = sites.take([first, second, third]).sites.map(({ origin }) => origin);
  expect(origins).toEqual([bank, first, second, third]);
});

test("a site with hundreds of names puts nobody else out, and it is told what goes", () => {
  const sites = shelf([site(bank)]);
  const names = Array.from({ length: mostSites }, (_, n) => `https://a${n}.evil.com`);
  for (const name of names) sites.put(name, answer(site(name)), false, 1);
  const { sites: kept, leftOut } = sites.take(names);
  expect(kept).toHaveLength(mostSites);
  expect(kept[0]?.origin).toBe(bank);
  expect(leftOut).toEqual([expect.stringMatching(/^https:\/\/a0\.evil\.com: all of it/)]);
});

test("what is read is made to fit while it comes in", () => {
  const sites = shelf([site(bank)], nothingUnrestored, 1000);
  for (let n = 0; n < 20; n += 1) {
    const origin = `https://a${n}.evil.com`;
    const large = site(origin, { localStorage: [["x", "x".repeat(300)]] });
    sites.put(origin, answer(large), false, 350);
  }
  const { sites: kept, leftOut } = sites.take([]);
  expect(kept[0]?.origin).toBe(bank);
  expect(JSON.stringify(kept).length).toBeLessThan(2500);
  expect(leftOut.length).toBeGreaterThan(10);
});

test("nobody puts anything into the storage of another", () => {
  const sites = shelf([]);
  expect(() => sites.put(bank, answer(site("https://evil.com")), true, 1)).toThrow("evil.com");
});
