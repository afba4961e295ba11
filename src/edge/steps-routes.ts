import type { FastifyInstance } from "fastify";
import type { ZodTypeProvider } from "fastify-type-provider-zod";
import { z } from "zod";
import type { StepLog } from "../pages/step-log.ts";
import type { StepStore } from "../pages/steps/step-store.ts";
import { workflowCode } from "../pages/steps/workflow-code.ts";
import type { SessionService } from "../sessions/session-service.ts";
import { principalOf } from "./auth.ts";
import { errorAnswers } from "./error-schemas.ts";
import { toWirePlacedStep, toWireRunningStep } from "./event-wire.ts";
import { queryBoolean, sessionIdParams } from "./session-schemas.ts";
import { toReplayableAction } from "./step-wire.ts";

const offsetAnswer = z
  .object({ offset: z.int().min(0).describe("How many steps the session has so far.") })
  .meta({ id: "SessionOffset" });

const workflowQuery = z.object({
  as_workflow: queryBoolean
    .default(true)
    .describe(
      "`true`: a program that runs by itself; `false`: its steps alone, for a `page` and its `context`.",
    ),
  infer_response_format: queryBoolean
    .default(false)
    .describe("Accepted because clients send it; of no effect here."),
});

const workflowAnswer = z
  .object({
    python_script: z.string().describe("The session's steps as a script for Playwright in Python."),
    json_actions: z
      .array(z.record(z.string(), z.unknown()))
      .describe(
        "The actions that succeeded, to be sent to `page/execute` of any session: elements are named by their selectors, not by ids. Secrets are masked: put them in before.",
      ),
    javascript_script: z
      .string()
      .describe("The same script for Playwright in Node. (An addition of Nightjar.)"),
  })
  .meta({ id: "WorkflowCode" });

const stepsQuery = z.object({
  after: z.coerce
    .number()
    .int()
    .min(-1)
    .default(-1)
    .describe("Only steps after the one at this position; -1: from the first one."),
  limit: z.coerce.number().int().min(1).max(500).default(100).describe("At most 500."),
});

const stepsAnswer = z
  .object({
    items: z
      .array(
        z.object({
          position: z.int().min(0).describe("Its place among the session's steps, from 0."),
          started_at: z.string().describe("When it began."),
          ended_at: z.string().describe("When it was done."),
          type: z.string().meta({ examples: ["execution_result"] }),
          value: z
            .unknown()
            .describe(
              "As in the session's `steps`; with `interrupted: true` where it was broken off, so that nobody knows how far it came.",
            ),
        }),
      )
      .describe("In order."),
    running: z
      .object({
        started_at: z.string().describe("When it began."),
        type: z.string().meta({ examples: ["execution_result"] }),
        value: z
          .unknown()
          .describe(
            "What was asked, and where; texts that may be secret are masked until it is done.",
          ),
      })
      .nullable()
      .describe("The step that is under way now; null where none is."),
    has_next: z.boolean().describe("Whether there are steps after these."),
  })
  .meta({ id: "SessionSteps" });

/** What was done in a session: how much, and as a script that does it again. */
export function stepsRoutes(
  instance: FastifyInstance,
  options: {
    readonly sessions: SessionService;
    readonly steps: StepStore;
    readonly stepLog: Pick<StepLog, "runningIn">;
  },
): void {
  const { sessions, steps, stepLog } = options;
  const server = instance.withTypeProvider<ZodTypeProvider>();

  server.get(
    "/sessions/:session_id/offset",
    {
      schema: {
        summary: "How many steps a session has",
        tags: ["Sessions"],
        params: sessionIdParams,
        response: { 200: offsetAnswer, ...errorAnswers(401, 404) },
      },
    },
    async (request) => {
      const { id } = await sessions.get(principalOf(request), request.params.session_id);
      return { offset: await steps.count(id) };
    },
  );

  server.get(
    "/sessions/:session_id/steps",
    {
      schema: {
        summary: "A session's steps",
        description:
          "What was done to its pages, in order, page by page, and what is being done. Works for sessions that ended, too. (An addition of Nightjar.)",
        tags: ["Sessions"],
        params: sessionIdParams,
        querystring: stepsQuery,
        response: { 200: stepsAnswer, ...errorAnswers(422, 401, 404) },
      },
    },
    async (request) => {
      const { id } = await sessions.get(principalOf(request), request.params.session_id);
      const { after, limit } = request.query;
      // Before the others are read: one that ends meanwhile is rather told twice than not at all.
      const running = stepLog.runningIn(id);
      const found = await steps.after(id, after, limit + 1);
      return {
        items: found.slice(0, limit).map(toWirePlacedStep),
        has_next: found.length > limit,
        running: running === null ? null : toWireRunningStep(running),
      };
    },
  );

  server.get(
    "/sessions/:session_id/workflow/code",
    {
      schema: {
        summary: "A session's steps as a script",
        description:
          "What succeeded, as Playwright code: with `CDP_URL` in the environment it runs in that session, otherwise in a browser of its own. Secrets that were typed are not in it: it reads them from environment variables that it names at its top. Works for sessions that ended, too.",
        tags: ["Sessions"],
        params: sessionIdParams,
        querystring: workflowQuery,
        response: { 200: workflowAnswer, ...errorAnswers(422, 401, 404) },
      },
    },
    async (request) => {
      const { id } = await sessions.get(principalOf(request), request.params.session_id);
      const all = await steps.list(id);
      const code = workflowCode(all, request.query.as_workflow);
      return {
        python_script: code.python,
        json_actions: all
          .filter((step) => step.kind === "action")
          .map(toReplayableAction)
          .filter((action) => action !== null),
        javascript_script: code.javascript,
      };
    },
  );
}
