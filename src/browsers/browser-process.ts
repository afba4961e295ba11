import { type ChildProcess, spawn } from "node:child_process";
import type { BrowserUser } from "./isolation.ts";
import type { MemoryCap } from "./memory-cap.ts";
import { identifyProcess, type ProcessIdentity } from "./process-identity.ts";

/** A Chromium that runs and answers on its DevTools port. */
export interface RunningBrowser {
  readonly identity: ProcessIdentity;
  /** On 127.0.0.1. */
  readonly devtoolsPort: number;
  /** `/devtools/browser/<uuid>` */
  readonly devtoolsPath: string;
}

export interface SpawnOptions {
  readonly path: string;
  readonly args: readonly string[];
  readonly user: BrowserUser | null;
  /** The browser's home and temporary directory. */
  readonly directory: string;
  readonly timeoutMs: number;
  readonly memoryCap: Pick<MemoryCap, "holdsFirst" | "hold">;
}

/** How a browser's process ended. */
export interface BrowserExit {
  /** In words. */
  readonly how: string;
  /** By SIGKILL: by somebody, or by the kernel when memory ran out. */
  readonly killed: boolean;
}

/** A launch that failed. */
export class LaunchError extends Error {
  /** The end of what the browser printed. */
  readonly output: string;
  /** Killed already, but what was in it may take a moment to be gone; null when nothing started. */
  readonly processGroup: number | null;

  constructor(message: string, output: string, processGroup: number | null, cause?: Error) {
    super(message, { cause });
    this.name = "LaunchError";
    this.output = output;
    this.processGroup = processGroup;
  }
}

/** A launch that lost its port to another process. */
export class PortTakenError extends LaunchError {}

const outputLimit = 8192;

/**
 * Starts Chromium in a process group of its own and waits until DevTools answers. `onExit` is
 * called when the process ends afterwards. Throws `LaunchError`, with nothing left running.
 */
export async function spawnBrowser(
  options: SpawnOptions,
  onExit: (exit: BrowserExit) => void,
): Promise<RunningBrowser> {
  const gated = options.memoryCap.holdsFirst;
  const [file, args] = gated ? gatedCommand(options) : [options.path, options.args];
  const child = spawn(file, args, {
    // A group of its own: signals to the server's group pass it by, and one kill reaches its tree.
    detached: true,
    cwd: options.directory,
    // stderr names the DevTools address; it is a pipe, so that it can never fill a disk.
    stdio: [gated ? "pipe" : "ignore", "ignore", "pipe"],
    env: browserEnvironment(options.directory),
    ...(options.user === null ? {} : { uid: options.user.uid, gid: options.user.gid }),
  });
  const answering = devtoolsAddress(child, options.timeoutMs);
  holdMemory(child, options.memoryCap);
  const { devtoolsPort, devtoolsPath } = await answering;
  const identity = child.pid === undefined ? null : identifyProcess(child.pid);
  if (identity === null) {
    if (child.pid !== undefined) killGroup(child.pid);
    throw new LaunchError("the browser ended right after its start", "", child.pid ?? null);
  }
  child.once("exit", (code, signal) =>
    onExit({ how: describeExit(code, signal), killed: signal === "SIGKILL" }),
  );
  // The server may end before its browsers, and sessions go on.
  child.unref();
  return { identity, devtoolsPort, devtoolsPath };
}

/**
 * A shell that waits for a line and then becomes the browser, under the same process id: a browser
 * starts others within milliseconds, and what it has started by the time it is held would escape.
 * When the server dies before the line, the shell reads the end of the file and ends.
 */
function gatedCommand({ path, args }: SpawnOptions): [string, readonly string[]] {
  return ["/bin/sh", ["-c", 'read -r line && exec "$0" "$@" </dev/null', path, ...args]];
}

function holdMemory(child: ChildProcess, memoryCap: SpawnOptions["memoryCap"]): void {
  if (child.pid === undefined) return;
  // A shell that ended says so by its exit.
  child.stdin?.on("error", () => {});
  try {
    memoryCap.hold(child.pid);
    child.stdin?.end("\n");
  } catch (error) {
    child.emit("error", error);
  }
}

/** Nothing of the server's own environment, which may hold secrets, reaches a browser. */
function browserEnvironment(directory: string): NodeJS.ProcessEnv {
  const passed = ["PATH", "LANG", "LC_ALL", "TZ", "FONTCONFIG_PATH", "FONTCONFIG_FILE"];
  const display = ["DISPLAY", "WAYLAND_DISPLAY", "XAUTHORITY"];
  const environment: NodeJS.ProcessEnv = { HOME: directory };
  // Chromium makes a socket in its temporary directory, 46 bytes further down; macOS allows 103.
  if (directory.length + 46 <= 103) environment["TMPDIR"] = directory;
  for (const name of [...passed, ...display]) {
    if (process.env[name] !== undefined) environment[name] = process.env[name];
  }
  return environment;
}

function devtoolsAddress(
  child: ChildProcess,
  timeoutMs: number,
): Promise<{ readonly devtoolsPort: number; readonly devtoolsPath: string }> {
  return new Promise((resolve, reject) => {
    let output = "";
    const fail = (message: string, Failure = LaunchError, cause?: Error): void => {
      clearTimeout(timer);
      if (child.pid !== undefined) killGroup(child.pid);
      reject(new Failure(message, output, child.pid ?? null, cause));
    };
    const timer = setTimeout(
      () => fail(`the browser did not open its DevTools port within ${timeoutMs} ms`),
      timeoutMs,
    );
    child.once("error", (error) => fail(error.message, LaunchError, error));
    const onExit = (code: number | null, signal: string | null): void =>
      fail(`the browser ended at its start (${describeExit(code, signal)})`);
    // `close` comes after `exit` and after all output, which says why.
    child.once("close", onExit);
    child.stderr?.on("data", (chunk: Buffer) => {
      output = (output + chunk.toString("utf8")).slice(-outputLimit);
      // On a port that is taken it goes on with IPv6's loopback, and without any if that is taken too.
      if (/DevTools listening on ws:\/\/\[|Cannot start http server for devtools/.test(output)) {
        fail("another process took its DevTools port", PortTakenError);
        return;
      }
      const address = /DevTools listening on ws:\/\/[^:]+:(\d+)(\/devtools\/browser\/\S+)/.exec(
        output,
      );
      if (address === null) return;
      clearTimeout(timer);
      child.off("close", onExit);
      child.stderr?.removeAllListeners("data");
      // Read on and forget: a full pipe would stop the browser at its next line.
      child.stderr?.resume();
      resolve({ devtoolsPort: Number(address[1]), devtoolsPath: address[2] ?? "" });
    });
  });
}

function describeExit(code: number | null, signal: string | null): string {
  return signal === null ? `exit code ${code}` : `signal ${signal}`;
}

/** Kills a whole process group at once; does nothing when it is gone. */
export function killGroup(processGroup: number): void {
  try {
    process.kill(-processGroup, "SIGKILL");
  } catch {
    // ESRCH: gone already.
  }
}

export function killProcess(pid: number): void {
  try {
    process.kill(pid, "SIGKILL");
  } catch {
    // ESRCH: gone already.
  }
}
