/**
 * Observing a page: ours beside Playwright's own snapshot for models, by turns, of the same pages in
 * the same run; the same over HTTP from a server, without and with a picture; scraping; how long the
 * texts are; and whether ids survive. `node bench/observe.ts [directory of saved pages] [--pages]
 * [--rounds=5]`; without a directory, only pages as applications make them.
 */
import type { ObserveRequest } from "../src/pages/observe/observation.ts";
import { Perception } from "../src/pages/observe/perception.ts";
import { DrivenBrowser } from "../tests/support/driven-browser.ts";
import { Nightjar, testKey } from "../tests/support/nightjar.ts";
import { appPages } from "./support/app-pages.ts";
import { idsByMark, markElements, renderAgain } from "./support/id-survival.ts";
import { type BenchPage, PageSite, savedPages } from "./support/saved-pages.ts";
import { short, summarize } from "./support/statistics.ts";

const options = process.argv.slice(2).filter((argument) => argument.startsWith("--"));
const directory = process.argv.slice(2).find((argument) => !argument.startsWith("--"));
const rounds = Number(
  options.find((option) => option.startsWith("--rounds="))?.slice("--rounds=".length) ?? 5,
);
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
const never = new AbortController().signal;

/** What was measured of one page; times are medians of its rounds, in ms. */
interface Measured {
  readonly kind: "app" | "article";
  readonly name: string;
  readonly elements: number;
  readonly observe: number;
  readonly snapshot: number;
  /** Of medians, and of the fastest rounds: what else the machine does matters less for those. */
  readonly faster: number;
  readonly fasterAtBest: number;
  readonly http: number;
  readonly picture: number;
  readonly scrape: number;
  /** Characters beside those of the snapshot. */
  readonly wholeShare: number;
  readonly usualShare: number;
  readonly idsKept: number;
}

async function timed<T>(times: number[], work: () => Promise<T>): Promise<T> {
  const begun = performance.now();
  const result = await work();
  times.push(performance.now() - begun);
  return result;
}

const site = await PageSite.start();
const driven = await DrivenBrowser.launch();
const server = await Nightjar.start({ NIGHTJAR_LOG_LEVEL: "info" });
const session = await server.startSession();

async function call(operation: string, body: object): Promise<void> {
  const answer = await fetch(`${server.url}/sessions/${session.id}/page/${operation}`, {
    method: "POST",
    headers: {
      Authorization: `Bearer ${testKey}`,
      "Content-Type": "application/json",
    },
    body: JSON.stringify(body),
  });
  const text = await answer.text();
  if (answer.status !== 200) throw new Error(`${operation}: ${answer.status} ${text}`);
}

async function measure(kind: Measured["kind"], bench: BenchPage): Promise<Measured | null> {
  site.page = bench;
  const { driver } = driven;
  const active = await driver.activePage();
  const { page } = active;
  await page.goto(site.url, { waitUntil: "load" });
  const elements = await page.evaluate<number>("document.getElementsByTagName('*').length");
  if (elements < leastElements || elements > mostElements) return null;
  await call("execute", { type: "goto", url: site.url });
  const perception = new Perception();
  const observe: number[] = [];
  const snapshot: number[] = [];
  const http: number[] = [];
  const picture: number[] = [];
  const scrape: number[] = [];
  let snapshotText = "";
  let usualText = "";
  const observed = async () => {
    ({ text: usualText } = await timed(observe, () => perception.observe(driver, usual, never)));
  };
  const snapped = async () => {
    snapshotText = await timed(snapshot, () => page.ariaSnapshot({ mode: "ai" }));
  };
  // Turn by turn, so that whatever else the machine does meets both, and each first in every other
  // round, since the first one finds the caches cold; the first turn warms up.
  for (let round = 0; round <= rounds; round += 1) {
    for (const work of round % 2 === 0 ? [observed, snapped] : [snapped, observed]) await work();
    if (round === 0) for (const times of [observe, snapshot]) times.pop();
  }
  // The server's browser is another one, which would keep the machine busy beside the first.
  for (let round = 0; round <= rounds; round += 1) {
    await timed(http, () => call("observe", { screenshot: false }));
    await timed(picture, () => call("observe", {}));
    if (kind === "article") await timed(scrape, () => call("scrape", {}));
    if (round === 0) for (const times of [http, picture, scrape]) times.pop();
  }
  const { text: wholeText } = await perception.observe(driver, whole, never);
  await page.evaluate(markElements);
  const before = await idsByMark(active, await perception.observe(driver, usual, never));
  await page.evaluate(renderAgain);
  const after = await idsByMark(active, await perception.observe(driver, usual, never));
  const living = [...before].filter(([mark]) => after.has(mark));
  const kept = living.filter(([mark, id]) => after.get(mark) === id);
  const median = (times: readonly number[]): number => summarize(times).p50;
  return {
    kind,
    name: bench.name,
    elements,
    observe: median(observe),
    snapshot: median(snapshot),
    faster: median(snapshot) / median(observe),
    fasterAtBest: Math.min(...snapshot) / Math.min(...observe),
    http: median(http),
    picture: median(picture) - median(http),
    scrape: median(scrape),
    wholeShare: wholeText.length / snapshotText.length,
    usualShare: usualText.length / snapshotText.length,
    idsKept: kept.length / Math.max(1, living.length),
  };
}

const measured: Measured[] = [];
try {
  const pages = [
    ...appPages().map((page) => ({ kind: "app" as const, page })),
    ...(directory === undefined ? [] : await savedPages(directory)).map((page) => ({
      kind: "article" as const,
      page,
    })),
  ];
  for (const { kind, page } of pages) {
    const one = await measure(kind, page);
    if (one === null) continue;
    measured.push(one);
    if (options.includes("--pages")) {
      console.log(
        `${one.name.padEnd(24)} ${one.elements} elements: ${short(one.observe)} ms, snapshot ${short(one.snapshot)} ms, over HTTP ${short(one.http)} ms, picture ${short(one.picture)} ms more; whole ${Math.round(one.wholeShare * 100)} %, usual ${Math.round(one.usualShare * 1000) / 10} %`,
      );
    }
  }
} finally {
  await driven.dispose();
  await server.dispose();
  await site.stop();
}

type Column = Record<string, number>;

/** The median and the worst tenth, which is above it for what should be low and below it for what should be high. */
function columns(pick: (page: Measured) => number, better: "low" | "high" = "low"): Column {
  const column: Column = {};
  for (const [title, kinds] of [
    ["app", ["app"]],
    ["articles", ["article"]],
    ["all", ["app", "article"]],
  ] as const) {
    const values = measured
      .filter(({ kind }) => (kinds as readonly string[]).includes(kind))
      .map(pick)
      .filter((value) => !Number.isNaN(value))
      .sort((a, b) => (better === "low" ? a - b : b - a));
    if (values.length === 0) continue;
    const at = (share: number) => short(values[Math.ceil(share * values.length) - 1] ?? Number.NaN);
    column[`${title} median`] = at(0.5);
    column[`${title} p90`] = at(0.9);
  }
  return column;
}

const count = (kind: Measured["kind"]) => measured.filter((page) => page.kind === kind).length;
console.log(
  `${count("app")} pages of applications, ${count("article")} saved articles; ${rounds} rounds each. Times in ms; p90 is the worst tenth, also of what should be high.`,
);
console.table({
  elements: columns(({ elements }) => elements),
  observe: columns(({ observe }) => observe),
  "Playwright's AI snapshot": columns(({ snapshot }) => snapshot),
  "times faster": columns(({ faster }) => faster, "high"),
  "times faster, fastest rounds": columns(({ fasterAtBest }) => fasterAtBest, "high"),
  "observe over HTTP": columns(({ http }) => http),
  "more with a JPEG": columns(({ picture }) => picture),
  "scrape over HTTP": columns(({ scrape }) => scrape),
  "whole page, % of its characters": columns(({ wholeShare }) => wholeShare * 100),
  "usual text, % of its characters": columns(({ usualShare }) => usualShare * 100),
  "ids kept through a re-render, %": columns(({ idsKept }) => idsKept * 100, "high"),
});
