import { Command } from "commander";
import { ensureChromium } from "../browsers/chromium-install.ts";
import type { Config } from "../config.ts";
import { openDataDirectory } from "../store/data-directory.ts";

/** `nightjar install-browser`: finds a Chromium, or installs one where there is none. */
export function installBrowserCommand(config: () => Config): Command {
  return new Command("install-browser")
    .description("find a Chromium, or install one where there is none")
    .action(async () => {
      const { chromiumPath, headlessShellPath, dataDir } = config();
      openDataDirectory(dataDir);
      const found = await ensureChromium({
        chromiumPath,
        headlessShellPath,
        dataDir,
        onProgress: (line) => console.error(line),
      });
      for (const executable of [found.headlessShell, found.chromium]) {
        if (executable !== null) {
          console.log(`${executable.kind} ${executable.version}: ${executable.path}`);
        }
      }
    });
}
