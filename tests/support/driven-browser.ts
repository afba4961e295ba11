import { chmod, mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { BrowserRegister } from "../../src/browsers/browser-register.ts";
import { findChromium } from "../../src/browsers/chromium.ts";
import { Egress, strictEgress } from "../../src/browsers/egress/egress.ts";
import { BrowserUsers } from "../../src/browsers/isolation.ts";
import { Launcher } from "../../src/browsers/launcher.ts";
import type { LocalBrowser } from "../../src/browsers/local-browser.ts";
import { noMemoryCaps } from "../../src/browsers/memory-cap.ts";
import { Reaper } from "../../src/browsers/reaper.ts";
import { PageDriver } from "../../src/pages/driver/page-driver.ts";
import {
  type BrowserSettings,
  defaultBrowserSettings,
} from "../../src/sessions/browser-settings.ts";

/** The first user id of the browsers of tests that start no server; servers use 50000 and up. */
const firstUid = 61_000;

/** A real browser, launched as a session gets it, with a driver for its pages and no server around. */
export class DrivenBrowser {
  readonly browser: LocalBrowser;
  readonly driver: PageDriver;
  readonly #reaper: Reaper;
  readonly #directory: string;

  private constructor(
    browser: LocalBrowser,
    driver: PageDriver,
    reaper: Reaper,
    directory: string,
  ) {
    this.browser = browser;
    this.driver = driver;
    this.#reaper = reaper;
    this.#directory = directory;
  }

  static async launch(settings: Partial<BrowserSettings> = {}): Promise<DrivenBrowser> {
    const directory = await mkdtemp(path.join(tmpdir(), "nightjar-driven-"));
    // Browsers run as other users, who must be able to pass.
    await chmod(directory, 0o711);
    const register = new BrowserRegister();
    const users = new BrowserUsers(firstUid);
    const reaper = new Reaper(register, users, noMemoryCaps, () => {});
    const launcher = new Launcher({
      register,
      memoryCaps: noMemoryCaps,
      executables: await findChromium({
        chromiumPath: null,
        headlessShellPath: null,
        dataDir: directory,
      }),
      browsersDirectory: directory,
      users,
      reaper,
      sandbox: true,
      downloadLimits: { fileBytes: 10_000_000, totalBytes: 100_000_000 },
      // The pages of tests are served on loopback.
      egress: new Egress({ ...strictEgress, allow: ["127.0.0.0/8", "::1"] }),
    });
    const browser = await launcher.launch({ ...defaultBrowserSettings, ...settings });
    const driver = await PageDriver.connect(browser);
    return new DrivenBrowser(browser, driver, reaper, directory);
  }

  async dispose(): Promise<void> {
    this.driver.close();
    this.browser.release();
    await this.#reaper.finished(5000);
    await rm(this.#directory, { recursive: true, force: true });
  }
}
