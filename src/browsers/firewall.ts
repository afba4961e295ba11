import { execFile } from "node:child_process";
import { messageOf } from "../sessions/errors.ts";
import { rootsDevtoolsPorts } from "./devtools-ports.ts";
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

  /** False when somebody removed the rules, as a reload of the system's firewall does. */
  async stands(): Promise<boolean> {
    return nft(["list", "chain", "inet", this.#table, "browsers"]).then(
      (listing) => listing.includes("reject"),
      () => false,
    );
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
  const reason = await reasonForNone(mode, options);
  if (typeof reason !== "string") return { firewall: reason };
  if (mode !== "required") return { firewall: null, reason };
  throw new Error(
    `The firewall that NIGHTJAR_FIREWALL=required asks for cannot be raised: ${reason}.`,
  );
}

async function reasonForNone(
  mode: (typeof firewallModes)[number],
  options: FirewallOptions,
): Promise<string | Firewall> {
  if (mode === "off") return "NIGHTJAR_FIREWALL is off";
  if (process.platform !== "linux") return "only Linux can tell users apart in its firewall";
  if (process.getuid?.() !== 0) return "the server is not root, so all browsers are its own user's";
  const firewall = new Firewall(options);
  try {
    await firewall.raise();
    return firewall;
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
