import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { AddressPolicy, isAddressBlock } from "./address-policy.ts";

describe("addresses", () => {
  const strict = new AddressPolicy([]);

  test.each([
    "0.0.0.0",
    "10.0.0.1",
    "100.64.0.1",
    "127.0.0.1",
    "127.255.255.254",
    "169.254.169.254",
    "172.16.0.1",
    "172.31.255.255",
    "192.168.1.1",
    "198.18.0.1",
    "224.0.0.1",
    "255.255.255.255",
    "::",
    "::1",
    "fe80::1",
    "fe80::1%lo",
    "fc00::1",
    "fd12:3456::1",
    "ff02::1",
    "fec0::1",
    "64:ff9b::7f00:1",
    "64:ff9b:1::7f00:1",
    "2002:7f00:1::",
    "2001:0:7f00:1::",
    "::ffff:127.0.0.1",
    "::ffff:7f00:1",
    "::ffff:169.254.169.254",
    "0:0:0:0:0:ffff:0a00:0001",
  ])("that are not the public internet are refused: %s", (address) => {
    expect(strict.allows(address)).toBe(false);
  });

  test.each([
    "1.1.1.1",
    "8.8.8.8",
    "172.32.0.1",
    "100.128.0.1",
    "2606:4700::1111",
    "::ffff:8.8.8.8",
  ])("of the public internet are allowed: %s", (address) => {
    expect(strict.allows(address)).toBe(true);
  });

  test("that carry an IPv4 address inside are judged by it", () => {
    fc.assert(
      fc.property(fc.ipV4(), (address) => {
        expect(strict.allows(`::ffff:${address}`)).toBe(strict.allows(address));
      }),
    );
  });

  test("that the operator allows pass, as addresses and as blocks, and no others with them", () => {
    const policy = new AddressPolicy(["10.1.0.0/16", "192.168.7.7", "fd00:1::/32"]);
    for (const address of ["10.1.2.3", "192.168.7.7", "fd00:1::5", "::ffff:10.1.2.3"]) {
      expect(policy.allows(address), address).toBe(true);
    }
    for (const address of ["10.2.0.1", "192.168.7.8", "fd00:2::5", "127.0.0.1"]) {
      expect(policy.allows(address), address).toBe(false);
    }
  });
});

describe("a setting", () => {
  test.each(["10.0.0.0/8", "10.0.0.1", "::1", "fd00::/8", "0.0.0.0/0"])("may be %s", (text) => {
    expect(isAddressBlock(text)).toBe(true);
  });

  test.each([
    "localhost",
    "10.0.0.0/33",
    "10.0.0.0/-1",
    "fd00::/129",
    "10.0.0",
    "10.0.0.0/a",
    "",
    "10.0.0.0/",
    "10.0.0.0/8/9",
    "10.0.0.0/0x8",
    "10.0.0.0/1.5",
  ])("may not be %j", (text) => {
    expect(isAddressBlock(text)).toBe(false);
  });
});
