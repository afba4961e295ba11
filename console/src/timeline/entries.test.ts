import { describe, expect, test } from "vitest";
import type { ConsoleMessage, NetworkRequest, Session, Step } from "../api/types.ts";
import { filterEntries, lastIndexAt, toEntries } from "./entries.ts";

const time = (seconds: number) => new Date(1_764_000_000_000 + seconds * 1000).toISOString();

const session = {
  session_id: "f47ac10b-58cc-4372-a567-0e02b2c3d479",
  status: "error",
  end_reason: "browser_crash",
  created_at: time(0),
  closed_at: time(60),
} as unknown as Session;

const step = (position: number, at: number, success: boolean): Step => ({
  position,
  started_at: time(at),
  ended_at: time(at + 0.5),
  type: "execution_result",
  value: {
    action: { type: "click", id: "B3" },
    success,
    message: success ? 'Clicked B3 (button "Add").' : "B3 is gone.",
  },
});

const request = (
  id: string,
  at: number,
  changes: Partial<NetworkRequest> = {},
): NetworkRequest => ({
  id,
  method: "GET",
  url: "https://shop.example/api/stock?lamp=1",
  status: 200,
  type: "fetch",
  started_at: time(at),
  duration_ms: 120,
  ...changes,
});

const message = (at: number, level: ConsoleMessage["level"]): ConsoleMessage => ({
  at: time(at),
  level,
  source: "console",
  text: "stock is low\nsecond line",
});

const entries = toEntries({
  session,
  steps: [step(0, 10, true), step(1, 40, false)],
  running: null,
  requests: [
    request("a", 11),
    request("b", 12, { status: 500 }),
    request("c", 13, { status: null, failure: "net::ERR_FAILED" }),
  ],
  messages: [
    message(11.5, "warning"),
    {
      ...message(12, "error"),
      source: "browser",
      text: "Failed to load resource: the server responded with a status of 500 ()",
    },
    message(41, "error"),
  ],
});

const nothingElse = { running: null, requests: [], messages: [] };

describe("the time line", () => {
  test("has everything in the order in which it happened, from the start to the end", () => {
    expect(entries.map(({ key }) => key)).toEqual([
      "start",
      "step-0",
      "network-a",
      "console-0",
      "network-b",
      "network-c",
      "step-1",
      "console-2",
      "end",
    ]);
  });

  test("tells what is wrong: failed steps and requests, errors, a bad end", () => {
    const wrong = entries.filter(({ isError }) => isError).map(({ key }) => key);
    expect(wrong).toEqual(["network-b", "network-c", "step-1", "console-2", "end"]);
  });

  test("says each in a line", () => {
    expect(entries.map(({ title }) => title)).toEqual([
      "Session started",
      'Clicked B3 (button "Add")',
      "GET shop.example/api/stock?lamp=1",
      "stock is low",
      "GET shop.example/api/stock?lamp=1",
      "GET shop.example/api/stock?lamp=1",
      "click B3: B3 is gone",
      "stock is low",
      "Session ended: browser crashed",
    ]);
  });

  test("says of what was asked of a page in vain that it failed, and why", () => {
    const failed = (type: string): Step => ({
      ...step(0, 10, false),
      type,
      value: { metadata: { title: "" }, success: false, message: "The page is busy." },
    });
    const steps = [failed("observation"), failed("screenshot")];
    const told = toEntries({ session, steps, ...nothingElse }).slice(1, -1);
    expect(told.map(({ title, isError }) => [title, isError])).toEqual([
      ["Observing failed: The page is busy", true],
      ["The screenshot failed: The page is busy", true],
    ]);
  });

  test("tells what is under way, and what was broken off", () => {
    const running = {
      started_at: time(50),
      type: "execution_result",
      value: { action: { type: "click", id: "B3" } },
    };
    const interrupted = step(0, 10, false);
    const steps = [
      {
        ...interrupted,
        value: { ...interrupted.value, interrupted: true, message: "Interrupted." },
      },
    ];
    const told = toEntries({ session, steps, ...nothingElse, running }).slice(1, -1);
    expect(told.map(({ title, note, isRunning }) => [title, note, isRunning])).toEqual([
      ["click B3: Interrupted", "interrupted", false],
      ["click B3", "running", true],
    ]);
  });

  test("can be narrowed by kind, to errors, and by text", () => {
    const keys = (filter: Partial<Parameters<typeof filterEntries>[1]>) =>
      filterEntries(entries, {
        kinds: new Set(["step", "network", "console"]),
        onlyErrors: false,
        text: "",
        ...filter,
      }).map(({ key }) => key);
    expect(keys({})).toHaveLength(entries.length);
    expect(keys({ kinds: new Set(["step"]) })).toEqual(["start", "step-0", "step-1", "end"]);
    expect(keys({ onlyErrors: true, kinds: new Set(["network"]) })).toEqual([
      "network-b",
      "network-c",
      "end",
    ]);
    expect(keys({ text: "CLICK" })).toEqual(["step-0", "step-1"]);
  });

  test("finds the entry that a moment belongs to", () => {
    const at = (seconds: number) => entries[lastIndexAt(entries, Date.parse(time(seconds)))]?.key;
    expect(at(-1)).toBeUndefined();
    expect(at(0)).toBe("start");
    expect(at(11.4)).toBe("network-a");
    expect(at(39.999)).toBe("network-c");
    expect(at(100)).toBe("end");
    expect(lastIndexAt([], 0)).toBe(-1);
  });
});
