import type { LookupAddress } from "node:dns";
import { BlockList, isIP } from "node:net";
import { networkInterfaces } from "node:os";

/** What is not the public internet, by what it is in a sentence. */
export type AddressKind =
  | "unspecified"
  | "loopback"
  | "private"
  | "link-local"
  | "metadata"
  | "multicast"
  | "reserved"
  | "own";

type Range = readonly [address: string, prefix: number];

/**
 * IANA's special-purpose registries (RFC 6890 and its updates), and the addresses at which clouds
 * tell a machine its secrets. The first kind that fits is the one that is told.
 */
const rangesOfKinds: readonly (readonly [AddressKind, readonly Range[]])[] = [
  [
    "metadata",
    [
      ["169.254.169.254", 32],
      ["169.254.170.2", 32],
      ["100.100.100.200", 32],
      ["192.0.0.192", 32],
      // Of public ranges, though only a virtual machine's own host answers there.
      ["168.63.129.16", 32],
      ["fd00:ec2::254", 128],
      ["fd20:ce::254", 128],
    ],
  ],
  [
    "loopback",
    [
      ["127.0.0.0", 8],
      ["::1", 128],
    ],
  ],
  [
    "unspecified",
    [
      ["0.0.0.0", 8],
      ["::", 128],
    ],
  ],
  [
    "private",
    [
      ["10.0.0.0", 8],
      ["100.64.0.0", 10],
      ["172.16.0.0", 12],
      ["192.168.0.0", 16],
      ["fc00::", 7],
      ["fec0::", 10],
    ],
  ],
  [
    "link-local",
    [
      ["169.254.0.0", 16],
      ["fe80::", 10],
    ],
  ],
  [
    "multicast",
    [
      ["224.0.0.0", 4],
      ["ff00::", 8],
    ],
  ],
  [
    "reserved",
    [
      ["192.0.0.0", 24],
      ["192.0.2.0", 24],
      ["198.18.0.0", 15],
      ["198.51.100.0", 24],
      ["203.0.113.0", 24],
      ["240.0.0.0", 4],
      // Addresses that carry an IPv4 address inside: compatible, NAT64, Teredo and 6to4.
      ["::", 96],
      ["64:ff9b::", 96],
      ["64:ff9b:1::", 48],
      ["2001::", 32],
      ["2002::", 16],
      ["100::", 64],
      ["2001:db8::", 32],
    ],
  ],
];

const refusedKinds = rangesOfKinds.map(([kind, ranges]) => {
  const list = new BlockList();
  for (const [address, prefix] of ranges) list.addSubnet(address, prefix, familyOf(address));
  return { kind, list };
});

/** For how long the machine's own addresses are taken to be the same, in ms. */
const ownAddressesMs = 5000;
let ownAddresses = new BlockList();
let ownAddressesReadAt = Number.NEGATIVE_INFINITY;

/**
 * Decides by address, after name resolution, where the server and its browsers connect to: the
 * public internet but for the machine itself, and what the operator allows (`NIGHTJAR_EGRESS_ALLOW`
 * or a tenant's own list: addresses or CIDR blocks). IPv4 addresses in IPv6 form count as IPv4.
 */
export class AddressPolicy {
  readonly #allowed = new BlockList();

  constructor(allow: readonly string[]) {
    for (const block of allow) addBlock(this.#allowed, block);
  }

  allows(address: string): boolean {
    return this.refusedKind(address) === null;
  }

  /** What an address is that is refused; null for one that is allowed. */
  refusedKind(address: string): AddressKind | null {
    if (this.#allowed.check(address, familyOf(address))) return null;
    return specialKind(address);
  }

  /** Of a name's addresses those that are allowed. */
  allowedOf(addresses: readonly LookupAddress[]): readonly LookupAddress[] {
    return addresses.filter(({ address }) => this.allows(address));
  }
}

/** Whether an address leads to this machine, whatever is allowed. */
export function isOfThisMachine(address: string): boolean {
  const kind = specialKind(address);
  return kind === "loopback" || kind === "unspecified" || isOwn(address);
}

/** Whether a text is an address or CIDR block that a policy can hold. */
export function isAddressBlock(text: string): boolean {
  try {
    addBlock(new BlockList(), text);
    return true;
  } catch {
    return false;
  }
}

/** Adds an address or CIDR block. Throws where the text is neither. */
export function addBlock(list: BlockList, block: string): void {
  const [, address = "", prefix] = /^([^/]+)(?:\/(\d{1,3}))?$/.exec(block) ?? [];
  if (prefix === undefined) list.addAddress(address, familyOf(address));
  else list.addSubnet(address, Number(prefix), familyOf(address));
}

function specialKind(address: string): AddressKind | null {
  const family = familyOf(address);
  const special = refusedKinds.find(({ list }) => list.check(address, family));
  if (special !== undefined) return special.kind;
  return isOwn(address) ? "own" : null;
}

/** Read anew from time to time: a machine's addresses come and go. */
function isOwn(address: string): boolean {
  const now = performance.now();
  if (now - ownAddressesReadAt > ownAddressesMs) {
    ownAddresses = new BlockList();
    for (const found of Object.values(networkInterfaces()).flat()) {
      if (found !== undefined) ownAddresses.addAddress(found.address, familyOf(found.address));
    }
    ownAddressesReadAt = now;
  }
  return ownAddresses.check(address, familyOf(address));
}

function familyOf(address: string): "ipv4" | "ipv6" {
  return isIP(address) === 6 ? "ipv6" : "ipv4";
}
