import type { FastifyInstance, FastifyReply, FastifyRequest } from "fastify";
import type { ZodTypeProvider } from "fastify-type-provider-zod";
import type { ActionResult } from "../../pages/actions/action.ts";
import type { ObservationAnswer, PageService } from "../../pages/page-service.ts";
import type { ScrapeResult } from "../../pages/scrape/scrape-result.ts";
import type { Recordings } from "../../recording/recordings.ts";
import { defaultBrowserSettings } from "../../sessions/browser-settings.ts";
import { NightjarError } from "../../sessions/errors.ts";
import { isActive, type Session } from "../../sessions/session.ts";
import type { SessionService } from "../../sessions/session-service.ts";
import { toScrapeRequest } from "../action-wire.ts";
import { principalOf } from "../auth.ts";
import { errorAnswers } from "../error-schemas.ts";
import { toMetadata } from "../observation-wire.ts";
import { answeredPicture } from "../page-routes.ts";
import { noteSession } from "../request-scope.ts";
import { toSessionAnswer } from "../session-answer.ts";
import type { Urls } from "../urls.ts";
import { abortedWithClient } from "../vanished-client.ts";
import { wireTime } from "../wire-time.ts";
import { firstObservation, firstPageBodies } from "./page-schemas.ts";
import { type FirstSessionBody, firstTimeLimits, timeoutOf } from "./session-schemas.ts";
import { specialActionOf, specialActions } from "./special-actions.ts";

export interface FirstPageRoutesOptions {
  readonly sessions: SessionService;
  readonly pages: PageService;
  readonly recordings: Pick<Recordings, "statusOf">;
  readonly urls: Urls;
  readonly maxSessionMinutes: number;
}

type Body = FirstSessionBody & {
  readonly url?: string | null | undefined;
  readonly min_nb_actions?: number | null | undefined;
  readonly max_nb_actions?: number | null | undefined;
};

/** What an operation of the first API brings beside the observation that follows it. */
interface Brought {
  readonly data: ScrapeResult | ActionResult["data"];
  readonly error: string | null;
  readonly message: string | null;
}

const nothing: Brought = { data: null, error: null, message: null };

/** As today's API has it, in ms. */
const elementTimeoutMs = 15_000;

/** The first API of pages: `/env/observe`, `/env/step`, `/env/scrape`. */
export function firstPageRoutes(instance: FastifyInstance, options: FirstPageRoutesOptions): void {
  const { sessions, pages, recordings, urls, maxSessionMinutes } = options;
  const server = instance.withTypeProvider<ZodTypeProvider>();
  const config = { generation: "first" as const };
  const bodies = firstPageBodies(maxSessionMinutes);
  const response = {
    200: firstObservation,
    ...errorAnswers(400, 401, 404, 410, 429, 501, 502, 503, 529),
  };
  const tags = ["First API"];
  const lifetime =
    "Without `session_id` a session is made for the call, and closed after it unless `keep_alive` is true.";

  server.post(
    "/env/observe",
    {
      config,
      schema: {
        summary: "Observe a page (first API)",
        description: lifetime,
        tags,
        body: bodies.observe,
        response,
      },
    },
    (request, reply) => inSession(request, reply, request.body, async () => nothing),
  );

  server.post(
    "/env/step",
    {
      config,
      schema: {
        summary: "Do something on a page (first API)",
        description: `Answers the page as it is afterwards. ${lifetime}`,
        tags,
        body: bodies.step,
        response,
      },
    },
    (request, reply) =>
      inSession(request, reply, request.body, async (session, signal) => {
        const { action_id, value = null, enter } = request.body;
        const principal = principalOf(request);
        const id = action_id
          .trim()
          .replace(/^@/, "")
          .replace(/\[:\]$/, "");
        const special = specialActionOf(id, value);
        const result =
          special === null
            ? await pages.operate(
                principal,
                session.id,
                {
                  elementId: id,
                  value,
                  pressEnter: enter ?? false,
                  timeoutMs: elementTimeoutMs,
                },
                signal,
              )
            : await pages.execute(principal, session.id, special, signal);
        return {
          data: result.data,
          error: result.failure?.message ?? null,
          message: result.message,
        };
      }),
  );

  server.post(
    "/env/scrape",
    {
      config,
      schema: {
        summary: "Scrape a page (first API)",
        description: lifetime,
        tags,
        body: bodies.scrape,
        response,
      },
    },
    (request, reply) =>
      inSession(request, reply, request.body, async (session, signal) => {
        const scrape = { ...toScrapeRequest(request.body, true), url: null, source: null };
        const data = await pages.scrape(principalOf(request), session.id, scrape, signal);
        return { ...nothing, data };
      }),
  );

  /** Runs an operation in the body's session, observes the page after it, and closes what it has to. */
  async function inSession(
    request: FastifyRequest,
    reply: FastifyReply,
    body: Body,
    operation: (session: Session, signal: AbortSignal) => Promise<Brought>,
  ) {
    const principal = principalOf(request);
    const signal = abortedWithClient(reply);
    const session = await sessionFor(request, body, signal);
    const staysOpen = body.keep_alive === true || (isGiven(body) && session.keepAlive);
    let answer: ObservationAnswer;
    let brought: Brought;
    try {
      if (body.url != null && body.url !== "") {
        const action = specialActionOf("S1", body.url);
        const opened =
          action === null ? null : await pages.execute(principal, session.id, action, signal);
        if (opened?.failure != null) throw new NightjarError("page_failed", opened.message);
      }
      brought = await operation(session, signal);
      answer = await pages.observe(
        principal,
        session.id,
        {
          url: null,
          minElements: body.min_nb_actions ?? null,
          maxElements: body.max_nb_actions ?? null,
          instructions: null,
          perceptionType: "fast",
          tokenBudget: null,
          picture:
            body.screenshot === true ? { ...answeredPicture, type: null, labels: false } : null,
        },
        signal,
      );
    } finally {
      if (!staysOpen) await sessions.stop(principal, session.id);
    }
    const final = await sessions.get(principal, session.id);
    return toFirstObservation(answer, brought, {
      ...toSessionAnswer(final, urls, request, await recordings.statusOf(final)),
      screenshot: null,
    });
  }

  async function sessionFor(
    request: FastifyRequest,
    body: Body,
    signal: AbortSignal,
  ): Promise<Session> {
    const principal = principalOf(request);
    const idleTimeoutMinutes = timeoutOf(body);
    if (isGiven(body)) {
      const id = body.session_id ?? "";
      const session =
        idleTimeoutMinutes === null
          ? await sessions.get(principal, id)
          : await sessions.keepAlive(principal, id, { idleTimeoutMinutes });
      if (isActive(session)) return session;
      throw new NightjarError(
        "session_ended",
        `Session "${id}" has ended: ${session.state.endReason}. Leave out session_id to have a new one.`,
      );
    }
    const start = {
      settings: { ...defaultBrowserSettings, recording: null },
      idleTimeoutMinutes:
        idleTimeoutMinutes ?? Math.min(firstTimeLimits.defaultIdleMinutes, maxSessionMinutes),
      maxDurationMinutes: maxSessionMinutes,
      keepAlive: body.keep_alive ?? false,
      claim: null,
    };
    const session = await sessions.start(principal, start, signal);
    noteSession(request, session.id);
    return session;
  }
}

function isGiven(body: Body): boolean {
  return body.session_id != null && body.session_id !== "";
}

function toFirstObservation(
  { observation, screenshot }: ObservationAnswer,
  { data, error, message }: Brought,
  session: ReturnType<typeof toSessionAnswer> & { readonly screenshot: null },
) {
  const special = specialActions.map(({ id, description, parameter }) => ({
    id,
    description,
    category: "Special Browser Actions",
    params:
      parameter === null
        ? []
        : [{ name: parameter.name, type: parameter.type, default: null, values: [] }],
    status: "valid" as const,
  }));
  return {
    session,
    metadata: toMetadata(observation),
    screenshot: screenshot?.bytes.toString("base64") ?? null,
    data: data === null ? null : toFirstData(data),
    space: {
      description: observation.description,
      category: observation.category,
      markdown: observation.text,
      actions: observation.elements.map((element) => ({
        id: element.id,
        description: describe(element),
        category: element.context ?? "Interaction Actions",
        params: element.id.startsWith("I")
          ? [
              {
                name: "value",
                type: "string",
                default: null,
                values: element.options.map(({ text }) => text),
              },
            ]
          : [],
        status: "valid" as const,
      })),
      special_actions: special,
      browser_actions: special,
    },
    progress: null,
    session_id: session.session_id,
    title: observation.title,
    url: observation.url,
    timestamp: wireTime(observation.endedAt),
    error,
    message,
  };
}

function describe({ role, name, value }: ObservationAnswer["observation"]["elements"][number]) {
  const called = name === "" ? role : `${role} "${name}"`;
  return value === null ? called : `${called}, holds "${value}"`;
}

function toFirstData(data: NonNullable<Brought["data"]>) {
  return {
    markdown: data.markdown,
    images:
      data.images?.map(({ url, category }, index) => ({
        id: `F${index + 1}`,
        url,
        category: category as never,
      })) ?? null,
    structured: data.structured?.success === true ? data.structured.data : null,
  };
}
