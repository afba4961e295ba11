import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { makeSession } from "../../tests/support/domain-fakes.ts";
import { makeStep } from "../../tests/support/made-steps.ts";
import { longestStepJson } from "../pages/steps/fitted-step.ts";
import type { Step } from "../pages/steps/step.ts";
import { ApiKeyRecords } from "./api-key-records.ts";
import type { Database } from "./database.ts";
import { SessionRecords } from "./session-records.ts";
import { openSqlite } from "./sqlite.ts";
import { StepRecords } from "./step-records.ts";

let directory: string;
let file: string;
let database: Database;
let steps: StepRecords;
let id: string;

beforeEach(async () => {
  directory = await mkdtemp(path.join(tmpdir(), "nightjar-steps-"));
  file = path.join(directory, "nightjar.db");
  database = await openSqlite(file);
  await new ApiKeyRecords(database).create("tenant", "test");
  steps = new StepRecords(database);
  id = await session();
});

afterEach(async () => {
  await database.close();
  await rm(directory, { recursive: true });
});

async function session(): Promise<string> {
  const made = makeSession();
  await new SessionRecords(database).insert(made, null);
  return made.id;
}

function screenshot(sizeBytes: number): Step {
  return { kind: "screenshot", startedAt: 1, endedAt: 2, url: "http://a/", sizeBytes };
}

function goto(url: string): Step {
  return makeStep({ type: "goto", url, dialog: null });
}

describe("a step that started", () => {
  const started = { startedAt: 1, url: "http://a/", asked: { kind: "pdf" } } as const;
  const { nodeId } = makeSession();

  test("is noted, one a session, until a step ends it", async () => {
    await steps.noteStarted(id, { ...started, startedAt: 0 });
    await steps.noteStarted(id, started);
    expect(await steps.started(nodeId)).toEqual([{ sessionId: id, step: started }]);
    expect(await steps.started("another node")).toEqual([]);
    await steps.append(await session(), screenshot(1), null, true);
    await steps.append(id, screenshot(1), null);
    expect(await steps.started(nodeId)).toHaveLength(1);
    await steps.append(id, screenshot(2), null, true);
    expect(await steps.started(nodeId)).toEqual([]);
    expect(await steps.count(id)).toBe(2);
  });
});

describe("steps", () => {
  test("come back in their order, as they were, also for the next process", async () => {
    const other = await session();
    const added = [
      goto("http://ä/\u0000'\""),
      screenshot(7),
      makeStep({ type: "reload", dialog: null }),
    ];
    for (const [position, step] of added.entries()) {
      expect(await steps.append(id, step, null)).toBe(position);
    }
    await steps.append(other, screenshot(1), null);
    expect(await steps.list(id)).toEqual(added);
    expect(await steps.after(id, 0, 1)).toEqual([{ position: 1, step: added[1] }]);
    expect(await steps.after(id, 2, 10)).toEqual([]);
    await database.close();
    database = await openSqlite(file);
    const again = new StepRecords(database);
    expect(await again.list(id)).toEqual(added);
    expect(await again.latest([id, other, crypto.randomUUID()], 2)).toEqual(
      new Map([
        [id, added.slice(1)],
        [other, [screenshot(1)]],
      ]),
    );
    expect(await again.count(id)).toBe(3);
    expect(await again.count(other)).toBe(1);
    expect(await again.list(crypto.randomUUID())).toEqual([]);
  });

  test("have positions without gaps when several connections write at once", async () => {
    const second = await openSqlite(file);
    try {
      const writers = [steps, new StepRecords(second)];
      await Promise.all(
        Array.from({ length: 60 }, (_, n) => writers[n % 2]?.append(id, screenshot(n), null)),
      );
      const rows = await database.query
        .selectFrom("session_steps")
        .select("position")
        .where("session_id", "=", id)
        .orderBy("position")
        .execute();
      expect(rows.map(({ position }) => position)).toEqual(Array.from({ length: 60 }, (_, n) => n));
      const sizes = (await steps.list(id)).map((step) =>
        step.kind === "screenshot" ? step.sizeBytes : -1,
      );
      expect(sizes.toSorted((a, b) => a - b)).toEqual(Array.from({ length: 60 }, (_, n) => n));
    } finally {
      await second.close();
    }
  });

  test("of a session that the store does not know are an error", async () => {
    await expect(steps.append(crypto.randomUUID(), screenshot(1), null)).rejects.toThrow();
  });

  test("that are too large are cut and say so; others next to the limit are kept whole", async () => {
    await steps.append(id, goto(`https://a/${"x".repeat(longestStepJson)}`), null);
    await steps.append(id, goto(`https://a/${"x".repeat(longestStepJson / 2)}`), null);
    const [cut, whole] = await steps.list(id);
    expect(JSON.stringify(cut).length).toBeLessThanOrEqual(longestStepJson);
    expect(cut).toMatchObject({ isCut: true, success: true, action: { type: "goto" } });
    expect(JSON.stringify(cut)).toContain("(cut)");
    expect(whole).toEqual(goto(`https://a/${"x".repeat(longestStepJson / 2)}`));
  });

  test("with a schema that nests deeper than it can be written lose the schema alone", async () => {
    let schema: Record<string, unknown> = {};
    for (let depth = 0; depth < 50_000; depth += 1) schema = { items: schema };
    const request = {
      selector: "main",
      includeLinks: true,
      includeImages: false,
      ignoredTags: [],
      onlyMainContent: true,
      onlyImages: false,
      useLinkPlaceholders: false,
      responseFormat: schema,
      instructions: null,
    };
    await steps.append(id, makeStep({ type: "scrape", request, dialog: null }), null);
    expect(await steps.list(id)).toMatchObject([
      { isCut: true, action: { request: { selector: "main", responseFormat: null } } },
    ]);
  });

  test("bring the numbers of elements that they gave, of which the last are kept", async () => {
    const observation = (lastNumbers: Record<string, number>): Step => ({
      kind: "observation",
      startedAt: 1,
      endedAt: 2,
      url: "http://a/",
      title: "",
      elementCount: 1,
      lastNumbers,
    });
    expect(await steps.elementNumbers(id)).toEqual({});
    await steps.append(id, screenshot(1), null);
    // As versions wrote it that noted numbers in observations alone.
    await steps.append(id, observation({ B: 3 }), null);
    expect(await steps.elementNumbers(id)).toEqual({ B: 3 });
    await steps.append(id, screenshot(1), { B: 4, L: 1 });
    await steps.append(id, observation({ B: 4, L: 1 }), null);
    expect(await steps.elementNumbers(id)).toEqual({ B: 4, L: 1 });
    expect(await steps.elementNumbers(await session())).toEqual({});
  });

  test("are no more than a session may have; what is over that is left out, but not its numbers", async () => {
    const full = 300;
    const large = goto(`https://a/${"x".repeat(60_000)}`);
    for (let n = 0; n < full; n += 1) await steps.append(id, large, null);
    const kept = await steps.count(id);
    expect(kept).toBeGreaterThan(250);
    expect(kept).toBeLessThan(full);
    expect(await steps.append(id, screenshot(1), { B: 70_000 })).toBeNull();
    expect(await steps.count(id)).toBe(kept);
    expect(await steps.elementNumbers(id)).toEqual({ B: 70_000 });
    const stored = JSON.stringify(await steps.list(id)).length;
    expect(stored).toBeLessThan(17 * 1024 * 1024);
  }, 60_000);
});
