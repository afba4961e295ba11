import { accessSync, constants } from "node:fs";

const shell = "/bin/sh";

/**
 * A shell collects every child that ends while it waits, also those that it did not start. A signal
 * interrupts its wait, is passed on, and it waits again.
 */
const script = `
"$@" &
server=$!
for signal in TERM INT HUP; do trap "kill -$signal $server" $signal; done
while wait $server; code=$?; [ $code -gt 128 ] && kill -0 $server 2>/dev/null; do :; done
exit $code
`;

/**
 * Where this process is the first of its PID namespace, as in a container, puts a shell in its place
 * that runs it as a child; otherwise returns at once. The first process inherits the orphans of all
 * others and has to collect them when they end, or they stay as zombies until no process can be
 * started any more. Node does not, and every browser leaves a handful.
 */
export function leaveOrphansToShell(): void {
  if (process.pid !== 1) return;
  try {
    accessSync(shell, constants.X_OK);
  } catch {
    console.error(
      `nightjar: this is process 1, and there is no ${shell} to collect what browsers leave: run the container with an init process (docker run --init).`,
    );
    return;
  }
  const command = [process.execPath, ...process.execArgv, ...process.argv.slice(1)];
  process.execve?.(shell, ["sh", "-c", script, "nightjar", ...command], process.env);
}
