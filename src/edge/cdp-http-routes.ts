import type { FastifyInstance } from "fastify";
import type { ZodTypeProvider } from "fastify-type-provider-zod";
import { z } from "zod";
import type { Capabilities } from "../sessions/capabilities.ts";
import { NightjarError } from "../sessions/errors.ts";
import type { SessionService } from "../sessions/session-service.ts";
import { errorAnswers } from "./error-schemas.ts";
import { sessionIdParams } from "./session-schemas.ts";
import { tokenIn } from "./url-token.ts";
import type { Urls } from "./urls.ts";

export interface CdpHttpRoutesOptions {
  readonly sessions: SessionService;
  readonly capabilities: Capabilities;
  readonly urls: Urls;
}

const tokenQuery = z.object({
  token: z.string().default("").describe("The token of the session's `cdp_url`."),
});

const versionAnswer = z
  .object({
    Browser: z.string().meta({ examples: ["HeadlessChrome/156.0.8078.79"] }),
    "Protocol-Version": z.string().meta({ examples: ["1.3"] }),
    webSocketDebuggerUrl: z.string().describe("The session's `cdp_url`."),
  })
  .meta({ id: "CdpVersion" });

const targetListAnswer = z
  .array(
    z.object({
      id: z.string().describe("The target's id."),
      type: z.literal("page").describe("Only tabs are listed."),
      title: z.string().meta({ examples: ["Example Domain"] }),
      url: z.string().meta({ examples: ["https://example.com/"] }),
      webSocketDebuggerUrl: z.string().describe("CDP of this tab alone."),
      devtoolsFrontendUrl: z.string().describe("DevTools for this tab."),
    }),
  )
  .meta({ id: "CdpTargets" });

/** The HTTP side of CDP, beneath `cdp_url`, for clients that start from an http address. */
export function cdpHttpRoutes(instance: FastifyInstance, options: CdpHttpRoutesOptions): void {
  const { sessions, capabilities, urls } = options;
  const server = instance.withTypeProvider<ZodTypeProvider>();
  const shared = {
    // The token in the URL stands for the key.
    config: { public: true },
    schema: {
      tags: ["CDP"],
      security: [],
      params: sessionIdParams,
      querystring: tokenQuery,
    },
  };

  async function browserFor(id: string, token: string) {
    if (!capabilities.verify("cdp", id, tokenIn(new URLSearchParams({ token })))) {
      throw new NightjarError(
        "unauthorized",
        "The token in the URL is missing or wrong. Use the session's cdp_url as it stands.",
      );
    }
    return sessions.browserOf(id, null);
  }

  server.get(
    "/sessions/:session_id/cdp/json/version",
    {
      ...shared,
      schema: {
        ...shared.schema,
        summary: "CDP version and WebSocket address",
        response: { 200: versionAnswer, ...errorAnswers(401, 404, 410) },
      },
    },
    async (request) => {
      const { session_id: id } = request.params;
      const browser = await browserFor(id, request.query.token);
      return {
        Browser: browser.product,
        "Protocol-Version": "1.3",
        webSocketDebuggerUrl: urls.cdp(request, id),
      };
    },
  );

  for (const url of ["/sessions/:session_id/cdp/json/list", "/sessions/:session_id/cdp/json"]) {
    server.get(
      url,
      {
        ...shared,
        schema: {
          ...shared.schema,
          hide: url.endsWith("/json"),
          summary: "CDP targets: the session's tabs",
          response: { 200: targetListAnswer, ...errorAnswers(401, 404, 410, 503) },
        },
      },
      async (request) => {
        const { session_id: id } = request.params;
        const browser = await browserFor(id, request.query.token);
        return (await browser.pages()).map((page) => ({
          id: page.targetId,
          type: "page" as const,
          title: page.title,
          url: page.url,
          webSocketDebuggerUrl: urls.pageCdp(request, id, page.targetId),
          devtoolsFrontendUrl: urls.devtools(request, id, page.targetId),
        }));
      },
    );
  }
}
