/** What a span says beside its name: never what somebody typed, URLs, keys or bodies. */
export type SpanAttributes = Readonly<Record<string, string | number | boolean>>;

/** A span that has not ended yet. */
export interface OpenSpan {
  set(attributes: SpanAttributes): void;
}

/**
 * Takes down what the server does and how long that takes, for those who look at traces. Names come
 * from a closed list; what fails is told by its code alone.
 */
export interface Tracer {
  /** Does a piece of work as a span within the one that it is called in, if there is one. */
  span<T>(
    name: string,
    attributes: SpanAttributes,
    work: (span: OpenSpan) => Promise<T>,
  ): Promise<T>;
  /** The same as a trace of its own: for work that nobody waits for. */
  root<T>(
    name: string,
    attributes: SpanAttributes,
    work: (span: OpenSpan) => Promise<T>,
  ): Promise<T>;
}

const noSpan: OpenSpan = { set: () => {} };

/** Where nobody looks: does the work and nothing else. */
export const noTracer: Tracer = {
  span: (_name, _attributes, work) => work(noSpan),
  root: (_name, _attributes, work) => work(noSpan),
};
