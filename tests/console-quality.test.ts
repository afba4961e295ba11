import { AxeBuilder } from "@axe-core/playwright";
import type { Browser, Page } from "playwright-core";
import { afterAll, beforeAll, expect, onTestFinished, test } from "vitest";
import {
  type ConsoleWindow,
  type ConsoleWindowOptions,
  launchOnlooker,
  openConsole,
  signIn,
} from "./support/console-browser.ts";
import { startLampShop } from "./support/lamp-shop.ts";
import { runLighthouse } from "./support/lighthouse-run.ts";
import { Nightjar, testKey } from "./support/nightjar.ts";
import { RawCdp } from "./support/raw-cdp.ts";
import { seedEndedSessions } from "./support/seeded-sessions.ts";
import type { Site } from "./support/site.ts";

let nightjar: Nightjar;
let shop: Site;
let browser: Browser;
let live: string;
let stuck: string;
let replayed: string;
let crashed: string;

beforeAll(async () => {
  [nightjar, shop, browser] = await Promise.all([
    Nightjar.start({ NIGHTJAR_EGRESS_ALLOW: "127.0.0.0/8" }),
    startLampShop(),
    launchOnlooker(),
  ]);
  await seedEndedSessions(nightjar, [
    { reason: "idle_timeout" },
    { reason: "out_of_memory", error: "It used 1,200 MB of the 1,000 MB that a session may use." },
    { reason: "client_stop" },
  ]);
  const dying = await nightjar.startSession();
  const client = await RawCdp.connect(dying.cdpUrl);
  void client.send("Browser.crash");
  await client.closed;
  crashed = dying.id;
  replayed = await operatedSession();
  await nightjar.call("DELETE", `/sessions/${replayed}/stop`);
  live = await operatedSession();
  stuck = (await nightjar.startSession({ record_bodies: true })).id;
  await nightjar.call("POST", `/sessions/${stuck}/page/execute`, {
    body: { type: "goto", url: shop.url },
  });
  await nightjar.call("POST", "/api-keys", { body: { name: "nightly crawl" } });
}, 120_000);

afterAll(async () => {
  await Promise.all([nightjar.dispose(), shop.stop(), browser.close()]);
});

/** A session with something of every kind on its time line. */
async function operatedSession(): Promise<string> {
  const { id } = await nightjar.startSession({ viewport_width: 1280, viewport_height: 720 });
  const actions = [
    { type: "goto", url: shop.url },
    { type: "click", selector: "button >> nth=1" },
    { type: "click", selector: "button >> nth=99", timeout: 200 },
  ];
  for (const body of actions) {
    await nightjar.call("POST", `/sessions/${id}/page/execute`, { body });
  }
  return id;
}

/** Every screen, dialog and state that a person meets, and when it is there. */
const screens: readonly (readonly [string, (page: Page) => Promise<void>])[] = [
  ["the list of sessions", (page) => page.getByText("Out of memory").waitFor()],
  [
    "the dialog to start one",
    async (page) => {
      await page.getByRole("button", { name: "Start a session" }).click();
      await page.getByText("More", { exact: true }).click();
      await page.getByLabel("Proxy").waitFor();
    },
  ],
  [
    "a search without a result",
    async (page) => {
      await page.goto("/console?search=nobody");
      await page.getByText("No session matches").waitFor();
    },
  ],
  [
    "a session that runs",
    async (page) => {
      await page.goto(`/console/sessions/${live}`);
      await page.getByRole("option", { name: /Opened/ }).click();
      await page.getByRole("region", { name: "The selected entry" }).waitFor();
    },
  ],
  [
    "a step under way, and the body of an answer",
    async (page) => {
      const body = { type: "wait", time_ms: 30_000 };
      // It ends with the server.
      nightjar.call("POST", `/sessions/${stuck}/page/execute`, { body }).catch(() => {});
      await page.goto(`/console/sessions/${stuck}`);
      await page.getByRole("button", { name: /^Running/ }).waitFor();
      await page
        .getByRole("option", { name: /Request: GET/ })
        .first()
        .click();
      await page.getByRole("button", { name: "Show the body" }).click();
      await page.getByText("<!doctype html>").waitFor();
    },
  ],
  [
    "the dialog to stop it",
    async (page) => {
      await page.goto(`/console/sessions/${live}`);
      await page.getByRole("button", { name: "Stop", exact: true }).click();
      await page.getByRole("dialog").waitFor();
    },
  ],
  [
    "a session that has ended",
    async (page) => {
      await page.goto(`/console/sessions/${replayed}`);
      await page.locator(".entry").first().waitFor();
      await page.getByRole("tab", { name: "Details and files" }).click();
      await page.getByText("Longest duration").waitFor();
    },
  ],
  [
    "a session that crashed",
    async (page) => {
      await page.goto(`/console/sessions/${crashed}`);
      await page.getByText("Browser crashed").first().waitFor();
    },
  ],
  [
    "API keys",
    async (page) => {
      await page.goto("/console/keys");
      await page.getByText("nightly crawl").waitFor();
    },
  ],
  [
    "a key that was just made",
    async (page) => {
      await page.goto("/console/keys");
      await page.getByRole("button", { name: "Make a key" }).click();
      await page.getByLabel("What is it for?").fill("a look");
      await page.keyboard.press("Enter");
      await page.getByText("This is the only time").waitFor();
    },
  ],
  [
    "the host",
    async (page) => {
      await page.goto("/console/host");
      await page.getByText("Warm browsers").waitFor();
    },
  ],
  [
    "an address that is none",
    async (page) => {
      await page.goto("/console/nowhere");
      await page.getByText("There is nothing at this address").waitFor();
    },
  ],
];

async function openWindow(options: ConsoleWindowOptions): Promise<ConsoleWindow> {
  const window = await openConsole(browser, nightjar, options);
  onTestFinished(async () => {
    await window.context.close();
    expect(window.complaints).toEqual([]);
  });
  return window;
}

/** What axe finds wrong, by WCAG 2.2 AA and its own good practices, in the page and its frames. */
async function violationsOf(page: Page): Promise<readonly string[]> {
  const { violations } = await new AxeBuilder({ page })
    .options({ resultTypes: ["violations"] })
    .withTags(["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"])
    .analyze();
  return violations.flatMap(({ id, nodes }) =>
    nodes.map(({ target, failureSummary }) => `${id} at ${target.join(" ")}: ${failureSummary}`),
  );
}

/** Goes through every screen: axe finds nothing wrong, and nothing is wider than the screen. */
async function lookAtAll(options: ConsoleWindowOptions): Promise<void> {
  const { page } = await openWindow(options);
  const found: Record<string, readonly string[]> = {};
  const tooWide: string[] = [];
  const look = async (name: string): Promise<void> => {
    found[name] = await violationsOf(page);
    // A phone makes its viewport wider for a page that is.
    const overflow = await page.evaluate<boolean>(
      "document.scrollingElement.scrollWidth > innerWidth || innerWidth > screen.width",
    );
    if (overflow) tooWide.push(name);
  };
  await page.goto("/console");
  await page.getByLabel("API key").waitFor();
  await look("signing in");
  await page.getByRole("button", { name: "Sign in" }).click();
  await page.getByRole("alert").waitFor();
  await look("signing in without a key");
  await signIn(page, testKey);
  for (const [name, show] of screens) {
    await show(page);
    await look(name);
  }
  expect(tooWide).toEqual([]);
  expect(Object.entries(found).filter(([, violations]) => violations.length > 0)).toEqual([]);
}

/** Both themes and both layouts in two passes: what differs between themes is colour alone. */
test("light, on a desk, there is nothing wrong with it", { timeout: 180_000 }, () =>
  lookAtAll({ theme: "light" }),
);

test("dark, on a phone, there is nothing wrong with it", { tags: ["long"], timeout: 180_000 }, () =>
  lookAtAll({ theme: "dark", width: 360, height: 740, isPhone: true }),
);

test("the colours can be chosen against the system's, also before the first paint", async () => {
  const { page } = await openWindow({ theme: "light" });
  const ground = () =>
    page.evaluate<string>("getComputedStyle(document.documentElement).backgroundColor");
  await page.goto("/console");
  await page.getByRole("radio", { name: "Dark" }).check({ force: true });
  const dark = await ground();
  await page.getByRole("radio", { name: "As the system" }).check({ force: true });
  expect(await ground()).not.toBe(dark);
  await page.getByRole("radio", { name: "Dark" }).check({ force: true });
  await page.reload({ waitUntil: "commit" });
  await page.locator("body").waitFor({ state: "attached" });
  expect(await ground()).toBe(dark);
});

test("Lighthouse finds it accessible, well made, and as fast as can be told here", {
  tags: ["long"],
  timeout: 120_000,
}, async () => {
  const { scores, remarks } = await runLighthouse(`${nightjar.url}/console`, testKey);
  const why = remarks.join("\n");
  expect(scores["accessibility"], why).toBe(1);
  expect(scores["best-practices"], why).toBeGreaterThanOrEqual(0.95);
  // On a machine at rest it is 1; no test may fail because others keep the machine busy.
  expect(scores["performance"], why).toBeGreaterThanOrEqual(0.5);
});
