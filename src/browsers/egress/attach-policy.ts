import { lookup as dnsLookup, type LookupAddress } from "node:dns";
import { isIP, type LookupFunction } from "node:net";
import { NightjarError } from "../../sessions/errors.ts";
import { AddressPolicy } from "./address-policy.ts";
import { isBrowserPort } from "./browser-ports.ts";

/** Where a `cdp_url` may lead: the address policy, for connections that this server makes itself. */
export class AttachPolicy {
  /** What only the sessions of one tenant may reach. */
  readonly ofTenant: readonly string[];
  readonly #addresses: AddressPolicy;

  /** Addresses and CIDR blocks beside the public internet. */
  constructor(allow: readonly string[], ofTenant: readonly string[] = []) {
    this.ofTenant = ofTenant;
    this.#addresses = new AddressPolicy([...allow, ...ofTenant]);
  }

  /**
   * Throws `attach_refused` where a URL's host is an address that is refused (names are left to
   * `lookup`), or where its port is one that our own browsers use: even where loopback is allowed,
   * another session's browser is not.
   */
  checkUrl(url: URL): void {
    if (isBrowserPort(Number(url.port))) throw refusal(url.host);
    const host = url.hostname.replace(/^\[|\]$/g, "");
    if (isIP(host) !== 0 && !this.#addresses.allows(host)) throw refusal(host);
  }

  /** Resolves a name to its allowed addresses only; fails when there is none. For `net.connect`. */
  readonly lookup: LookupFunction = (hostname, options, callback) => {
    dnsLookup(hostname, { ...options, all: true }, (error, addresses: LookupAddress[]) => {
      if (error !== null) {
        callback(error, "");
        return;
      }
      const allowed = [...this.#addresses.allowedOf(addresses)];
      const [first] = allowed;
      if (first === undefined) callback(refusal(hostname), "");
      else if (options.all === true) callback(null, allowed);
      else callback(null, first.address, first.family);
    });
  };
}

function refusal(host: string): NightjarError {
  return new NightjarError(
    "attach_refused",
    `cdp_url leads to "${host}", an address that this server does not connect to. The operator can allow it with NIGHTJAR_EGRESS_ALLOW.`,
  );
}
