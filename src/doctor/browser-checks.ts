import { chmod, mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import {
  browserAge,
  type ChromiumExecutable,
  type ChromiumExecutables,
  findChromium,
} from "../browsers/chromium.ts";
import { sandboxComplaint, sandboxRefused } from "../browsers/sandbox.ts";
import { tryLaunch } from "../browsers/trial-launch.ts";
import type { Config } from "../config.ts";
import { messageOf } from "../sessions/errors.ts";
import { type Check, checkOf } from "./check.ts";

const browser = checkOf("browser");
const sandbox = checkOf("sandbox");

/** Finds the browsers and launches each once, as sessions get it, in a directory of its own. */
export async function checkBrowsers(config: Config): Promise<readonly Check[]> {
  let found: ChromiumExecutables;
  try {
    found = await findChromium(config);
  } catch (error) {
    return [browser.problem(messageOf(error))];
  }
  const executables = [found.headlessShell, found.chromium].filter((each) => each !== null);
  if (executables.length === 0) return [browser.problem(noneFound(found))];
  const directory = await mkdtemp(path.join(temporaryDirectory(), "nightjar-doctor-"));
  try {
    // Browsers run as users of their own, who must be able to pass.
    await chmod(directory, 0o711);
    const trials: Trial[] = [];
    for (const executable of executables) {
      trials.push(await tryOut(executable, directory, config.firstUid));
    }
    const complaint = trials.map((trial) => trial.complaint).find((each) => each !== null);
    return [
      ...trials.map(({ start }) => start),
      ...oneKindOnly(found),
      complaint === undefined
        ? sandbox.ok("browsers run in Chromium's own sandbox")
        : checkWithout(complaint, config),
    ];
  } finally {
    await rm(directory, { recursive: true, force: true });
  }
}

/** What root was given for itself may be closed to the users of browsers. */
function temporaryDirectory(): string {
  return process.getuid?.() === 0 ? "/tmp" : tmpdir();
}

function noneFound({ rejected }: ChromiumExecutables): string {
  const passedOver = rejected.map((each) => ` ${each.path} ${each.reason}.`).join("");
  return `There is no Chromium that can be used.${passedOver} Install one (\`npm run nightjar -- install-browser\`), or set NIGHTJAR_CHROMIUM or NIGHTJAR_HEADLESS_SHELL to the path of one.`;
}

interface Trial {
  readonly start: Check;
  /** What it said of its sandbox; null where it has it. */
  readonly complaint: string | null;
}

async function tryOut(
  executable: ChromiumExecutable,
  browsersDirectory: string,
  firstUid: number,
): Promise<Trial> {
  const launch = (withSandbox: boolean): Promise<number> =>
    tryLaunch({
      executables: { headlessShell: null, chromium: null, rejected: [], ...only(executable) },
      browsersDirectory,
      firstUid,
      sandbox: withSandbox,
    });
  const what = `${executable.kind} ${executable.version} (${executable.path})`;
  let complaint: string | null = null;
  try {
    const readyMs = await launch(true).catch((error: unknown) => {
      complaint = sandboxComplaint(error);
      if (complaint === null) throw error;
      return launch(false);
    });
    return {
      start: started(executable, `${what} is ready in ${Math.round(readyMs)} ms`),
      complaint,
    };
  } catch (error) {
    const output = error instanceof Error && error.cause !== undefined ? error.cause : error;
    const said = messageOf(output).trim().split("\n").at(-1);
    const remedy = `Install what it misses, or another browser (\`npm run nightjar -- install-browser\`, NIGHTJAR_CHROMIUM, NIGHTJAR_HEADLESS_SHELL).`;
    return { start: browser.problem(`${what} does not start: ${said}. ${remedy}`), complaint };
  }
}

function only(executable: ChromiumExecutable): Partial<ChromiumExecutables> {
  return executable.kind === "chromium" ? { chromium: executable } : { headlessShell: executable };
}

function started({ majorVersion }: ChromiumExecutable, what: string): Check {
  const { old, ageDays } = browserAge(majorVersion, new Date());
  if (!old) return browser.ok(what);
  const months = Math.round(ageDays / 30);
  return browser.warning(
    `${what}, but was released about ${months} months ago and misses security fixes since: update it.`,
  );
}

function oneKindOnly({ headlessShell, chromium }: ChromiumExecutables): readonly Check[] {
  if (headlessShell === null) {
    return [
      browser.warning(
        "There is no headless shell, so every session takes the full browser, twice the memory: install chromium-headless-shell, or set NIGHTJAR_HEADLESS_SHELL.",
      ),
    ];
  }
  if (chromium !== null) return [];
  return [
    browser.warning(
      'There is only the headless shell, so sessions with `browser_type: "chrome"` or `headless: false` are refused: install Chromium, or set NIGHTJAR_CHROMIUM.',
    ),
  ];
}

function checkWithout(complaint: string, { allowNoSandbox }: Config): Check {
  if (!allowNoSandbox) return sandbox.problem(sandboxRefused(complaint));
  return sandbox.warning(
    `Browsers run without Chromium's sandbox, as NIGHTJAR_ALLOW_NO_SANDBOX=1 accepts (${complaint}): allow user namespaces and unset it.`,
  );
}
