import { expect, test } from "vitest";
import { fitSites } from "./fit-sites.ts";
import type { SiteState, StoredDatabase } from "./site-protocol.ts";

/** A database of about so many bytes. */
function database(name: string, bytes: number): StoredDatabase {
  const records = [{ pair: "x".repeat(bytes), objects: [] }];
  const store = { name: "s", keyPath: null, autoIncrement: true, indexes: [], records };
  return { name, version: 1, stores: [store] };
}

function site(origin: string, databases: readonly StoredDatabase[]): SiteState {
  return { origin, localStorage: [["token", "1"]], sessionStorage: [], databases };
}

test("what fits stays as it is", () => {
  const sites = [site("https://bank.com", [database("d", 500)])];
  expect(fitSites(sites, 1000)).toEqual({ sites, leftOut: [] });
});

test("the site that has most gives up its largest databases, whatever names it goes by", () => {
  const bank = site("https://bank.com", [database("login", 3000)]);
  const greedy = ["a", "b", "c"].map((name) =>
    site(`https://${name}.greedy.com`, [database("small", 100), database("cache", 2500)]),
  );
  const { sites, leftOut } = fitSites([...greedy, bank], 7000);
  expect(sites.at(-1)).toEqual(bank);
  expect(sites.flatMap(({ databases }) => databases.map(({ name }) => name))).toEqual(
    expect.arrayContaining(["small", "small", "small", "cache", "login"]),
  );
  expect(leftOut).toHaveLength(2);
  expect(leftOut[0]).toMatch(/^https:\/\/.\.greedy\.com: the database "cache" .*too large/);
  expect(JSON.stringify(sites).length).toBeLessThanOrEqual(7000);
});

test("items go last", () => {
  const items: SiteState = {
    ...site("https://a.com", [database("d", 10)]),
    localStorage: [["large", "x".repeat(2000)]],
  };
  const bank = site("https://bank.com", []);
  const { sites, leftOut } = fitSites([items, bank], 1000);
  expect(sites).toEqual([bank]);
  expect(leftOut).toEqual([
    expect.stringContaining('the database "d"'),
    expect.stringContaining("localStorage and sessionStorage"),
  ]);
});
