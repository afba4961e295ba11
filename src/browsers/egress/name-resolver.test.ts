import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { DnsServer } from "../../../tests/support/dns-server.ts";
import { NameCache, NameResolver } from "./name-resolver.ts";

let dns: DnsServer;
let resolver: NameResolver;

beforeEach(async () => {
  dns = await DnsServer.start((name, type) => {
    if (name === "both.test") return type === "A" ? ["192.0.2.1", "192.0.2.2"] : ["2001:db8::1"];
    if (name === "six.test") return type === "A" ? [] : ["2001:db8::2"];
    return [];
  });
  resolver = new NameResolver([dns.address]);
});

afterEach(() => dns.stop());

const addressesOf = async (name: string) =>
  (await resolver.resolve(name)).addresses.map(({ address }) => address);

describe("a name", () => {
  test("has the addresses that DNS knows, IPv4 first", async () => {
    expect(await addressesOf("both.test")).toEqual(["192.0.2.1", "192.0.2.2", "2001:db8::1"]);
    expect(await addressesOf("six.test")).toEqual(["2001:db8::2"]);
  });

  test("that is an address is that address, and DNS is not asked", async () => {
    expect(await addressesOf("192.0.2.9")).toEqual(["192.0.2.9"]);
    expect(await addressesOf("2001:db8::9")).toEqual(["2001:db8::9"]);
    expect(dns.asked).toEqual([]);
  });

  test("of this machine is loopback, and DNS is not asked", async () => {
    for (const name of ["localhost", "x.localhost"]) {
      expect(await addressesOf(name)).toEqual(["127.0.0.1", "::1"]);
    }
    expect(dns.asked).toEqual([]);
  });

  test("that there is not fails, and so do those that can never be", async () => {
    await expect(resolver.resolve("none.test")).rejects.toThrow(
      expect.objectContaining({ code: "ENOTFOUND" }),
    );
    dns.asked.length = 0;
    await expect(resolver.resolve("a.invalid")).rejects.toThrow(
      expect.objectContaining({ code: "ENOTFOUND" }),
    );
    expect(dns.asked).toEqual([]);
  });
});

test("one browser asks once for what it asks at the same time, and again when the answer is too old", async () => {
  const names = new NameCache(resolver);
  await Promise.all([names.resolve("both.test"), names.resolve("BOTH.test.")]);
  // Once for each family.
  expect(dns.asked).toHaveLength(2);
  await names.resolve("both.test");
  expect(dns.asked).toHaveLength(4);
});
