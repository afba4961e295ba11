import { spawn } from "node:child_process";
import { once } from "node:events";
import { writeFile } from "node:fs/promises";
import { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";

/** A user without any rights; pictures come from browsers that pages may have broken out of. */
const nobody = 65_534;

/** What a process may take before the system ends it: time of the CPU in s, memory in kB. */
const cpuSeconds = 900;
const memoryKb = 4 * 1024 * 1024;

/** However busy the machine is, a process that runs for so long is stuck, in ms. */
const timeLimitMs = 3_600_000;

/**
 * The priority (nice) of work: `idle` has what nobody else wants, `low` a tenth of what a process of
 * ordinary priority would get in its place, so that it also ends on a machine that is never at rest.
 */
const niceOf = { idle: 19, low: 10 } as const;

export type BackgroundPriority = keyof typeof niceOf;

/** Limits, then the priority, then the program in place of the shell. Not every system has each limit. */
const script = `ulimit -t ${cpuSeconds}; ulimit -v ${memoryKb} 2>/dev/null; exec nice -n "$0" "$@"`;

export interface BackgroundOptions {
  readonly priority: BackgroundPriority;
  readonly command: string;
  readonly args: readonly string[];
  /** Fed to its standard input. */
  readonly input: Iterable<Buffer> | AsyncIterable<Buffer>;
  /** An open file for its standard output, or null. */
  readonly output: number | null;
  readonly directory: string;
  readonly signal: AbortSignal;
}

/** Who background processes run as: nobody where the server is root, otherwise the server's own user. */
export function backgroundUser(): { readonly uid: number; readonly gid: number } | null {
  return process.getuid?.() === 0 ? { uid: nobody, gid: nobody } : null;
}

/**
 * Runs a program to its end when the machine has nothing better to do. Throws with the last lines
 * that it printed to stderr, or the signal's reason.
 */
export async function runInBackground(options: BackgroundOptions): Promise<void> {
  const { command, args, output, directory, signal } = options;
  signal.throwIfAborted();
  const nice = niceOf[options.priority];
  const child = spawn("/bin/sh", ["-c", script, `${nice}`, command, ...args], {
    cwd: directory,
    env: { PATH: process.env["PATH"] ?? "", LC_ALL: "C" },
    stdio: ["pipe", output ?? "ignore", "pipe"],
    // A session of its own: see `yieldGroup`.
    detached: true,
    ...backgroundUser(),
  });
  const { stdin, stderr } = child;
  if (stdin === null || stderr === null) throw new Error("the process has no pipes");
  const late = AbortSignal.any([signal, AbortSignal.timeout(timeLimitMs)]);
  const kill = (): void => killGroup(child.pid);
  late.addEventListener("abort", kill);
  try {
    const printed = lastOf(stderr);
    const closed: Promise<unknown[]> = once(child, "close");
    closed.catch(() => {});
    if (child.pid !== undefined) await yieldGroup(child.pid, nice);
    // It may end before it has read everything; how it ended says more than a broken pipe.
    const fed = pipeline(Readable.from(options.input), stdin).catch(() => {});
    const [[code, killedBy]] = await Promise.all([closed, fed]);
    if (late.aborted) throw late.reason;
    if (code !== 0) throw new Error(`it ended with ${code ?? killedBy}: ${printed().trim()}`);
  } finally {
    late.removeEventListener("abort", kill);
    // Whatever it may have left running.
    kill();
  }
}

function killGroup(pid: number | undefined): void {
  if (pid === undefined) return;
  try {
    process.kill(-pid, "SIGKILL");
  } catch {
    // Nothing of it runs any more.
  }
}

/**
 * Linux may share the CPU out among sessions of processes first (autogroup), where the priority of a
 * process counts only within its session: the session gets the same one.
 */
async function yieldGroup(pid: number, nice: number): Promise<void> {
  await writeFile(`/proc/${pid}/autogroup`, `${nice}`).catch(() => {});
}

function lastOf(stream: Readable): () => string {
  let text = "";
  stream.setEncoding("utf8").on("data", (chunk: string) => {
    text = (text + chunk).slice(-2000);
  });
  return () => text;
}
