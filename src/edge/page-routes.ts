import type { FastifyInstance } from "fastify";
import type { ZodTypeProvider } from "fastify-type-provider-zod";
import { z } from "zod";
import type { PageService, PictureRequest } from "../pages/page-service.ts";
import { actionBody } from "./action-schemas.ts";
import { toAction, toScrapeRequest } from "./action-wire.ts";
import { principalOf } from "./auth.ts";
import { errorAnswers } from "./error-schemas.ts";
import { writeObservationAnswer } from "./observation-wire.ts";
import { toDataSpace, toExecutionAnswer } from "./page-answers.ts";
import {
  dataSpace,
  executionAnswer,
  observationAnswer,
  observeBody,
  pdfBody,
  scrapeBody,
  screenshotBody,
} from "./page-schemas.ts";
import { sessionIdParams } from "./session-schemas.ts";
import { abortedWithClient } from "./vanished-client.ts";

/** How pictures in answers are made: as the contract has them. */
export const answeredPicture: Omit<PictureRequest, "type" | "labels"> = {
  area: "viewport",
  format: "jpeg",
  quality: 80,
  scale: null,
};

/** Bodies of actions may carry scripts and texts. */
const actionBodyLimit = 4 * 1024 * 1024;

/** Today's API of pages: observe, execute, scrape, screenshot, PDF. */
export function pageRoutes(instance: FastifyInstance, pages: PageService): void {
  const server = instance.withTypeProvider<ZodTypeProvider>();
  const errors = errorAnswers(422, 401, 404, 410, 429, 502, 503);

  server.post(
    "/sessions/:session_id/page/observe",
    {
      schema: {
        summary: "Observe the page",
        description:
          "What the active tab shows and what can be done on it. An element keeps its id as long as it lives, and no other element of the session ever gets it.",
        tags: ["Pages"],
        params: sessionIdParams,
        body: observeBody,
        response: { 200: observationAnswer, ...errors },
      },
    },
    async (request, reply) => {
      const { body } = request;
      const picture =
        body.screenshot === false
          ? null
          : {
              ...answeredPicture,
              type: body.screenshot_type ?? null,
              labels: body.labels ?? false,
            };
      const answer = await pages.observe(
        principalOf(request),
        request.params.session_id,
        {
          url: body.url ?? null,
          minElements: body.min_nb_actions ?? null,
          maxElements: body.max_nb_actions ?? null,
          instructions: body.instructions ?? null,
          perceptionType: body.perception_type ?? "fast",
          tokenBudget: body.token_budget ?? null,
          picture,
        },
        abortedWithClient(reply),
      );
      return reply
        .type("application/json; charset=utf-8")
        .send(writeObservationAnswer(answer) as never);
    },
  );

  server.post(
    "/sessions/:session_id/page/execute",
    {
      bodyLimit: actionBodyLimit,
      schema: {
        summary: "Do something on the page",
        description:
          "Does one action on the active tab, waits until the page has come to rest, and says what happened. An action that fails is answered 200 with `success: false` and the reason in `exception`.",
        tags: ["Pages"],
        params: sessionIdParams,
        body: actionBody,
        response: { 200: executionAnswer, ...errors, ...errorAnswers(501) },
      },
    },
    async (request, reply) => {
      const action = toAction(request.body);
      const { session_id: id } = request.params;
      const result = await pages.execute(
        principalOf(request),
        id,
        action,
        abortedWithClient(reply),
      );
      return toExecutionAnswer(request.body, result);
    },
  );

  server.post(
    "/sessions/:session_id/page/scrape",
    {
      schema: {
        summary: "Scrape the page",
        description:
          "The active tab as markdown, with its images, or as data that fits a schema; also of a PDF that was opened in it.",
        tags: ["Pages"],
        params: sessionIdParams,
        body: scrapeBody,
        response: { 200: dataSpace, ...errors, ...errorAnswers(501) },
      },
    },
    async (request, reply) => {
      const { session_id: id } = request.params;
      const scrape = { ...toScrapeRequest(request.body, false), url: null, source: null };
      const result = await pages.scrape(principalOf(request), id, scrape, abortedWithClient(reply));
      return toDataSpace(result);
    },
  );

  server.post(
    "/sessions/:session_id/page/screenshot",
    {
      schema: {
        summary: "Take a picture of the page",
        description: "Of the active tab: a JPEG of the viewport unless asked otherwise.",
        tags: ["Pages"],
        params: sessionIdParams,
        body: screenshotBody,
        response: {
          200: z.any().describe("The picture, as image/jpeg, image/png or image/webp."),
          ...errors,
          ...errorAnswers(413),
        },
      },
    },
    async (request, reply) => {
      const { type, full_page, format, quality, scale, labels } = request.body;
      const picture = await pages.screenshot(
        principalOf(request),
        request.params.session_id,
        {
          type: type ?? null,
          area: (full_page ?? type === "full") ? "page" : "viewport",
          format,
          quality,
          scale: scale ?? null,
          labels,
        },
        abortedWithClient(reply),
      );
      return reply.type(picture.type).send(picture.bytes);
    },
  );

  server.post(
    "/sessions/:session_id/page/pdf",
    {
      schema: {
        summary: "Print the page",
        description: "The active tab as PDF. (An addition of Nightjar.)",
        tags: ["Pages"],
        params: sessionIdParams,
        body: pdfBody,
        response: {
          200: z.any().describe("The document, as application/pdf."),
          ...errors,
          ...errorAnswers(413),
        },
      },
    },
    async (request, reply) => {
      const { body } = request;
      const pdf = await pages.pdf(
        principalOf(request),
        request.params.session_id,
        {
          paper: body.paper,
          isLandscape: body.landscape,
          printsBackground: body.background,
          scale: body.scale,
          marginInches: body.margin_inches,
          pageRanges: body.page_ranges,
        },
        abortedWithClient(reply),
      );
      return reply.type("application/pdf").send(pdf);
    },
  );
}
