import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import lighthouse from "lighthouse";
import { chromium } from "playwright-core";
import { onlookerPath } from "./console-browser.ts";

export interface LighthouseReport {
  /** 0 to 1, by category. */
  readonly scores: Readonly<Record<string, number | null>>;
  /** What cost points, for whoever reads a failure. */
  readonly remarks: readonly string[];
}

/** Lets Lighthouse load a page of the console in a Chromium of its own, signed in with `key`. */
export async function runLighthouse(url: string, key: string): Promise<LighthouseReport> {
  const profile = await mkdtemp(path.join(tmpdir(), "nightjar-lighthouse-"));
  const child = spawn(
    await onlookerPath(),
    [
      "--headless",
      "--no-sandbox",
      "--disable-background-networking",
      "--remote-debugging-port=0",
      `--user-data-dir=${profile}`,
      "about:blank",
    ],
    { stdio: ["ignore", "ignore", "pipe"] },
  );
  try {
    const port = await devtoolsPortOf(child);
    await rememberKey(port, url, key);
    const result = await lighthouse(url, {
      port,
      output: "json",
      logLevel: "error",
      onlyCategories: ["performance", "accessibility", "best-practices"],
      formFactor: "desktop",
      screenEmulation: {
        mobile: false,
        width: 1350,
        height: 940,
        deviceScaleFactor: 1,
        disabled: false,
      },
      throttlingMethod: "provided",
      // The console is never still: events go on coming.
      maxWaitForLoad: 10_000,
      disableFullPageScreenshot: true,
      // The key that was remembered must stay.
      disableStorageReset: true,
    });
    if (result === undefined) throw new Error("Lighthouse made no report");
    const { categories, audits } = result.lhr;
    return {
      scores: Object.fromEntries(Object.values(categories).map(({ id, score }) => [id, score])),
      remarks: Object.values(audits)
        .filter(({ score }) => score !== null && score < 1)
        .map(({ id, details }) => `${id}: ${JSON.stringify(details)?.slice(0, 500)}`),
    };
  } finally {
    const exited = once(child, "exit");
    child.kill();
    await exited;
    await rm(profile, { recursive: true, force: true, maxRetries: 5 });
  }
}

function devtoolsPortOf(child: ChildProcess): Promise<number> {
  return new Promise((resolve, reject) => {
    let output = "";
    child.once("exit", () => reject(new Error(`the browser ended at its start: ${output}`)));
    child.stderr?.on("data", (chunk: Buffer) => {
      output += chunk.toString();
      const port = /DevTools listening on ws:\/\/127\.0\.0\.1:(\d+)/.exec(output)?.[1];
      if (port !== undefined) resolve(Number(port));
    });
  });
}

/** As "Stay signed in on this device" does; Lighthouse cannot sign in. */
async function rememberKey(port: number, url: string, key: string): Promise<void> {
  const browser = await chromium.connectOverCDP(`http://127.0.0.1:${port}`);
  const page = browser.contexts()[0]?.pages()[0];
  await page?.goto(new URL("/health", url).href);
  await page?.evaluate(`localStorage.setItem("nightjar.key", ${JSON.stringify(key)})`);
  await browser.close();
}
