import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { type Browser, chromium } from "playwright-core";
import { BrowserRegister } from "../../src/browsers/browser-register.ts";
import { type ChromiumExecutables, findChromium } from "../../src/browsers/chromium.ts";
import { Egress, strictEgress } from "../../src/browsers/egress/egress.ts";
import { BrowserUsers } from "../../src/browsers/isolation.ts";
import { Launcher } from "../../src/browsers/launcher.ts";
import type { LocalBrowser } from "../../src/browsers/local-browser.ts";
import { noMemoryCaps } from "../../src/browsers/memory-cap.ts";
import { Reaper } from "../../src/browsers/reaper.ts";
import { defaultBrowserSettings } from "../../src/sessions/browser-settings.ts";
import { Nightjar } from "../../tests/support/nightjar.ts";

/** A session that a way has created: where to connect, and how to release it. */
export interface CreatedSession {
  readonly connect: () => Promise<Browser>;
  readonly release: () => Promise<void>;
}

/** A way of coming by browsers. */
export interface Way {
  readonly name: "nightjar" | "bare" | "launch";
  /** Resolves when a whole pool of browsers waits and nothing is going on. */
  ready(): Promise<void>;
  create(): Promise<CreatedSession>;
  dispose(): Promise<void>;
}

/** Our server as a process of its own, driven over HTTP and CDP. */
export class NightjarWay implements Way {
  readonly name = "nightjar";
  readonly server: Nightjar;
  readonly #poolSize: number;

  private constructor(server: Nightjar, poolSize: number) {
    this.server = server;
    this.#poolSize = poolSize;
  }

  static async start(poolSize: number): Promise<NightjarWay> {
    const server = await Nightjar.start({
      NIGHTJAR_LOG_LEVEL: "info",
      NIGHTJAR_WARM_POOL: String(poolSize),
    });
    return new NightjarWay(server, poolSize);
  }

  /** Waits for the whole pool, or its refill would slow down the ways that come next. */
  async ready(): Promise<void> {
    for (;;) {
      const { body } = await this.server.call("GET", "/health");
      if (Number(body["warm_browsers"]) >= this.#poolSize) return;
      await delay(20);
    }
  }

  async create(): Promise<CreatedSession> {
    const { id, cdpUrl } = await this.server.startSession();
    return {
      connect: () => chromium.connectOverCDP(cdpUrl),
      release: async () => {
        const { status } = await this.server.call("DELETE", `/sessions/${id}/stop`);
        if (status !== 200) throw new Error(`release answered ${status}`);
      },
    };
  }

  dispose(): Promise<void> {
    return this.server.dispose();
  }
}

/** The same browsers, launched ahead with the same flags and user, and no server in between. */
export class BareWay implements Way {
  readonly name = "bare";
  readonly #launcher: Launcher;
  readonly #reaper: Reaper;
  readonly #directory: string;
  readonly #ready: LocalBrowser[] = [];
  readonly #poolSize: number;

  private constructor(launcher: Launcher, reaper: Reaper, directory: string, poolSize: number) {
    this.#poolSize = poolSize;
    this.#launcher = launcher;
    this.#reaper = reaper;
    this.#directory = directory;
  }

  static async start(poolSize: number): Promise<BareWay> {
    const directory = await mkdtemp(path.join(tmpdir(), "nightjar-bare-"));
    const { chmod } = await import("node:fs/promises");
    await chmod(directory, 0o711);
    const executables = await withoutProxy(
      await findChromium({ chromiumPath: null, headlessShellPath: null, dataDir: directory }),
      directory,
    );
    const register = new BrowserRegister();
    const users = new BrowserUsers(50_000);
    const reaper = new Reaper(register, users, noMemoryCaps, (what, error) =>
      console.error(`failed to ${what}`, error),
    );
    const launcher = new Launcher({
      register,
      memoryCaps: noMemoryCaps,
      executables,
      browsersDirectory: directory,
      users,
      reaper,
      sandbox: true,
      downloadLimits: { fileBytes: 0, totalBytes: 0 },
      egress: new Egress(strictEgress),
    });
    return new BareWay(launcher, reaper, directory, poolSize);
  }

  async ready(): Promise<void> {
    while (this.#ready.length < this.#poolSize) {
      this.#ready.push(await this.#launcher.launch(defaultBrowserSettings));
    }
    await this.#reaper.finished(10_000);
  }

  async create(): Promise<CreatedSession> {
    const browser = this.#ready.shift();
    if (browser === undefined) throw new Error("no browser was launched ahead");
    const { devtoolsPort } = browser;
    const { devtoolsPath } = JSON.parse(browser.reference) as { devtoolsPath: string };
    return {
      connect: () => chromium.connectOverCDP(`ws://127.0.0.1:${devtoolsPort}${devtoolsPath}`),
      release: async () => browser.release(),
    };
  }

  async dispose(): Promise<void> {
    for (const browser of this.#ready.splice(0)) browser.release();
    await this.#reaper.finished(10_000);
    await rm(this.#directory, { recursive: true, force: true });
  }
}

/** What people do without any of this: Playwright launches a browser for each session. */
export class LaunchWay implements Way {
  readonly name = "launch";
  readonly #executablePath: string;

  private constructor(executablePath: string) {
    this.#executablePath = executablePath;
  }

  static async start(): Promise<LaunchWay> {
    const { headlessShell, chromium: full } = await findChromium({
      chromiumPath: null,
      headlessShellPath: null,
      dataDir: tmpdir(),
    });
    return new LaunchWay((headlessShell ?? full)?.path ?? "");
  }

  async ready(): Promise<void> {}

  async create(): Promise<CreatedSession> {
    const browser = await chromium.launch({ executablePath: this.#executablePath });
    await browser.newPage();
    return { connect: async () => browser, release: () => browser.close() };
  }

  async dispose(): Promise<void> {}
}

/** A bare browser connects by itself: a script before it drops the flags that lead through a proxy. */
async function withoutProxy(
  executables: ChromiumExecutables,
  directory: string,
): Promise<ChromiumExecutables> {
  const { headlessShell } = executables;
  if (headlessShell === null) throw new Error("the bench needs chromium-headless-shell");
  const script = path.join(directory, "bare");
  const text = `#!/bin/bash
kept=()
for argument in "$@"; do
  case "$argument" in
    --proxy-*|--host-resolver-rules=*|--*webrtc-ip-handling-policy=*) ;;
    *) kept+=("$argument") ;;
  esac
done
exec ${headlessShell.path} "\${kept[@]}"
`;
  await writeFile(script, text, { mode: 0o755 });
  return { ...executables, headlessShell: { ...headlessShell, path: script } };
}
