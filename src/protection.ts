import type { Logger } from "pino";
import { chooseMemoryCaps } from "./browsers/choose-memory-caps.ts";
import type { ChromiumExecutables } from "./browsers/chromium.ts";
import { firewallOptions, type RaisedFirewall, raiseFirewall } from "./browsers/firewall.ts";
import { passageProblem } from "./browsers/isolation.ts";
import type { MemoryCaps } from "./browsers/memory-cap.ts";
import { sandboxProblem, sandboxRefused } from "./browsers/sandbox.ts";
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
  const closed = await passageProblem(browsersDirectory);
  if (closed !== null) throw new Error(closed);
  const sandbox = await chooseSandbox(executables, browsersDirectory, config, logger);
  const memoryCaps = chooseMemoryCaps({
    way: config.memoryCap,
    limitBytes: config.sessionMemoryBytes,
    dataDirectory: root,
  });
  logger.info({ by: memoryCaps.kind, limit_bytes: config.sessionMemoryBytes }, "memory cap");
  const firewall = await raiseFirewall(config.firewall, firewallOptions(config.firstUid, root));
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
  if (!config.allowNoSandbox) throw new Error(sandboxRefused(problem));
  logger.warn(
    `BROWSERS RUN WITHOUT CHROMIUM'S SANDBOX, because NIGHTJAR_ALLOW_NO_SANDBOX is set: a page that breaks out of its renderer has all rights of the browser's user (${problem})`,
  );
  return false;
}
