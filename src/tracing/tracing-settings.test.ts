import { expect, test } from "vitest";
import { tracingChoice } from "./tracing-settings.ts";

const endpoint = { OTEL_EXPORTER_OTLP_ENDPOINT: "http://collector:4318" };

test.each([
  ["nothing is set", {}, "off"],
  ["a name alone is set", { OTEL_SERVICE_NAME: "browsers" }, "off"],
  ["an endpoint is empty", { OTEL_EXPORTER_OTLP_ENDPOINT: " " }, "off"],
  ["an endpoint is set", endpoint, "on"],
  ["one for traces is set", { OTEL_EXPORTER_OTLP_TRACES_ENDPOINT: "http://a/v1/traces" }, "on"],
  ["the exporter is named, for the default endpoint", { OTEL_TRACES_EXPORTER: "otlp" }, "on"],
  ["the SDK is disabled", { ...endpoint, OTEL_SDK_DISABLED: "TRUE" }, "off"],
  ["there is to be no exporter", { ...endpoint, OTEL_TRACES_EXPORTER: "none" }, "off"],
  ["another exporter is named", { ...endpoint, OTEL_TRACES_EXPORTER: "zipkin" }, "unsupported"],
  ["gRPC is asked for", { ...endpoint, OTEL_EXPORTER_OTLP_PROTOCOL: "grpc" }, "unsupported"],
  [
    "gRPC is asked for, but not for traces",
    {
      ...endpoint,
      OTEL_EXPORTER_OTLP_PROTOCOL: "grpc",
      OTEL_EXPORTER_OTLP_TRACES_PROTOCOL: "http/protobuf",
    },
    "on",
  ],
])("tracing where %s", (_where, environment, kind) => {
  expect(tracingChoice(environment).kind).toBe(kind);
});
