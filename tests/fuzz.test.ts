import fc from "fast-check";
import { afterAll, beforeAll, expect, test } from "vitest";
import { expectConsistent, storedSessions } from "./support/consistency.ts";
import { Nightjar, testKey } from "./support/nightjar.ts";
import { RawCdp } from "./support/raw-cdp.ts";

/** Statuses of 500 and above that say something: not supported, page, browser, disk, host. */
const meantStatuses: ReadonlySet<number> = new Set([501, 502, 503, 507, 529]);

/** How long any malformed request may take, in ms. */
const answeredWithinMs = 20_000;

interface Operation {
  readonly method: string;
  readonly path: string;
  /** The session that the others are tried on is left out of it. */
  readonly endsSession: boolean;
  readonly properties: readonly string[];
  readonly query: readonly string[];
}

interface Described {
  readonly paths: Record<string, Record<string, DescribedOperation>>;
  readonly components: { readonly schemas: Record<string, DescribedSchema> };
}
interface DescribedOperation {
  readonly parameters?: readonly { readonly in: string; readonly name: string }[];
  readonly requestBody?: { readonly content: Record<string, { readonly schema: DescribedSchema }> };
}
interface DescribedSchema {
  readonly properties?: Record<string, unknown>;
  readonly $ref?: string;
  readonly anyOf?: readonly DescribedSchema[];
  readonly oneOf?: readonly DescribedSchema[];
  readonly allOf?: readonly DescribedSchema[];
}

let server: Nightjar;
let operations: readonly Operation[];
let sessionId: string;
let cdpUrl: string;

beforeAll(async () => {
  // Nothing starts beside the one session: what is malformed must not launch browsers.
  server = await Nightjar.start({
    NIGHTJAR_MAX_SESSIONS: "1",
    NIGHTJAR_WARM_POOL: "0",
    NIGHTJAR_QUEUE_TIMEOUT: "0",
  });
  ({ id: sessionId, cdpUrl } = await server.startSession({ idle_timeout_minutes: 15 }));
  const document = (await server.call("GET", "/openapi.json")).body as unknown as Described;
  operations = Object.entries(document.paths).flatMap(([path, methods]) =>
    Object.entries(methods)
      // They would wait for events without end.
      .filter(() => !path.endsWith("/events"))
      .map(([method, operation]) => ({
        method: method.toUpperCase(),
        path,
        endsSession: path.endsWith("/stop") || path.includes("/session/close"),
        properties: propertiesOf(
          operation.requestBody?.content["application/json"]?.schema,
          document,
        ),
        query: (operation.parameters ?? [])
          .filter((each) => each.in === "query")
          .map(({ name }) => name),
      })),
  );
});
afterAll(() => server.dispose());

function propertiesOf(schema: DescribedSchema | undefined, document: Described): readonly string[] {
  if (schema === undefined) return [];
  const { $ref, properties = {}, anyOf = [], oneOf = [], allOf = [] } = schema;
  const referred =
    $ref === undefined ? undefined : document.components.schemas[$ref.split("/").at(-1) ?? ""];
  const parts = [...anyOf, ...oneOf, ...allOf, ...(referred === undefined ? [] : [referred])];
  return [
    ...new Set([
      ...Object.keys(properties),
      ...parts.flatMap((part) => propertiesOf(part, document)),
    ]),
  ];
}

/** Values that nobody asked for. */
const strange: fc.Arbitrary<unknown> = fc.oneof(
  fc.constantFrom(
    null,
    true,
    -1,
    0,
    1e308,
    9_007_199_254_740_992,
    -0.5,
    "",
    "\0",
    "\u{1F426}".repeat(50),
  ),
  fc.constantFrom(
    "../../etc/passwd",
    "file:///etc/passwd",
    "<script>",
    "%00",
    "'; drop table sessions; --",
    "x".repeat(20_000),
  ),
  fc.array(fc.constantFrom(1, "a", null, []), { maxLength: 5 }),
  fc.jsonValue({ maxDepth: 3 }),
  fc.constant(deep(500)),
);

function deep(levels: number): unknown {
  let value: unknown = "deep";
  for (let level = 0; level < levels; level += 1) value = level % 2 === 0 ? [value] : { a: value };
  return value;
}

const rawBodies = fc.constantFrom(
  "{",
  "[]",
  '"text"',
  "null",
  "[".repeat(50_000),
  '{"a":'.repeat(20_000),
  `${'{"a":'.repeat(20_000)}1${"}".repeat(20_000)}`,
  `{"response_format":${"[".repeat(20_000)}${"]".repeat(20_000)}}`,
  '{"__proto__":{"admin":true}}',
  '{"constructor":{"prototype":{"x":1}}}',
  '{"a":1e999}',
  "\u0000",
  '{"url":"\\u0000"}',
);

/** A request to an operation whose parts are strange. */
const requestsTo = (operation: Operation) =>
  fc.record({
    ids: fc.oneof(
      ...(operation.endsSession ? [] : [{ weight: 3, arbitrary: fc.constant(sessionId) }]),
      fc.constantFrom(
        "0",
        "..%2f..",
        "%00",
        "a".repeat(900),
        "00000000-0000-4000-8000-000000000000",
        "%F0%9F%90%A6",
      ),
    ),
    query: fc.dictionary(
      fc.constantFrom(...(operation.query.length > 0 ? operation.query : ["any"])),
      fc.constantFrom(
        "",
        "-1",
        "1e9",
        "NaN",
        "\0",
        "true,false",
        "x".repeat(2000),
        "[object Object]",
      ),
      { maxKeys: 3 },
    ),
    body: fc.oneof(
      {
        weight: 4,
        arbitrary: fc
          .dictionary(
            fc.constantFrom(...(operation.properties.length > 0 ? operation.properties : ["any"])),
            strange,
            { maxKeys: 4 },
          )
          .map((body) => JSON.stringify(body)),
      },
      rawBodies,
    ),
    contentType: fc.oneof(
      { weight: 6, arbitrary: fc.constant("application/json") },
      fc.constantFrom(
        "text/plain",
        "application/xml",
        "multipart/form-data",
        "application/json; charset=utf-7",
        "",
      ),
    ),
  });

test("no malformed request is an unexpected failure, hangs, or harms the session beside it", {
  timeout: 150_000,
}, async () => {
  const client = await RawCdp.connect(cdpUrl);
  for (const operation of operations) await tryOut(operation);
  const sessions = storedSessions(server.dataDir).map(({ id, status }) => ({ id, status }));
  expect(sessions).toEqual([{ id: sessionId, status: "active" }]);
  // What was tried may have led its page elsewhere, and its client's connection stands.
  expect((await client.pages()).length).toBeGreaterThan(0);
  client.close();
  await server.call("DELETE", `/sessions/${sessionId}/stop`);
  await server.call("DELETE", `/sessions/${(await server.startSession()).id}/stop`);
  await expectConsistent(server);
});

/** Some runs of each operation, so that none is left out. */
async function tryOut(operation: Operation): Promise<void> {
  await fc.assert(
    fc.asyncProperty(requestsTo(operation), async ({ ids, query, body, contentType }) => {
      const path = operation.path.replace(/\{[^}]+\}/g, ids);
      const hasBody = operation.method !== "GET";
      const response = await fetch(`${server.url}${path}?${new URLSearchParams(query)}`, {
        method: operation.method,
        headers: {
          Authorization: `Bearer ${testKey}`,
          ...(hasBody && contentType !== "" ? { "Content-Type": contentType } : {}),
        },
        ...(hasBody ? { body } : {}),
        signal: AbortSignal.timeout(answeredWithinMs),
      });
      const text = await response.text();
      if (response.status < 400) return;
      expect(
        response.status < 500 || meantStatuses.has(response.status),
        `${operation.method} ${operation.path}: ${response.status} ${text}`,
      ).toBe(true);
      const answer = JSON.parse(text) as Record<string, unknown>;
      expect(answer["status"]).toBe(response.status);
      expect(typeof answer["message"]).toBe("string");
    }),
    { numRuns: 10 },
  );
}
