/**
 * How long an action takes beyond what the page itself needs: each click is done once by bare
 * Playwright and once as an action, by turns, on the same page in the same run. Where a click has the
 * page fetch something, bare Playwright goes on until the page has drawn once it had it. Prints
 * medians in ms.
 */
import { executeAction } from "../src/pages/actions/execute.ts";
import type { SessionFiles } from "../src/pages/actions/ports.ts";
import { Perception } from "../src/pages/observe/perception.ts";
import { DrivenBrowser } from "../tests/support/driven-browser.ts";
import { Site } from "../tests/support/site.ts";
import { machineAtRest } from "./support/machine.ts";
import { short, summarize } from "./support/statistics.ts";

const rounds = Number(process.argv[2] ?? 40);
const warmUpRounds = 5;
const never = new AbortController().signal;

/** A page with so many elements beside its button. */
function page(elements: number, onClick: string): string {
  const rows = Array.from(
    { length: Math.ceil(elements / 4) },
    (_, row) => `<li><a href="#${row}">Row ${row}</a><span>text</span><input></li>`,
  );
  return `<!doctype html><button id=b onclick="${onClick}">Press</button><ul>${rows.join("")}</ul>`;
}

const pages: Readonly<Record<string, string>> = {
  "nothing happens, 10 elements": page(10, ""),
  "nothing happens, 300 elements": page(300, ""),
  "nothing happens, 3,000 elements": page(3000, ""),
  "nothing happens, 8,000 elements": page(8000, ""),
  "text changes, 300 elements": page(300, "this.textContent = Date.now()"),
  "answer of 20 ms is fetched": page(
    300,
    "answered = fetch('/answer').then((answer) => answer.text()).then(() => new Promise((drawn) => requestAnimationFrame(() => setTimeout(drawn))))",
  ),
};

const noFiles: SessionFiles = {
  uploadPath: async () => null,
  uploadNames: async () => [],
  watchDownloads: () => ({
    begun: [],
    first: async () => ({ kind: "late", begun: null }),
    stop: () => {},
  }),
  download: async () => null,
  keep: async (name) => name,
};

const site = await Site.start((request, response) => {
  const { pathname } = new URL(request.url ?? "/", "http://site");
  if (pathname === "/answer") {
    setTimeout(() => response.end("done"), 20);
    return;
  }
  response.setHeader("Content-Type", "text/html");
  response.end(Object.values(pages)[Number(pathname.slice(1))] ?? "");
});
const browser = await DrivenBrowser.launch();
const { driver } = browser;
const perception = new Perception();

async function timed(work: () => Promise<unknown>): Promise<number> {
  const began = performance.now();
  await work();
  return performance.now() - began;
}

console.log(`click, median (95 %) of ${rounds} in ms`);
for (const [index, name] of Object.keys(pages).entries()) {
  const active = await driver.activePage();
  await active.page.goto(`${site.url}/${index}`);
  const request = {
    maxElements: null,
    minElements: null,
    instructions: null,
    perceptionType: "fast",
    tokenBudget: null,
  } as const;
  const { elements } = await perception.observe(driver, request, never);
  const id = elements.find((element) => element.name === "Press")?.id ?? null;
  const bare = async (): Promise<void> => {
    await active.page.locator("#b").click();
    if (name.endsWith("is fetched")) await active.page.evaluate("answered");
  };
  const act = async (): Promise<void> => {
    const result = await executeAction(
      {
        driver,
        elements: perception,
        files: noFiles,
        look: (signal) => perception.look(driver, signal),
        scrape: async () => ({ markdown: "", images: null, structured: null }),
      },
      {
        type: "click",
        target: { id, selectors: [], frames: [] },
        timeoutMs: 15_000,
        pressEnter: false,
        dialog: null,
      },
      never,
    );
    if (!result.success) throw new Error(result.message);
  };
  await machineAtRest();
  const bares: number[] = [];
  const acts: number[] = [];
  for (let round = -warmUpRounds; round < rounds; round += 1) {
    const bareMs = await timed(bare);
    const actMs = await timed(act);
    if (round < 0) continue;
    bares.push(bareMs);
    acts.push(actMs);
  }
  const [ours, theirs] = [summarize(acts), summarize(bares)];
  console.log(
    `${name.padEnd(34)} action ${short(ours.p50)} (${short(ours.p95)})  bare Playwright ${short(theirs.p50)} (${short(theirs.p95)})  above ${short(ours.p50 - theirs.p50)}`,
  );
}
await browser.dispose();
await site.stop();
