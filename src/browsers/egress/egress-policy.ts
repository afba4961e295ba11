import type { LookupAddress } from "node:dns";
import { isIP } from "node:net";
import { type AddressPolicy, isOfThisMachine } from "./address-policy.ts";
import { isBrowserPort } from "./browser-ports.ts";
import { refused, refusedAddress } from "./egress-error.ts";
import { type HostPatterns, plainHost } from "./host-patterns.ts";
import type { NameCache } from "./name-resolver.ts";

export interface DomainLists {
  /** Only these may be connected to; empty for every one. */
  readonly allow: HostPatterns;
  /** These may not, whatever is allowed. */
  readonly deny: HostPatterns;
}

/** Decides what one session's browser may connect to. */
export class EgressPolicy {
  readonly #domains: DomainLists;
  readonly #addresses: AddressPolicy;
  readonly #names: NameCache;

  constructor(domains: DomainLists, addresses: AddressPolicy, names: NameCache) {
    this.#domains = domains;
    this.#addresses = addresses;
    this.#names = names;
  }

  /**
   * The addresses of a host that may be dialled, never none: they, and not the name again, must be
   * what is dialled. Throws an `EgressError` that refuses, or `NameError`.
   */
  async addressesOf(host: string, port: number): Promise<readonly LookupAddress[]> {
    this.#checkDomain(host, port);
    return this.#allowedAddresses(host, port);
  }

  /** The same for a proxy of the session: the lists of domains are for what pages connect to. */
  addressesOfUpstream(host: string, port: number): Promise<readonly LookupAddress[]> {
    return this.#allowedAddresses(host, port);
  }

  /**
   * What is left to decide where another proxy resolves and dials: lists of domains, addresses that
   * stand in the URL, and names that mean the proxy's own machine. Throws an `EgressError`.
   */
  checkThroughUpstream(
    host: string,
    port: number,
    upstreamAddresses: readonly LookupAddress[],
  ): void {
    this.#checkDomain(host, port);
    const plain = plainHost(host);
    if (isIP(plain) !== 0) this.#checkAddress(host, plain, port);
    else if (plain === "localhost" || plain.endsWith(".localhost")) {
      this.#checkAddress(host, "127.0.0.1", port);
    }
    // A proxy on this machine might be told any name for it.
    const isHere = upstreamAddresses.some(({ address }) => isOfThisMachine(address));
    if (isBrowserPort(port) && isHere) throw refusedPort(host, port);
  }

  #checkDomain(host: string, port: number): void {
    const { allow, deny } = this.#domains;
    if (deny.matches(host, port)) {
      throw refused(
        "domain",
        `${host} is on the operator's list of hosts that sessions may not connect to`,
      );
    }
    if (!allow.empty && !allow.matches(host, port)) {
      throw refused(
        "domain",
        `${host} is not on the operator's list of hosts that sessions may connect to`,
      );
    }
  }

  async #allowedAddresses(host: string, port: number): Promise<readonly LookupAddress[]> {
    const found = await this.#names.resolve(host);
    const allowed = this.#addresses
      .allowedOf(found)
      .filter(({ address }) => !(isBrowserPort(port) && isOfThisMachine(address)));
    const [first] = found;
    if (allowed.length === 0 && first !== undefined) this.#checkAddress(host, first.address, port);
    return allowed;
  }

  #checkAddress(host: string, address: string, port: number): void {
    const kind = this.#addresses.refusedKind(address);
    if (kind !== null) throw refusedAddress(plainHost(host), address, kind);
    if (isBrowserPort(port) && isOfThisMachine(address)) throw refusedPort(host, port);
  }
}

function refusedPort(host: string, port: number) {
  return refused(
    "port",
    `${host}:${port} may be a browser of this machine, which no page may connect to`,
  );
}
