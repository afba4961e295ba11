/**
 * Main-content extraction: ours beside Readability's and Defuddle's on saved article pages whose
 * text people have marked. `node bench/articles.ts [directory]`; see its README for the data.
 */
import { readdir, readFile } from "node:fs/promises";
import { createRequire } from "node:module";
import path from "node:path";
import { promisify } from "node:util";
import { gunzip } from "node:zlib";
import { DrivenBrowser } from "../tests/support/driven-browser.ts";
import { Site } from "../tests/support/site.ts";
import { summarize } from "./support/statistics.ts";

const directory = path.resolve(process.argv[2] ?? "../shared/data/articles");
const require = createRequire(import.meta.url);

interface Counts {
  readonly hits: number;
  readonly extra: number;
  readonly missed: number;
}

/** As scrapinghub/article-extraction-benchmark scores: shingles of four tokens, each page of equal weight. */
function compare(expected: string, extracted: string): Counts {
  const wanted = shinglesOf(expected);
  const got = shinglesOf(extracted);
  let hits = 0;
  let extra = 0;
  let missed = 0;
  for (const shingle of new Set([...wanted.keys(), ...got.keys()])) {
    const a = wanted.get(shingle) ?? 0;
    const b = got.get(shingle) ?? 0;
    hits += Math.min(a, b);
    extra += Math.max(0, b - a);
    missed += Math.max(0, a - b);
  }
  const sum = hits + extra + missed || 1;
  return { hits: hits / sum, extra: extra / sum, missed: missed / sum };
}

function shinglesOf(text: string): ReadonlyMap<string, number> {
  const tokens = text.match(/[\p{L}\p{N}_]+/gu) ?? [];
  const shingles = new Map<string, number>();
  const last = Math.max(tokens.length - 3, tokens.length > 0 ? 1 : 0);
  for (let index = 0; index < last; index += 1) {
    const shingle = tokens.slice(index, index + 4).join(" ");
    shingles.set(shingle, (shingles.get(shingle) ?? 0) + 1);
  }
  return shingles;
}

function scoreOf(counts: readonly Counts[]) {
  const sum = (pick: (one: Counts) => number) =>
    counts.reduce((total, one) => total + pick(one), 0);
  const hits = sum((one) => one.hits);
  const precision = hits / (hits + sum((one) => one.extra));
  const recall = hits / (hits + sum((one) => one.missed));
  return { precision, recall, f1: (2 * precision * recall) / (precision + recall) };
}

const truth: Record<string, { readonly articleBody: string }> = JSON.parse(
  await readFile(path.join(directory, "ground-truth.json"), "utf8"),
);
const readability = await readFile(require.resolve("@mozilla/readability/Readability.js"), "utf8");
const defuddle = await readFile(require.resolve("defuddle"), "utf8");
const ways: Readonly<Record<string, string>> = {
  Readability: `(() => { const module = {}; ${readability}
    return new Readability(document.cloneNode(true)).parse()?.textContent ?? ""; })()`,
  Defuddle: `(() => { const module = { exports: {} }; const exports = module.exports; ${defuddle}
    const D = module.exports.default ?? module.exports.Defuddle ?? module.exports;
    const html = new D(document).parse().content;
    const parsed = new DOMParser().parseFromString(html, "text/html");
    for (const block of parsed.querySelectorAll("p, li, h1, h2, h3, h4, h5, h6, td, th, pre, blockquote, br, div")) block.append(" ");
    return parsed.body.textContent; })()`,
};

let html = "";
const site = await Site.start((request, response) => {
  response.setHeader("Content-Type", "text/html; charset=utf-8");
  // Neither scripts nor anything else of the page is loaded.
  response.setHeader("Content-Security-Policy", "default-src 'none'; style-src 'unsafe-inline'");
  response.statusCode = request.url === "/" ? 200 : 404;
  response.end(request.url === "/" ? html : "");
});
const driven = await DrivenBrowser.launch();
const scores = new Map<string, Counts[]>();
const times: number[] = [];
const worst: { readonly id: string; readonly f1: number }[] = [];
try {
  const active = await driven.driver.activePage();
  for (const file of (await readdir(path.join(directory, "html"))).sort()) {
    const id = file.replace(/\.html\.gz$/, "");
    const expected = truth[id]?.articleBody;
    if (expected === undefined) continue;
    const packed = await readFile(path.join(directory, "html", file));
    html = (await promisify(gunzip)(packed)).toString("utf8");
    await active.page.goto(site.url, { waitUntil: "domcontentloaded" });
    const [main] = active.frames();
    if (main === undefined) throw new Error(`${id} did not load`);
    await active.call(main, "content", "mainText", []);
    const begun = performance.now();
    const ours = await active.call<string>(main, "content", "mainText", []);
    times.push(performance.now() - begun);
    const texts: Record<string, string> = { Nightjar: ours };
    for (const [name, expression] of Object.entries(ways)) {
      texts[name] = await active.evaluate<string>(main, main.contextId, expression).catch(() => "");
    }
    for (const [name, text] of Object.entries(texts)) {
      const counts = compare(expected, text);
      scores.set(name, [...(scores.get(name) ?? []), counts]);
      if (name === "Nightjar") worst.push({ id, f1: scoreOf([counts]).f1 });
    }
  }
} finally {
  await driven.dispose();
  await site.stop();
}

const round = (value: number): number => Math.round(value * 1000) / 1000;
console.table(
  Object.fromEntries(
    [...scores].map(([name, counts]) => {
      const { f1, precision, recall } = scoreOf(counts);
      const odd = scoreOf(counts.filter((_, index) => index % 2 === 1)).f1;
      const even = scoreOf(counts.filter((_, index) => index % 2 === 0)).f1;
      return [
        name,
        {
          f1: round(f1),
          precision: round(precision),
          recall: round(recall),
          "first half": round(even),
          "second half": round(odd),
        },
      ];
    }),
  ),
);
console.log(`${times.length} pages; ours takes ${round(summarize(times).p50)} ms in the median.`);
if (process.argv.includes("--worst")) {
  console.table(worst.sort((a, b) => a.f1 - b.f1).slice(0, 20));
}
