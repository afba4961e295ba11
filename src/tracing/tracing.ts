import type { Logger } from "pino";
import type { OpenTelemetry } from "./open-telemetry.ts";
import { tracingChoice } from "./tracing-settings.ts";

/** Begins to trace where the environment asks for it; null, and nothing loaded, where it does not. */
export async function startTracing(version: string, logger: Logger): Promise<OpenTelemetry | null> {
  const choice = tracingChoice(process.env);
  if (choice.kind === "off") return null;
  if (choice.kind === "unsupported") {
    logger.warn(`traces are not exported: ${choice.why}`);
    return null;
  }
  const { startOpenTelemetry } = await import("./open-telemetry.ts");
  const tracing = startOpenTelemetry({
    version,
    ignored: (what) => logger.warn(`${what} is not understood and was ignored`),
    failing: (message) =>
      logger.warn(
        { reason: message },
        "traces cannot be exported: they are dropped until the collector answers again",
      ),
    working: () => logger.info("traces are exported again"),
  });
  logger.info("traces are exported by OTLP");
  return tracing;
}
