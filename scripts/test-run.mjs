import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { delimiter, dirname, join } from "node:path";
import { rootDirectory, runChild } from "./setup.mjs";

/** Tests that take long have this tag: see vitest.config.ts. */
export const longTag = "long";

/**
 * Runs vitest to its end.
 *
 * @param {string} node - the Node to run it with
 * @param {readonly string[]} args - its arguments
 * @param {object} [options] - of the child process, e.g. a `timeout` after which it is told to end
 * @returns {Promise<{code: number, results: Map<string, string> | null}>} its exit code, and how each
 *   test ended (`passed`, `failed` or `skipped`), by file and name; null where it wrote no report
 */
export async function runTests(node, args, options = {}) {
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
        ...args,
      ],
      {
        stdio: ["ignore", "inherit", "inherit"],
        // A test that starts `node` must get the Node that runs the tests.
        env: { ...process.env, PATH: `${dirname(node)}${delimiter}${process.env.PATH ?? ""}` },
        ...options,
      },
    );
    return { code, results: readResults(resultsPath) };
  } finally {
    rmSync(scratch, { recursive: true, force: true });
  }
}

/** From vitest's JSON report; a file that fails before its first test counts as a failed test. */
function readResults(resultsPath) {
  let report;
  try {
    report = JSON.parse(readFileSync(resultsPath, "utf8"));
  } catch {
    return null;
  }
  const results = new Map();
  for (const file of report.testResults) {
    for (const [index, { status, fullName }] of file.assertionResults.entries()) {
      const isRun = status === "passed" || status === "failed";
      // Numbered, because nothing keeps two tests of a file from having one name.
      results.set(`${file.name} ${index} ${fullName}`, isRun ? status : "skipped");
    }
    const told = file.assertionResults.some(({ status }) => status === "failed");
    if (file.status === "failed" && !told) results.set(file.name, "failed");
  }
  return results;
}

/** How many passed, failed and were skipped, for people and for CI: `12 passed, 0 failed, 3 skipped`. */
export function countOf(results) {
  const statuses = [...results.values()];
  const [passed, failed, skipped] = ["passed", "failed", "skipped"].map(
    (wanted) => statuses.filter((status) => status === wanted).length,
  );
  return {
    passed,
    failed,
    line: `${passed} passed, ${failed} failed${skipped > 0 ? `, ${skipped} skipped` : ""}`,
  };
}

/**
 * The exit code of a run, with what is amiss beyond failed tests said on stderr.
 *
 * @param {number} vitestCode
 * @param {Map<string, string> | null} results
 */
export function exitCodeOf(vitestCode, results) {
  if (results === null) {
    process.stderr.write("vitest ended without writing its results.\n");
    return vitestCode || 1;
  }
  const { passed, failed } = countOf(results);
  if (passed + failed === 0) process.stderr.write("No test was executed.\n");
  else if (vitestCode !== 0 && failed === 0) {
    process.stderr.write("No test failed, but vitest reported an error outside them: see above.\n");
  }
  return vitestCode || (failed > 0 || passed === 0 ? 1 : 0);
}
