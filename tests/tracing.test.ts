import { type AddressInfo, createServer } from "node:net";
import { afterAll, beforeAll, expect, test } from "vitest";
import { eventually } from "./support/eventually.ts";
import { Nightjar, testKey } from "./support/nightjar.ts";
import { type CollectedSpan, OtlpCollector } from "./support/otlp-collector.ts";
import { Site } from "./support/site.ts";

const planted = {
  password: "planted-typed-password",
  query: "planted-query-token",
  header: "planted-collector-token",
};
const callersTrace = "0af7651916cd43dd8448eb211c80319c";
const callersSpan = "b7ad6b7169203331";

let collector: OtlpCollector;
let server: Nightjar;
let site: Site;

beforeAll(async () => {
  collector = await OtlpCollector.start();
  site = await Site.start((_request, response) => {
    response.setHeader("Content-Type", "text/html");
    response.end("<!doctype html><title>Sign in</title><input type=password>");
  });
  server = await Nightjar.start({
    OTEL_EXPORTER_OTLP_ENDPOINT: collector.url,
    OTEL_EXPORTER_OTLP_HEADERS: `x-collector-key=${planted.header}`,
    OTEL_RESOURCE_ATTRIBUTES: "deployment.environment.name=test",
    OTEL_BSP_SCHEDULE_DELAY: "100",
  });
});
afterAll(async () => {
  await server.dispose();
  await collector.stop();
  await site.stop();
});

/** What is looked for, as soon as it is there. */
function found<T>(look: () => T | undefined): Promise<NonNullable<T>> {
  return eventually(() => {
    const it = look();
    if (it === undefined || it === null || it === false) throw new Error("it is not there");
    return it;
  });
}

/** Its spans as soon as the one of the request itself is there. */
async function traceOf(requestId: string): Promise<readonly CollectedSpan[]> {
  const root = await found(() =>
    collector.spans.find(({ attributes }) => attributes["nightjar.request_id"] === requestId),
  );
  return collector.spans.filter(({ traceId }) => traceId === root.traceId);
}

/** Each span's name, below its parent's. */
function shape(spans: readonly CollectedSpan[]): readonly string[] {
  const nameOf = (id: string): string => spans.find(({ spanId }) => spanId === id)?.name ?? "-";
  return spans.map(({ name, parentId }) => `${nameOf(parentId)} > ${name}`).sort();
}

const logLines = () =>
  server.output
    .split("\n")
    .filter((line) => line.startsWith("{"))
    .map((line) => JSON.parse(line) as Record<string, unknown>);
const requestIdOf = ({ headers }: { readonly headers: Headers }) =>
  String(headers.get("x-request-id"));

test("a start is a span that goes on with its caller's trace, with a child for each part", async () => {
  const answer = await server.call("POST", `/sessions/start?token=${planted.query}`, {
    body: {},
    headers: { traceparent: `00-${callersTrace}-${callersSpan}-01` },
  });
  const spans = await traceOf(requestIdOf(answer));
  expect(shape(spans)).toEqual([
    "- > POST /sessions/start",
    "POST /sessions/start > session.start",
    "session.start > session.browser",
    "session.start > session.row",
    "session.start > session.wait",
  ]);
  const request = spans.find(({ kind }) => kind === 2);
  expect(request).toMatchObject({
    traceId: callersTrace,
    parentId: callersSpan,
    status: 0,
    attributes: {
      "http.request.method": "POST",
      "http.route": "/sessions/start",
      "http.response.status_code": 200,
      "nightjar.session_id": answer.body["session_id"],
    },
    resource: { "service.name": "nightjar", "deployment.environment.name": "test" },
  });
  const started = logLines().find(
    ({ msg, session_id }) => msg === "session started" && session_id === answer.body["session_id"],
  );
  expect(started).toMatchObject({ request_id: requestIdOf(answer), trace_id: callersTrace });
  expect(collector.requests[0]).toMatchObject({
    path: "/v1/traces",
    headers: { "x-collector-key": planted.header, "content-type": "application/x-protobuf" },
  });
});

test("page operations and the end are spans, without what was typed or where", {
  timeout: 120_000,
}, async () => {
  const { id } = await server.startSession();
  const page = `/sessions/${id}/page`;
  const opened = await server.call("POST", `${page}/execute`, {
    body: { type: "goto", url: `${site.url}/?key=${planted.query}` },
  });
  expect(shape(await traceOf(requestIdOf(opened)))).toEqual([
    "- > POST /sessions/:session_id/page/execute",
    "POST /sessions/:session_id/page/execute > page.execute",
    "page.execute > action goto",
  ]);
  const typed = await server.call("POST", `${page}/execute`, {
    body: { type: "fill", selector: "input[type=password]", value: planted.password },
  });
  expect(typed.body["success"]).toBe(true);
  const fill = (await traceOf(requestIdOf(typed))).find(({ name }) => name === "action fill");
  expect(fill?.attributes).toEqual({
    "nightjar.action.type": "fill",
    "nightjar.action.outcome": "done",
  });
  const stopped = await server.call("DELETE", `/sessions/${id}/stop`);
  const spans = await traceOf(requestIdOf(stopped));
  expect(shape(spans)).toContain("DELETE /sessions/:session_id/stop > session.end");
  expect(spans.find(({ kind }) => kind === 2)?.attributes["nightjar.session_id"]).toBe(id);
  // Its replay is nobody's request, and encoded when the machine has nothing better to do.
  const replay = (): CollectedSpan | undefined =>
    collector.spans.find(
      ({ name, attributes }) =>
        name === "replay.finish" && attributes["nightjar.session_id"] === id,
    );
  await expect.poll(replay, { timeout: 90_000 }).toMatchObject({
    parentId: "",
    attributes: { "nightjar.replay.outcome": "ready" },
  });
});

test("errors are told by their code, and only those of the server as failures", async () => {
  const missing = await server.call("GET", "/sessions/00000000-0000-4000-8000-000000000000");
  const [request] = await traceOf(requestIdOf(missing));
  expect(request).toMatchObject({
    status: 0,
    attributes: { "error.type": "session_not_found", "http.response.status_code": 404 },
  });
  // What stands in the place of an id may be anything.
  const odd = await server.call("GET", `/sessions/no-id-at-all`);
  expect((await traceOf(requestIdOf(odd)))[0]?.attributes).not.toHaveProperty(
    "nightjar.session_id",
  );
});

test("no secret is in what was exported, and a stop sends what is left", async () => {
  const last = await server.call("GET", "/sessions");
  await server.signal("SIGTERM");
  expect(
    collector.spans.some(
      ({ attributes }) => attributes["nightjar.request_id"] === requestIdOf(last),
    ),
  ).toBe(true);
  for (const secret of [...Object.values(planted), testKey]) {
    expect(collector.bodies.some((body) => body.includes(secret))).toBe(false);
    expect(server.output).not.toContain(secret);
  }
});

test("a collector that fails is told of once, and sessions work; it is told when it works again", {
  timeout: 60_000,
}, async () => {
  collector.status = 400;
  await server.run();
  const requestsBefore = collector.requests.length;
  const { id } = await server.startSession();
  await found(() => collector.requests.length > requestsBefore);
  await server.call("GET", `/sessions/${id}`);
  const { length } = collector.requests;
  await found(() => collector.requests.length > length);
  expect(logLines().filter(({ msg }) => /cannot be exported/.test(String(msg)))).toHaveLength(1);
  collector.status = 200;
  await server.call("GET", `/sessions/${id}`);
  await found(() => logLines().some(({ msg }) => msg === "traces are exported again"));
});

test("a collector that takes connections and never answers delays neither sessions nor the stop", {
  timeout: 60_000,
}, async () => {
  await server.signal("SIGTERM");
  let connections = 0;
  const silent = createServer(() => {
    connections += 1;
  });
  await new Promise<void>((resolve) => silent.listen(0, "127.0.0.1", resolve));
  const { port } = silent.address() as AddressInfo;
  await server.run({ OTEL_EXPORTER_OTLP_ENDPOINT: `http://127.0.0.1:${port}` });
  const { id } = await server.startSession();
  await found(() => connections > 0);
  expect((await server.call("GET", `/sessions/${id}`)).status).toBe(200);
  expect(await server.signal("SIGTERM")).toBe(0);
  silent.close();
});

test("where it is turned off, nothing is exported, and log lines have their request all the same", async () => {
  server.output = "";
  const requestsBefore = collector.requests.length;
  await server.run({ OTEL_SDK_DISABLED: "true" });
  const answer = await server.call("POST", "/sessions/start", { body: {} });
  const id = answer.body["session_id"];
  await server.call("DELETE", `/sessions/${id}/stop`);
  const request = { request_id: requestIdOf(answer), session_id: id };
  for (const msg of ["session started", "request"]) {
    expect(await found(() => logLines().find((line) => line["msg"] === msg))).toMatchObject(
      request,
    );
  }
  const ended = logLines().find(({ msg }) => msg === "session ended");
  expect(ended).toMatchObject({ request_id: expect.any(String), session_id: id });
  expect(ended?.["request_id"]).not.toBe(request.request_id);
  await server.signal("SIGTERM");
  expect(collector.requests.length).toBe(requestsBefore);
  expect(server.output).not.toContain("trace_id");
});
