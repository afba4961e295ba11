/**
 * Half an hour at the highest steady rate that the machine holds, which it finds first, by a minute
 * each with more and more clients: sessions over CDP and by the page API that end in every way there is. Every one that was admitted must be served or end for a true reason, and
 * what the server holds must not grow: it ends with 1 where something of that was missed.
 *
 *   npm run bench:soak                       30 minutes, writes bench/results/soak.json
 *   npm run bench:soak -- --minutes 3        a look
 *   npm run bench:soak -- --clients 6        how many clients go on at once, instead of finding out
 */
import { mkdir, readdir, writeFile } from "node:fs/promises";
import path from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { parseArgs } from "node:util";
import { chromium } from "playwright-core";
import { Nightjar } from "../tests/support/nightjar.ts";
import { browserProcesses } from "../tests/support/processes.ts";
import { RawCdp } from "../tests/support/raw-cdp.ts";
import { pageTitledByPath, Site } from "../tests/support/site.ts";
import { type ProcessUsage, processUsage } from "./support/process-usage.ts";
import { describeStep, type RampStep, rampUp } from "./support/ramp.ts";
import { short, summarize } from "./support/statistics.ts";
import { growth, type Reading, trend } from "./support/trends.ts";

const { values: options } = parseArgs({
  options: {
    minutes: { type: "string", default: "30" },
    clients: { type: "string" },
  },
});

const durationMs = Number(options.minutes) * 60_000;
/** Of finding the rate; a short run has short steps. */
const rampStepMs = Math.min(60_000, durationMs / 10);
/** Of every so many sessions, one is left to its idle timeout, which takes a minute. */
const leftAloneOneIn = 25;
const sampleEveryMs = 10_000;

interface Outcome {
  readonly kind: string;
  readonly expected: string;
  readonly reason: string;
}

const site = await Site.start(pageTitledByPath);
const server = await Nightjar.start({ NIGHTJAR_LOG_LEVEL: "warn", NIGHTJAR_WARM_POOL: "4" });
const creates: number[] = [];
const outcomes: Outcome[] = [];
const refused: number[] = [];
const failures: string[] = [];
const lateEnds: Promise<void>[] = [];

/** A session that is used in its way; answers the reason that its end must have. */
interface Kind {
  readonly name: string;
  readonly run: (id: string, cdpUrl: string) => Promise<string>;
}

async function overCdp(cdpUrl: string): Promise<void> {
  const browser = await chromium.connectOverCDP(cdpUrl);
  const page = browser.contexts()[0]?.pages()[0];
  if (page === undefined) throw new Error("no first tab");
  await page.goto(`${site.url}/hello`);
  if ((await page.title()) !== "/hello") throw new Error("on the wrong page");
  await browser.close();
}

async function byPageApi(id: string): Promise<void> {
  const post = async (route: string, body: object) => {
    const answer = await server.call("POST", `/sessions/${id}/page/${route}`, { body });
    if (answer.status !== 200) throw new Error(`${route}: ${JSON.stringify(answer.body)}`);
    return answer.body;
  };
  const went = await post("execute", { type: "goto", url: `${site.url}/page` });
  if (went["success"] !== true) throw new Error(String(went["message"]));
  await post("observe", {});
  await post("scrape", {});
}

async function stop(id: string): Promise<string> {
  const { status } = await server.call("DELETE", `/sessions/${id}/stop`);
  if (status !== 200) throw new Error(`stop answered ${status}`);
  return "client_stop";
}

const kinds: readonly Kind[] = [
  { name: "CDP, stopped", run: async (id, cdpUrl) => overCdp(cdpUrl).then(() => stop(id)) },
  { name: "page API, stopped", run: async (id) => byPageApi(id).then(() => stop(id)) },
  {
    name: "both, stopped",
    run: async (id, cdpUrl) => {
      await Promise.all([byPageApi(id), RawCdp.connect(cdpUrl).then((client) => client.pages())]);
      return stop(id);
    },
  },
  {
    name: "Browser.close",
    run: async (_id, cdpUrl) => {
      const client = await RawCdp.connect(cdpUrl);
      await client.send("Browser.close");
      await client.closed;
      return "client_stop";
    },
  },
  {
    name: "browser killed",
    run: async (_id, cdpUrl) => {
      const client = await RawCdp.connect(cdpUrl);
      // Never answered.
      void client.send("Browser.crash").catch(() => {});
      await client.closed;
      return "browser_crash";
    },
  },
];

async function runOne(index: number): Promise<void> {
  const leftAlone = index % leftAloneOneIn === 0;
  const began = performance.now();
  const started = await server.call("POST", "/sessions/start", {
    body: leftAlone ? { idle_timeout_minutes: 1, max_duration_minutes: 5 } : {},
  });
  if (started.status === 429 || started.status === 529) {
    refused.push(index);
    await delay(Number(started.headers.get("retry-after") ?? 1) * 1000);
    return;
  }
  if (started.status !== 200) throw new Error(`start: ${JSON.stringify(started.body)}`);
  creates.push(performance.now() - began);
  const id = String(started.body["session_id"]);
  const cdpUrl = String(started.body["cdp_url"]);
  if (leftAlone) {
    const client = await RawCdp.connect(cdpUrl);
    await client.pages();
    // A client that vanishes without a word.
    client.socket.terminate();
    lateEnds.push(checkEnd(id, "left alone", "idle_timeout", 100_000));
    return;
  }
  const kind = kinds[index % kinds.length];
  if (kind === undefined) throw new Error("no such kind");
  await checkEnd(id, kind.name, await kind.run(id, cdpUrl), 10_000);
}

async function checkEnd(id: string, kind: string, expected: string, withinMs: number) {
  const giveUp = performance.now() + withinMs;
  for (;;) {
    const { body } = await server.call("GET", `/sessions/${id}`);
    if (body["status"] !== "active" || performance.now() > giveUp) {
      outcomes.push({ kind, expected, reason: String(body["end_reason"]) });
      return;
    }
    await delay(withinMs > 20_000 ? 2000 : 50);
  }
}

interface Sample extends ProcessUsage {
  readonly atSeconds: number;
  readonly active: number;
  readonly warm: number;
  readonly directories: number;
  readonly browserMains: number;
}

async function sample(atSeconds: number): Promise<Sample> {
  const { body } = await server.call("GET", "/health");
  const mains = (await browserProcesses(server.dataDir)).filter(
    ({ commandLine }) => !commandLine.includes("--type="),
  );
  return {
    atSeconds,
    ...processUsage(server.pid),
    active: Number(body["active_sessions"]),
    warm: Number(body["warm_browsers"]),
    directories: (await readdir(path.join(server.dataDir, "browsers"))).length,
    browserMains: mains.length,
  };
}

let next = 0;

/** Lets so many clients start one session after the other, for so long. */
async function drive(clients: number, forMs: number): Promise<void> {
  const until = performance.now() + forMs;
  await Promise.all(
    Array.from({ length: clients }, async () => {
      while (performance.now() < until) {
        next += 1;
        await runOne(next).catch((error: unknown) => failures.push(String(error)));
      }
    }),
  );
}

/** One step on the way to the highest steady rate. Its creates are not those of the run. */
async function rampStep(clients: number): Promise<RampStep> {
  const began = performance.now();
  await drive(clients, rampStepMs);
  const create = summarize(creates.splice(0));
  const minutes = (performance.now() - began) / 60_000;
  const step = { clients, perMinute: create.count / minutes, create };
  console.log(describeStep(step));
  return step;
}

// What a server does for the first time takes longer, and is none of a rate that is steady.
await drive(2, rampStepMs / 2);
creates.length = 0;
const ramp = options.clients === undefined ? await rampUp(rampStep) : null;
const clients = ramp?.best.clients ?? Number(options.clients);
console.log(
  ramp === null
    ? `${clients} clients, as asked for`
    : `the highest steady rate is that of ${clients} clients: ${short(ramp.best.perMinute)} sessions a minute`,
);
refused.length = 0;

const samples: Sample[] = [];
const began = performance.now();
const until = began + durationMs;
const sampling = (async () => {
  while (performance.now() < until) {
    await delay(sampleEveryMs);
    samples.push(await sample(Math.round((performance.now() - began) / 1000)));
  }
})();
await drive(clients, durationMs);
await sampling;
const seconds = (performance.now() - began) / 1000;
await Promise.all(lateEnds);
// Ends are cleaned up off the fast path.
for (let tries = 0; tries < 200; tries += 1) {
  const { active, warm, directories } = await sample(0);
  if (active === 0 && directories === warm) break;
  await delay(100);
}
const last = await sample(Math.round((performance.now() - began) / 1000));
const create = summarize(creates);
const untrue = outcomes.filter(({ expected, reason }) => expected !== reason);

const watched: Readonly<Record<string, (sample: Sample) => number>> = {
  "RSS, MB": ({ rssMb }) => rssMb,
  descriptors: ({ openDescriptors }) => openDescriptors,
  threads: ({ threads }) => threads,
  directories: ({ directories }) => directories,
};
const readings = Object.entries(watched).map(
  ([what, of]) => [what, samples.map((each): Reading => [each.atSeconds, of(each)])] as const,
);
const trends = Object.fromEntries(readings.map(([what, all]) => [what, trend(all)]));
const grown = Object.fromEntries(readings.map(([what, all]) => [what, growth(all)]));
const kindsSeen = Object.groupBy(outcomes, ({ kind, reason }) => `${kind}: ${reason}`);
console.table(Object.fromEntries(Object.entries(kindsSeen).map(([k, v]) => [k, v?.length ?? 0])));
console.table(grown);
console.table(trends);
console.log(
  `${creates.length} sessions in ${short(seconds)} s (${short((creates.length * 60) / seconds)} a minute), ${refused.length} refused, ${failures.length} failures, ${untrue.length} without their true reason`,
);
console.log(
  `create p50 ${short(create.p50)} ms, p99 ${short(create.p99)} ms = ${short(create.p99 / create.p50)} x p50`,
);
console.log(
  `at the end: ${last.active} sessions, ${last.warm} warm browsers, ${last.directories} directories, ${last.browserMains} browsers`,
);
for (const failure of new Set(failures)) console.error(failure);
const missed = [
  ...(failures.length + untrue.length > 0 ? ["not every session was served or ended truly"] : []),
  ...(create.p99 > 3 * create.p50 ? ["p99 of create is above 3 x p50"] : []),
  ...(last.active > 0 || last.directories !== last.warm ? ["something was left over"] : []),
  ...Object.entries(trends)
    .filter(([, { rise, noise }]) => rise > Math.max(1, 3 * noise))
    .map(([what]) => `${what} rose by more than its noise in the second half`),
];
for (const what of missed) console.error(`missed: ${what}`);
process.exitCode = missed.length > 0 ? 1 : 0;
await server.dispose();
await site.stop();
const results = path.join(import.meta.dirname, "results");
await mkdir(results, { recursive: true });
await writeFile(
  path.join(results, "soak.json"),
  JSON.stringify(
    {
      seconds,
      clients,
      ramp: ramp?.steps ?? null,
      sessions: creates.length,
      create,
      refused: refused.length,
      failures,
      untrue,
      grown,
      trends,
      missed,
      last,
      samples,
    },
    null,
    2,
  ),
);
