/**
 * What CI runs: all checks, the tests of `npm test`, then of those that take long as many as there is
 * time for, the faults first. The last line is the count of all tests, as `npm test` prints it.
 */
import "./stop-with-parent.mjs";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { prepare, prepareMachine, rootDirectory, runChild, runScript } from "./setup.mjs";
import { countOf, exitCodeOf, longTag, runTests } from "./test-run.mjs";

const startedAt = performance.now();
const secondsSoFar = () => (performance.now() - startedAt) / 1000;

/** When the long tests are to be over, in s since the start: CI gives 12 minutes for everything. */
const deadlineSeconds = 630;

/** When what still runs then is ended, in s since the start: for a file that takes far longer than it should. */
const cutOffSeconds = 690;

/** What `npm test` takes on the machine that the times below were measured on, in s. */
const usualTestSeconds = 355;

/** A machine that others keep busy may be late: what fails is tried again, and both are told. */
const retries = { short: 2, long: 1 };

/**
 * The files of long tests in the order of their weight, and how long each takes, in s. Those of one
 * group mostly wait, and do so side by side; what takes all the CPU, or measures, is alone in its own.
 */
const groups = [
  {
    seconds: 70,
    files: [
      "tests/faults/processes.test.ts",
      "tests/faults/resources.test.ts",
      "tests/crash.test.ts",
      "tests/drain.test.ts",
      "tests/edge.test.ts",
    ],
  },
  { seconds: 85, files: ["tests/faults/pages.test.ts"] },
  { seconds: 30, files: ["tests/faults/profiles.test.ts"] },
  { seconds: 35, files: ["tests/console-quality.test.ts"] },
];

/** How long a file takes, in s, that has no group. */
const usualFileSeconds = 60;

await runScript(async () => {
  const node = await prepare();
  const check = await runChild("npm", ["run", "check"], { stdio: "inherit" });
  if (check.code !== 0) return check.code;
  await prepareMachine(node);

  const began = secondsSoFar();
  const short = await runTests(node, [`--retry=${retries.short}`, `--tagsFilter=!${longTag}`]);
  // The same machine is as slow, or as fast, with what comes next.
  const slowness = (secondsSoFar() - began) / usualTestSeconds;
  const results = short.results ?? new Map();
  const exitCode = exitCodeOf(short.code, short.results);
  const longExitCode = await runLongTests(node, slowness, results);
  process.stdout.write(`${countOf(results).line}\n`);
  return exitCode || longExitCode;
});

/** Runs long tests while there is time, adds how they ended to `results`, and answers their exit code. */
async function runLongTests(node, slowness, results) {
  const leftOut = [];
  let exitCode = 0;
  for (const { files, seconds } of [...groups, ...ungrouped()]) {
    const names = files.join(", ");
    const needed = seconds * slowness;
    const left = deadlineSeconds - secondsSoFar();
    if (needed > left) {
      leftOut.push(...files);
      continue;
    }
    say(`${names}: about ${needed.toFixed()} s of the ${left.toFixed()} s that are left`);
    const { code, results: of } = await runTests(
      node,
      [`--retry=${retries.long}`, `--tagsFilter=${longTag}`, ...files],
      { timeout: Math.ceil((cutOffSeconds - secondsSoFar()) * 1000) },
    );
    if (secondsSoFar() >= cutOffSeconds) {
      say(`${names}: cut off`);
      leftOut.push(...files);
      continue;
    }
    exitCode ||= exitCodeOf(code, of);
    // What this run skipped may have been executed by another one.
    for (const [test, status] of of ?? []) {
      if (status !== "skipped" || !results.has(test)) results.set(test, status);
    }
  }
  if (leftOut.length > 0) say(`left out for want of time:\n  ${leftOut.join("\n  ")}`);
  return exitCode;
}

/** Every file with long tests that has no group, each in one of its own. */
function ungrouped() {
  const grouped = new Set(groups.flatMap(({ files }) => files));
  const marks = [`@module-tag ${longTag}`, `tags: ["${longTag}"]`];
  return ["src", "tests", "console/src"]
    .flatMap((folder) =>
      readdirSync(join(rootDirectory, folder), { recursive: true }).map(
        (name) => `${folder}/${name}`,
      ),
    )
    .filter((file) => file.endsWith(".test.ts") && !grouped.has(file))
    .filter((file) => {
      const text = readFileSync(join(rootDirectory, file), "utf8");
      return marks.some((mark) => text.includes(mark));
    })
    .sort()
    .map((file) => ({ files: [file], seconds: usualFileSeconds }));
}

/** A line that is found again in the log of a run. */
function say(text) {
  process.stdout.write(`\n== long tests: ${text}\n`);
}
