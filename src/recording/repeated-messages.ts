import type { ConsoleEntry } from "./console-entry.ts";

/** How long after it was asked a browser may still tell of earlier messages, in ms. */
const repeatsMs = 10_000;

/**
 * A browser tells everybody who asks of all messages that its pages still hold, so that those which
 * are logged come again after a restart of the server. They are known by when and where they were said:
 * what they say may be shown otherwise by then.
 */
export class RepeatedMessages {
  readonly #expected = new Map<string, number>();
  readonly #until = Date.now() + repeatsMs;

  /** Expects a message that is logged to come once more. */
  add(entry: ConsoleEntry): void {
    const key = keyOf(entry);
    this.#expected.set(key, (this.#expected.get(key) ?? 0) + 1);
  }

  /** Whether a message is one of those that were expected; each is taken once. */
  take(entry: ConsoleEntry): boolean {
    if (this.#expected.size === 0) return false;
    const key = keyOf(entry);
    const count = this.#expected.get(key) ?? 0;
    if (count <= 1) this.#expected.delete(key);
    else this.#expected.set(key, count - 1);
    return count > 0;
  }

  /** To be called every second or so: lets go of what did not come. */
  tend(): void {
    if (Date.now() > this.#until) this.#expected.clear();
  }
}

function keyOf({ at, source, level, url, line, column }: ConsoleEntry): string {
  return JSON.stringify([at, source, level, url, line, column]);
}
