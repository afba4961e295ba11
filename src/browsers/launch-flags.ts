import { defaultViewport } from "../sessions/browser-settings.ts";
import type { ChromiumExecutable } from "./chromium.ts";

export interface LaunchOptions {
  readonly executable: ChromiumExecutable;
  readonly profileDirectory: string;
  readonly devtoolsPort: number;
  /** Of the browser's own way out, on 127.0.0.1. */
  readonly proxyPort: number;
  readonly sandbox: boolean;
  /** False shows a window, which needs a display. */
  readonly headless: boolean;
  readonly userAgent: string | null;
  readonly extraArguments: readonly string[];
}

/** Features that call home or pop up on their own; Chromium honours only one --disable-features. */
const disabledFeatures = [
  // Asks a Google service about forms and pages.
  "AutofillServerCommunication",
  "OptimizationHints",
  "InterestFeedContentSuggestions",
  // Fetches a certificate list at start.
  "CertificateTransparencyComponentUpdater",
  // Looks for cast devices on the local network.
  "MediaRouter",
  "DialMediaRouteProvider",
  // Offers to translate, over the page.
  "Translate",
  // Turns typed http addresses into https first, which breaks local and plain sites.
  "HttpsUpgrades",
  // Keeps a spare renderer, which costs memory in every warm browser.
  "SpareRendererForSitePerProcess",
  // Pages of the full browser's own window: clients could run scripts in them, with the rights of
  // chrome: pages, and each costs a renderer.
  "WebUIOmniboxPopup",
  "WebUIOmniboxAimPopup",
];

/** The command line of one browser. Each flag says what breaks without it. */
export function launchArguments(options: LaunchOptions): readonly string[] {
  const { executable, headless, sandbox, userAgent } = options;
  const { width, height } = defaultViewport;
  const proxy = `127.0.0.1:${options.proxyPort}`;
  const args = [
    // A port of loopback rather than a pipe: a pipe would die with the server, and sessions must not.
    `--remote-debugging-port=${options.devtoolsPort}`,
    // Everything goes through the browser's own proxy, where the policy is, loopback included.
    `--proxy-server=${proxy}`,
    "--proxy-bypass-list=<-loopback>",
    // Nothing else is ever resolved or connected to, whoever asks: not for a prefetch, nor by a
    // client that makes a context with a proxy of its own.
    `--host-resolver-rules=MAP ${proxy} ${proxy},MAP * ~NOTFOUND`,
    // WebRTC speaks UDP past every proxy, unless it is told; each build has a name of its own for it.
    "--webrtc-ip-handling-policy=disable_non_proxied_udp",
    "--force-webrtc-ip-handling-policy=disable_non_proxied_udp",
    // A profile of its own: no state is shared between sessions.
    `--user-data-dir=${options.profileDirectory}`,
    // The first run shows pages and asks to be the default browser.
    "--no-first-run",
    "--no-default-browser-check",
    // Traffic that nobody asked for: updates, safe-browsing lists, sync, metrics, domain probes.
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--disable-domain-reliability",
    "--no-pings",
    "--metrics-recording-only",
    "--no-service-autorun",
    // Extensions of the distribution and of Chromium itself, which run in every profile.
    "--disable-default-apps",
    "--disable-component-extensions-with-background-pages",
    "--disable-extensions",
    // The crash handler is a process of its own session that outlives a killed browser.
    "--disable-breakpad",
    "--disable-crash-reporter",
    // The key ring asks for a password on a desktop; a throw-away profile needs no encryption.
    "--password-store=basic",
    "--use-mock-keychain",
    // An agent works on several tabs at once: those in the background must not be slowed down.
    "--disable-background-timer-throttling",
    "--disable-backgrounding-occluded-windows",
    "--disable-renderer-backgrounding",
    // An agent that navigates or clicks often must not be throttled as if it were an attack.
    "--disable-ipc-flooding-protection",
    // Dialogs about hung pages and restored sessions block a page that nobody looks at.
    "--disable-hang-monitor",
    "--disable-session-crashed-bubble",
    "--disable-prompt-on-repost",
    // QUIC is UDP and passes by every proxy.
    "--disable-quic",
    // Servers have no graphics card: software rendering from the start, not after three failures.
    "--disable-gpu",
    // Containers often have a /dev/shm of 64 MB, which crashes larger pages.
    "--disable-dev-shm-usage",
    // Nobody listens.
    "--mute-audio",
    // Screenshots without scroll bars, alike on every platform.
    "--hide-scrollbars",
    "--force-color-profile=srgb",
    `--window-size=${width},${height}`,
    `--disable-features=${disabledFeatures.join(",")}`,
    // Warnings and below go to stderr for every page; only errors are worth reading.
    "--log-level=2",
  ];
  // The full browser has two headless modes: this is the one that is the real browser.
  if (headless && executable.kind === "chromium") args.push("--headless=new");
  if (!sandbox) args.push("--no-sandbox");
  if (userAgent !== null) args.push(`--user-agent=${userAgent}`);
  args.push(...options.extraArguments, "about:blank");
  return args;
}
