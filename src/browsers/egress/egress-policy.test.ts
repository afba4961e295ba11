import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { AddressPolicy } from "./address-policy.ts";
import { EgressPolicy } from "./egress-policy.ts";
import { canonicalHost, HostPatterns } from "./host-patterns.ts";
import { NameCache, NameResolver } from "./name-resolver.ts";

interface Lists {
  readonly allow?: readonly string[];
  readonly allowHosts?: readonly string[];
  readonly denyHosts?: readonly string[];
  /** What the names of a test lead to. */
  readonly names?: Readonly<Record<string, readonly string[]>>;
}

class FixedResolver extends NameResolver {
  readonly #names: Readonly<Record<string, readonly string[]>>;

  constructor(names: Readonly<Record<string, readonly string[]>>) {
    super([]);
    this.#names = names;
  }

  override async resolve(name: string) {
    const fixed = this.#names[name];
    if (fixed === undefined) return super.resolve(name);
    const addresses = fixed.map((address) => ({ address, family: address.includes(":") ? 6 : 4 }));
    return { addresses, ttlSeconds: 0 };
  }
}

function policyOf({ allow = [], allowHosts = [], denyHosts = [], names = {} }: Lists = {}) {
  return new EgressPolicy(
    { allow: new HostPatterns(allowHosts), deny: new HostPatterns(denyHosts) },
    new AddressPolicy(allow),
    new NameCache(new FixedResolver(names)),
  );
}

/** What a policy makes of a host: the addresses to dial, or the reason of its refusal. */
async function outcome(policy: EgressPolicy, host: string, port = 443): Promise<unknown> {
  return policy.addressesOf(canonicalHost(host), port).then(
    (addresses) => addresses.map(({ address }) => address),
    (error) => error.outcome?.reason ?? error,
  );
}

/** One IPv4 address, in a spelling that browsers read as it. */
const spelled = fc
  .tuple(
    fc.constantFrom("127", "10", "192.168", "169.254", "100.64", "0", "172.16", "224.0", "240"),
    fc.array(fc.integer({ min: 0, max: 255 }), { minLength: 4, maxLength: 4 }),
    fc.array(fc.constantFrom(8, 10, 16), { minLength: 4, maxLength: 4 }),
    fc.integer({ min: 1, max: 4 }),
    fc.constantFrom("", "."),
  )
  .map(([prefix, rest, bases, parts, end]) => {
    const bytes = [...prefix.split(".").map(Number), ...rest].slice(0, 4);
    const last = bytes.slice(parts - 1).reduce((sum, byte) => sum * 256 + byte, 0);
    const digits = [...bytes.slice(0, parts - 1), last].map((value, at) => {
      const base = bases[at] ?? 10;
      const prefixOfBase = base === 16 ? "0x" : base === 8 ? "0" : "";
      return `${prefixOfBase}${value.toString(base)}`;
    });
    return { address: bytes.join("."), spelling: `${digits.join(".")}${end}` };
  });

describe("an address that is not the public internet", () => {
  const strict = policyOf();

  test("is refused in every spelling: decimal, octal, hexadecimal, shortened and in IPv6", async () => {
    await fc.assert(
      fc.asyncProperty(spelled, async ({ address, spelling }) => {
        expect(new URL(`http://${spelling}/`).hostname).toBe(address);
        expect(await outcome(strict, spelling)).toBe("address");
        expect(await outcome(strict, `[::ffff:${address}]`)).toBe("address");
        expect(await outcome(strict, `[::${address}]`)).toBe("address");
        expect(await outcome(strict, `[64:ff9b::${address}]`)).toBe("address");
      }),
    );
  });

  test("is passed over where the name has others as well", async () => {
    const policy = policyOf({ names: { "mixed.test": ["10.0.0.1", "1.1.1.1", "::1", "2606::1"] } });
    expect(await outcome(policy, "mixed.test")).toEqual(["1.1.1.1", "2606::1"]);
  });

  test("is refused behind a name, and the reason names both", async () => {
    const policy = policyOf({ names: { "inside.test": ["10.0.0.1", "192.168.0.1"] } });
    await expect(policy.addressesOf("inside.test", 80)).rejects.toThrow(
      "inside.test leads to 10.0.0.1, a private address",
    );
  });

  test("can be allowed, and no other with it", async () => {
    const policy = policyOf({ allow: ["10.1.0.0/16", "::1"] });
    expect(await outcome(policy, "10.1.2.3")).toEqual(["10.1.2.3"]);
    expect(await outcome(policy, "10.2.0.1")).toBe("address");
    expect(await outcome(policy, "localhost")).toEqual(["::1"]);
  });
});

describe("a port of a browser of this machine", () => {
  const open = policyOf({ allow: ["0.0.0.0/0", "::/0"], names: { "here.test": ["127.0.0.1"] } });

  test.each([
    "127.0.0.1",
    "127.9.9.9",
    "localhost",
    "[::1]",
    "[::ffff:127.0.0.1]",
    "0.0.0.0",
    "here.test",
  ])("is out of reach at %s, whatever is allowed", async (host) => {
    for (const port of [28_000, 28_999, 29_000, 29_999]) {
      expect(await outcome(open, host, port)).toBe("port");
    }
    expect(await outcome(open, host, 30_000)).not.toBe("port");
  });

  test("is a port like others elsewhere", async () => {
    expect(await outcome(open, "1.1.1.1", 29_222)).toEqual(["1.1.1.1"]);
  });
});

describe("lists of hosts", () => {
  test("let through only what is allowed, and nothing that is denied", async () => {
    const names = { "a.test": ["1.1.1.1"], "www.a.test": ["1.1.1.1"], "b.test": ["1.1.1.1"] };
    const policy = policyOf({ allowHosts: [".a.test"], denyHosts: ["www.a.test"], names });
    expect(await outcome(policy, "a.test")).toEqual(["1.1.1.1"]);
    expect(await outcome(policy, "www.a.test")).toBe("domain");
    expect(await outcome(policy, "b.test")).toBe("domain");
    expect(await outcome(policy, "1.1.1.1")).toBe("domain");
  });
});

describe("through another proxy", () => {
  const elsewhere = [{ address: "203.0.114.1", family: 4 }];
  const here = [{ address: "127.0.0.1", family: 4 }];

  function reasonOf(host: string, port: number, upstream = elsewhere): string | null {
    try {
      policyOf({ denyHosts: ["denied.test"] }).checkThroughUpstream(
        canonicalHost(host),
        port,
        upstream,
      );
      return null;
    } catch (error) {
      return (error as { outcome: { reason: string } }).outcome.reason;
    }
  }

  test("names are left to it, but for those of its own machine and those that are denied", () => {
    expect(reasonOf("example.com", 443)).toBeNull();
    expect(reasonOf("localhost", 80)).toBe("address");
    expect(reasonOf("x.localhost", 80)).toBe("address");
    expect(reasonOf("denied.test", 80)).toBe("domain");
  });

  test.each(["10.0.0.1", "2130706433", "[::1]", "[::ffff:169.254.169.254]"])(
    "an address in the URL is decided about here: %s",
    (host) => {
      expect(reasonOf(host, 80)).toBe("address");
    },
  );

  test("on this machine no browser's port is asked for, by whatever name", () => {
    expect(reasonOf("example.com", 29_500, here)).toBe("port");
    expect(reasonOf("example.com", 29_500)).toBeNull();
  });
});
