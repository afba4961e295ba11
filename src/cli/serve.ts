import { Command } from "commander";
import type { Config } from "../config.ts";
import { createLogger } from "../logger.ts";
import { messageOf } from "../sessions/errors.ts";

/** How long a planned stop may take before the process ends all the same, in ms. */
const stopTimeoutMs = 20_000;

export function serveCommand(config: () => Config): Command {
  return new Command("serve").description("run the server").action(() => serve(config()));
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
  let stopping = false;
  const stop = (signal: NodeJS.Signals): void => {
    // A terminal and npm may both pass on the same Ctrl-C.
    if (stopping) return;
    stopping = true;
    logger.info({ signal, on_stop: config.onStop }, "stopping");
    setTimeout(() => {
      logger.error("the stop took too long; what is left is cleaned up at the next start");
      process.exit(1);
    }, stopTimeoutMs).unref();
    starting
      .then((server) => server.stop())
      .then(
        () => process.exit(0),
        (error: unknown) => {
          logger.error({ err: error }, `failed to stop: ${messageOf(error)}`);
          process.exit(1);
        },
      );
  };
  process.on("SIGTERM", stop);
  process.on("SIGINT", stop);
  const server = await starting;
  if (!stopping) console.log(banner(server.url, config, server.newApiKey));
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
