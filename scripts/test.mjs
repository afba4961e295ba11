/**
 * `npm test`: the same set-up as `npm start`, then the tests. Arguments after `--` go to vitest:
 * `npm test -- src/browsers`. Tests that take long are left out, unless `--all` is among the arguments. The last line says how many passed and failed, for people and for CI.
 */
import "./stop-with-parent.mjs";
import { prepare, prepareMachine, runScript } from "./setup.mjs";
import { countOf, exitCodeOf, longTag, runTests } from "./test-run.mjs";

const given = process.argv.slice(2);

await runScript(async () => {
  const node = await prepare();
  await prepareMachine(node);
  const { code, results } = await runTests(node, [
    ...given.filter((argument) => argument !== "--all"),
    ...(given.includes("--all") ? [] : [`--tagsFilter=!${longTag}`]),
  ]);
  const exitCode = exitCodeOf(code, results);
  process.stdout.write(`${countOf(results ?? new Map()).line}\n`);
  return exitCode;
});
