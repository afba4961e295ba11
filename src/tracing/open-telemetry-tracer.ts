import { AsyncLocalStorage } from "node:async_hooks";
import {
  type Context,
  ROOT_CONTEXT,
  type Tracer as SdkTracer,
  type Span,
  SpanKind,
  SpanStatusCode,
  trace,
} from "@opentelemetry/api";
import { W3CTraceContextPropagator } from "@opentelemetry/core";
import { NightjarError } from "../sessions/errors.ts";
import type { OpenSpan, SpanAttributes, Tracer } from "../sessions/tracer.ts";

/** Where new spans belong, for as long as the span there has not ended. */
interface Place {
  readonly context: Context;
  ended: boolean;
}

/** Headers of a request, in lower case. */
type Headers = Readonly<Record<string, string | readonly string[] | undefined>>;

const propagator = new W3CTraceContextPropagator();
const traceHeaders = {
  get: (carrier: Headers, name: string) => {
    const value = carrier[name];
    return typeof value === "object" ? [...value] : value;
  },
  keys: (carrier: Headers) => Object.keys(carrier),
};

/** Spans of OpenTelemetry's SDK, each within the one whose promises and callbacks led to it. */
export class OpenTelemetryTracer implements Tracer {
  readonly #tracer: SdkTracer;
  readonly #place = new AsyncLocalStorage<Place>();

  constructor(tracer: SdkTracer) {
    this.#tracer = tracer;
  }

  span<T>(
    name: string,
    attributes: SpanAttributes,
    work: (span: OpenSpan) => Promise<T>,
  ): Promise<T> {
    const place = this.#place.getStore();
    // What a request left behind, such as a timer, is no part of it.
    const parent = place === undefined || place.ended ? ROOT_CONTEXT : place.context;
    return this.#within(parent, name, attributes, work);
  }

  root<T>(
    name: string,
    attributes: SpanAttributes,
    work: (span: OpenSpan) => Promise<T>,
  ): Promise<T> {
    return this.#within(ROOT_CONTEXT, name, attributes, work);
  }

  /** Begins the span of a request, which goes on with the trace that its headers name. */
  begin(name: string, attributes: SpanAttributes, headers: Headers): RequestSpan {
    const caller = propagator.extract(ROOT_CONTEXT, headers, traceHeaders);
    const span = this.#tracer.startSpan(name, { kind: SpanKind.SERVER, attributes }, caller);
    return new RequestSpan(span, caller, this.#place);
  }

  async #within<T>(
    parent: Context,
    name: string,
    attributes: SpanAttributes,
    work: (span: OpenSpan) => Promise<T>,
  ): Promise<T> {
    const span = this.#tracer.startSpan(name, { attributes }, parent);
    const place: Place = { context: trace.setSpan(parent, span), ended: false };
    try {
      return await this.#place.run(place, () => work(openSpan(span)));
    } catch (error) {
      span.setAttribute("error.type", errorType(error));
      span.setStatus({ code: SpanStatusCode.ERROR });
      throw error;
    } finally {
      place.ended = true;
      span.end();
    }
  }
}

/** The span of an HTTP request, which ends with its answer. */
class RequestSpan implements OpenSpan {
  readonly #span: Span;
  readonly #place: Place;
  readonly #places: AsyncLocalStorage<Place>;

  constructor(span: Span, caller: Context, places: AsyncLocalStorage<Place>) {
    this.#span = span;
    this.#place = { context: trace.setSpan(caller, span), ended: false };
    this.#places = places;
  }

  get traceId(): string {
    return this.#span.spanContext().traceId;
  }

  /** Runs work whose spans are within this one. */
  run<T>(work: () => T): T {
    return this.#places.run(this.#place, work);
  }

  set(attributes: SpanAttributes): void {
    this.#span.setAttributes(attributes);
  }

  end(failed: boolean): void {
    if (failed) this.#span.setStatus({ code: SpanStatusCode.ERROR });
    this.#place.ended = true;
    this.#span.end();
  }
}

function openSpan(span: Span): OpenSpan {
  return { set: (attributes) => span.setAttributes(attributes) };
}

/** From a closed list: messages may name URLs and what somebody typed. */
function errorType(error: unknown): string {
  if (error instanceof NightjarError) return error.code;
  return error instanceof Error ? error.name : "unknown";
}
