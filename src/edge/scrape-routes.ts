import type { FastifyInstance, FastifyReply, FastifyRequest } from "fastify";
import type { ZodTypeProvider } from "fastify-type-provider-zod";
import { z } from "zod";
import type { ScrapeRequest } from "../pages/actions/action.ts";
import type { PageService } from "../pages/page-service.ts";
import type { HtmlSource } from "../pages/scrape/scrape.ts";
import type { ScrapeResult } from "../pages/scrape/scrape-result.ts";
import type { StructuredExtractor } from "../pages/scrape/structured-extractor.ts";
import { invalidField, NightjarError } from "../sessions/errors.ts";
import type { SessionService } from "../sessions/session-service.ts";
import { scrapeFields } from "./action-schemas.ts";
import { toScrapeRequest } from "./action-wire.ts";
import { principalOf } from "./auth.ts";
import { errorAnswers } from "./error-schemas.ts";
import { toDataSpace } from "./page-answers.ts";
import { dataSpace } from "./page-schemas.ts";
import { noteSession } from "./request-scope.ts";
import { type StartBody, startBody } from "./session-schemas.ts";
import { toStartRequest } from "./start-request.ts";
import { abortedWithClient } from "./vanished-client.ts";

export interface ScrapeRoutesOptions {
  readonly sessions: SessionService;
  readonly pages: PageService;
  /** Null where no model is configured. */
  readonly extractor: StructuredExtractor | null;
  readonly maxSessionMinutes: number;
}

/** Saved pages may be large; a few megabytes is the most that pages have. */
const htmlBodyLimit = 32 * 1024 * 1024;

/** What one-shot scrapes take beside the scrape options; clients leave options of their own in it. */
const scrapePageBody = z.looseObject({
  url: z
    .string()
    .min(1)
    .max(100_000)
    .describe("The page to scrape.")
    .meta({ examples: ["https://example.com"] }),
  ...scrapeFields,
});

const scrapeHtmlBody = z.object({
  ...scrapeFields,
  frames: z
    .array(
      z.object({
        frameUrl: z.string().max(100_000).describe("Where the HTML came from."),
        frameData: z.string().describe("The HTML."),
      }),
    )
    .min(1)
    .max(100)
    .describe("The main frame first; the others are put behind it."),
});

const structured = z
  .object({
    success: z.boolean().describe("Whether the data fits the schema."),
    error: z.string().nullable().describe("Why not."),
    data: z.unknown().describe("The data; null where there is none."),
  })
  .nullable()
  .describe("The data that the model found.");

const scrapeHtmlAnswer = z
  .object({
    model_schema: z
      .object({
        success: z.boolean().describe("Whether there is a schema."),
        model_schema: z.record(z.string(), z.unknown()).nullable().describe("The schema."),
        error: z.string().nullable().describe("Why there is none."),
      })
      .describe(
        "The schema of the data: the one that was given, or one made from the instructions.",
      ),
    scrape: structured,
    markdown: z.string().describe("The content as markdown. (An addition of Nightjar.)"),
  })
  .meta({ id: "ScrapeFromHtml" });

/** Scrapes without a session of the caller's own: each makes one and ends it. */
export function scrapeRoutes(instance: FastifyInstance, options: ScrapeRoutesOptions): void {
  const { sessions, pages, extractor, maxSessionMinutes } = options;
  const server = instance.withTypeProvider<ZodTypeProvider>();
  const errors = errorAnswers(422, 401, 403, 429, 501, 502, 503, 529);

  server.post(
    "/scrape",
    {
      schema: {
        summary: "Scrape a URL",
        description:
          "Starts a session, opens the URL, scrapes it and ends the session. Takes the fields of a session's start, too.",
        tags: ["Pages"],
        body: scrapePageBody,
        response: { 200: dataSpace, ...errors },
      },
    },
    async (request, reply) => {
      const { url } = request.body;
      const start = startFieldsOf(request.body);
      const scrape = { ...toScrapeRequest(request.body, false), url, source: null };
      return toDataSpace(await inOwnSession(request, reply, start, scrape));
    },
  );

  server.post(
    "/scrape_from_html",
    {
      bodyLimit: htmlBodyLimit,
      schema: {
        summary: "Scrape HTML",
        description:
          "Extracts data from HTML that the caller has: with `response_format` by that schema, with `instructions` alone by a schema that the model makes of them. Without both, only `markdown` is answered.",
        tags: ["Pages"],
        body: scrapeHtmlBody,
        response: { 200: scrapeHtmlAnswer, ...errors },
      },
    },
    async (request, reply) => {
      const { frames, response_format, instructions } = request.body;
      const [main] = frames;
      const source: HtmlSource = {
        url: main?.frameUrl ?? "about:blank",
        html: frames.map(({ frameData }) => frameData).join("\n"),
      };
      const wanted = instructions?.trim() ?? "";
      if ((wanted !== "" || response_format != null) && extractor === null) throw noModel();
      const scrape = {
        ...toScrapeRequest({ ...request.body, response_format: null, instructions: null }, false),
        url: null,
        source,
      };
      const content = await inOwnSession(request, reply, startBody.parse({}), scrape);
      const page = { content: content.markdown, url: content.url, title: content.title };
      const signal = abortedWithClient(reply);
      if (extractor === null || (wanted === "" && response_format == null)) {
        return {
          model_schema: { success: false, model_schema: null, error: "No data was asked for." },
          scrape: null,
          markdown: content.markdown,
        };
      }
      const schema =
        response_format != null
          ? ({ success: true, schema: response_format } as const)
          : await extractor.inferSchema({ ...page, instructions: wanted }, signal);
      if (!schema.success) {
        return {
          model_schema: { success: false, model_schema: null, error: schema.error },
          scrape: null,
          markdown: content.markdown,
        };
      }
      const found = await extractor.extract(
        { ...page, schema: schema.schema, instructions: wanted === "" ? null : wanted },
        signal,
      );
      return {
        model_schema: { success: true, model_schema: schema.schema, error: null },
        scrape: found.success
          ? { success: true, error: null, data: found.data }
          : { success: false, error: found.error, data: null },
        markdown: content.markdown,
      };
    },
  );

  /** A session for one scrape: it ends with it, however that goes. */
  async function inOwnSession(
    request: FastifyRequest,
    reply: FastifyReply,
    start: StartBody,
    scrape: ScrapeRequest & { readonly url: string | null; readonly source: HtmlSource | null },
  ): Promise<ScrapeResult> {
    const principal = principalOf(request);
    const wantsData = scrape.responseFormat !== null || scrape.instructions !== null;
    if (wantsData && extractor === null) throw noModel();
    // Nobody is told of the session, so nobody would ask for its replay.
    const unrecorded = { ...start, recording: start.recording ?? false };
    const signal = abortedWithClient(reply);
    const asked = toStartRequest(unrecorded, null, maxSessionMinutes);
    const session = await sessions.start(principal, asked, signal);
    noteSession(request, session.id);
    try {
      return await pages.scrape(principal, session.id, scrape, signal);
    } finally {
      await sessions.stop(principal, session.id);
    }
  }
}

function noModel(): NightjarError {
  return new NightjarError(
    "not_supported",
    "This server has no model, so it cannot extract data by `response_format` or `instructions`. Leave them out, or ask the operator to set NIGHTJAR_MODEL.",
  );
}

/** The fields of a session's start that a one-shot scrape carries. Throws `invalid_request`. */
function startFieldsOf(body: Readonly<Record<string, unknown>>): StartBody {
  const fields = Object.entries(body).filter(([key]) => key in startBody.shape);
  const parsed = startBody.safeParse(Object.fromEntries(fields));
  if (parsed.success) return parsed.data;
  const [issue] = parsed.error.issues;
  const field = issue?.path.join(".") ?? "body";
  throw invalidField(field, `${field}: ${issue?.message ?? "is not valid"}.`, issue?.code);
}
