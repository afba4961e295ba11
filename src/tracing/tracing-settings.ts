/** Whether traces are exported, by OpenTelemetry's environment variables. */
export type TracingChoice =
  | { readonly kind: "off" }
  | { readonly kind: "on" }
  /** They were asked for in a way that this server does not know. */
  | { readonly kind: "unsupported"; readonly why: string };

/** The one protocol that is spoken, which is also the default of the specification. */
const protocol = "http/protobuf";

/**
 * Reads whether to trace: where an OTLP endpoint or `OTEL_TRACES_EXPORTER=otlp` is set, unless
 * something turns it off. Loads nothing, so that a server that does not trace pays nothing.
 */
export function tracingChoice(environment: Readonly<NodeJS.ProcessEnv>): TracingChoice {
  const read = (name: string): string => (environment[name] ?? "").trim();
  if (read("OTEL_SDK_DISABLED").toLowerCase() === "true") return { kind: "off" };
  const exporters = read("OTEL_TRACES_EXPORTER")
    .split(",")
    .map((name) => name.trim())
    .filter((name) => name !== "");
  if (exporters.includes("none")) return { kind: "off" };
  const hasEndpoint =
    read("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT") !== "" || read("OTEL_EXPORTER_OTLP_ENDPOINT") !== "";
  if (exporters.length === 0 && !hasEndpoint) return { kind: "off" };
  const unknown = exporters.find((name) => name !== "otlp");
  if (unknown !== undefined) {
    return { kind: "unsupported", why: `OTEL_TRACES_EXPORTER may be otlp or none; got ${unknown}` };
  }
  const asked = read("OTEL_EXPORTER_OTLP_TRACES_PROTOCOL") || read("OTEL_EXPORTER_OTLP_PROTOCOL");
  if (asked !== "" && asked !== protocol) {
    return { kind: "unsupported", why: `OTLP is spoken as ${protocol} only; got ${asked}` };
  }
  return { kind: "on" };
}
