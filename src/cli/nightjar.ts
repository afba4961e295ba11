#!/usr/bin/env -S node --max-semi-space-size=4
import { Command } from "commander";
import { ConfigError, loadConfig } from "../config.ts";
import { messageOf } from "../sessions/errors.ts";
import { doctorCommand } from "./doctor.ts";
import { installBrowserCommand } from "./install-browser.ts";
import { installEncoderCommand } from "./install-encoder.ts";
import { installFirewallCommand } from "./install-firewall.ts";
import { keysCommand } from "./keys.ts";
import { serveCommand } from "./serve.ts";
import { settingsCommand } from "./settings.ts";
import { tenantsCommand } from "./tenants.ts";

/** Nothing that a server or its clients write is for other users of the machine. */
process.umask(0o077);

const program = new Command("nightjar")
  .description("Browser sessions for AI agents, self-hosted. Settings: see docs/configuration.md.")
  .showHelpAfterError();

program.addCommand(serveCommand(() => loadConfig(process.env)));
program.addCommand(keysCommand(() => loadConfig(process.env)));
program.addCommand(tenantsCommand(() => loadConfig(process.env)));
program.addCommand(doctorCommand(() => loadConfig(process.env)));
program.addCommand(installBrowserCommand(() => loadConfig(process.env)));
program.addCommand(installEncoderCommand(() => loadConfig(process.env)));
program.addCommand(installFirewallCommand(() => loadConfig(process.env)));
program.addCommand(settingsCommand());

try {
  await program.parseAsync();
} catch (error) {
  console.error(`nightjar: ${messageOf(error)}`);
  // 78 is EX_CONFIG of sysexits.h: nothing is broken, a setting is wrong.
  process.exit(error instanceof ConfigError ? 78 : 1);
}
