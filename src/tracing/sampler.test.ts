import { expect, test } from "vitest";
import { samplerOf } from "./sampler.ts";

test.each([
  [undefined, undefined, "ParentBased{root=AlwaysOnSampler"],
  ["always_on", undefined, "AlwaysOnSampler"],
  ["always_off", undefined, "AlwaysOffSampler"],
  ["traceidratio", "0.25", "TraceIdRatioBased{0.25}"],
  ["parentbased_always_off", undefined, "ParentBased{root=AlwaysOffSampler"],
  ["parentbased_traceidratio", "0.1", "ParentBased{root=TraceIdRatioBased{0.1}"],
  ["traceidratio", "many", "TraceIdRatioBased{1}"],
  ["jaeger_remote", undefined, null],
])("OTEL_TRACES_SAMPLER=%s with the argument %s is %s", (name, argument, said) => {
  const environment = { OTEL_TRACES_SAMPLER: name, OTEL_TRACES_SAMPLER_ARG: argument };
  const sampler = samplerOf(environment);
  if (said === null) expect(sampler).toBeNull();
  else expect(sampler?.toString()).toContain(said);
});
