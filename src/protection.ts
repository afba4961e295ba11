import type { Logger } from "pino";
import { chooseMemoryCaps } from "./browsers/choose-memory-caps.ts";
import type { ChromiumExecutables } from "./browsers/chromium.ts";
import { proxyPortOf } from "./browsers/egress/browser-ports.ts";
import { type RaisedFirewall, raiseFirewall } from "./browsers/firewall.ts";
import { closedDirectoryOnPath, userIdCount } from "./browsers/isolation.ts";
import type { MemoryCaps } from "./browsers/memory-cap.ts";
import { sandboxProblem } from "./browsers/sandbox.ts";
import type { Config } from "./config.ts";
import type { DataDirectory } from "./store/data-directory.ts";

/** What keeps the browsers of this host from each other, from the server and from the machine. */
export interface Protection {
  /** Chromium's own. */
  readonly sandbox: boolean;
  readonly memoryCaps: MemoryCaps;
  readonly firewall: RaisedFirewall;
}

/**
 * Sets up all that this system offers, and says in the log what that is. Throws where something is
 * missing that the operator has not chosen to do without.
 */
export async function protectHost(
  config: Config,
  executables: ChromiumExecutables,
  directory: DataDirectory,
  logger: Logger,
): Promise<Protection> {
  const { browsersDirectory, root } = directory;
  await checkPassable(browsersDirectory);
  const sandbox = await chooseSandbox(executables, browsersDirectory, config, logger);
  const memoryCaps = chooseMemoryCaps({
    way: config.memoryCap,
    limitBytes: config.sessionMemoryBytes,
    dataDirectory: root,
  });
  logger.info({ by: memoryCaps.kind, limit_bytes: config.sessionMemoryBytes }, "memory cap");
  const firewall = await raiseFirewall(config.firewall, firewallOptions(config, root));
  if (firewall.firewall !== null)
    logger.info(
      "the firewall leaves browsers nothing but their proxies, and DevTools ports to root",
    );
  else if (process.getuid?.() === 0 && config.firewall !== "off") {
    logger.warn(
      { reason: firewall.reason },
      "there is no firewall: other users of this machine, and a browser that was broken out of, can reach the DevTools ports of sessions; such a browser can connect past its proxy, too",
    );
  }
  return { sandbox, memoryCaps, firewall };
}

export function firewallOptions(config: Config, dataDirectory: string) {
  return {
    dataDirectory,
    uids: { first: config.firstUid, last: config.firstUid + userIdCount - 1 },
    proxyPortOf,
  };
}

/** As root, browsers run as other users, who must be able to reach their directories. */
async function checkPassable(browsersDirectory: string): Promise<void> {
  if (process.getuid?.() !== 0) return;
  const closed = await closedDirectoryOnPath(browsersDirectory);
  if (closed === null) return;
  throw new Error(
    `Browsers run as users of their own, and ${closed} lets no other user through. Choose another NIGHTJAR_DATA_DIR, or run: chmod o+x ${closed}`,
  );
}

async function chooseSandbox(
  executables: ChromiumExecutables,
  browsersDirectory: string,
  config: Config,
  logger: Logger,
): Promise<boolean> {
  const problem = await sandboxProblem({
    executables,
    browsersDirectory,
    firstUid: config.firstUid,
  });
  if (problem === null) return true;
  if (!config.allowNoSandbox) {
    throw new Error(
      `This system does not let Chromium build its sandbox (${problem}). Allow user namespaces (on Ubuntu: sysctl kernel.apparmor_restrict_unprivileged_userns=0; in Docker: a seccomp profile that allows them), or accept less isolation with NIGHTJAR_ALLOW_NO_SANDBOX=1.`,
    );
  }
  logger.warn(
    `BROWSERS RUN WITHOUT CHROMIUM'S SANDBOX, because NIGHTJAR_ALLOW_NO_SANDBOX is set: a page that breaks out of its renderer has all rights of the browser's user (${problem})`,
  );
  return false;
}
