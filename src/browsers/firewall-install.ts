import { installDebianPackages, isDebian, readOsRelease } from "../install/debian.ts";
import { findInPath } from "../install/in-path.ts";
import { messageOf } from "../sessions/errors.ts";
import type { firewallModes } from "./firewall.ts";

/** What decides whether there is `nft`, and whether it may be installed; replaced in tests. */
export interface FirewallMachine {
  readonly environment: Readonly<Record<string, string | undefined>>;
  readonly rootDirectory: string;
  readonly isLinux: boolean;
  readonly isRoot: boolean;
}

function thisMachine(): FirewallMachine {
  return {
    environment: process.env,
    rootDirectory: "/",
    isLinux: process.platform === "linux",
    isRoot: process.getuid?.() === 0,
  };
}

/**
 * Makes sure that a server that can have a firewall finds `nft`: Debian's package is installed where
 * that can be done, which by itself changes no rule. Answers what is missing and what to do, in words
 * for the operator; null where nothing is, or where a server would raise none. Never throws.
 */
export async function ensureFirewallTool(
  mode: (typeof firewallModes)[number],
  onProgress: (line: string) => void,
  machine: FirewallMachine = thisMachine(),
  install: (
    packages: readonly string[],
    onProgress: (line: string) => void,
  ) => Promise<void> = installDebianPackages,
): Promise<string | null> {
  if (mode === "off" || !machine.isLinux || !machine.isRoot) return null;
  if ((await findInPath("nft", machine.environment)) !== null) return null;
  const missing =
    "There is no nft on this machine, so browsers have no firewall around them. Install nftables, or set NIGHTJAR_FIREWALL=off.";
  if (!isDebian(await readOsRelease(machine.rootDirectory))) return missing;
  try {
    await install(["nftables"], onProgress);
    return null;
  } catch (error) {
    return `${missing} Debian's package: ${messageOf(error)}.`;
  }
}
