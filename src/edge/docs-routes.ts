import fastifySwagger from "@fastify/swagger";
import apiReference from "@scalar/fastify-api-reference";
import type { FastifyInstance } from "fastify";
import { jsonSchemaTransform, jsonSchemaTransformObject } from "fastify-type-provider-zod";
import { type ErrorCode, errorTable } from "../sessions/errors.ts";
import { statusOfError } from "./error-response.ts";
import { documentationPolicy } from "./safe-answers.ts";

const introduction =
  "Browser sessions for AI agents. Start a session, observe its pages and act on them by numbered elements, or drive it over CDP with Playwright or Puppeteer; close it. Both generations of the Notte API are spoken; a session that was started by one can be used by the other.";

/** Every error that the API answers with, as a Markdown table. */
function errorsMarkdown(): string {
  const rows = Object.entries(errorTable).map(([name, { meaning, remedy }]) => {
    const code = name as ErrorCode;
    const statuses = new Set([statusOfError(code, "today"), statusOfError(code, "first")]);
    return `| \`${code}\` | ${[...statuses].join(", first API ")} | ${meaning} | ${remedy} |`;
  });
  return ["| `code` | Status | Meaning | Remedy |", "| --- | --- | --- | --- |", ...rows].join(
    "\n",
  );
}

/** Collects the OpenAPI document from the routes' schemas. Register before the routes. */
export async function collectOpenApi(server: FastifyInstance, version: string): Promise<void> {
  await server.register(fastifySwagger, {
    openapi: {
      openapi: "3.1.0",
      info: {
        title: "Nightjar",
        version,
        description: `${introduction}\n\n## Errors\n\n${errorsMarkdown()}`,
      },
      tags: [
        { name: "Sessions", description: "Today's API of sessions." },
        { name: "Pages", description: "What can be seen and done on a session's pages." },
        { name: "Storage", description: "Files that are uploaded, and files that pages download." },
        { name: "First API", description: "The first generation: the session id is in the body." },
        { name: "CDP", description: "Chrome DevTools Protocol, by the token in `cdp_url`." },
        { name: "API keys", description: "The keys that open this API." },
        { name: "Server", description: "The server itself." },
      ],
      components: {
        securitySchemes: { apiKey: { type: "http", scheme: "bearer", description: "An API key." } },
      },
      security: [{ apiKey: [] }],
      servers: [{ url: "/", description: "This server." }],
    },
    transform: jsonSchemaTransform,
    transformObject: (collected) => tidy(jsonSchemaTransformObject(collected)),
  });
}

interface Operation {
  requestBody?: { required?: boolean; content?: Record<string, unknown> };
  responses?: Record<string, { description?: string }>;
}

/** What the collectors write that is not so, or that nobody wants to read. */
function tidy(document: object): object {
  const { paths = {}, components } = document as {
    paths?: Record<string, Record<string, Operation>>;
    components?: { schemas?: Record<string, unknown> };
  };
  for (const operation of Object.values(paths).flatMap((item) => Object.values(item))) {
    // An empty JSON body stands for `{}`; what must be in it is said by its fields.
    const { requestBody } = operation;
    if (requestBody !== undefined) {
      requestBody.required = requestBody.content?.["application/json"] === undefined;
    }
    const success = operation.responses?.["200"];
    if (success?.description === "Default Response") success.description = "Success.";
  }
  // Every answer's schema comes a second time, as an input, which mostly nothing refers to.
  const references = JSON.stringify(document);
  for (const name of Object.keys(components?.schemas ?? {})) {
    const isReferred = references.includes(`"#/components/schemas/${name}"`);
    if (name.endsWith("Input") && !isReferred) delete components?.schemas?.[name];
  }
  return document;
}

/** Serves the document at `/openapi.json` and a page for people at `/docs`, both without a key. */
export async function docsRoutes(server: FastifyInstance): Promise<void> {
  const publicRoute = { config: { public: true }, schema: { hide: true } };
  server.get("/openapi.json", publicRoute, async () => server.swagger());
  server.addHook("onRoute", (route) => {
    if (route.url.startsWith("/docs")) route.config = { ...route.config, public: true };
  });
  server.addHook("onSend", async (request, reply) => {
    if (/^\/docs(?:\/|$|\?)/.test(request.url)) {
      reply.header("Content-Security-Policy", documentationPolicy);
    }
  });
  await server.register(apiReference, {
    routePrefix: "/docs",
    configuration: {
      pageTitle: "Nightjar API",
      url: "/openapi.json",
      // Everything comes from this server: the page works without the internet.
      withDefaultFonts: false,
      telemetry: false,
      hideClientButton: true,
      showDeveloperTools: "never",
      agent: { disabled: true },
      mcp: { disabled: true },
    },
  });
}
