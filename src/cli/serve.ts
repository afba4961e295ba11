import { Command } from "commander";
import type { Config } from "../config.ts";
import { createLogger } from "../logger.ts";
import { messageOf } from "../sessions/errors.ts";
import { leaveOrphansToShell } from "./init-process.ts";

/** How long a planned stop may take, when it no longer waits for sessions, before the process ends all the same, in ms. */
const stopTimeoutMs = 20_000;

/** Signals so close together are one stop, in ms: a terminal, npm and a service manager may each pass it on. */
const sameStopWithinMs = 1000;

export function serveCommand(config: () => Config): Command {
  return new Command("serve").description("run the server").action(() => {
    leaveOrphansToShell();
    return serve(config());
  });
}

async function serve(config: Config): Promise<void> {
  const logger = createLogger(config.logLevel);
  // Loaded here: the other commands need none of what the server is made of.
  const { startServer } = await import("../main.ts");
  // A bug in one request must not end everyone's sessions; what state it left is in the log.
  process.on("uncaughtException", (error) => logger.fatal({ err: error }, "uncaught exception"));
  process.on("unhandledRejection", (error) => logger.fatal({ err: error }, "unhandled rejection"));
  // Installed first: a signal that comes during the start stops what the start has built.
  const starting = startServer(config, logger);
  let askedAt: number | null = null;
  const hurry = new AbortController();
  const stop = (signal: NodeJS.Signals): void => {
    // A terminal's Ctrl-C and its end come from a person, who is not left waiting.
    if (signal !== "SIGTERM") hurry.abort();
    const now = performance.now();
    if (askedAt !== null) {
      if (now - askedAt > sameStopWithinMs) hurry.abort();
      return;
    }
    askedAt = now;
    logger.info({ signal, on_stop: config.onStop }, "stopping");
    starting
      .then(async (server) => {
        await server.drain(hurry.signal);
        setTimeout(() => {
          logger.error("the stop took too long; what is left is cleaned up at the next start");
          process.exit(1);
        }, stopTimeoutMs).unref();
        await server.stop();
      })
      .then(
        () => process.exit(0),
        (error: unknown) => {
          logger.error({ err: error }, `failed to stop: ${messageOf(error)}`);
          process.exit(1);
        },
      );
  };
  for (const signal of ["SIGTERM", "SIGINT", "SIGHUP"] as const) process.on(signal, stop);
  const server = await starting;
  if (askedAt === null) console.log(banner(server.url, config, server.newApiKey));
}

function banner(url: string, config: Config, newApiKey: string | null): string {
  const key = newApiKey ?? "$NIGHTJAR_API_KEY";
  const keyLine =
    newApiKey !== null
      ? `${newApiKey}   (shown once: keep it)`
      : config.apiKey !== null
        ? "as set by NIGHTJAR_API_KEY"
        : "made before; make another with: npm run nightjar -- keys create";
  return `
  Nightjar is running.

  URL      ${url}
  API key  ${keyLine}
  Docs     ${url}/docs

  Start a session:

    curl -s -X POST ${url}/sessions/start -H "Authorization: Bearer ${key}"
`;
}
