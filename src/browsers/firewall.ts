import { execFile } from "node:child_process";
import { messageOf } from "../sessions/errors.ts";
import { rootsDevtoolsPorts } from "./devtools-ports.ts";
import { proxyPortOf } from "./egress/browser-ports.ts";
import { userIdCount } from "./isolation.ts";
import { serverMark } from "./server-mark.ts";

/** What an operator wants of the firewall. */
export const firewallModes = ["auto", "off", "required"] as const;

export interface FirewallOptions {
  readonly dataDirectory: string;
  /** The user ids that browsers run as. */
  readonly uids: { readonly first: number; readonly last: number };
  /** The loopback port of the proxy of a user's browser: the only one that it may connect to. */
  readonly proxyPortOf: (uid: number) => number;
}

/** The options of a server whose browsers have the user ids from `firstUid` on. */
export function firewallOptions(firstUid: number, dataDirectory: string): FirewallOptions {
  return {
    dataDirectory,
    uids: { first: firstUid, last: firstUid + userIdCount - 1 },
    proxyPortOf,
  };
}

/** How long `nft` may take, in ms; it usually takes 10. */
const nftTimeoutMs = 5000;

/**
 * Rules of the kernel, in a table of the server's own, that hold whatever a browser does that was
 * broken out of: the DevTools ports answer root alone, and browsers' users connect to nothing but
 * their proxies. They never change while sessions come and go.
 */
export class Firewall {
  readonly #table: string;
  readonly #rules: string;

  constructor(options: FirewallOptions) {
    this.#table = serverMark(options.dataDirectory);
    this.#rules = rulesOf(this.#table, options);
  }

  /** Puts the rules in force, in one step. Throws where the system does not let us, or has no `nft`. */
  async raise(): Promise<void> {
    await nft(["-f", "-"], this.#rules);
  }

  /** Tries whether `raise` would do, and changes nothing. Throws where it would. */
  async check(): Promise<void> {
    await nft(["--check", "-f", "-"], this.#rules);
  }

  /**
   * False when somebody removed the rules, as a reload of the system's firewall does. Throws where
   * the system does not tell, e.g. for want of descriptors.
   */
  async stands(): Promise<boolean> {
    try {
      const listing = await nft(["list", "chain", "inet", this.#table, "browsers"]);
      return listing.includes("reject");
    } catch (error) {
      if (/No such file or directory/.test(messageOf(error))) return false;
      throw error;
    }
  }

  /** Removes the rules. Throws where they are gone already, or cannot be removed. */
  async lower(): Promise<void> {
    await nft(["delete", "table", "inet", this.#table]);
  }
}

export type RaisedFirewall =
  | { readonly firewall: Firewall }
  | { readonly firewall: null /** Why there is none, in words. */; readonly reason: string };

/** Raises the firewall where this server can. Throws where it cannot and the operator requires it. */
export async function raiseFirewall(
  mode: (typeof firewallModes)[number],
  options: FirewallOptions,
): Promise<RaisedFirewall> {
  const firewall = new Firewall(options);
  const reason = await reasonForNone(mode, () => firewall.raise());
  if (reason === null) return { firewall };
  if (mode !== "required") return { firewall: null, reason };
  throw new Error(
    `The firewall that NIGHTJAR_FIREWALL=required asks for cannot be raised: ${reason}.`,
  );
}

/** Why this server can have no firewall, in words; null where it can. Changes nothing. */
export function firewallObstacle(
  mode: (typeof firewallModes)[number],
  options: FirewallOptions,
): Promise<string | null> {
  return reasonForNone(mode, () => new Firewall(options).check());
}

async function reasonForNone(
  mode: (typeof firewallModes)[number],
  attempt: () => Promise<void>,
): Promise<string | null> {
  if (mode === "off") return "NIGHTJAR_FIREWALL is off";
  if (process.platform !== "linux") return "only Linux can tell users apart in its firewall";
  if (process.getuid?.() !== 0) return "the server is not root, so all browsers are its own user's";
  try {
    await attempt();
    return null;
  } catch (error) {
    return `nft: ${messageOf(error)}`;
  }
}

function rulesOf(table: string, { uids, proxyPortOf }: FirewallOptions): string {
  const { first, last } = rootsDevtoolsPorts;
  const own: string[] = [];
  for (let uid = uids.first; uid <= uids.last; uid += 1) own.push(`${uid} . ${proxyPortOf(uid)}`);
  return `
    # Made, emptied and filled in one transaction: there is no moment without it.
    table inet ${table}
    delete table inet ${table}
    table inet ${table} {
      set own-proxies {
        typeof meta skuid . tcp dport
        elements = { ${own.join(", ")} }
      }
      chain sessions {
        # What belongs to a connection that stands, as the answers of DevTools to the server do.
        tcp flags & (syn | ack) != syn accept
        oif lo meta skuid . tcp dport @own-proxies accept
        # Also all UDP: QUIC, WebRTC and DNS.
        reject
      }
      chain browsers {
        type filter hook output priority filter; policy accept;
        oif lo tcp dport ${first}-${last} meta skuid != 0 reject with tcp reset
        meta skuid ${uids.first}-${uids.last} goto sessions
      }
    }
  `;
}

/** What `nft` prints. Throws the first line of what it complains of. */
function nft(args: readonly string[], input = ""): Promise<string> {
  return new Promise((resolve, reject) => {
    const child = execFile("nft", args, { timeout: nftTimeoutMs }, (error, stdout, stderr) => {
      if (error === null) resolve(stdout);
      else if (error.code === "ENOENT") reject(new Error("it is not installed"));
      else reject(new Error(stderr.split("\n")[0] || error.message));
    });
    // It may have ended before it has read.
    child.stdin?.on("error", () => {});
    child.stdin?.end(input);
  });
}
