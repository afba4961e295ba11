import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { chromium } from "playwright-core";
import { afterAll, beforeAll, describe, expect, test, vi } from "vitest";
import { Nightjar } from "../../tests/support/nightjar.ts";
import type { WatchedChange, WatchedEvent } from "../sessions/ports.ts";
import { CdpBrowserWatch } from "./browser-watch.ts";

/** A watch of a real session's browser, by the session's own CDP URL. */
describe("A watch of a browser", () => {
  let server: Nightjar;
  let site: Server;
  let origin: string;

  beforeAll(async () => {
    site = createServer((request, response) => {
      response.setHeader("Content-Type", "text/html");
      if (request.url === "/frame") {
        response.end("<title>Frame</title><script>console.log('from the frame')</script>");
      } else if (request.url === "/worker.js") {
        response.setHeader("Content-Type", "text/javascript");
        response.end("console.log('from the worker')");
      } else {
        const port = (site.address() as AddressInfo).port;
        response.end(
          `<title>Page</title><script>console.log("first words"); new Worker("/worker.js")</script><iframe src="http://localhost:${port}/frame"></iframe>`,
        );
      }
    });
    await new Promise<void>((resolve) => site.listen(0, "127.0.0.1", resolve));
    origin = `http://127.0.0.1:${(site.address() as AddressInfo).port}`;
    server = await Nightjar.start();
  });

  afterAll(async () => {
    await server.dispose();
    site.close();
  });

  async function watched(capture: boolean) {
    const { cdpUrl } = await server.startSession({ recording: false });
    const watch = await CdpBrowserWatch.open(cdpUrl, { capture });
    const changes: WatchedChange[] = [];
    const events: WatchedEvent[] = [];
    watch.onTarget((change) => changes.push(change));
    watch.onEvent((event) => events.push(event));
    const browser = await chromium.connectOverCDP(cdpUrl);
    const context = browser.contexts()[0];
    const page = context?.pages()[0];
    if (context === undefined || page === undefined) throw new Error("no first page");
    return { watch, changes, events, browser, context, page };
  }

  const words = (events: readonly WatchedEvent[]) =>
    events
      .filter(({ method }) => method === "Runtime.consoleAPICalled")
      .map(
        ({ params }) =>
          (params as { args: readonly { value: unknown }[] }).args[0]?.value as string,
      );

  test("hears the first words of pages, frames of other sites, workers and new tabs", async () => {
    const { watch, events, changes, browser, context, page } = await watched(true);
    expect(watch.tabs).toHaveLength(1);
    await page.goto(origin);
    await vi.waitFor(() => {
      expect(words(events)).toEqual(
        expect.arrayContaining(["first words", "from the frame", "from the worker"]),
      );
    });
    const tabId = watch.tabs[0]?.targetId;
    for (const { target } of events) if (target !== null) expect(target.tabId).toBe(tabId);
    const requests = events
      .filter(({ method }) => method === "Network.requestWillBeSent")
      .map(({ params }) => (params as { request: { url: string } }).request.url);
    expect(requests).toContain(`${origin}/`);
    expect(requests).toContain(`${origin}/worker.js`);

    const second = await context.newPage();
    await second.goto(origin);
    await vi.waitFor(() => {
      expect(words(events).filter((text) => text === "first words")).toHaveLength(2);
    });
    expect(watch.tabs.map(({ url }) => url)).toEqual([`${origin}/`, `${origin}/`]);
    await second.close();
    await vi.waitFor(() => {
      expect(changes.at(-1)?.kind).toBe("closed");
      expect(watch.tabs).toHaveLength(1);
    });
    await browser.close();
    watch.close();
  });

  test("leaves dialogs to the clients, with frames shown all the while", async () => {
    const { watch, events, browser, page } = await watched(true);
    const [tab] = watch.tabs;
    await watch.send(
      "Page.startScreencast",
      { format: "jpeg" },
      { sessionId: tab?.sessionId ?? "" },
    );
    await page.goto(origin);
    await vi.waitFor(() => {
      expect(events.map(({ method }) => method)).toContain("Page.screencastFrame");
    });
    await browser.close();
    // No client is there to answer: the browser does, as if nobody watched.
    const answer = (await watch.send(
      "Runtime.evaluate",
      { expression: "confirm('Sure?')", returnByValue: true },
      { sessionId: tab?.sessionId ?? "" },
    )) as { result: { value: unknown } };
    expect(answer.result.value).toBe(false);
    watch.close();
  });

  test("without capture tells of targets only", async () => {
    const { watch, events, changes, browser, page } = await watched(false);
    await page.goto(origin);
    await vi.waitFor(() => {
      expect(changes.some(({ target }) => target.url === `${origin}/`)).toBe(true);
    });
    expect(events.filter(({ method }) => /^(?:Network|Runtime|Log)\./.test(method))).toEqual([]);
    await browser.close();
    watch.close();
  });
});
