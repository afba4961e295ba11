/**
 * `npm start`: brings what is missing, then becomes the server. Arguments after `--` go to
 * `nightjar serve`.
 */
import "./stop-with-parent.mjs";
import { pathToFileURL } from "node:url";
import {
  cliPath,
  prepare,
  prepareMachine,
  rootDirectory,
  runChild,
  runScript,
  serverEnvironment,
  serverNodeOptions,
} from "./setup.mjs";

await runScript(async () => {
  const args = process.argv.slice(2);
  const node = await prepare();
  const asksForHelp = args.includes("--help") || args.includes("-h");
  if (!asksForHelp) await prepareMachine(node);
  return await becomeServer(node, args);
});

/**
 * Replaces this process by the server where Node can (22.15 and newer), so that npm's signals reach
 * it directly and no idle process stays in memory; elsewhere runs it as a child.
 */
async function becomeServer(node, args) {
  const watcher = pathToFileURL(`${rootDirectory}/scripts/stop-with-parent.mjs`).href;
  const command = [...serverNodeOptions, "--import", watcher, cliPath, "serve", ...args];
  const environment = { ...serverEnvironment, ...process.env };
  if (typeof process.execve === "function") {
    process.execve(node, [node, ...command], environment);
  }
  const { code } = await runChild(node, command, {
    stdio: "inherit",
    cwd: process.cwd(),
    env: environment,
  });
  return code;
}
