import { setTimeout as delay } from "node:timers/promises";
import type { ProxySettings } from "../../sessions/browser-settings.ts";
import { invalidField, messageOf, NightjarError } from "../../sessions/errors.ts";
import type { EgressFailure } from "../../sessions/ports.ts";
import { addTraffic, noTraffic } from "../../sessions/traffic.ts";
import { PortTakenError } from "../browser-process.ts";
import { AddressPolicy } from "./address-policy.ts";
import { proxyPortOf, proxyPorts } from "./browser-ports.ts";
import { dial } from "./dial.ts";
import { type Refusal, type Trouble, troubleOf } from "./egress-error.ts";
import { EgressPolicy } from "./egress-policy.ts";
import { EgressProxy, type EgressRules } from "./egress-proxy.ts";
import { type EgressRoute, noRoute } from "./egress-route.ts";
import { HostPatterns } from "./host-patterns.ts";
import { NameCache, NameResolver } from "./name-resolver.ts";
import { sentence } from "./refusal-page.ts";
import { parseUpstream, probeUpstream, type Upstream } from "./upstream.ts";

/** For how long the port of a browser that was found again is tried, in ms, and how often. */
const reopenWithinMs = 3000;
const reopenEveryMs = 100;

export interface EgressOptions {
  /** Addresses and CIDR blocks beside the public internet. */
  readonly allow: readonly string[];
  /** Patterns of hosts; the only ones where there are any. */
  readonly allowHosts: readonly string[];
  readonly denyHosts: readonly string[];
  /** Addresses of DNS servers; empty for the system's. */
  readonly dnsServers: readonly string[];
  /** The operator's own proxy, for sessions that ask for one; null for none. */
  readonly defaultProxy: { readonly server: string; readonly bypass: readonly string[] } | null;
}

/** The public internet, and nothing that an operator has to choose. */
export const strictEgress: EgressOptions = {
  allow: [],
  allowHosts: [],
  denyHosts: [],
  dnsServers: [],
  defaultProxy: null,
};

/** How the traffic of all browsers went, since the start of the server. */
export interface EgressCounts {
  readonly connections: number;
  /** By reason. */
  readonly refused: Readonly<Record<string, number>>;
  readonly failed: Readonly<Record<string, number>>;
  /** Of all browsers, the ended ones included. */
  readonly requestBytes: number;
  readonly responseBytes: number;
}

/** The ways out of this machine's browsers: one proxy each, and what holds for all of them. */
export class Egress {
  readonly #options: EgressOptions;
  readonly #resolver: NameResolver;
  readonly #domains: { readonly allow: HostPatterns; readonly deny: HostPatterns };
  readonly #defaultUpstream: Upstream | null;
  readonly #open = new Set<EgressProxy>();
  #closedTraffic = noTraffic;
  readonly #counts = {
    connections: 0,
    // Every reason from the start, so that a metric of it is there before the first time.
    refused: { address: 0, domain: 0, port: 0, peer: 0 } satisfies Record<Refusal, number>,
    failed: {
      name: 0,
      refused_there: 0,
      closed: 0,
      timed_out: 0,
      unreachable: 0,
      upstream: 0,
      upstream_target: 0,
      other: 0,
    } satisfies Record<Trouble, number>,
  };

  /** Throws where a setting cannot be read; they have been checked before. */
  constructor(options: EgressOptions) {
    this.#options = options;
    this.#resolver = new NameResolver(options.dnsServers);
    this.#domains = {
      allow: new HostPatterns(options.allowHosts),
      deny: new HostPatterns(options.denyHosts),
    };
    this.#defaultUpstream =
      options.defaultProxy === null
        ? null
        : parseUpstream({ ...options.defaultProxy, username: null, password: null });
  }

  /** The ports that proxies listen on now. */
  get openPorts(): readonly number[] {
    return [...this.#open].map(({ port }) => port);
  }

  /** Closes the proxy on a port, where there is one. */
  close(port: number): void {
    for (const proxy of this.#open) if (proxy.port === port) proxy.close();
  }

  get counts(): EgressCounts {
    const { connections, refused, failed } = this.#counts;
    return {
      connections,
      refused: { ...refused },
      failed: { ...failed },
      ...[...this.#open].map(({ traffic }) => traffic).reduce(addTraffic, this.#closedTraffic),
    };
  }

  /**
   * A proxy on a port of its own. `uid`: the user of its browser, which decides about the port; null
   * where all are the server's. Throws a `PortTakenError` where it is taken.
   */
  async open(uid: number | null): Promise<EgressProxy> {
    for (const port of uid === null ? proxyPorts() : [proxyPortOf(uid)]) {
      try {
        return await this.#listen(port, uid, this.#rulesOf(noRoute));
      } catch (error) {
        if (!isTaken(error)) throw error;
      }
    }
    throw new PortTakenError("the port of the browser's proxy is taken", "", null);
  }

  /** The proxy of a browser that was launched with this port. Throws when the port stays taken. */
  async reopen(port: number, uid: number | null, route: EgressRoute): Promise<EgressProxy> {
    const rules = this.#rulesOf(route);
    const deadline = performance.now() + reopenWithinMs;
    for (;;) {
      try {
        return await this.#listen(port, uid, rules);
      } catch (error) {
        if (!isTaken(error) || performance.now() > deadline) throw error;
        await delay(reopenEveryMs);
      }
    }
  }

  /**
   * The rules of a session whose traffic goes this way, the proxy that it leads through tried out.
   * Throws `invalid_request` where that is none or not configured, `proxy_failed` where it does not work.
   */
  async rulesFor(route: EgressRoute): Promise<EgressRules> {
    const rules = this.#rulesOf(route);
    const { upstream, upstreamPolicy } = rules;
    if (upstream === null) return rules;
    try {
      await probeUpstream(upstream, async (timeoutMs) => {
        const { host, port } = upstream;
        const addresses = await upstreamPolicy.addressesOfUpstream(host, port);
        return dial(addresses, port, { timeoutMs });
      });
      return rules;
    } catch (error) {
      const { message } = troubleOf(error, "the session's proxy");
      throw new NightjarError("proxy_failed", sentence(message), { cause: error });
    }
  }

  async #listen(port: number, uid: number | null, rules: EgressRules): Promise<EgressProxy> {
    const proxy = await EgressProxy.listen(port, {
      rules,
      uid: uid ?? process.getuid?.() ?? null,
      onConnection: () => {
        this.#counts.connections += 1;
      },
      onFailure: (failure) => this.#count(failure),
      onClose: () => {
        this.#open.delete(proxy);
        this.#closedTraffic = addTraffic(this.#closedTraffic, proxy.traffic);
      },
    });
    this.#open.add(proxy);
    return proxy;
  }

  #count(failure: EgressFailure): void {
    if (failure.kind === "refused") this.#counts.refused[failure.reason] += 1;
    else this.#counts.failed[failure.reason] += 1;
  }

  #rulesOf(route: EgressRoute): EgressRules {
    const names = new NameCache(this.#resolver);
    const addresses = new AddressPolicy([...this.#options.allow, ...route.allow]);
    const policy = new EgressPolicy(this.#domains, addresses, names);
    const upstream = route.proxy === null ? null : this.#upstreamOf(route.proxy);
    const isOperators = route.proxy?.kind === "default";
    return {
      policy,
      upstream,
      // The operator's own proxy is allowed by being named, and usually is in a private network.
      upstreamPolicy: isOperators
        ? new EgressPolicy(this.#domains, new AddressPolicy(["0.0.0.0/0", "::/0"]), names)
        : policy,
    };
  }

  #upstreamOf(settings: ProxySettings): Upstream {
    if (settings.kind === "external") {
      try {
        return parseUpstream(settings);
      } catch (error) {
        throw invalidField("proxies", `proxies: the proxy ${messageOf(error)}.`, "url");
      }
    }
    if (this.#defaultUpstream !== null) return this.#defaultUpstream;
    throw invalidField(
      "proxies",
      'proxies: true needs a proxy that the operator configured with NIGHTJAR_PROXY, and there is none; name one of your own, as {type: "external", server}.',
      "not_configured",
    );
  }
}

function isTaken(error: unknown): boolean {
  return (error as NodeJS.ErrnoException).code === "EADDRINUSE";
}
