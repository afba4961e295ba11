/**
 * `npm test`: the same set-up as `npm start`, then the tests. Arguments after `--` go to vitest:
 * `npm test -- src/browsers`. Tests that take long are left out, unless `--all` is among the arguments. The last line says how many passed and failed, for people and for CI.
 */
import "./stop-with-parent.mjs";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { delimiter, dirname, join } from "node:path";
import { prepare, prepareMachine, rootDirectory, runChild, runScript } from "./setup.mjs";

const given = process.argv.slice(2);

await runScript(async () => {
  const node = await prepare();
  await prepareMachine(node);
  const scratch = mkdtempSync(join(tmpdir(), "nightjar-test-"));
  try {
    const resultsPath = join(scratch, "results.json");
    const { code } = await runChild(
      node,
      [
        join(rootDirectory, "node_modules", "vitest", "vitest.mjs"),
        "run",
        "--reporter=default",
        "--reporter=json",
        `--outputFile.json=${resultsPath}`,
        ...given.filter((argument) => argument !== "--all"),
        ...(given.includes("--all") ? [] : ["--tagsFilter=!long"]),
      ],
      {
        stdio: ["ignore", "inherit", "inherit"],
        // A test that starts `node` must get the Node that runs the tests.
        env: { ...process.env, PATH: `${dirname(node)}${delimiter}${process.env.PATH ?? ""}` },
      },
    );
    return report(code, resultsPath);
  } finally {
    rmSync(scratch, { recursive: true, force: true });
  }
});

function report(vitestCode, resultsPath) {
  const counts = countResults(resultsPath);
  if (counts === null) {
    process.stderr.write("vitest ended without writing its results.\n");
    process.stdout.write("0 passed, 0 failed\n");
    return vitestCode || 1;
  }
  const { passed, failed, skipped } = counts;
  if (passed + failed === 0) process.stderr.write("No test was executed.\n");
  else if (vitestCode !== 0 && failed === 0) {
    process.stderr.write("No test failed, but vitest reported an error outside them: see above.\n");
  }
  process.stdout.write(
    `${passed} passed, ${failed} failed${skipped > 0 ? `, ${skipped} skipped` : ""}\n`,
  );
  return vitestCode || (failed > 0 || passed === 0 ? 1 : 0);
}

/** Counts from vitest's JSON report; a file that fails before its first test counts as a failure. */
function countResults(resultsPath) {
  let results;
  try {
    results = JSON.parse(readFileSync(resultsPath, "utf8"));
  } catch {
    return null;
  }
  const counts = { passed: 0, failed: 0, skipped: 0 };
  for (const file of results.testResults) {
    const statuses = file.assertionResults.map(({ status }) => status);
    for (const status of statuses) {
      if (status === "passed" || status === "failed") counts[status] += 1;
      else counts.skipped += 1;
    }
    if (file.status === "failed" && !statuses.includes("failed")) counts.failed += 1;
  }
  return counts;
}
