import { type Kysely, sql } from "kysely";
import { fittedStepJson } from "../pages/steps/fitted-step.ts";
import type { StartedStep } from "../pages/steps/started-step.ts";
import type { Step } from "../pages/steps/step.ts";
import type { ElementNumbers, PlacedStep, StepStore } from "../pages/steps/step-store.ts";
import type { Database } from "./database.ts";
import type { Schema } from "./schema.ts";

/** A session that runs wild must not fill the disk, nor the memory of who reads its steps. */
const mostSteps = 10_000;
const mostCharacters = 16 * 1024 * 1024;

/** How far back an observation is looked for. */
const stepsToRecall = 1000;

/** How often a position is tried to be taken, when other writers take it first. */
const mostTries = 100;

/** Steps of sessions in the store. */
export class StepRecords implements StepStore {
  readonly #database: Database;

  constructor(database: Database) {
    this.#database = database;
  }

  async append(
    sessionId: string,
    step: Step,
    numbers: ElementNumbers | null,
    endsStarted = false,
  ): Promise<number | null> {
    const json = fittedStepJson(step);
    for (let attempt = 1; ; attempt += 1) {
      try {
        return await this.#appendOnce(sessionId, json, numbers, endsStarted);
      } catch (error) {
        // Somebody else took the position between the statement's two halves: the next one then.
        if (!this.#database.isUniqueViolation(error) || attempt === mostTries) throw error;
      }
    }
  }

  async elementNumbers(sessionId: string): Promise<ElementNumbers> {
    const row = await this.#database.query
      .selectFrom("sessions")
      .select("element_numbers_json")
      .where("id", "=", sessionId)
      .executeTakeFirst();
    if (row === undefined || row.element_numbers_json === null) {
      // A session that an earlier version began has them in its steps alone.
      return this.#numbersInSteps(sessionId);
    }
    return JSON.parse(row.element_numbers_json) as ElementNumbers;
  }

  async count(sessionId: string): Promise<number> {
    const { count } = await this.#database.query
      .selectFrom("session_steps")
      .select((select) => select.fn.countAll().as("count"))
      .where("session_id", "=", sessionId)
      .executeTakeFirstOrThrow();
    return Number(count);
  }

  async list(sessionId: string): Promise<readonly Step[]> {
    const rows = await this.#database.query
      .selectFrom("session_steps")
      .select("step_json")
      .where("session_id", "=", sessionId)
      .orderBy("position")
      .execute();
    return rows.map(toStep);
  }

  async after(sessionId: string, position: number, most: number): Promise<readonly PlacedStep[]> {
    const rows = await this.#database.query
      .selectFrom("session_steps")
      .select(["position", "step_json"])
      .where("session_id", "=", sessionId)
      .where("position", ">", position)
      .orderBy("position")
      .limit(most)
      .execute();
    return rows.map((row) => ({ position: row.position, step: toStep(row) }));
  }

  async latest(
    sessionIds: readonly string[],
    most: number,
  ): Promise<ReadonlyMap<string, readonly Step[]>> {
    const found = new Map<string, readonly Step[]>();
    for (const id of sessionIds) {
      const rows = await this.#database.query
        .selectFrom("session_steps")
        .select("step_json")
        .where("session_id", "=", id)
        .orderBy("position", "desc")
        .limit(most)
        .execute();
      if (rows.length > 0) found.set(id, rows.reverse().map(toStep));
    }
    return found;
  }

  async noteStarted(sessionId: string, step: StartedStep): Promise<void> {
    const step_json = JSON.stringify(step);
    await this.#database.query
      .insertInto("started_steps")
      .values({ session_id: sessionId, step_json })
      .onConflict((conflict) => conflict.column("session_id").doUpdateSet({ step_json }))
      .execute();
  }

  async started(nodeId: string) {
    const rows = await this.#database.query
      .selectFrom("started_steps")
      .innerJoin("sessions", "sessions.id", "started_steps.session_id")
      .select(["started_steps.session_id", "started_steps.step_json"])
      .where("sessions.node_id", "=", nodeId)
      .execute();
    return rows.map((row) => ({
      sessionId: row.session_id,
      step: JSON.parse(row.step_json) as StartedStep,
    }));
  }

  /** Step, numbers and what is under way in one commit. */
  #appendOnce(
    sessionId: string,
    json: string,
    numbers: ElementNumbers | null,
    endsStarted: boolean,
  ): Promise<number | null> {
    const { query } = this.#database;
    if (numbers === null && !endsStarted) return insertNext(query, sessionId, json);
    return query.transaction().execute(async (transaction) => {
      const position = await insertNext(transaction, sessionId, json);
      if (numbers !== null) {
        await transaction
          .updateTable("sessions")
          .set({ element_numbers_json: JSON.stringify(numbers) })
          .where("id", "=", sessionId)
          .execute();
      }
      if (endsStarted) {
        await transaction.deleteFrom("started_steps").where("session_id", "=", sessionId).execute();
      }
      return position;
    });
  }

  async #numbersInSteps(sessionId: string): Promise<ElementNumbers> {
    const latest = (await this.latest([sessionId], stepsToRecall)).get(sessionId) ?? [];
    for (const step of latest.toReversed()) {
      if (step.kind === "observation") return step.lastNumbers;
    }
    return {};
  }
}

/** Inserts after the last step, in one statement, unless the session has its fill. */
async function insertNext(
  query: Kysely<Schema>,
  sessionId: string,
  json: string,
): Promise<number | null> {
  const last = query
    .selectFrom("session_steps")
    .select(["position", "total_characters"])
    .where("session_id", "=", sessionId)
    .orderBy("position", "desc")
    .limit(1);
  // A row of its own, so that there is one to insert also where no step is before it.
  const start = sql<{ one: number }>`(select 1 as one)`.as("start");
  const inserted = await query
    .insertInto("session_steps")
    .columns(["session_id", "position", "total_characters", "step_json"])
    .expression(
      query
        .selectFrom(start)
        .leftJoin(last.as("last"), (join) => join.onTrue())
        .select([
          sql<string>`cast(${sessionId} as text)`.as("session_id"),
          sql<number>`coalesce(last.position + 1, 0)`.as("position"),
          sql<number>`coalesce(last.total_characters, 0) + cast(${json.length} as integer)`.as(
            "total_characters",
          ),
          sql<string>`cast(${json} as text)`.as("step_json"),
        ])
        .where(sql<boolean>`coalesce(last.position + 1, 0) < cast(${mostSteps} as integer)`)
        .where(
          sql<boolean>`coalesce(last.total_characters, 0) < cast(${mostCharacters} as integer)`,
        ),
    )
    .returning("position")
    .executeTakeFirst();
  return inserted?.position ?? null;
}

/** Written by `append` alone, so it has the shape that this version or an older one of it gave it. */
function toStep(row: { readonly step_json: string }): Step {
  return JSON.parse(row.step_json) as Step;
}
