/**
 * `npm run console:screenshots`: every screen of the console, light and dark, on a desk and on a
 * phone, with a session that did something, as PNGs in console/screenshots/ for a person to look at.
 */
import { mkdir, rm } from "node:fs/promises";
import path from "node:path";
import type { Page } from "playwright-core";
import { launchOnlooker, openConsole, signIn } from "./support/console-browser.ts";
import { startLampShop } from "./support/lamp-shop.ts";
import { Nightjar, testKey } from "./support/nightjar.ts";
import { RawCdp } from "./support/raw-cdp.ts";

const directory = path.resolve(import.meta.dirname, "../console/screenshots");
await rm(directory, { recursive: true, force: true });
await mkdir(directory, { recursive: true });

const shop = await startLampShop();
const nightjar = await Nightjar.start({ NIGHTJAR_EGRESS_ALLOW: "127.0.0.0/8" });
const browser = await launchOnlooker();

try {
  const viewport = { viewport_width: 1280, viewport_height: 720 };
  const crashed = await nightjar.startSession(viewport);
  const client = await RawCdp.connect(crashed.cdpUrl);
  void client.send("Browser.crash");
  await client.closed;
  for (let count = 0; count < 3; count += 1) await stop((await nightjar.startSession()).id);
  const replayed = await nightjar.startSession(viewport);
  await operate(replayed.id);
  await stop(replayed.id);
  const live = await nightjar.startSession({ ...viewport, idle_timeout_minutes: 10 });
  await operate(live.id);
  const stuck = await nightjar.startSession({ ...viewport, record_bodies: true });
  await operate(stuck.id);
  await nightjar.call("POST", "/api-keys", { body: { name: "nightly crawl" } });
  const old = await nightjar.call("POST", "/api-keys", { body: { name: "Grace's laptop" } });
  await nightjar.call("DELETE", `/api-keys/${old.body["id"]}`);
  await nightjar.call("POST", "/api-keys", { body: { name: "checkout agent, staging" } });

  const replayIsOver = async (): Promise<boolean> => {
    const { body } = await nightjar.call("GET", `/sessions/${replayed.id}`);
    return !["recording", "processing"].includes(String(body["replay_status"]));
  };
  while (!(await replayIsOver())) await new Promise((resolve) => setTimeout(resolve, 250));

  const sizes = {
    desktop: { width: 1440, height: 900, isPhone: false },
    phone: { width: 390, height: 844, isPhone: true },
  } as const;

  for (const theme of ["light", "dark"] as const) {
    for (const [size, options] of Object.entries(sizes)) {
      const { page, context, complaints } = await openConsole(browser, nightjar, {
        ...options,
        theme,
      });
      const shoot = async (name: string, isWhole = false): Promise<void> => {
        await settled(page);
        await page.screenshot({
          path: path.join(directory, `${name}-${theme}-${size}.png`),
          fullPage: isWhole,
        });
      };
      await page.goto("/console");
      await shoot("1-sign-in");
      await signIn(page, testKey);
      await page.getByText("Active").last().waitFor();
      await shoot("2-sessions");
      await page.getByRole("button", { name: "Start a session" }).click();
      await shoot("3-start");
      await page.keyboard.press("Escape");
      await page.getByRole("searchbox").fill("no such thing");
      await page.getByText("No session matches").waitFor();
      await shoot("4-nothing");
      await page.goto(`/console/sessions/${live.id}`);
      await page.locator(".entry").first().waitFor();
      await shoot("5-live", true);
      const wait = { body: { type: "wait", time_ms: 30_000 } };
      // It ends with the server.
      nightjar.call("POST", `/sessions/${stuck.id}/page/execute`, wait).catch(() => {});
      await page.goto(`/console/sessions/${stuck.id}`);
      await page.getByRole("button", { name: /^Running/ }).waitFor();
      await page
        .getByRole("option", { name: /Request: GET/ })
        .first()
        .click();
      await page.getByRole("button", { name: "Show the body" }).click();
      await shoot("11-stuck", true);
      await page.goto(`/console/sessions/${replayed.id}`);
      await page.locator(".entry").first().waitFor();
      await page
        .getByRole("option", { name: /voucher rejected|Clicked B3/ })
        .first()
        .click();
      await shoot("6-replay", true);
      await page.getByRole("tab", { name: "Details and files" }).click();
      await shoot("7-details", true);
      await page.goto(`/console/sessions/${crashed.id}`);
      await page.locator(".entry").first().waitFor();
      await shoot("8-error", true);
      await page.goto("/console/keys");
      await page.getByText("nightly crawl").waitFor();
      await shoot("9-keys");
      await page.goto("/console/host");
      await page.getByText("Warm browsers").waitFor();
      await shoot("10-host", true);
      if (complaints.length > 0) console.error(complaints);
      await context.close();
    }
  }
} finally {
  await browser.close();
  await nightjar.dispose();
  await shop.stop();
}
console.log(`looked at: ${directory}`);

/** Fonts and pictures are there and nothing is being fetched, live streams aside. */
async function settled(page: Page): Promise<void> {
  await page.evaluate("document.fonts.ready");
  await page.waitForTimeout(700);
}

async function operate(id: string): Promise<void> {
  const act = (body: object) => nightjar.call("POST", `/sessions/${id}/page/execute`, { body });
  await act({ type: "goto", url: shop.url });
  await nightjar.call("POST", `/sessions/${id}/page/observe`, { body: {} });
  await act({ type: "click", id: "B1" });
  await act({ type: "click", id: "B3" });
  await act({ type: "click", id: "L1" });
  await nightjar.call("POST", `/sessions/${id}/page/observe`, { body: {} });
  await act({ type: "fill", id: "I1", value: "Ada Lovelace" });
  await act({ type: "fill", id: "I2", value: "NIGHT-10" });
  await act({ type: "click", id: "B5" });
  await act({ type: "click", id: "B99" });
}

async function stop(id: string): Promise<void> {
  await nightjar.call("DELETE", `/sessions/${id}/stop`);
}
