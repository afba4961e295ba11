/**
 * The workload that our claims rest on: create a session, connect Playwright over CDP, go to a small
 * local page on the first tab, release. Beside two baselines in the same run: `bare` (the same
 * browsers launched ahead, no server in between) and `launch` (Playwright launches one a session).
 *
 *   npm run bench                        everything, writes bench/results/hello-browser.json
 *   npm run bench -- --sessions 200      fewer sessions in a row
 *   npm run bench -- --quick             a short look, no numbers to publish
 */
import { mkdir, readdir, writeFile } from "node:fs/promises";
import { cpus, totalmem } from "node:os";
import path from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { parseArgs } from "node:util";
import { pageTitledByPath, Site } from "../tests/support/site.ts";
import { machineAtRest } from "./support/machine.ts";
import {
  cpuTimeMs,
  descendants,
  type ProcessUsage,
  processUsage,
} from "./support/process-usage.ts";
import { type Summary, short, summarize } from "./support/statistics.ts";
import { BareWay, LaunchWay, NightjarWay, type Way } from "./support/ways.ts";

const { values: options } = parseArgs({
  options: {
    sessions: { type: "string", default: "1000" },
    quick: { type: "boolean", default: false },
  },
});

const warmUps = 10;
const measured = options.quick ? 20 : 100;
const parallel = 10;
const inARow = options.quick ? 120 : Number(options.sessions);

/** How long each step took, in ms. */
interface Timing {
  readonly create: number;
  readonly connect: number;
  readonly goto: number;
  readonly release: number;
  readonly total: number;
}

type Measured = Readonly<Record<keyof Timing, Summary>>;

async function helloBrowser(way: Way, url: string): Promise<Timing> {
  const began = performance.now();
  const session = await way.create();
  const created = performance.now();
  const browser = await session.connect();
  const connected = performance.now();
  const page = browser.contexts()[0]?.pages()[0];
  if (page === undefined) throw new Error(`${way.name} gave no first tab`);
  await page.goto(url, { waitUntil: "domcontentloaded" });
  if ((await page.title()) !== "/hello") throw new Error(`${way.name} is on the wrong page`);
  const went = performance.now();
  await session.release();
  const released = performance.now();
  await browser.close();
  return {
    create: created - began,
    connect: connected - created,
    goto: went - connected,
    release: released - went,
    total: released - began,
  };
}

function measure(timings: readonly Timing[]): Measured {
  const of = (step: keyof Timing) => summarize(timings.map((timing) => timing[step]));
  return {
    create: of("create"),
    connect: of("connect"),
    goto: of("goto"),
    release: of("release"),
    total: of("total"),
  };
}

/** Runs the ways in turn, so that whatever else the machine does falls on all alike. */
async function compare(ways: readonly Way[], url: string, width: number) {
  const rounds = { warmUp: Math.ceil(warmUps / width), measured: Math.ceil(measured / width) };
  const timings = new Map<Way, Timing[]>(ways.map((way) => [way, []]));
  let failures = 0;
  for (let round = 0; round < rounds.warmUp + rounds.measured; round += 1) {
    for (const way of ways) {
      for (const each of ways) await each.ready();
      // A browser goes on with its start after it is ready, and must not slow down who comes next.
      await machineAtRest();
      const results = await Promise.allSettled(
        Array.from({ length: width }, () => helloBrowser(way, url)),
      );
      for (const result of results) {
        if (result.status === "rejected") {
          failures += way.name === "nightjar" ? 1 : 0;
          console.error(`${way.name} failed:`, result.reason);
        } else if (round >= rounds.warmUp) timings.get(way)?.push(result.value);
      }
    }
  }
  const results = Object.fromEntries(
    ways.map((way) => [way.name, measure(timings.get(way) ?? [])]),
  ) as Record<Way["name"], Measured>;
  const ratio = (to: "bare" | "launch") => results.nightjar.total.p50 / results[to].total.p50;
  return {
    ...results,
    failures,
    totalOverBare: ratio("bare"),
    timesFasterThanLaunch: 1 / ratio("launch"),
    p99OverP50: results.nightjar.total.p99 / results.nightjar.total.p50,
  };
}

interface Footprint extends ProcessUsage {
  readonly session: number;
  readonly processes: number;
  readonly directories: number;
}

/** One session after the other, as fast as they come; what the server holds must not grow. */
async function manyInARow(way: NightjarWay, url: string) {
  const { server } = way;
  const footprint = async (session: number): Promise<Footprint> => {
    await way.ready();
    // Ended browsers are cleaned up off the fast path: the count is right when that has settled.
    const directories = () => readdir(path.join(server.dataDir, "browsers"));
    while ((await directories()).length > poolSize) await delay(50);
    return {
      session,
      ...processUsage(server.pid),
      processes: descendants(server.pid).length,
      directories: (await directories()).length,
    };
  };
  const timings: Timing[] = [];
  const footprints: Footprint[] = [];
  let failures = 0;
  const began = performance.now();
  for (let session = 1; session <= inARow; session += 1) {
    try {
      timings.push(await helloBrowser(way, url));
    } catch (error) {
      failures += 1;
      console.error("a session in a row failed:", error);
    }
    if (session === 100 || session === inARow || session % 250 === 0) {
      footprints.push(await footprint(session));
    }
  }
  return {
    sessions: inARow,
    failures,
    seconds: (performance.now() - began) / 1000,
    ...measure(timings),
    footprints,
  };
}

async function idleCpu(seconds: number) {
  const way = await NightjarWay.start(4);
  await way.ready();
  await delay(2000);
  const { pid } = way.server;
  const browsers = descendants(pid);
  const used = () => ({
    server: cpuTimeMs(pid),
    browsers: browsers.reduce((sum, each) => sum + cpuTimeMs(each), 0),
  });
  const before = used();
  await delay(seconds * 1000);
  const after = used();
  const result = {
    seconds,
    serverPercentOfOneCore: (after.server - before.server) / (seconds * 10),
    browsersPercentOfOneCore: (after.browsers - before.browsers) / (seconds * 10),
    serverRssMb: processUsage(pid).rssMb,
  };
  await way.dispose();
  return result;
}

const poolSize = parallel;
const site = await Site.start(pageTitledByPath);
const url = `${site.url}/hello`;
const nightjar = await NightjarWay.start(poolSize);
const ways: readonly Way[] = [nightjar, await BareWay.start(poolSize), await LaunchWay.start()];

const { body: health } = await nightjar.server.call("GET", "/health");
const machine = {
  cpu: cpus()[0]?.model,
  cores: cpus().length,
  memoryGb: Math.round(totalmem() / 1024 ** 3),
  node: process.version,
  browser: health["browser"],
  date: new Date().toISOString().slice(0, 10),
};
console.log(
  `\n${machine.cores} cores, ${machine.memoryGb} GB, ${machine.browser}, Node ${machine.node}`,
);

console.log("\nOne at a time");
const oneAtATime = await compare(ways, url, 1);
print(oneAtATime);
console.log(`\n${parallel} in parallel`);
const inParallel = await compare(ways, url, parallel);
print(inParallel);
for (const way of ways.slice(1)) await way.dispose();

console.log(`\n${inARow} sessions in a row, without pause`);
const row = await manyInARow(nightjar, url);
console.table(row.footprints.map((each) => ({ ...each, rssMb: short(each.rssMb) })));
console.log(
  `${row.failures} failures; total p50 ${short(row.total.p50)} ms, create p50 ${short(row.create.p50)} ms, p99 ${short(row.create.p99)} ms; ${short(row.sessions / row.seconds)} sessions a second`,
);
await nightjar.dispose();

console.log("\nIdle with 4 warm browsers");
const idle = await idleCpu(options.quick ? 5 : 30);
console.log(
  `server ${short(idle.serverPercentOfOneCore)} % of one core, browsers ${short(idle.browsersPercentOfOneCore)} %, server RSS ${short(idle.serverRssMb)} MB`,
);

await site.stop();
const results = path.join(import.meta.dirname, "results");
await mkdir(results, { recursive: true });
const file = path.join(results, "hello-browser.json");
await writeFile(
  file,
  JSON.stringify({ machine, oneAtATime, inParallel, inARow: row, idle }, null, 2),
);
console.log(`\nWritten to ${path.relative(process.cwd(), file)}`);

function print(comparison: Awaited<ReturnType<typeof compare>>): void {
  const row = (name: Way["name"]) => {
    const { create, connect, goto, release, total } = comparison[name];
    return {
      "create p50": short(create.p50),
      "connect p50": short(connect.p50),
      "goto p50": short(goto.p50),
      "release p50": short(release.p50),
      "total p50": short(total.p50),
      "total p95": short(total.p95),
      "total p99": short(total.p99),
    };
  };
  console.table({ nightjar: row("nightjar"), bare: row("bare"), launch: row("launch") });
  console.log(
    `total: ${short(comparison.totalOverBare)} x bare, ${short(comparison.timesFasterThanLaunch)} times as fast as launch; p99 is ${short(comparison.p99OverP50)} x p50; ${comparison.failures} failures`,
  );
}
