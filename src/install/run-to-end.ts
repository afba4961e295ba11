import { spawn } from "node:child_process";
import { basename } from "node:path";

export interface RunOptions {
  readonly title: string;
  readonly onProgress: (line: string) => void;
  readonly environment: NodeJS.ProcessEnv;
  readonly timeLimitMs: number;
  /** Lines of its output that a person would want to see; null for none. */
  readonly relay: RegExp | null;
}

const STILL_RUNNING_EVERY_MS = 10_000;

/** Runs a command to its end; its last lines become the message of what is thrown. */
export async function runToEnd(
  command: string,
  args: readonly string[],
  options: RunOptions,
): Promise<void> {
  const { title, onProgress, relay } = options;
  onProgress(title);
  const startedAt = Date.now();
  const lines: string[] = [];
  const report = setInterval(() => {
    onProgress(`${title}: ${Math.round((Date.now() - startedAt) / 1000)} s so far`);
  }, STILL_RUNNING_EVERY_MS);
  try {
    await new Promise<void>((resolve, reject) => {
      const child = spawn(command, args, {
        stdio: ["ignore", "pipe", "pipe"],
        env: options.environment,
        timeout: options.timeLimitMs,
      });
      for (const stream of [child.stdout, child.stderr]) {
        let rest = "";
        stream.setEncoding("utf8").on("data", (chunk: string) => {
          const parts = (rest + chunk).split(/[\r\n]+/);
          rest = parts.pop() ?? "";
          for (const part of parts) {
            const line = plainText(part);
            // Installers repeat themselves when they try again.
            if (line === "" || lines.includes(line)) continue;
            lines.push(line);
            if (lines.length > 50) lines.shift();
            if (relay?.test(line)) onProgress(line);
          }
        });
      }
      child.once("error", (error: NodeJS.ErrnoException) => {
        const isMissing = error.code === "ENOENT";
        reject(isMissing ? new Error(`the command ${command} was not found`) : error);
      });
      child.once("close", (code, signal) => {
        if (code === 0) return resolve();
        const seconds = Math.round((Date.now() - startedAt) / 1000);
        const how =
          code === null ? `was ended by ${signal} after ${seconds} s` : `exited with ${code}`;
        reject(new Error(`${basename(command)} ${how}: ${tellingLine(lines)}`));
      });
    });
  } finally {
    clearInterval(report);
  }
}

/** The line that says what went wrong: programs put it before or among lines of lesser use. */
function tellingLine(lines: readonly string[]): string {
  const network = /ENOTFOUND|EAI_AGAIN|ECONN|ETIMEDOUT|EHOSTUNREACH|certificate|Could not resolve/;
  return (
    lines.find((line) => network.test(line)) ??
    lines.findLast((line) => /error|failed|unable|cannot|^E:/i.test(line)) ??
    lines.at(-1) ??
    ""
  );
}

function plainText(line: string): string {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: terminal colours begin with one
  return line.replace(/\u001b\[[0-9;]*m/g, "").trim();
}
