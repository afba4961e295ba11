import { expect, test } from "vitest";
import { byTurns, originOf, siteOf } from "./site-of.ts";

test.each([
  ["https://example.com", "example.com"],
  ["https://a.b.example.com:8443", "example.com"],
  ["https://a.example.co.uk", "example.co.uk"],
  ["https://a.example.de", "example.de"],
  ["http://localhost:7777", "localhost"],
  ["http://127.0.0.2:80", "127.0.0.2"],
  ["http://[::1]:80", "[::1]"],
])("%s is of %s", (origin, site) => {
  expect(siteOf(origin)).toBe(site);
});

test("only what is of the web has an origin", () => {
  expect(originOf("https://example.com/a?b")).toBe("https://example.com");
  expect(originOf("about:blank")).toBeNull();
  expect(originOf("https://")).toBeNull();
});

test("a site with many origins has no more turns than others", () => {
  const many = Array.from({ length: 100 }, (_, n) => `https://a${n}.evil.com`);
  const order = byTurns(["https://old.com", "https://bank.com", ...many]);
  expect(order).toHaveLength(102);
  expect(order.slice(0, 4)).toEqual([
    "https://a99.evil.com",
    "https://bank.com",
    "https://old.com",
    "https://a98.evil.com",
  ]);
});
