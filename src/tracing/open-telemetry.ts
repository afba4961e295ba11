import { setTimeout as delay } from "node:timers/promises";
import { getNumberFromEnv, setGlobalErrorHandler } from "@opentelemetry/core";
import { OTLPTraceExporter } from "@opentelemetry/exporter-trace-otlp-proto";
import {
  defaultResource,
  detectResources,
  resourceAttributesEnvDetector,
  resourceFromAttributes,
  serviceNameEnvDetector,
} from "@opentelemetry/resources";
import {
  AlwaysOnSampler,
  BatchSpanProcessor,
  ParentBasedSampler,
  TracerProvider,
} from "@opentelemetry/sdk-trace";
import { OpenTelemetryTracer } from "./open-telemetry-tracer.ts";
import { samplerOf } from "./sampler.ts";
import { type ExportListener, ToldExporter } from "./told-exporter.ts";

/** How long the last spans may take to be sent when the server stops, in ms. */
const flushTimeoutMs = 3000;

export interface OpenTelemetryOptions extends ExportListener {
  readonly version: string;
  /** Told of a setting that is not understood, and so does not hold. */
  readonly ignored: (what: string) => void;
}

export interface OpenTelemetry {
  readonly tracer: OpenTelemetryTracer;
  /** Sends what is left, as far as that takes no longer than a moment. Never throws. */
  stop(): Promise<void>;
}

/**
 * Exports traces as OpenTelemetry's environment variables say: endpoint, headers, timeout and
 * certificates are read by the exporter itself. Spans wait in a bounded queue (2048 unless
 * `OTEL_BSP_MAX_QUEUE_SIZE` says otherwise); those that find it full are dropped.
 */
export function startOpenTelemetry(options: OpenTelemetryOptions): OpenTelemetry {
  const exporter = new ToldExporter(new OTLPTraceExporter(), options);
  setGlobalErrorHandler((error) => exporter.failed(error));
  const sampler = samplerOf(process.env);
  if (sampler === null) options.ignored("OTEL_TRACES_SAMPLER");
  const provider = new TracerProvider({
    resource: defaultResource()
      .merge(
        resourceFromAttributes({ "service.name": "nightjar", "service.version": options.version }),
      )
      .merge(
        detectResources({ detectors: [resourceAttributesEnvDetector, serviceNameEnvDetector] }),
      ),
    sampler: sampler ?? new ParentBasedSampler({ root: new AlwaysOnSampler() }),
    spanProcessors: [new BatchSpanProcessor({ exporter, ...batchSettings() })],
  });
  return {
    tracer: new OpenTelemetryTracer(provider.getTracer("nightjar", options.version)),
    async stop() {
      const flushed = provider.shutdown().catch((error: unknown) => exporter.failed(error));
      await Promise.race([flushed, delay(flushTimeoutMs, undefined, { ref: false })]);
    },
  };
}

/** The variables of the specification's batch processor; the SDK's own defaults where they are not set. */
function batchSettings() {
  const settings = {
    scheduledDelayMillis: positive("OTEL_BSP_SCHEDULE_DELAY"),
    exportTimeoutMillis: positive("OTEL_BSP_EXPORT_TIMEOUT"),
    maxQueueSize: positive("OTEL_BSP_MAX_QUEUE_SIZE"),
    maxExportBatchSize: positive("OTEL_BSP_MAX_EXPORT_BATCH_SIZE"),
  };
  return Object.fromEntries(Object.entries(settings).filter(([, value]) => value !== undefined));
}

function positive(name: string): number | undefined {
  const value = getNumberFromEnv(name);
  return value !== undefined && value > 0 ? value : undefined;
}
