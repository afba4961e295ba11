import fastifySwagger from "@fastify/swagger";
import apiReference from "@scalar/fastify-api-reference";
import type { FastifyInstance } from "fastify";
import { jsonSchemaTransform, jsonSchemaTransformObject } from "fastify-type-provider-zod";

/** Collects the OpenAPI document from the routes' schemas. Register before the routes. */
export async function collectOpenApi(server: FastifyInstance, version: string): Promise<void> {
  await server.register(fastifySwagger, {
    openapi: {
      openapi: "3.1.0",
      info: {
        title: "Nightjar",
        version,
        description:
          "Browser sessions for AI agents. Start a session, drive it over CDP with Playwright or Puppeteer, close it. Both generations of the Notte API are spoken.",
      },
      tags: [
        { name: "Sessions", description: "Today's API of sessions." },
        { name: "First API", description: "The first generation: the session id is in the body." },
        { name: "CDP", description: "Chrome DevTools Protocol, by the token in `cdp_url`." },
        { name: "Server", description: "The server itself." },
      ],
      components: {
        securitySchemes: { apiKey: { type: "http", scheme: "bearer", description: "An API key." } },
      },
      security: [{ apiKey: [] }],
    },
    transform: jsonSchemaTransform,
    transformObject: jsonSchemaTransformObject,
  });
}

/** Serves the document at `/openapi.json` and a page for people at `/docs`, both without a key. */
export async function docsRoutes(server: FastifyInstance): Promise<void> {
  const publicRoute = { config: { public: true }, schema: { hide: true } };
  server.get("/openapi.json", publicRoute, async () => server.swagger());
  server.addHook("onRoute", (route) => {
    if (route.url.startsWith("/docs")) route.config = { ...route.config, public: true };
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
      agent: { disabled: true },
      mcp: { disabled: true },
    },
  });
}
