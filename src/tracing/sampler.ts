import {
  AlwaysOffSampler,
  AlwaysOnSampler,
  ParentBasedSampler,
  type Sampler,
  TraceIdRatioBasedSampler,
} from "@opentelemetry/sdk-trace";

/**
 * The sampler of `OTEL_TRACES_SAMPLER` and `OTEL_TRACES_SAMPLER_ARG`; null for one that is unknown.
 * Default, as the specification has it: whatever the caller decided, and all without a caller.
 */
export function samplerOf(environment: Readonly<NodeJS.ProcessEnv>): Sampler | null {
  const name = (environment["OTEL_TRACES_SAMPLER"] ?? "").trim();
  const ratio = ratioOf(environment["OTEL_TRACES_SAMPLER_ARG"]);
  switch (name === "" ? "parentbased_always_on" : name) {
    case "always_on":
      return new AlwaysOnSampler();
    case "always_off":
      return new AlwaysOffSampler();
    case "traceidratio":
      return new TraceIdRatioBasedSampler(ratio);
    case "parentbased_always_on":
      return new ParentBasedSampler({ root: new AlwaysOnSampler() });
    case "parentbased_always_off":
      return new ParentBasedSampler({ root: new AlwaysOffSampler() });
    case "parentbased_traceidratio":
      return new ParentBasedSampler({ root: new TraceIdRatioBasedSampler(ratio) });
    default:
      return null;
  }
}

/** All, where it is no share of the whole. */
function ratioOf(text: string | undefined): number {
  const ratio = Number.parseFloat(text ?? "");
  return ratio >= 0 && ratio <= 1 ? ratio : 1;
}
