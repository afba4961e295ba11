/**
 * What a picture costs: a JPEG with the observation's marks by the API, and an observation with and
 * without it, beside Playwright's own picture of the same tab in the same run. Times are those of a
 * client on this machine. `node bench/screenshot.ts [--quick]`
 */
import { chromium } from "playwright-core";
import { Nightjar, testKey } from "../tests/support/nightjar.ts";
import { Site } from "../tests/support/site.ts";
import { appPages } from "./support/app-pages.ts";
import { short, summarize } from "./support/statistics.ts";

const isQuick = process.argv.includes("--quick");
const rounds = isQuick ? 3 : 10;

let html = "";
const site = await Site.start((_request, response) => {
  response.setHeader("Content-Type", "text/html; charset=utf-8");
  response.end(html);
});
const nightjar = await Nightjar.start({ NIGHTJAR_WARM_POOL: "0", NIGHTJAR_RECORDING: "false" });
const observing: number[] = [];
const withPicture: number[] = [];
const more: number[] = [];
const pictures: number[] = [];
const theirs: number[] = [];
try {
  const { id } = await nightjar.startSession();
  const { body } = await nightjar.call("GET", `/sessions/${id}`);
  const browser = await chromium.connectOverCDP(String(body["cdp_url"]));
  const [page] = browser.contexts()[0]?.pages() ?? [];
  if (page === undefined) throw new Error("the session has no tab");
  const timed = async (operation: () => Promise<unknown>): Promise<number> => {
    const begun = performance.now();
    await operation();
    return performance.now() - begun;
  };
  const call = async (operation: string, request: Record<string, unknown>): Promise<void> => {
    const answer = await fetch(`${nightjar.url}/sessions/${id}/page/${operation}`, {
      method: "POST",
      headers: { Authorization: `Bearer ${testKey}`, "Content-Type": "application/json" },
      body: JSON.stringify(request),
    });
    const { status } = answer;
    await answer.arrayBuffer();
    if (status !== 200) throw new Error(`${operation} answers ${status}`);
  };
  for (const { html: content } of isQuick ? appPages().slice(0, 3) : appPages()) {
    html = content;
    await page.goto(site.url, { waitUntil: "load" });
    // Turn by turn, so that whatever else the machine does meets all; the first turn warms up.
    for (let round = 0; round <= rounds; round += 1) {
      const plain = await timed(() => call("observe", { screenshot: false }));
      const pictured = await timed(() => call("observe", { screenshot_type: "full" }));
      const picture = await timed(() => call("screenshot", { type: "full", full_page: false }));
      const own = await timed(() => page.screenshot({ type: "jpeg" }));
      if (round === 0) continue;
      observing.push(plain);
      withPicture.push(pictured);
      more.push(pictured - plain);
      pictures.push(picture);
      theirs.push(own);
    }
  }
  await browser.close();
} finally {
  await nightjar.dispose();
  await site.stop();
}

for (const [what, values] of [
  ["observe, without a picture", observing],
  ["observe, with a marked JPEG", withPicture],
  ["the picture's part of it", more],
  ["a marked JPEG by itself", pictures],
  ["Playwright's JPEG", theirs],
] as const) {
  const { p50, p95 } = summarize(values);
  console.log(`${what.padEnd(28)} p50 ${short(p50)} ms, p95 ${short(p95)} ms`);
}
