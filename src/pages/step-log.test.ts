import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { NightjarError } from "../sessions/errors.ts";
import type { Action } from "./actions/action.ts";
import { Perception } from "./observe/perception.ts";
import { type LoggedOperation, StepLog } from "./step-log.ts";
import type { Asked, StartedStep } from "./steps/started-step.ts";
import type { Step } from "./steps/step.ts";

let kept: Step[];
let started: StartedStep[];
/** What is noted as under way; null for nothing. */
let noted: StartedStep | null;
let failures: string[];
/** Aborted when the client of an operation hangs up. */
let client: AbortController;
let session: { perception: Perception; notedNumbers: Record<string, number>; isOver: boolean };
let driver: { activeUrl: string; connected: boolean };
let log: StepLog;
let operation: LoggedOperation;

function logWith(append: (step: Step) => Promise<number>): StepLog {
  return new StepLog({
    steps: {
      append: async (_id, step, _numbers, endsStarted) => {
        if (endsStarted === true) noted = null;
        return append(step);
      },
      noteStarted: async (_id, step) => {
        noted = step;
      },
      started: async () => (noted === null ? [] : [{ sessionId: "id", step: noted }]),
    },
    onStarted: (_id, step) => void started.push(step),
    onFailure: (what) => void failures.push(what),
  });
}

beforeEach(() => {
  vi.useFakeTimers();
  [kept, started, noted, failures, client] = [[], [], null, [], new AbortController()];
  session = { perception: new Perception(), notedNumbers: {}, isOver: false };
  driver = { activeUrl: "http://ada:love@site.test/", connected: true };
  operation = { sessionId: "id", session, driver, signal: client.signal };
  log = logWith(async (step) => kept.push(step));
});

afterEach(() => {
  vi.useRealTimers();
});

const busy = new NightjarError("page_failed", "http://ada:love@site.test/ is busy.");
const observation: Asked = { kind: "observation" };
const shown: Step = { kind: "screenshot", startedAt: 1, endedAt: 2, url: "", sizeBytes: 3 };

const fail = (error: Error, before: () => unknown = () => {}) =>
  log.attempt(operation, observation, async () => {
    before();
    throw error;
  });

describe("the step of what fails", () => {
  test("says why and where, without credentials; the error goes its way", async () => {
    await expect(fail(busy)).rejects.toBe(busy);
    expect(kept).toEqual([
      {
        kind: "failure",
        asked: "observation",
        startedAt: Date.now(),
        endedAt: Date.now(),
        url: "http://********@site.test/",
        message: "http://********@site.test/ is busy.",
      },
    ]);
  });

  test("tells nobody what the server failed of", async () => {
    await expect(fail(new Error("/srv/secret is not there"))).rejects.toThrow("/srv/secret");
    expect(kept).toMatchObject([{ message: expect.stringMatching(/^The server failed/) }]);
  });

  test.each([
    ["its client", () => client.abort()],
    ["the end of its session", () => Object.assign(session, { isOver: true })],
    ["the end of its browser", () => Object.assign(driver, { connected: false })],
  ])("says that it was broken off by %s", async (_what, breakOff) => {
    await expect(fail(busy, breakOff)).rejects.toBe(busy);
    expect(kept).toMatchObject([
      { kind: "failure", isInterrupted: true, message: expect.stringMatching(/^Interrupted: /) },
    ]);
  });

  test("that cannot be written down does not take the place of the error", async () => {
    log = logWith(async () => {
      throw new Error("the disk is full");
    });
    await expect(fail(busy)).rejects.toBe(busy);
    expect(failures).toEqual(["record a step"]);
    expect(log.runningIn("id")).toBeNull();
  });
});

describe("a step under way", () => {
  /** Starts one that ends when the answer is called. */
  function begin(asked: Asked = { kind: "screenshot" }) {
    const work = Promise.withResolvers<void>();
    const done = log.attempt(operation, asked, async () => {
      await work.promise;
      return { value: 7, step: shown };
    });
    return { done, finish: () => work.resolve() };
  }

  test("is told as soon as it starts, and is none any more when it is done", async () => {
    const { done, finish } = begin();
    expect(started).toEqual([
      { startedAt: Date.now(), url: "http://********@site.test/", asked: { kind: "screenshot" } },
    ]);
    expect(log.runningIn("id")).toEqual(started[0]);
    expect(log.runningIn("other")).toBeNull();
    finish();
    expect(await done).toBe(7);
    expect(log.runningIn("id")).toBeNull();
    expect(kept).toEqual([shown]);
  });

  test("is noted in the store only where it takes its time", async () => {
    const brief = begin();
    brief.finish();
    await brief.done;
    await vi.advanceTimersByTimeAsync(1000);
    expect(noted).toBeNull();
    const { done, finish } = begin();
    await vi.advanceTimersByTimeAsync(1000);
    expect(noted).toEqual(started[1]);
    finish();
    await done;
    expect(noted).toBeNull();
  });

  test("is interrupted by the session's end, once, whatever becomes of it then", async () => {
    const { done, finish } = begin();
    await log.breakOff("id", "browser_crash");
    expect(kept).toMatchObject([
      { asked: "screenshot", message: "Interrupted: the session ended: browser_crash." },
    ]);
    expect(log.breakOff("id", "browser_crash")).toBeNull();
    await log.giveUp("id", client.signal, busy);
    finish();
    await done;
    expect(kept).toHaveLength(1);
  });

  test("that is given up has failed; what its operation goes on to begin is not begun", async () => {
    const { done, finish } = begin();
    await log.giveUp("id", new AbortController().signal, busy);
    expect(kept).toEqual([]);
    await log.giveUp("id", client.signal, busy);
    expect(kept).toMatchObject([{ message: "http://********@site.test/ is busy." }]);
    finish();
    await done;
    await expect(begin().done).rejects.toThrow("given up");
    expect(started).toHaveLength(1);
  });

  test("of a process that ended is written down as interrupted by the next", async () => {
    const target = { id: "I1", selectors: [], frames: [] };
    const action: Action = {
      type: "fill",
      target,
      value: "love",
      clearBeforeFill: true,
      timeoutMs: 5,
      pressEnter: false,
      dialog: null,
    };
    void begin({ kind: "action", action, selectors: null });
    await vi.advanceTimersByTimeAsync(1000);
    const next = logWith(async (step) => kept.push(step));
    await next.interruptLeft("node");
    expect(kept).toMatchObject([
      {
        kind: "action",
        action: { type: "fill", target },
        success: false,
        isInterrupted: true,
        failure: "Interrupted: the server went down.",
      },
    ]);
    expect(JSON.stringify(kept)).not.toContain('love"');
    expect(noted).toBeNull();
    await next.interruptLeft("node");
    expect(kept).toHaveLength(1);
  });

  test("tells nothing that may turn out to be secret, and little of what is long", () => {
    const typed = (key: string): Action => ({ type: "press_key", key, dialog: null });
    const keyOf = (key: string) => {
      begin({ kind: "action", action: typed(key), selectors: null });
      return started.at(-1)?.asked;
    };
    for (const key of ["x", "KeyA", "Shift+Digit7", "Space", "Numpad1"]) {
      expect(keyOf(key)).toMatchObject({ action: { key: "********" } });
    }
    expect(keyOf("Enter")).toMatchObject({ action: { key: "Enter" } });
    const url = "http://ada:love@other.test/";
    begin({ kind: "action", action: { type: "goto", url, dialog: null }, selectors: null });
    expect(started.at(-1)?.asked).toMatchObject({ action: { url: "http://********@other.test/" } });
    const code = "x".repeat(1_000_000);
    begin({ kind: "action", action: { type: "evaluate_js", code, dialog: null }, selectors: null });
    expect(JSON.stringify(started.at(-1)).length).toBeLessThan(1000);
  });
});
