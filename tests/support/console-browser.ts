import { tmpdir } from "node:os";
import path from "node:path";
import { type Browser, type BrowserContext, chromium, type Page } from "playwright-core";
import { findChromium } from "../../src/browsers/chromium.ts";
import type { Nightjar } from "./nightjar.ts";

/** The Chromium that looks at the console: not one of the server's. */
export async function onlookerPath(): Promise<string> {
  const { headlessShell, chromium: full } = await findChromium({
    chromiumPath: null,
    headlessShellPath: null,
    dataDir: path.join(tmpdir(), "nightjar-none"),
  });
  const executablePath = (headlessShell ?? full)?.path;
  if (executablePath === undefined) throw new Error("these tests need a Chromium");
  return executablePath;
}

export async function launchOnlooker(): Promise<Browser> {
  return chromium.launch({
    executablePath: await onlookerPath(),
    args: ["--no-sandbox", "--disable-quic"],
  });
}

export interface ConsoleWindow {
  readonly page: Page;
  readonly context: BrowserContext;
  /** What went wrong in it without anyone having asked for it: errors, refused and foreign requests. */
  readonly complaints: readonly string[];
}

export interface ConsoleWindowOptions {
  readonly theme?: "light" | "dark";
  readonly width?: number;
  readonly height?: number;
  /** As a finger's device: coarse pointer, touch events. */
  readonly isPhone?: boolean;
}

/** A fresh window on the console, with nobody signed in. */
export async function openConsole(
  browser: Browser,
  nightjar: Nightjar,
  options: ConsoleWindowOptions = {},
): Promise<ConsoleWindow> {
  const { theme = "light", width = 1440, height = 900, isPhone = false } = options;
  const context = await browser.newContext({
    baseURL: nightjar.url,
    viewport: { width, height },
    colorScheme: theme,
    hasTouch: isPhone,
    isMobile: isPhone,
    reducedMotion: "reduce",
    locale: "en-GB",
  });
  const page = await context.newPage();
  const complaints: string[] = [];
  page.on("pageerror", (error) => complaints.push(error.message));
  page.on("console", (message) => {
    // An answer that is an error is the business of whoever asked for it.
    const isAnswer = message.text().startsWith("Failed to load resource");
    if (message.type() === "error" && !isAnswer) complaints.push(message.text());
  });
  page.on("request", (request) => {
    const { protocol, origin } = new URL(request.url());
    if (/^https?:$/.test(protocol) && origin !== nightjar.url) complaints.push(request.url());
  });
  return { page, context, complaints };
}

/** Signs in as a person would; resolves when the list of sessions is there. */
export async function signIn(page: Page, key: string): Promise<void> {
  await page.goto("/console");
  await page.getByLabel("API key").fill(key);
  await page.getByRole("button", { name: "Sign in" }).click();
  await page.getByRole("heading", { name: "Sessions", level: 1 }).waitFor();
}
