import { lookup as dnsLookup, type LookupAddress } from "node:dns";
import { BlockList, isIP, type LookupFunction } from "node:net";
import { NightjarError } from "../sessions/errors.ts";
import { isDevtoolsPort } from "./devtools-ports.ts";

/** What is not the public internet (IANA special-purpose registries, RFC 6890 and its updates). */
const privateRanges: readonly (readonly [string, number, "ipv4" | "ipv6"])[] = [
  ["0.0.0.0", 8, "ipv4"],
  ["10.0.0.0", 8, "ipv4"],
  ["100.64.0.0", 10, "ipv4"],
  ["127.0.0.0", 8, "ipv4"],
  ["169.254.0.0", 16, "ipv4"],
  ["172.16.0.0", 12, "ipv4"],
  ["192.0.0.0", 24, "ipv4"],
  ["192.168.0.0", 16, "ipv4"],
  ["198.18.0.0", 15, "ipv4"],
  ["224.0.0.0", 4, "ipv4"],
  ["240.0.0.0", 4, "ipv4"],
  // Addresses that carry an IPv4 address inside: compatible, NAT64, Teredo and 6to4.
  ["::", 96, "ipv6"],
  ["64:ff9b::", 96, "ipv6"],
  ["64:ff9b:1::", 48, "ipv6"],
  ["2001::", 32, "ipv6"],
  ["2002::", 16, "ipv6"],
  ["fc00::", 7, "ipv6"],
  ["fe80::", 10, "ipv6"],
  ["fec0::", 10, "ipv6"],
  ["ff00::", 8, "ipv6"],
];

/**
 * Decides by address, after name resolution, where the server connects to on a tenant's behalf:
 * the public internet, and what the operator allows (`NIGHTJAR_EGRESS_ALLOW`: addresses or CIDR
 * blocks). A name that resolves to a refused address does not get through.
 */
export class AddressPolicy {
  readonly #refused = new BlockList();
  readonly #allowed = new BlockList();

  constructor(allow: readonly string[]) {
    for (const [address, prefix, family] of privateRanges) {
      this.#refused.addSubnet(address, prefix, family);
    }
    for (const block of allow) addBlock(this.#allowed, block);
  }

  allows(address: string): boolean {
    const family = isIP(address) === 6 ? "ipv6" : "ipv4";
    return this.#allowed.check(address, family) || !this.#refused.check(address, family);
  }

  /**
   * Throws `attach_refused` where a URL's host is an address that is refused (names are left to
   * `lookup`), or where its port is one that our own browsers use: even where loopback is allowed,
   * another session's browser is not.
   */
  checkUrl(url: URL): void {
    if (isDevtoolsPort(Number(url.port))) throw refusal(url.host);
    const host = url.hostname.replace(/^\[|\]$/g, "");
    if (isIP(host) !== 0 && !this.allows(host)) throw refusal(host);
  }

  /** Resolves a name to its allowed addresses only; fails when there is none. For `net.connect`. */
  readonly lookup: LookupFunction = (hostname, options, callback) => {
    dnsLookup(hostname, { ...options, all: true }, (error, addresses: LookupAddress[]) => {
      if (error !== null) {
        callback(error, "");
        return;
      }
      const allowed = addresses.filter(({ address }) => this.allows(address));
      const [first] = allowed;
      if (first === undefined) callback(refusal(hostname), "");
      else if (options.all === true) callback(null, allowed);
      else callback(null, first.address, first.family);
    });
  };
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

function addBlock(list: BlockList, block: string): void {
  const [, address = "", prefix] = /^([^/]+)(?:\/(\d{1,3}))?$/.exec(block) ?? [];
  const family = isIP(address) === 6 ? "ipv6" : "ipv4";
  if (prefix === undefined) list.addAddress(address, family);
  else list.addSubnet(address, Number(prefix), family);
}

function refusal(host: string): NightjarError {
  return new NightjarError(
    "attach_refused",
    `cdp_url leads to "${host}", an address that this server does not connect to. The operator can allow it with NIGHTJAR_EGRESS_ALLOW.`,
  );
}
