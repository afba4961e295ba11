import { vi } from "vitest";

/** Far more than anything takes, also where all tests of the machine run at once, in ms. */
const timeoutMs = 15_000;
const everyMs = 50;

/** Tries until it does not throw any more. */
export function eventually<T>(attempt: () => T | Promise<T>): Promise<T> {
  return vi.waitFor(attempt, { timeout: timeoutMs, interval: everyMs });
}
