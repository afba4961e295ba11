import { type ExportResult, ExportResultCode } from "@opentelemetry/core";
import type { ReadableSpan, SpanExporter } from "@opentelemetry/sdk-trace";

/** What is said of a collector: once when it begins to fail, and once when it works again. */
export interface ExportListener {
  failing(message: string): void;
  working(): void;
}

/** An exporter that says how it goes, without repeating itself. */
export class ToldExporter implements SpanExporter {
  readonly #exporter: SpanExporter;
  readonly #listener: ExportListener;
  #failing = false;

  constructor(exporter: SpanExporter, listener: ExportListener) {
    this.#exporter = exporter;
    this.#listener = listener;
  }

  export(spans: ReadableSpan[], done: (result: ExportResult) => void): void {
    this.#exporter.export(spans, (result) => {
      if (result.code === ExportResultCode.SUCCESS) this.#succeeded();
      else this.failed(result.error);
      done(result);
    });
  }

  /** Something failed; the batch is lost. */
  failed(error: unknown): void {
    if (this.#failing) return;
    this.#failing = true;
    // Nothing but the message: an error of the exporter may carry what the collector answered.
    this.#listener.failing(error instanceof Error ? error.message || error.name : String(error));
  }

  shutdown(): Promise<void> {
    return this.#exporter.shutdown();
  }

  #succeeded(): void {
    if (!this.#failing) return;
    this.#failing = false;
    this.#listener.working();
  }
}
