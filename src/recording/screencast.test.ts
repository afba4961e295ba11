import { chromium, type Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { eventually } from "../../tests/support/eventually.ts";
import { Nightjar } from "../../tests/support/nightjar.ts";
import { CdpBrowserWatch } from "../browsers/browser-watch.ts";
import type { WatchedTarget } from "../sessions/ports.ts";
import { Screencasts } from "./screencast.ts";
import type { ScreencastFrame } from "./screencast-frame.ts";

/** Screencasts of a real session's browser, by the session's own CDP URL. */
describe("Screencasts of a browser", () => {
  let server: Nightjar;

  beforeAll(async () => {
    server = await Nightjar.start();
  });

  afterAll(async () => {
    await server.dispose();
  });

  async function cast() {
    const { cdpUrl } = await server.startSession({
      recording: false,
      viewport_width: 640,
      viewport_height: 480,
    });
    const watch = await CdpBrowserWatch.open(cdpUrl, { capture: false });
    const browser = await chromium.connectOverCDP(cdpUrl);
    const context = browser.contexts()[0];
    const page = context?.pages()[0];
    if (context === undefined || page === undefined) throw new Error("no first page");
    const tabId = watch.tabs[0]?.targetId ?? "";
    return { watch, casts: new Screencasts(watch), context, page, tabId };
  }

  /** The page fills itself with a colour of which a whole JPEG tells the average. */
  async function paint(page: Page, color: string): Promise<void> {
    await page.evaluate((value) => {
      (
        globalThis as unknown as { document: { body: { style: { background: string } } } }
      ).document.body.style.background = value;
    }, color);
  }

  /** The colour at a frame's centre, as another page decodes it. */
  async function colorOf(decoder: Page, frame: ScreencastFrame): Promise<readonly number[]> {
    const data = `data:image/jpeg;base64,${frame.jpeg.toString("base64")}`;
    return decoder.evaluate(`(async () => {
      const bitmap = await createImageBitmap(await (await fetch("${data}")).blob());
      const context = new OffscreenCanvas(bitmap.width, bitmap.height).getContext("2d");
      context.drawImage(bitmap, 0, 0);
      return [...context.getImageData(bitmap.width / 2, bitmap.height / 2, 1, 1).data];
    })()`);
  }

  test("show a page's last state, however little of a burst a slow subscriber takes", async () => {
    const { casts, page, tabId, context } = await cast();
    const slow: ScreencastFrame[] = [];
    const fast: ScreencastFrame[] = [];
    const stopSlow = casts.subscribe(tabId, { maxFps: 2 }, (frame) => slow.push(frame));
    await eventually(() => expect(slow).toHaveLength(1));
    expect(slow[0]).toMatchObject({ targetId: tabId, width: 640, height: 480, scrollY: 0 });

    const decoder = await context.newPage();
    for (let step = 0; step < 30; step += 1) await paint(page, `rgb(${step * 8}, 0, 0)`);
    await paint(page, "rgb(0, 0, 255)");
    await eventually(async () => {
      const [red = 255, , blue = 0] = await colorOf(decoder, slow.at(-1) as ScreencastFrame);
      expect(red).toBeLessThan(10);
      expect(blue).toBeGreaterThan(245);
    });
    // Far fewer than were drawn, and all in order.
    expect(slow.length).toBeLessThan(20);
    expect(slow.map(({ at }) => at)).toEqual(slow.map(({ at }) => at).sort((a, b) => a - b));

    // Who comes later sees the page at once, though it stands still.
    const stopFast = casts.subscribe(tabId, { maxFps: 30 }, (frame) => fast.push(frame));
    expect(fast).toHaveLength(1);
    await paint(page, "rgb(0, 255, 0)");
    await eventually(() => expect(fast.length).toBeGreaterThan(1));
    stopSlow();
    stopFast();
    const seen = fast.length;
    await paint(page, "rgb(0, 0, 0)");
    await page.evaluate(
      "new Promise((done) => requestAnimationFrame(() => setTimeout(done, 200)))",
    );
    expect(fast).toHaveLength(seen);
  });

  test("take the tab that was opened, named or is left for the active one", async () => {
    const { casts, context, tabId, watch } = await cast();
    const told: (string | null)[] = [];
    casts.onActiveTab((targetId) => told.push(targetId));
    expect(casts.activeTab).toBe(tabId);
    const second = await context.newPage();
    await eventually(() => expect(casts.activeTab).not.toBe(tabId));
    const secondId = watch.tabs[1]?.targetId ?? "";
    expect(casts.activeTab).toBe(secondId);
    casts.activate(tabId);
    casts.activate("no such tab");
    expect(casts.activeTab).toBe(tabId);
    // Looking at a tab is no use of it.
    const looked: ScreencastFrame[] = [];
    casts.subscribe(secondId, { maxFps: 10 }, (frame) => looked.push(frame));
    await eventually(() => expect(looked).not.toEqual([]));
    expect(casts.activeTab).toBe(tabId);
    casts.activate(secondId);
    await second.close();
    await eventually(() => expect(casts.activeTab).toBe(tabId));
    expect(told).toEqual([secondId, tabId, secondId, tabId]);
  });

  test("follow the visible tab of a window, and look at one that the window hides", async () => {
    const { cdpUrl } = await server.startSession({ recording: false, browser_type: "chrome" });
    // No client here: Playwright makes every tab believe that it is visible.
    const watch = await CdpBrowserWatch.open(cdpUrl, { capture: false });
    const casts = new Screencasts(watch);
    const [first] = watch.tabs;
    const created = await watch.send("Target.createTarget", { url: "about:blank" });
    const { targetId: secondId } = created as { readonly targetId: string };
    const second = await eventually(() => {
      const tab = watch.tabs.find(({ targetId }) => targetId === secondId);
      if (first === undefined || tab === undefined) throw new Error("no tab");
      return tab;
    });
    const { targetId: firstId, sessionId } = first as WatchedTarget;
    const hidden: ScreencastFrame[] = [];
    casts.subscribe(firstId, { maxFps: 10 }, (frame) => hidden.push(frame));
    casts.subscribe(secondId, { maxFps: 10 }, () => {});
    const color = "document.body.style.background = 'rgb(0, 0, 255)'";
    await watch.send("Runtime.evaluate", { expression: color }, { sessionId });
    const { page: decoder } = await cast();
    await eventually(async () => {
      const [red = 255, , blue = 0] = await colorOf(decoder, hidden.at(-1) as ScreencastFrame);
      expect([red < 10, blue > 245]).toEqual([true, true]);
    });
    expect(casts.activeTab).toBe(secondId);
    await watch.send("Page.bringToFront", {}, { sessionId });
    await eventually(() => expect(casts.activeTab).toBe(firstId));
    await watch.send("Target.activateTarget", { targetId: second.targetId });
    await eventually(() => expect(casts.activeTab).toBe(secondId));
  });
});
