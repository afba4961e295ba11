import { setTimeout as delay } from "node:timers/promises";
import type { BrowserWatch } from "../sessions/ports.ts";
import type { LogLimits, LogWriter } from "./log-writer.ts";
import { maskText } from "./masking.ts";
import type { NetworkEntry } from "./network-entry.ts";

/** The longest body that is kept, in bytes. */
export const longestBodyBytes = 512 * 1024;

/** Room for the bodies of one session. */
export const bodyLimits: LogLimits = {
  batchBytes: 4 * 1024 ** 2,
  totalBytes: 32 * 1024 ** 2,
  totalLines: 10_000,
};

/**
 * What the browser holds of the answers to one target until they are fetched: those that came and
 * went at once. It counts texts with two bytes a character. In bytes.
 */
const held = {
  maxResourceBufferSize: 2 * longestBodyBytes,
  maxTotalBufferSize: 16 * 1024 ** 2,
  // As the watch has it, which this takes the place of.
  maxPostDataSize: 1,
};

/** How long the last of them may hold up the end of their browser, in ms: a page that hangs answers none. */
const lastFetchesMs = 2000;

/** How many are fetched at once, and how many wait for it; more are left out. */
const mostFetched = 8;
const mostWaiting = 500;

const textTypes =
  /^(?:text\/(?!event-stream)|application\/(?:[\w.-]+\+)?(?:json|xml|javascript|ecmascript|graphql)\b|application\/(?:x-javascript|x-ndjson|x-www-form-urlencoded|manifest)\b|image\/svg\+xml)/i;

/** The body of an answer, as it is logged. */
export interface BodyEntry {
  /** Of the request's entry in the network log. */
  readonly id: string;
  /** Secrets masked. */
  readonly text: string;
}

/** Whether a parsed line of the log is a body. */
export function isBodyEntry(value: unknown): value is BodyEntry {
  return (
    typeof value === "object" &&
    value !== null &&
    "id" in value &&
    "text" in value &&
    typeof value.text === "string"
  );
}

/** Where the body of an answer can be had. */
export interface BodySource {
  /** The browser's id of the request. */
  readonly requestId: string;
  /** The watch's CDP session that told of it. */
  readonly sessionId: string;
}

/** Fetches the texts that a session's pages were answered from the browser, and logs them. */
export class ResponseBodies {
  readonly #writer: () => LogWriter | null;
  readonly #waiting: (() => Promise<void>)[] = [];
  readonly #fetching = new Set<Promise<void>>();
  #isFull = false;

  /** `writer`: null until the log is open. */
  constructor(writer: () => LogWriter | null) {
    this.#writer = writer;
  }

  /** None is kept any more. */
  get isFull(): boolean {
    return this.#isFull;
  }

  /** Has a target of the browser hold what it is answered, from now on; all of them without one. */
  static hold(watch: BrowserWatch, ...sessionIds: readonly string[]): void {
    const all =
      sessionIds.length > 0 ? sessionIds : watch.targets.map(({ sessionId }) => sessionId);
    for (const sessionId of all) {
      // A failure means that the target is gone.
      watch.send("Network.enable", held, { sessionId }).catch(() => {});
    }
  }

  /** A request is over: its body is logged, soon, if it is a text that is not too long. */
  take(watch: BrowserWatch, entry: NetworkEntry, source: BodySource): void {
    const { id, mimeType, contentBytes } = entry;
    if (this.#isFull || contentBytes > longestBodyBytes || !textTypes.test(mimeType)) return;
    if (this.#waiting.length >= mostWaiting) return;
    this.#waiting.push(async () => {
      const { requestId, sessionId } = source;
      // It fails where the page was left meanwhile, and its answers with it.
      const answer = await watch
        .send("Network.getResponseBody", { requestId }, { sessionId })
        .catch(() => null);
      this.#write(id, answer);
    });
    this.#fetchNext();
  }

  /** Resolves when none is fetched any more: those that cannot be had soon are left out. */
  async close(): Promise<void> {
    const late = new AbortController();
    await Promise.race([
      this.#settled(),
      delay(lastFetchesMs, undefined, { ref: false, signal: late.signal }).catch(() => {}),
    ]);
    late.abort();
    this.#isFull = true;
    this.#waiting.length = 0;
  }

  async #settled(): Promise<void> {
    while (this.#fetching.size > 0) await Promise.all(this.#fetching);
  }

  #fetchNext(): void {
    while (this.#fetching.size < mostFetched) {
      const fetch = this.#waiting.shift();
      if (fetch === undefined) return;
      const fetching = fetch().finally(() => {
        this.#fetching.delete(fetching);
        this.#fetchNext();
      });
      this.#fetching.add(fetching);
    }
  }

  #write(id: string, answer: unknown): void {
    const text = textOf(answer);
    if (text === "") return;
    const entry: BodyEntry = { id, text: maskText(text.toWellFormed()) };
    // From then on none is kept, also not a short one: which were left out would be a riddle.
    if (this.#writer()?.append(entry) === false) this.#isFull = true;
  }
}

/** The text of an answer to `Network.getResponseBody`; empty where it has none. */
function textOf(answer: unknown): string {
  const { body, base64Encoded } = (answer ?? {}) as {
    readonly body?: unknown;
    readonly base64Encoded?: unknown;
  };
  if (typeof body !== "string") return "";
  if (base64Encoded !== true) return body;
  // Of what it does not know as text by its type, it tells the bytes.
  try {
    return new TextDecoder("utf-8", { fatal: true }).decode(Buffer.from(body, "base64"));
  } catch {
    return "";
  }
}
