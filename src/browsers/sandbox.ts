import { defaultBrowserSettings } from "../sessions/browser-settings.ts";
import { messageOf } from "../sessions/errors.ts";
import { BrowserRegister } from "./browser-register.ts";
import type { ChromiumExecutables } from "./chromium.ts";
import { Egress, strictEgress } from "./egress/egress.ts";
import { BrowserUsers } from "./isolation.ts";
import { Launcher } from "./launcher.ts";
import { noMemoryCaps } from "./memory-cap.ts";
import { Reaper } from "./reaper.ts";

const cleanUpTimeoutMs = 5000;

/**
 * Finds out whether this system lets Chromium build its sandbox, by launching one browser as
 * sessions get it. Null when it does, otherwise what Chromium said. Throws when the browser does
 * not start for another reason.
 */
export async function sandboxProblem(options: {
  readonly executables: ChromiumExecutables;
  readonly browsersDirectory: string;
  readonly firstUid: number;
}): Promise<string | null> {
  const register = new BrowserRegister();
  const users = new BrowserUsers(options.firstUid);
  const reaper = new Reaper(register, users, noMemoryCaps, () => {});
  // It opens no page.
  const downloadLimits = { fileBytes: 0, totalBytes: 0 };
  const egress = new Egress(strictEgress);
  const launcher = new Launcher({
    ...options,
    register,
    users,
    reaper,
    sandbox: true,
    // It serves nobody.
    memoryCaps: noMemoryCaps,
    downloadLimits,
    egress,
  });
  try {
    const browser = await launcher.launch(defaultBrowserSettings);
    browser.release();
    return null;
  } catch (error) {
    const output = error instanceof Error ? messageOf(error.cause) : "";
    const line = output.split("\n").find((text) => /sandbox|namespace/i.test(text));
    if (line === undefined) throw error;
    return line.trim();
  } finally {
    await reaper.finished(cleanUpTimeoutMs);
  }
}
