import { Worker } from "node:worker_threads";
import type { JsonSchema } from "../pages/scrape/structured-extractor.ts";
import { messageOf } from "../sessions/errors.ts";

/** What a check found. */
export type Verdict =
  | { readonly kind: "fits" }
  /** The value does not fit the schema: what is wrong, a sentence each. */
  | { readonly kind: "misfit"; readonly mistakes: readonly string[] }
  /** Nothing can be checked by this schema, or not this value; `reason` is a sentence's end. */
  | { readonly kind: "unusable"; readonly reason: string };

/** What the worker is given; without a value, only the schema itself is looked at. */
export interface CheckInput {
  readonly schema: JsonSchema;
  readonly value?: unknown;
}

const mostSchemaCharacters = 200_000;
const mostLevels = 100;
/** A schema whose patterns take longer is not worth its answer, in ms. */
const checkTimeoutMs = 5000;
/** What a schema's check may take of the memory, in MB. */
const memoryMb = 128;

/**
 * Checks a schema and, where one is given, a value by it. Runs in a thread of its own that is ended
 * when it takes too long, since a pattern may take for ever. Throws only the signal's reason.
 */
export async function checkBySchema(input: CheckInput, signal: AbortSignal): Promise<Verdict> {
  signal.throwIfAborted();
  if (isDeeperThan(input.schema, mostLevels)) {
    return { kind: "unusable", reason: `it is nested more than ${mostLevels} levels deep` };
  }
  const { length } = JSON.stringify(input.schema);
  if (length > mostSchemaCharacters) {
    const reason = `it has ${length} characters, ${mostSchemaCharacters} are the most`;
    return { kind: "unusable", reason };
  }
  if (isDeeperThan(input.value, mostLevels)) {
    return {
      kind: "misfit",
      mistakes: [`the answer is nested more than ${mostLevels} levels deep`],
    };
  }
  return checkInWorker(input, signal);
}

function checkInWorker(input: CheckInput, signal: AbortSignal): Promise<Verdict> {
  // The tests run the sources, the server what was made of them.
  const ending = import.meta.url.endsWith(".ts") ? ".ts" : ".js";
  const worker = new Worker(new URL(`./schema-worker${ending}`, import.meta.url), {
    workerData: input,
    // Code is made from the caller's schema there: it finds no secrets.
    env: {},
    resourceLimits: { maxOldGenerationSizeMb: memoryMb },
  });
  const { promise, resolve, reject } = Promise.withResolvers<Verdict>();
  const unusable = (reason: string): void => resolve({ kind: "unusable", reason });
  const abort = (): void => reject(signal.reason);
  const timer = setTimeout(() => unusable("it takes too long to check by it"), checkTimeoutMs);
  signal.addEventListener("abort", abort, { once: true });
  worker.once("message", resolve);
  worker.once("error", (error) => unusable(`nothing can be checked by it (${messageOf(error)})`));
  return promise.finally(() => {
    clearTimeout(timer);
    signal.removeEventListener("abort", abort);
    void worker.terminate();
  });
}

/** Counts levels without a call for each: what is nested too deep would end those. */
function isDeeperThan(value: unknown, levels: number): boolean {
  let level: unknown[] = [value];
  for (let depth = 0; level.length > 0; depth += 1) {
    if (depth > levels) return true;
    level = level.flatMap((item) =>
      typeof item === "object" && item !== null ? Object.values(item) : [],
    );
  }
  return false;
}
