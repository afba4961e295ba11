import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { keepWatching } from "./keep-watching.ts";

let over: AbortController;
let failures: unknown[];

beforeEach(() => {
  vi.useFakeTimers();
  [over, failures] = [new AbortController(), []];
});

afterEach(() => {
  vi.useRealTimers();
});

const pause = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));

const onFailure = (error: unknown) => void failures.push(error);

test("What fails or breaks off is tried again a second later, and said once until it can be had", async () => {
  const tries: (() => Promise<void>)[] = [
    () => Promise.reject(new Error("nobody is there")),
    () => Promise.reject(new Error("nobody is there")),
    async () => {},
    () => Promise.reject(new Error("gone again")),
  ];
  let count = 0;
  const watching = keepWatching({
    over: over.signal,
    onFailure,
    pause,
    watch: () =>
      tries[count++]?.() ?? new Promise((resolve) => (over.signal.onabort = () => resolve())),
  });
  await vi.advanceTimersByTimeAsync(999);
  expect(count).toBe(1);
  await vi.advanceTimersByTimeAsync(4000);
  expect(count).toBe(5);
  expect(failures.map(String)).toEqual(["Error: nobody is there", "Error: gone again"]);
  over.abort();
  expect(await watching).toBe(true);
});

test("The end breaks the pause off, and what fails by it is not said", async () => {
  const watching = keepWatching({ over: over.signal, onFailure, watch: async () => {} });
  await vi.advanceTimersByTimeAsync(500);
  over.abort();
  expect(await watching).toBe(true);

  const second = new AbortController();
  const failing = keepWatching({
    over: second.signal,
    onFailure,
    watch: async () => {
      second.abort();
      throw new Error("its browser is gone");
    },
  });
  expect(await failing).toBe(true);
  expect(failures).toEqual([]);
});

test("What breaks off too often in a row is given up; what lasted between counts anew", async () => {
  let count = 0;
  const watching = keepWatching({
    over: over.signal,
    onFailure,
    pause,
    mostLosses: 3,
    watch: async () => {
      count += 1;
      if (count === 2) await new Promise((resolve) => setTimeout(resolve, 61_000));
    },
  });
  await vi.advanceTimersByTimeAsync(70_000);
  expect(await watching).toBe(false);
  expect(count).toBe(4);
});
