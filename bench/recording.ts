/**
 * What recording costs: ten real minutes of browsing in a session (an agent's pace: a step, then some
 * seconds of thinking), how large the recording was at its largest, how soon after the end the replay
 * was ready, and how large it is; then how much slower sessions start and reach their first page while
 * an encoder is at work, and while they are recorded at all.
 *
 *   npm run bench:recording                      ten minutes and some
 *   npm run bench:recording -- --minutes 1       a look
 */
import { readdir, stat } from "node:fs/promises";
import path from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { parseArgs } from "node:util";
import { chromium, type Page } from "playwright-core";
import { HeldFfmpeg } from "../tests/support/held-ffmpeg.ts";
import { Nightjar } from "../tests/support/nightjar.ts";
import { pageTitledByPath, Site } from "../tests/support/site.ts";
import { browsedPage, browsedPages } from "./support/browsed-pages.ts";
import { machineAtRest } from "./support/machine.ts";
import { short, summarize } from "./support/statistics.ts";

const { values: options } = parseArgs({
  options: {
    minutes: { type: "string", default: "10" },
    sessions: { type: "string", default: "40" },
  },
});
const minutes = Number(options.minutes);
const measured = Number(options.sessions);

const mb = 1024 ** 2;

/** The same browsing each time. */
function randomness(seed: number): () => number {
  let state = seed;
  return () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return state / 2 ** 32;
  };
}

const site = await Site.start((request, response) => {
  const { pathname } = new URL(request.url ?? "/", "http://site");
  if (pathname === "/hello") return pageTitledByPath(request, response);
  const { type, body } = browsedPage(pathname);
  response.setHeader("Content-Type", type);
  response.end(body);
});

/** One thing that an agent does. */
async function act(page: Page, random: () => number): Promise<void> {
  const kind = random();
  if (kind < 0.35) {
    const number = Math.floor(random() * browsedPages);
    await page.goto(`${site.url}/page/${number}`);
  } else if (kind < 0.65) {
    for (let turn = 0; turn < 3; turn += 1) {
      await page.mouse.wheel(0, 500);
      await delay(150);
    }
  } else if (kind < 0.85) {
    await page.locator("input[type=search]").first().fill("");
    await page
      .locator("input[type=search]")
      .first()
      .pressSequentially("amber basin", { delay: 40 });
  } else {
    const tab = await page.context().newPage();
    await tab.goto(`${site.url}/page/${Math.floor(random() * browsedPages)}`);
    await delay(2000);
    await tab.close();
  }
}

async function browse(cdpUrl: string, forMs: number, thinkingMs: number): Promise<number> {
  const browser = await chromium.connectOverCDP(cdpUrl);
  const page = browser.contexts()[0]?.pages()[0];
  if (page === undefined) throw new Error("no first page");
  const random = randomness(4);
  const until = Date.now() + forMs;
  let steps = 0;
  await page.goto(`${site.url}/page/0`);
  for (; Date.now() < until; steps += 1) {
    await act(page, random);
    await delay(thinkingMs * (0.5 + random()));
  }
  await browser.close();
  return steps;
}

async function folderBytes(server: Nightjar, id: string): Promise<number> {
  const folder = path.join(server.dataDir, "recordings", id);
  const names = await readdir(folder).catch(() => []);
  const sizes = await Promise.all(
    names.map((name) =>
      stat(path.join(folder, name)).then(
        ({ size }) => size,
        () => 0,
      ),
    ),
  );
  return sizes.reduce((sum, size) => sum + size, 0);
}

/** Answers when the replay was ready, in ms from now. */
async function ready(server: Nightjar, id: string): Promise<{ ms: number; bytes: number }> {
  const begun = performance.now();
  for (;;) {
    const { status, body } = await server.call("GET", `/sessions/${id}/replay`);
    if (status === 200) {
      return { ms: performance.now() - begun, bytes: Number(body["size_bytes"]) };
    }
    if (status !== 404) throw new Error(JSON.stringify(body));
    await delay(100);
  }
}

async function warm(server: Nightjar): Promise<void> {
  while (Number((await server.call("GET", "/health")).body["warm_browsers"]) < 1) await delay(20);
}

/** What one session took, in ms. */
interface Hello {
  readonly start: number;
  /** From the beginning until its first page was there, and until it had ended. */
  readonly page: number;
  readonly total: number;
}

/** A session from its start over its first page to its end. */
async function hello(server: Nightjar): Promise<Hello> {
  await warm(server);
  const begun = performance.now();
  const { id, cdpUrl } = await server.startSession();
  const started = performance.now();
  const browser = await chromium.connectOverCDP(cdpUrl);
  await browser.contexts()[0]?.pages()[0]?.goto(`${site.url}/hello`);
  const reached = performance.now();
  await server.call("DELETE", `/sessions/${id}/stop`);
  const released = performance.now();
  await browser.close();
  return { start: started - begun, page: reached - begun, total: released - begun };
}

function line(what: string, values: readonly Hello[]) {
  const start = summarize(values.map((value) => value.start));
  const page = summarize(values.map((value) => value.page));
  const total = summarize(values.map((value) => value.total));
  console.log(
    `${what.padEnd(36)} start p50 ${short(start.p50)} (p95 ${short(start.p95)}) ms, first page p50 ${short(page.p50)} (p95 ${short(page.p95)}) ms, total p50 ${short(total.p50)} (p95 ${short(total.p95)}) ms, n ${values.length}`,
  );
  return { start: start.p50, page: page.p50, total: total.p50 };
}

const ffmpeg = await HeldFfmpeg.make();
const settings = { NIGHTJAR_LOG_LEVEL: "warn", NIGHTJAR_WARM_POOL: "1" };
const server = await Nightjar.start({ ...settings, NIGHTJAR_FFMPEG: ffmpeg.path });
const unrecorded = await Nightjar.start({ ...settings, NIGHTJAR_RECORDING: "0" });
try {
  // 1. Ten minutes of browsing.
  const { id, cdpUrl } = await server.startSession();
  let largest = 0;
  const looking = setInterval(() => {
    void folderBytes(server, id).then((bytes) => {
      largest = Math.max(largest, bytes);
    });
  }, 500);
  const steps = await browse(cdpUrl, minutes * 60_000, 4000);
  clearInterval(looking);
  await server.call("DELETE", `/sessions/${id}/stop`);
  const replay = await ready(server, id);
  console.log(
    `${minutes} min, ${steps} steps: recording ${short(largest / mb)} MB at its largest, replay ${short(replay.bytes / mb)} MB, ready ${short(replay.ms / 1000)} s after the end`,
  );

  // 2. Session starts at rest, and while much is encoded that was held back before.
  await ffmpeg.hold();
  const busy = await server.startSession();
  await browse(busy.cdpUrl, Math.min(90_000, minutes * 60_000), 100);
  await server.call("DELETE", `/sessions/${busy.id}/stop`);
  await machineAtRest();
  const atRest: Hello[] = [];
  for (let count = 0; count < measured; count += 1) atRest.push(await hello(server));
  const encoding: Hello[] = [];
  await ffmpeg.letGo();
  const isReady = ready(server, busy.id).then((done) => {
    over = true;
    return done;
  });
  let over = false;
  while (!over && encoding.length < 4 * measured) encoding.push(await hello(server));
  const made = await isReady;
  const rest = line("nothing is encoded", atRest);
  const meanwhile = line("an encoder is at work", encoding);
  console.log(
    `while ${short(made.bytes / mb)} MB of video were made in ${short(made.ms / 1000)} s: start x ${short(meanwhile.start / rest.start)}, first page x ${short(meanwhile.page / rest.page)}`,
  );

  // 3. Recording on and off, by turns.
  const on: Hello[] = [];
  const off: Hello[] = [];
  for (let count = 0; count < measured; count += 1) {
    await machineAtRest();
    on.push(await hello(server));
    await machineAtRest();
    off.push(await hello(unrecorded));
  }
  const recorded = line("recorded", on);
  const plain = line("not recorded", off);
  console.log(
    `recorded over not: start x ${short(recorded.start / plain.start)}, first page x ${short(recorded.page / plain.page)}, total x ${short(recorded.total / plain.total)}`,
  );
} finally {
  await server.dispose();
  await unrecorded.dispose();
  await site.stop();
  await ffmpeg.remove();
}
