import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { canonicalHost, HostPatterns, isHostPattern } from "./host-patterns.ts";

function matches(pattern: string, host: string, port = 443): boolean {
  return new HostPatterns([pattern]).matches(host, port);
}

describe("a pattern", () => {
  test.each([
    ["example.com", "example.com"],
    ["example.com", "EXAMPLE.com."],
    ["Example.COM", "example.com"],
    ["*.example.com", "www.example.com"],
    ["*.example.com", "a.b.example.com"],
    [".example.com", "example.com"],
    [".example.com", "www.example.com"],
    ["*", "anything.example"],
    ["*", "10.0.0.1"],
    ["*example.com", "notexample.com"],
    ["www.*.com", "www.example.com"],
    ["example.com:443", "example.com"],
    ["<local>", "intranet"],
    ["10.0.0.0/8", "10.1.2.3"],
    ["10.0.0.1", "10.0.0.1"],
    ["10.0.0.1:443", "10.0.0.1"],
    ["::1", "::1"],
    ["[::1]:443", "[::1]"],
    ["fd00::/8", "fd00::5"],
    ["10.0.0.0/8", "::ffff:10.0.0.1"],
  ])("%s covers %s", (pattern, host) => {
    expect(isHostPattern(pattern)).toBe(true);
    expect(matches(pattern, host)).toBe(true);
  });

  test.each([
    ["example.com", "www.example.com"],
    ["example.com", "example.com.evil.org"],
    ["example.com", "notexample.com"],
    [".example.com", "notexample.com"],
    ["*.example.com", "example.com"],
    ["*.example.com", "wwwxexample.com"],
    ["example.com:8443", "example.com"],
    ["<local>", "intranet.example"],
    ["<local>", "::1"],
    ["10.0.0.0/8", "11.0.0.1"],
    ["10.0.0.0/8", "10.example.com"],
  ])("%s does not cover %s", (pattern, host) => {
    expect(matches(pattern, host)).toBe(false);
  });

  test.each(["", "a b", "http://example.com", "example.com/path", "example.com:99999", "ä.de"])(
    "is not %j",
    (text) => {
      expect(isHostPattern(text)).toBe(false);
    },
  );

  test("of any name covers that name and nothing that only ends or begins like it", () => {
    fc.assert(
      fc.property(fc.domain(), fc.domain(), (name, other) => {
        expect(matches(name, name)).toBe(true);
        expect(matches(`*.${name}`, `${other}.${name}`)).toBe(true);
        expect(matches(name, `${other}.${name}`)).toBe(false);
        expect(matches(name, `${name}.${other}`)).toBe(false);
      }),
    );
  });
});

test.each([
  ["2130706433", "127.0.0.1"],
  ["0x7f.1", "127.0.0.1"],
  ["0177.0.0.1", "127.0.0.1"],
  ["127.1", "127.0.0.1"],
  ["[::FFFF:127.0.0.1]", "::ffff:7f00:1"],
  ["EXAMPLE.com.", "example.com"],
  ["bücher.example", "xn--bcher-kva.example"],
])("%s is %s, however it is spelled", (spelling, host) => {
  expect(canonicalHost(spelling)).toBe(host);
});
