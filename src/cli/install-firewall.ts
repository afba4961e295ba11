import { Command } from "commander";
import { ensureFirewallTool } from "../browsers/firewall-install.ts";
import type { Config } from "../config.ts";

/** `nightjar install-firewall`: finds `nft`, or installs it where a server could use it. */
export function installFirewallCommand(config: () => Config): Command {
  return new Command("install-firewall")
    .description("find nft, with which a server that is root keeps browsers apart, or install it")
    .action(async () => {
      const problem = await ensureFirewallTool(config().firewall, (line) => console.error(line));
      if (problem === null) return;
      console.error(problem);
      process.exitCode = 1;
    });
}
