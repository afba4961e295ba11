import { defaultBrowserSettings } from "../sessions/browser-settings.ts";
import { BrowserRegister } from "./browser-register.ts";
import type { ChromiumExecutables } from "./chromium.ts";
import { Egress, strictEgress } from "./egress/egress.ts";
import { BrowserUsers } from "./isolation.ts";
import { Launcher } from "./launcher.ts";
import { noMemoryCaps } from "./memory-cap.ts";
import { Reaper } from "./reaper.ts";

const cleanUpTimeoutMs = 5000;

export interface TrialLaunchOptions {
  readonly executables: ChromiumExecutables;
  /** The browser's directory is made in here, and removed. */
  readonly browsersDirectory: string;
  readonly firstUid: number;
  readonly sandbox: boolean;
}

/**
 * Launches one browser as sessions get it, and ends it. Answers how long it took until it was ready,
 * in ms. Throws what `Launcher.launch` throws.
 */
export async function tryLaunch(options: TrialLaunchOptions): Promise<number> {
  const register = new BrowserRegister();
  const users = new BrowserUsers(options.firstUid);
  const reaper = new Reaper(register, users, noMemoryCaps, () => {});
  const launcher = new Launcher({
    ...options,
    register,
    users,
    reaper,
    // It serves nobody, and opens no page.
    memoryCaps: noMemoryCaps,
    downloadLimits: { fileBytes: 0, totalBytes: 0 },
    egress: new Egress(strictEgress),
  });
  try {
    const begun = performance.now();
    const browser = await launcher.launch(defaultBrowserSettings);
    const readyMs = performance.now() - begun;
    browser.release();
    return readyMs;
  } finally {
    await reaper.finished(cleanUpTimeoutMs);
  }
}
