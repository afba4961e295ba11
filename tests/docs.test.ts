import { tmpdir } from "node:os";
import path from "node:path";
import { Validator } from "@seriousme/openapi-schema-validator";
import { type Browser, chromium } from "playwright-core";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { z } from "zod";
import { findChromium } from "../src/browsers/chromium.ts";
import { Nightjar } from "./support/nightjar.ts";

const openApi = z.looseObject({
  openapi: z.string(),
  paths: z.record(z.string(), z.record(z.string(), z.record(z.string(), z.unknown()))),
});

/** Every method and path of both generations of the API of sessions, and the server's own. */
const expectedRoutes = [
  "delete /api-keys/{key_id}",
  "delete /sessions/{session_id}/stop",
  "delete /storage/uploads/{filename}",
  "delete /storage/{session_id}/downloads/{filename}",
  "get /api-keys",
  "get /files/{kind}/{owner}/{name}",
  "get /health",
  "get /pressure",
  "get /ready",
  "get /host",
  "get /session",
  "get /session/{session_id}",
  "get /sessions",
  "get /sessions/{session_id}",
  "get /sessions/{session_id}/debug",
  "get /sessions/{session_id}/debug/tab",
  "get /storage/uploads",
  "get /storage/uploads/{filename}",
  "get /storage/{session_id}/downloads",
  "get /storage/{session_id}/downloads/{filename}",
  "post /api-keys",
  "post /session/close",
  "post /session/start",
  "post /session/status",
  "post /sessions/start",
  "post /storage/uploads/{filename}",
  "post /storage/{session_id}/downloads/{filename}",
];

let nightjar: Nightjar;

beforeAll(async () => {
  nightjar = await Nightjar.start({ NIGHTJAR_WARM_POOL: "0" });
}, 60_000);

afterAll(() => nightjar.dispose());

async function document(): Promise<z.infer<typeof openApi>> {
  const answer = await nightjar.call("GET", "/openapi.json", { key: null });
  expect(answer.status).toBe(200);
  return openApi.parse(answer.body);
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

interface Place {
  readonly where: string;
  readonly node: Record<string, unknown>;
}

/** Every object in a document, with the path to it. */
function* objectsIn(value: unknown, where = ""): Generator<Place> {
  if (Array.isArray(value)) {
    for (const [index, item] of value.entries()) yield* objectsIn(item, `${where}/${index}`);
  } else if (isRecord(value)) {
    yield { where, node: value };
    for (const [key, item] of Object.entries(value)) yield* objectsIn(item, `${where}/${key}`);
  }
}

/** The properties of every object schema; not the values of examples. */
function propertiesOf(value: unknown): readonly Place[] {
  return [...objectsIn(value)].flatMap(({ where, node }) => {
    const { type, properties } = node;
    if (type !== "object" || !isRecord(properties) || /\/examples?\//.test(where)) return [];
    return Object.entries(properties).map(([name, node]) => ({
      where: `${where}/properties/${name}`,
      node: isRecord(node) ? node : {},
    }));
  });
}

describe("/openapi.json", () => {
  test("is a valid OpenAPI 3.1 document, without a key", async () => {
    const specification = await document();
    expect(specification.openapi).toMatch(/^3\.1\./);
    const validator = new Validator();
    const { valid, errors } = await validator.validate(specification);
    expect({ valid, errors }).toEqual({ valid: true, errors: undefined });
    expect(validator.version).toBe("3.1");
  });

  test("has the routes of both generations of the API", async () => {
    const { paths } = await document();
    const routes = Object.entries(paths).flatMap(([route, item]) =>
      Object.keys(item).map((method) => `${method} ${route}`),
    );
    expect(routes).toEqual(expect.arrayContaining(expectedRoutes));
  });

  test("has a summary for every operation, and its errors", async () => {
    const { paths } = await document();
    const incomplete = Object.entries(paths).flatMap(([route, item]) =>
      Object.entries(item).flatMap(([method, { summary, responses }]) => {
        const statuses = isRecord(responses) ? Object.keys(responses) : [];
        const complete =
          typeof summary === "string" &&
          statuses.includes("200") &&
          (["/health", "/pressure", "/ready"].includes(route) ||
            statuses.some((status) => status.startsWith("4")));
        return complete ? [] : [`${method} ${route}`];
      }),
    );
    expect(incomplete).toEqual([]);
  });

  test("has a description or an example for every property", async () => {
    const properties = propertiesOf(await document());
    expect(properties.length).toBeGreaterThan(100);
    const silent = properties
      .filter(
        ({ node }) =>
          node["description"] === undefined &&
          node["examples"] === undefined &&
          node["example"] === undefined &&
          node["$ref"] === undefined,
      )
      .map(({ where }) => where);
    expect(silent).toEqual([]);
  });

  test("resolves every reference that it makes", async () => {
    const specification = await document();
    const places = [...objectsIn(specification)];
    const known = new Set(places.map(({ where }) => `#${where}`));
    const references = places.flatMap(({ node }) =>
      typeof node["$ref"] === "string" ? [node["$ref"]] : [],
    );
    expect(references.filter((reference) => !known.has(reference))).toEqual([]);
  });

  test("names the key as a bearer token and leaves the public routes open", async () => {
    const specification = await document();
    expect(specification).toMatchObject({
      components: { securitySchemes: { apiKey: { type: "http", scheme: "bearer" } } },
      security: [{ apiKey: [] }],
      paths: { "/health": { get: { security: [] } } },
    });
  });
});

describe("/docs", () => {
  let browser: Browser;

  beforeAll(async () => {
    const { headlessShell, chromium: full } = await findChromium({
      chromiumPath: null,
      headlessShellPath: null,
      dataDir: path.join(tmpdir(), "nightjar-none"),
    });
    const executablePath = (headlessShell ?? full)?.path;
    if (executablePath === undefined) throw new Error("these tests need a Chromium");
    browser = await chromium.launch({ executablePath, args: ["--no-sandbox"] });
  });

  afterAll(() => browser.close());

  test("shows both generations of the API without the internet and without complaint", async () => {
    const page = await browser.newPage();
    const foreign: string[] = [];
    const complaints: string[] = [];
    page.on("console", (message) => {
      if (message.type() === "error") complaints.push(message.text());
    });
    page.on("pageerror", (error) => complaints.push(error.message));
    page.on("requestfailed", (request) => complaints.push(request.url()));
    page.on("websocket", (socket) => foreign.push(socket.url()));
    await page.route(
      (url) => /^https?:$/.test(url.protocol) && url.origin !== new URL(nightjar.url).origin,
      async (route) => {
        foreign.push(route.request().url());
        await route.abort();
      },
    );
    const response = await page.goto(`${nightjar.url}/docs`);
    expect(response?.status()).toBe(200);
    expect(await page.title()).toContain("Nightjar");
    const contents = page.getByRole("complementary");
    await contents.getByText("Start a session", { exact: true }).waitFor();
    await contents.getByText("First API", { exact: true }).click();
    await contents.getByText("Close a session (first API)", { exact: true }).click();
    const operation = page.getByRole("heading", { name: "Close a session (first API)" });
    await operation.waitFor({ state: "visible" });
    await page.getByText("session_timeout_minutes").first().waitFor();
    expect(foreign).toEqual([]);
    expect(complaints).toEqual([]);
    await page.close();
  }, 60_000);

  test("is found with a slash at its end as well", async () => {
    const response = await fetch(`${nightjar.url}/docs/`);
    expect(response.status).toBe(200);
    expect(response.headers.get("content-type")).toContain("text/html");
  });
});
