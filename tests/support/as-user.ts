import { execFile } from "node:child_process";
import { promisify } from "node:util";

/**
 * Runs a function as another user of this machine, in a process of its own, and answers what it
 * answers: what code with a session's rights could do. Only for root. The function stands alone: it
 * sees nothing of the test but its argument, and takes modules from `process.getBuiltinModule`.
 */
export async function asUser<A, R>(
  uid: number,
  run: (argument: A) => Promise<R>,
  argument: A,
): Promise<R> {
  const script = `
    process.setgroups([]);
    process.setgid(${uid});
    process.setuid(${uid});
    process.chdir("/");
    (${run.toString()})(${JSON.stringify(argument)})
      .then((answer) => process.stdout.write(JSON.stringify(answer)));`;
  const { stdout } = await promisify(execFile)(process.execPath, ["-e", script], { env: {} });
  return JSON.parse(stdout) as R;
}
