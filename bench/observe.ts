/**
 * Observing a page: ours beside Playwright's own snapshot for models, of the same pages in the same
 * run. `node bench/observe.ts [directory of saved pages, .html or .html.gz] [--pages]`; without a
 * directory, pages as applications make them.
 */
import { readdir, readFile } from "node:fs/promises";
import path from "node:path";
import { promisify } from "node:util";
import { gunzip } from "node:zlib";
import type { ObserveRequest } from "../src/pages/observe/observation.ts";
import { Perception } from "../src/pages/observe/perception.ts";
import { DrivenBrowser } from "../tests/support/driven-browser.ts";
import { Site } from "../tests/support/site.ts";
import { type AppPage, appPages } from "./support/app-pages.ts";
import { short, summarize } from "./support/statistics.ts";

const rounds = 5;
/** As tokens are counted throughout: by their average length. */
const charactersPerToken = 4;
const leastElements = 300;
const mostElements = 8000;

const usual: ObserveRequest = {
  maxElements: null,
  minElements: null,
  instructions: null,
  perceptionType: "fast",
  tokenBudget: null,
};
const whole: ObserveRequest = { ...usual, perceptionType: "deep", tokenBudget: 1_000_000 };

async function savedPages(directory: string): Promise<readonly AppPage[]> {
  const inside = await readdir(directory, { recursive: true });
  const pages: AppPage[] = [];
  for (const file of inside.filter((name) => /\.html(?:\.gz)?$/.test(name)).sort()) {
    const bytes = await readFile(path.join(directory, file));
    const html = file.endsWith(".gz") ? await promisify(gunzip)(bytes) : bytes;
    pages.push({ name: file, html: html.toString("utf8") });
  }
  return pages;
}

interface Measured {
  readonly name: string;
  readonly elements: number;
  readonly ours: number;
  readonly snapshot: number;
  readonly wholeShare: number;
  readonly usualShare: number;
}

const directory = process.argv.slice(2).find((argument) => !argument.startsWith("--"));
const pages = [...appPages(), ...(directory === undefined ? [] : await savedPages(directory))];

let html = "";
const site = await Site.start((request, response) => {
  response.setHeader("Content-Type", "text/html; charset=utf-8");
  // Nothing is loaded, and of saved pages no script runs: what they call is not there.
  const scripts = html.includes("http") ? "'none'" : "'unsafe-inline'";
  response.setHeader(
    "Content-Security-Policy",
    `default-src 'none'; style-src 'unsafe-inline'; script-src ${scripts}`,
  );
  response.statusCode = request.url === "/" ? 200 : 404;
  response.end(request.url === "/" ? html : "");
});
const driven = await DrivenBrowser.launch();
const measured: Measured[] = [];
const signal = new AbortController().signal;
try {
  const { page } = await driven.driver.activePage();
  for (const { name, html: content } of pages) {
    html = content;
    await page.goto(site.url, { waitUntil: "load" });
    const elements = await page.evaluate<number>("document.getElementsByTagName('*').length");
    if (elements < leastElements || elements > mostElements) continue;
    const perception = new Perception();
    const ours: number[] = [];
    const snapshot: number[] = [];
    let snapshotText = "";
    let wholeText = "";
    let usualText = "";
    // Turn by turn, so that whatever else the machine does meets both; the first turn warms up.
    for (let round = 0; round <= rounds; round += 1) {
      const begun = performance.now();
      ({ text: usualText } = await perception.observe(driven.driver, usual, signal));
      const between = performance.now();
      snapshotText = await page.ariaSnapshot({ mode: "ai" });
      const ended = performance.now();
      if (round === 0) continue;
      ours.push(between - begun);
      snapshot.push(ended - between);
    }
    ({ text: wholeText } = await perception.observe(driven.driver, whole, signal));
    measured.push({
      name,
      elements,
      ours: summarize(ours).p50,
      snapshot: summarize(snapshot).p50,
      wholeShare: wholeText.length / snapshotText.length,
      usualShare: usualText.length / snapshotText.length,
    });
    if (process.argv.includes("--pages")) {
      const { ours: time, snapshot: other, wholeShare, usualShare } = measured.at(-1) as Measured;
      console.log(
        [
          `${short(time)} ms, snapshot ${short(other)} ms`,
          `${Math.round(snapshotText.length / charactersPerToken)} tokens, whole ${Math.round(wholeShare * 100)} %, usual ${Math.round(usualShare * 1000) / 10} %`,
          `${elements} elements in ${name.slice(0, 60)}`,
        ].join(" | "),
      );
    }
  }
} finally {
  await driven.dispose();
  await site.stop();
}

function row(pick: (page: Measured) => number) {
  const values = measured.map(pick);
  const sorted = [...values].sort((a, b) => a - b);
  return {
    median: short(summarize(values).p50),
    p90: short(sorted[Math.max(0, Math.ceil(0.9 * sorted.length) - 1)] ?? Number.NaN),
    max: short(summarize(values).max),
  };
}

console.log(
  `${measured.length} pages of ${Math.min(...measured.map(({ elements }) => elements))} to ${Math.max(...measured.map(({ elements }) => elements))} elements, median ${row(({ elements }) => elements).median}`,
);
console.table({
  "observe, ms": row(({ ours }) => ours),
  "Playwright's AI snapshot, ms": row(({ snapshot }) => snapshot),
  "times faster": row(({ ours, snapshot }) => snapshot / ours),
  "whole page, % of its tokens": row(({ wholeShare }) => wholeShare * 100),
  "usual text, % of its tokens": row(({ usualShare }) => usualShare * 100),
});
