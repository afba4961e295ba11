import { promises as dns, type LookupAddress } from "node:dns";
import { lookup } from "node:dns/promises";
import { readFile } from "node:fs/promises";
import { isIP } from "node:net";
import { plainHost } from "./host-patterns.ts";

/** How long one server may take for one answer, in ms, and how often each is asked. */
const queryTimeoutMs = 2000;
const tries = 2;
/** How long an answer is used at most, whatever it says itself, in s; and one that there is no such name. */
const longestUseSeconds = 60;
const failureUseSeconds = 2;
const mostCached = 500;
/** How many names may wait to be asked of the system. */
const mostWaiting = 50;
/** For how long the hosts file is taken to be the same, in ms. */
const hostsFileMs = 5000;

const hostsFile = process.platform === "win32" ? null : "/etc/hosts";

/** A name that leads nowhere; `code` is that of the resolver, e.g. `ENOTFOUND`. */
export class NameError extends Error {
  readonly code: string;

  constructor(name: string, code: string) {
    super(`${name}: ${code}`);
    this.name = "NameError";
    this.code = code;
  }
}

interface Answer {
  readonly addresses: Promise<readonly LookupAddress[]>;
  /** In ms on the clock of `performance.now`. */
  usableUntil: number;
}

/** Asks for the names of one browser's pages. Each browser has a memory of its own, so that none learns what others asked for. */
export class NameCache {
  readonly #resolver: NameResolver;
  readonly #answers = new Map<string, Answer>();

  constructor(resolver: NameResolver) {
    this.#resolver = resolver;
  }

  /** The addresses of a name, never none. Throws `NameError`. */
  resolve(host: string): Promise<readonly LookupAddress[]> {
    const name = plainHost(host);
    const now = performance.now();
    const known = this.#answers.get(name);
    if (known !== undefined && known.usableUntil > now) return known.addresses;
    this.#answers.delete(name);
    const asked = this.#resolver.resolve(name);
    const answer: Answer = {
      addresses: asked.then(({ addresses }) => addresses),
      usableUntil: Number.POSITIVE_INFINITY,
    };
    asked.then(
      ({ ttlSeconds }) => {
        answer.usableUntil = performance.now() + Math.min(ttlSeconds, longestUseSeconds) * 1000;
      },
      () => {
        answer.usableUntil = performance.now() + failureUseSeconds * 1000;
      },
    );
    this.#answers.set(name, answer);
    const [oldest] = this.#answers.keys();
    if (this.#answers.size > mostCached && oldest !== undefined) this.#answers.delete(oldest);
    return answer.addresses;
  }
}

export interface ResolvedName {
  /** IPv4 first; never none. */
  readonly addresses: readonly LookupAddress[];
  readonly ttlSeconds: number;
}

/**
 * Resolves names without the system's blocking call, of which four at once stop all file access of
 * the process: a page could ask for names whose servers never answer. The hosts file first, then DNS;
 * only names that DNS does not know (one label, `.local`) are asked of the system, one at a time.
 */
export class NameResolver {
  readonly #resolver = new dns.Resolver({ timeout: queryTimeoutMs, tries });
  #hosts: Promise<ReadonlyMap<string, readonly LookupAddress[]>> | null = null;
  #hostsReadAt = 0;
  #lastOfSystem: Promise<unknown> = Promise.resolve();
  #waiting = 0;

  /** `servers`: addresses, with ports where they are not 53; none for the system's. */
  constructor(servers: readonly string[]) {
    if (servers.length > 0) this.#resolver.setServers(servers);
  }

  /** Throws `NameError`. */
  async resolve(name: string): Promise<ResolvedName> {
    const family = isIP(name);
    if (family !== 0) return { addresses: [{ address: name, family }], ttlSeconds: 60 };
    // RFC 6761: never asked of anyone.
    if (name === "localhost" || name.endsWith(".localhost")) {
      const addresses = [
        { address: "127.0.0.1", family: 4 },
        { address: "::1", family: 6 },
      ];
      return { addresses, ttlSeconds: 60 };
    }
    // RFC 6761 and 7686: DNS knows none of them.
    if (/(?:^|\.)(?:invalid|onion)$/.test(name)) throw new NameError(name, "ENOTFOUND");
    const listed = (await this.#readHosts()).get(name);
    if (listed !== undefined) return { addresses: listed, ttlSeconds: hostsFileMs / 1000 };
    if (!name.includes(".") || name.endsWith(".local")) return this.#askSystem(name);
    return this.#askDns(name);
  }

  async #askDns(name: string): Promise<ResolvedName> {
    const [four, six] = await Promise.allSettled([
      this.#resolver.resolve4(name, { ttl: true }),
      this.#resolver.resolve6(name, { ttl: true }),
    ]);
    const records = [
      ...(four.status === "fulfilled" ? four.value.map((one) => ({ ...one, family: 4 })) : []),
      ...(six.status === "fulfilled" ? six.value.map((one) => ({ ...one, family: 6 })) : []),
    ];
    if (records.length === 0) {
      const failed = [four, six].filter((result) => result.status === "rejected");
      const codes = failed.map(({ reason }) => String(reason?.code));
      throw new NameError(name, codes.find((code) => code !== "ENODATA") ?? "ENOTFOUND");
    }
    const addresses = records.map(({ address, family }) => ({ address, family }));
    return { addresses, ttlSeconds: Math.min(...records.map(({ ttl }) => ttl)) };
  }

  async #askSystem(name: string): Promise<ResolvedName> {
    if (this.#waiting >= mostWaiting) throw new NameError(name, "EBUSY");
    this.#waiting += 1;
    const asked = this.#lastOfSystem.then(() => lookup(name, { all: true, order: "ipv4first" }));
    this.#lastOfSystem = asked.catch(() => {});
    try {
      return { addresses: await asked, ttlSeconds: 10 };
    } catch (error) {
      throw new NameError(name, (error as NodeJS.ErrnoException).code ?? "ENOTFOUND");
    } finally {
      this.#waiting -= 1;
    }
  }

  #readHosts(): Promise<ReadonlyMap<string, readonly LookupAddress[]>> {
    const now = performance.now();
    if (this.#hosts === null || now - this.#hostsReadAt > hostsFileMs) {
      this.#hostsReadAt = now;
      this.#hosts = readHostsFile();
    }
    return this.#hosts;
  }
}

async function readHostsFile(): Promise<ReadonlyMap<string, readonly LookupAddress[]>> {
  const text = hostsFile === null ? "" : await readFile(hostsFile, "utf8").catch(() => "");
  const hosts = new Map<string, LookupAddress[]>();
  for (const line of text.split("\n")) {
    const [address = "", ...names] = line.replace(/#.*/, "").trim().split(/\s+/);
    const family = isIP(address);
    if (family === 0) continue;
    for (const name of names.map(plainHost)) {
      const listed = hosts.get(name) ?? [];
      listed.push({ address, family });
      hosts.set(name, listed);
    }
  }
  return hosts;
}
