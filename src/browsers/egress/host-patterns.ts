import { BlockList, isIP } from "node:net";
import { addBlock, isAddressBlock } from "./address-policy.ts";

interface Pattern {
  /** Null for every port. */
  readonly port: number | null;
  matches(host: string): boolean;
}

const patternText = /^(.*?)(?::(\d{1,5}))?$/;
const nameText = /^(?:\*|(?:\*?\.)?[a-z0-9_*](?:[a-z0-9_*.-]*[a-z0-9_*])?\.?)$/;

/**
 * A list of hosts as proxies' bypass lists have it: `example.com` is that host alone,
 * `*.example.com` those beneath it, `.example.com` both, `*` all, `<local>` names without a dot,
 * `10.0.0.0/8` or `::1` addresses that stand in a URL; each with a port behind it (`host:8080`) or for every one.
 */
export class HostPatterns {
  readonly texts: readonly string[];
  readonly #patterns: readonly Pattern[];

  /** Throws where a text is no pattern; ask `isHostPattern` first. */
  constructor(texts: readonly string[]) {
    this.texts = texts;
    this.#patterns = texts.map((text) => {
      const pattern = parsePattern(text);
      if (pattern === null) throw new Error(`"${text}" is no pattern of hosts`);
      return pattern;
    });
  }

  get empty(): boolean {
    return this.#patterns.length === 0;
  }

  /** `host`: a name or an address without brackets. */
  matches(host: string, port: number): boolean {
    const plain = plainHost(host);
    return this.#patterns.some(
      (pattern) => (pattern.port === null || pattern.port === port) && pattern.matches(plain),
    );
  }
}

export function isHostPattern(text: string): boolean {
  return parsePattern(text) !== null;
}

/** A host as it is compared: in lower case, without brackets and without the dot of the root. */
export function plainHost(host: string): string {
  return host
    .toLowerCase()
    .replace(/^\[|\]$/g, "")
    .replace(/\.$/, "");
}

/** A host as every spelling of it comes to: `0x7f.1` and `2130706433` are `127.0.0.1`. */
export function canonicalHost(host: string): string {
  const plain = plainHost(host);
  const parsed = URL.parse(`http://${plain.includes(":") ? `[${plain}]` : plain}/`);
  return parsed === null || parsed.hostname === "" ? plain : plainHost(parsed.hostname);
}

function parsePattern(text: string): Pattern | null {
  const whole = text.trim().toLowerCase();
  if (whole === "<local>") return { port: null, matches: isLocalName };
  if (isAddressBlock(whole)) return { port: null, matches: matcherOfBlock(whole) };
  const [, name = "", digits] = patternText.exec(whole) ?? [];
  const port = digits === undefined ? null : Number(digits);
  if (port !== null && port > 65_535) return null;
  const address = name.replace(/^\[(.*)\]$/, "$1");
  if (isIP(address) !== 0) return { port, matches: matcherOfBlock(address) };
  if (!nameText.test(name)) return null;
  return { port, matches: matcherOfName(name.replace(/\.$/, "")) };
}

function matcherOfBlock(block: string): (host: string) => boolean {
  const list = new BlockList();
  addBlock(list, block);
  return (host) => {
    const family = isIP(host);
    return family !== 0 && list.check(host, family === 6 ? "ipv6" : "ipv4");
  };
}

function matcherOfName(name: string): (host: string) => boolean {
  if (name.startsWith(".")) return (host) => host === name.slice(1) || host.endsWith(name);
  if (!name.includes("*")) return (host) => host === name;
  const parts = name.split("*").map((part) => part.replaceAll(".", "\\."));
  const expression = new RegExp(`^${parts.join(".*")}$`);
  return (host) => expression.test(host);
}

function isLocalName(host: string): boolean {
  return isIP(host) === 0 && !host.includes(".");
}
