import { expect, test } from "vitest";
import type { Cookie } from "../pages/cookies.ts";
import { mergeCookies, toCookie, toStoredCookie } from "./browser-cookies.ts";

function cookie(domain: string, partitionKey: string | null): Cookie {
  return {
    ...{ name: "a", value: "1", domain, path: "/", expires: null, partitionKey },
    ...{ httpOnly: true, secure: true, sameSite: "None" },
  };
}

test.each([
  ["shop.example.com", "https://example.com", false],
  [".example.com", "https://example.com", false],
  ["widget.com", "https://example.com", true],
  ["notexample.com", "https://example.com", true],
])("a cookie of %s within %s is of a frame of another site: %s", (domain, site, crossSite) => {
  const stored = toStoredCookie(cookie(domain, site));
  expect(stored.partition).toEqual({ site, crossSite });
  expect(toCookie(stored)).toEqual(cookie(domain, site));
});

test("cookies of the same name in another kind of partition are others", () => {
  const own = toStoredCookie(cookie("example.com", "https://example.com"));
  const framed = { ...own, partition: { site: "https://example.com", crossSite: true } };
  expect(mergeCookies([own], [framed])).toHaveLength(2);
  expect(mergeCookies([own], [{ ...own, value: "2" }])).toEqual([{ ...own, value: "2" }]);
});
