import { isatty } from "node:tty";
import pino, { type Logger } from "pino";
import pretty from "pino-pretty";
import { scopeFields } from "./log-scope.ts";

const stderrFd = 2;

/** Secrets that could stand in a logged object, whatever wrote it. */
const redacted = [
  "authorization",
  "cookie",
  "token",
  "password",
  "*.authorization",
  "*.cookie",
  "*.token",
  "*.password",
];

/** The server's log on stderr: JSON lines, or readable ones where a person is watching. */
export function createLogger(level: string): Logger {
  const options = { level, base: {}, redact: { paths: redacted, censor: "[redacted]" } };
  const stream = isatty(stderrFd)
    ? pretty({ destination: stderrFd, sync: true, ignore: "pid,hostname" })
    : pino.destination({ dest: stderrFd, sync: true });
  return pino(
    {
      ...options,
      timestamp: pino.stdTimeFunctions.isoTime,
      mixin: (_line, _level, logger) => scopeFields(logger),
    },
    stream,
  );
}
