import { NightjarError } from "../sessions/errors.ts";

/**
 * The arguments that a client may add to its browser's command line. They change what pages see,
 * never what the browser may reach, write or listen on: everything else is refused.
 */
const allowed: ReadonlySet<string> = new Set([
  "--accept-lang",
  "--allow-running-insecure-content",
  "--autoplay-policy",
  "--disable-2d-canvas-clip-aa",
  "--disable-font-subpixel-positioning",
  "--disable-lcd-text",
  "--disable-notifications",
  "--disable-popup-blocking",
  "--disable-smooth-scrolling",
  "--font-render-hinting",
  "--force-color-profile",
  "--force-dark-mode",
  "--force-device-scale-factor",
  "--force-prefers-reduced-motion",
  "--hide-scrollbars",
  "--high-dpi-support",
  "--ignore-certificate-errors",
  "--incognito",
  "--lang",
  "--start-maximized",
  "--use-fake-device-for-media-stream",
  "--use-fake-ui-for-media-stream",
  "--window-position",
  "--window-size",
]);

/** Whole arguments whose name alone would open too much: blink features include raw Mojo. */
const allowedWhole: ReadonlySet<string> = new Set([
  "--blink-settings=imagesEnabled=false",
  "--disable-blink-features=AutomationControlled",
]);

/** Of no effect because every browser has them already, but often sent. */
const alreadySet: ReadonlySet<string> = new Set([
  "--disable-background-networking",
  "--disable-background-timer-throttling",
  "--disable-backgrounding-occluded-windows",
  "--disable-breakpad",
  "--disable-component-update",
  "--disable-default-apps",
  "--disable-dev-shm-usage",
  "--disable-extensions",
  "--disable-gpu",
  "--disable-hang-monitor",
  "--disable-ipc-flooding-protection",
  "--disable-prompt-on-repost",
  "--disable-renderer-backgrounding",
  "--disable-sync",
  "--mute-audio",
  "--no-default-browser-check",
  "--no-first-run",
]);

/**
 * The arguments to add for a client's `chrome_args`. Throws `invalid_request` naming the first
 * argument that is not on the list.
 */
export function checkedChromeArgs(requested: readonly string[]): readonly string[] {
  const names = requested.map((argument) => argument.split("=", 1)[0]);
  return requested.flatMap((argument) => {
    const name = argument.split("=", 1)[0] ?? "";
    if (alreadySet.has(name)) return [];
    const accepted = allowed.has(name) || allowedWhole.has(argument);
    if (accepted && !argument.includes("\0")) {
      // Headless builds take what pages and servers see of the language from this one alone.
      const speaks = name === "--lang" && !names.includes("--accept-lang");
      return speaks ? [argument, argument.replace("--lang", "--accept-lang")] : [argument];
    }
    const list = [...allowed, ...allowedWhole].join(", ");
    const message = `chrome_args may not hold "${argument}": only arguments that change what pages see are accepted (${list}).`;
    throw new NightjarError("invalid_request", message, {
      issues: [{ location: ["body", "chrome_args"], message, kind: "not_allowed" }],
    });
  });
}
