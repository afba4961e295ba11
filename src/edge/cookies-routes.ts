import type { FastifyInstance } from "fastify";
import type { ZodTypeProvider } from "fastify-type-provider-zod";
import type { PageService } from "../pages/page-service.ts";
import { principalOf } from "./auth.ts";
import {
  cookiesAnswer,
  cookiesBody,
  cookiesSetAnswer,
  toCookie,
  toWireCookie,
} from "./cookies-schemas.ts";
import { errorAnswers } from "./error-schemas.ts";
import { sessionIdParams } from "./session-schemas.ts";
import { abortedWithClient } from "./vanished-client.ts";

/** Cookies of a session's browser: get and set. */
export function cookiesRoutes(instance: FastifyInstance, pages: PageService): void {
  const server = instance.withTypeProvider<ZodTypeProvider>();

  server.get(
    "/sessions/:session_id/cookies",
    {
      schema: {
        summary: "Get the cookies",
        description: "Those of every site that the session has been to.",
        tags: ["Pages"],
        params: sessionIdParams,
        response: { 200: cookiesAnswer, ...errorAnswers(401, 404, 410, 429, 503) },
      },
    },
    async (request, reply) => {
      const { session_id: id } = request.params;
      const cookies = await pages.cookies(principalOf(request), id, abortedWithClient(reply));
      return { cookies: cookies.map(toWireCookie) };
    },
  );

  server.post(
    "/sessions/:session_id/cookies",
    {
      schema: {
        summary: "Set cookies",
        tags: ["Pages"],
        params: sessionIdParams,
        body: cookiesBody,
        response: { 200: cookiesSetAnswer, ...errorAnswers(422, 401, 404, 410, 429, 503) },
      },
    },
    async (request, reply) => {
      const { session_id: id } = request.params;
      const cookies = request.body.cookies.map(toCookie);
      await pages.setCookies(principalOf(request), id, cookies, abortedWithClient(reply));
      const noun = cookies.length === 1 ? "cookie" : "cookies";
      return { success: true as const, message: `${cookies.length} ${noun} set.` };
    },
  );
}
