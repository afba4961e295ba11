import { randomBytes } from "node:crypto";
import path from "node:path";
import type { BrowserSettings } from "../sessions/browser-settings.ts";
import { messageOf, NightjarError } from "../sessions/errors.ts";
import { systemRefusal } from "../sessions/system-refusals.ts";
import { type BrowserExit, LaunchError, spawnBrowser } from "./browser-process.ts";
import type { BrowserRegister } from "./browser-register.ts";
import { CdpConnection } from "./cdp-connection.ts";
import { checkedChromeArgs } from "./chrome-args.ts";
import type { ChromiumExecutable, ChromiumExecutables } from "./chromium.ts";
import { withFreeDevtoolsPort } from "./devtools-ports.ts";
import type { DownloadLimits } from "./downloads.ts";
import type { Egress } from "./egress/egress.ts";
import type { EgressProxy } from "./egress/egress-proxy.ts";
import type { EgressRoute } from "./egress/egress-route.ts";
import {
  type BrowserUser,
  type BrowserUsers,
  browserDirectories,
  makeBrowserDirectories,
} from "./isolation.ts";
import { launchArguments } from "./launch-flags.ts";
import { LocalBrowser } from "./local-browser.ts";
import type { MemoryCap, MemoryCaps } from "./memory-cap.ts";
import { identifyProcess } from "./process-identity.ts";
import type { Reaper } from "./reaper.ts";

/** How long a browser may take to open its DevTools port on a busy machine, in ms. */
const launchTimeoutMs = 20_000;

const firstPageTimeoutMs = 5000;

export interface LauncherOptions {
  readonly executables: ChromiumExecutables;
  /** Each browser gets a directory of its own in here. */
  readonly browsersDirectory: string;
  readonly register: BrowserRegister;
  readonly users: BrowserUsers;
  readonly reaper: Reaper;
  readonly sandbox: boolean;
  readonly memoryCaps: MemoryCaps;
  readonly downloadLimits: DownloadLimits;
  readonly egress: Egress;
}

/** What a launch needs to know of a session's settings; the rest is applied to a running browser. */
export type LaunchSettings = Pick<
  BrowserSettings,
  "browserType" | "headless" | "userAgent" | "chromeArgs"
>;

/** Launches browsers, each in a directory and, for a root server, under a user of its own. */
export class Launcher {
  readonly #options: LauncherOptions;

  constructor(options: LauncherOptions) {
    this.#options = options;
  }

  /** Throws `browser_unavailable` with nothing left behind, or `not_supported`. */
  async launch(settings: LaunchSettings): Promise<LocalBrowser> {
    const executable = this.#executableFor(settings);
    const extraArguments = checkedChromeArgs(settings.chromeArgs);
    try {
      return await withFreeDevtoolsPort((devtoolsPort) =>
        this.#launchOn(devtoolsPort, executable, settings, extraArguments),
      );
    } catch (error) {
      throw launchFailure(error);
    }
  }

  /** Throws with nothing left behind. */
  async #launchOn(
    devtoolsPort: number,
    executable: ChromiumExecutable,
    settings: LaunchSettings,
    extraArguments: readonly string[],
  ): Promise<LocalBrowser> {
    const { browsersDirectory, reaper, sandbox, memoryCaps, downloadLimits } = this.#options;
    const { register, egress } = this.#options;
    // Short: Chromium keeps a socket beneath, and its whole path may have 107 bytes.
    const id = randomBytes(6).toString("hex");
    const root = path.join(browsersDirectory, id);
    const user = await this.#takeUser();
    const entry = register.enter(id, user?.uid ?? null);
    let processGroup: number | null = null;
    let connection: CdpConnection | null = null;
    let memoryCap: MemoryCap | null = null;
    let proxy: EgressProxy | null = null;
    try {
      memoryCap = memoryCaps.create(id, user?.uid ?? null);
      proxy = await egress.open(user?.uid ?? null);
      entry.proxyPort = proxy.port;
      const directories = await makeBrowserDirectories(root, user);
      const exit = Promise.withResolvers<BrowserExit>();
      const running = await spawnBrowser(
        {
          path: executable.path,
          args: launchArguments({
            executable,
            profileDirectory: directories.profile,
            devtoolsPort,
            proxyPort: proxy.port,
            sandbox,
            headless: settings.headless,
            userAgent: settings.userAgent,
            extraArguments,
          }),
          user,
          directory: directories.root,
          timeoutMs: launchTimeoutMs,
          memoryCap,
        },
        exit.resolve,
      );
      processGroup = running.identity.pid;
      connection = await CdpConnection.connect(devtoolsUrl(running));
      await openFirstPage(connection);
      const { product } = await connection.send("Browser.getVersion", undefined);
      const browser = new LocalBrowser({
        id,
        running,
        directories,
        user,
        product,
        connection,
        memoryCap,
        proxy,
        downloadLimits,
        exited: exit.promise,
        // The full browser takes a part of its window for itself.
        windowIsViewport: executable.kind === "headless-shell" || !settings.headless,
        reaper,
      });
      // Both ahead of the hand-over: a session must not wait for them.
      await Promise.all([browser.allowDownloads(), browser.watch()]);
      return browser;
    } catch (error) {
      connection?.close();
      memoryCap?.release();
      proxy?.close();
      if (error instanceof LaunchError) processGroup = error.processGroup;
      reaper.bury({ processGroup, directory: root, user });
      throw error;
    }
  }

  async #takeUser(): Promise<BrowserUser | null> {
    try {
      return await this.#options.users.take();
    } catch (error) {
      throw new NightjarError(
        "at_capacity",
        `No more browsers can be started: ${messageOf(error)}.`,
        {
          retryAfterSeconds: 5,
        },
      );
    }
  }

  /**
   * Takes up a browser that still runs after a restart of the server; null when it is not there.
   * Throws when its way out to the network cannot be opened again.
   */
  async adopt(reference: {
    readonly id: string;
    readonly pid: number;
    readonly startedAt: string;
    readonly devtoolsPort: number;
    readonly devtoolsPath: string;
    readonly uid: number | null;
    readonly product: string;
    readonly proxyPort: number;
    readonly route: EgressRoute;
  }): Promise<LocalBrowser | null> {
    const identity = identifyProcess(reference.pid);
    if (identity?.startedAt !== reference.startedAt) return null;
    const { browsersDirectory, register, reaper, memoryCaps, downloadLimits, egress } =
      this.#options;
    const running = {
      identity,
      devtoolsPort: reference.devtoolsPort,
      devtoolsPath: reference.devtoolsPath,
    };
    const connection = await CdpConnection.connect(devtoolsUrl(running)).catch(() => null);
    if (connection === null) return null;
    let proxy: EgressProxy;
    try {
      proxy = await egress.reopen(reference.proxyPort, reference.uid, reference.route);
    } catch (error) {
      connection.close();
      throw error;
    }
    register.enter(reference.id, reference.uid).proxyPort = proxy.port;
    return new LocalBrowser({
      id: reference.id,
      running,
      directories: browserDirectories(path.join(browsersDirectory, reference.id)),
      user: reference.uid === null ? null : { uid: reference.uid, gid: reference.uid },
      product: reference.product,
      connection,
      memoryCap: memoryCaps.adopt(reference.id, reference.uid, reference.pid),
      proxy,
      route: reference.route,
      downloadLimits,
      exited: new Promise(() => {}),
      // Whatever was put in force stands in the reference and is put in force again.
      windowIsViewport: true,
      reaper,
    });
  }

  /** Sessions run on the headless shell where they can: it costs half the memory and an eighth of the CPU. */
  #executableFor(settings: LaunchSettings): ChromiumExecutable {
    const { headlessShell, chromium } = this.#options.executables;
    const needsFull = !settings.headless || settings.browserType !== "chromium";
    if (!settings.headless && !hasDisplay()) {
      throw new NightjarError(
        "not_supported",
        'headless: false needs a display, and this server has none. Leave it out (for the full browser without a window, ask for browser_type: "chrome"), or run the server under a display, e.g. xvfb-run.',
      );
    }
    const executable = needsFull ? chromium : (headlessShell ?? chromium);
    if (executable !== null) return executable;
    throw new NightjarError(
      "not_supported",
      `This server has only a headless shell, and ${settings.headless ? `browser_type: "${settings.browserType}"` : "headless: false"} needs the full browser. The operator can install it or name it with NIGHTJAR_CHROMIUM.`,
    );
  }
}

function hasDisplay(): boolean {
  return (
    process.platform === "darwin" ||
    (process.env["DISPLAY"] ?? "") !== "" ||
    (process.env["WAYLAND_DISPLAY"] ?? "") !== ""
  );
}

function devtoolsUrl(running: { readonly devtoolsPort: number; readonly devtoolsPath: string }) {
  return `ws://127.0.0.1:${running.devtoolsPort}${running.devtoolsPath}`;
}

/** Clients take the first tab that they find, so there must be one before the browser is handed over. */
async function openFirstPage(connection: CdpConnection): Promise<void> {
  const created = new Promise<void>((resolve) => {
    connection.on("Target.targetCreated", ({ targetInfo }) => {
      if (targetInfo.type === "page") resolve();
    });
  });
  await connection.send("Target.setDiscoverTargets", { discover: true });
  const timeout = AbortSignal.timeout(firstPageTimeoutMs);
  const late = new Promise<never>((_resolve, reject) => {
    timeout.onabort = () => reject(new Error("the browser opened no first tab"));
  });
  await Promise.race([created, late]);
  timeout.onabort = null;
  await connection.send("Target.setDiscoverTargets", { discover: false });
}

function launchFailure(error: unknown): NightjarError {
  if (error instanceof NightjarError) return error;
  const refused = systemRefusal(error, "The browser could not be started");
  if (refused !== null) return refused;
  const output = error instanceof LaunchError ? error.output : "";
  return new NightjarError(
    "browser_unavailable",
    `The browser could not be started: ${messageOf(error)}.`,
    {
      cause: output === "" ? error : new Error(`${messageOf(error)}\n${output}`, { cause: error }),
    },
  );
}
