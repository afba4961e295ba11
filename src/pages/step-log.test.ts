import { beforeEach, describe, expect, test } from "vitest";
import { NightjarError } from "../sessions/errors.ts";
import { Perception } from "./observe/perception.ts";
import { type LoggedOperation, StepLog } from "./step-log.ts";
import type { FailedOperation, Step } from "./steps/step.ts";

let kept: Step[];
let failures: string[];
/** Aborted when the client of an operation hangs up. */
let client: AbortController;
let session: { perception: Perception; notedNumbers: Record<string, number>; isOver: boolean };
let driver: { activeUrl: string; connected: boolean };
let log: StepLog;
let operation: LoggedOperation;

beforeEach(() => {
  [kept, failures, client] = [[], [], new AbortController()];
  session = { perception: new Perception(), notedNumbers: {}, isOver: false };
  driver = { activeUrl: "http://ada:love@site.test/", connected: true };
  operation = { sessionId: "id", session, driver, signal: client.signal };
  log = new StepLog({
    steps: { append: async (_id, step) => kept.push(step) },
    onFailure: (what) => void failures.push(what),
  });
});

const busy = new NightjarError("page_failed", "http://ada:love@site.test/ is busy.");

const failedStep = (failed: FailedOperation): Step => ({
  kind: "failure",
  asked: "observation",
  ...failed,
});

const fail = (error: Error, before: () => unknown = () => {}) =>
  log.attempt(operation, failedStep, async () => {
    before();
    throw error;
  });

describe("the step of what fails", () => {
  test("says why and where, without credentials; the error goes its way", async () => {
    const begun = Date.now();
    await expect(fail(busy)).rejects.toBe(busy);
    expect(kept).toEqual([
      {
        kind: "failure",
        asked: "observation",
        startedAt: expect.any(Number),
        endedAt: expect.any(Number),
        url: "http://********@site.test/",
        message: "http://********@site.test/ is busy.",
      },
    ]);
    expect(kept[0]?.startedAt).toBeGreaterThanOrEqual(begun);
  });

  test("tells nobody what the server failed of", async () => {
    await expect(fail(new Error("/srv/secret is not there"))).rejects.toThrow("/srv/secret");
    expect(kept).toMatchObject([{ message: expect.stringMatching(/^The server failed/) }]);
  });

  test.each([
    ["its client", () => client.abort()],
    ["the end of its session", () => Object.assign(session, { isOver: true })],
    ["the end of its browser", () => Object.assign(driver, { connected: false })],
  ])("is none where it was broken off by %s", async (_what, breakOff) => {
    await expect(fail(busy, breakOff)).rejects.toBe(busy);
    expect(kept).toEqual([]);
  });

  test("is none where it succeeds, which has one of its own", async () => {
    expect(await log.attempt(operation, failedStep, async () => 7)).toBe(7);
    expect(kept).toEqual([]);
  });

  test("that cannot be written down does not take the place of the error", async () => {
    const full = async () => {
      throw new Error("the disk is full");
    };
    log = new StepLog({
      steps: { append: full },
      onFailure: (what) => void failures.push(what),
    });
    await expect(fail(busy)).rejects.toBe(busy);
    expect(failures).toEqual(["record a step"]);
  });
});
