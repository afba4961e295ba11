import { Worker } from "node:worker_threads";
import { messageOf } from "../../sessions/errors.ts";

/** What is in a PDF. */
export type PdfText =
  | {
      readonly kind: "text";
      /** Empty where the file has none. */
      readonly title: string;
      /** Empty where its pages are pictures. */
      readonly markdown: string;
      readonly pageCount: number;
      readonly isTruncated: boolean;
    }
  /** It wants a password. */
  | { readonly kind: "locked" }
  /** `reason` is a sentence's end. */
  | { readonly kind: "unreadable"; readonly reason: string };

/** What the worker is given. */
export interface PdfInput {
  readonly bytes: Uint8Array;
  readonly maxPages: number;
  readonly maxCharacters: number;
}

const mostPages = 1000;
/** A file that takes longer is given up, in ms. */
const readTimeoutMs = 20_000;
/** What reading one may take of the memory, in MB. */
const memoryMb = 256;

/** Of those that are asked for at once, so many are read; the others wait, each in its lane. */
const lanes: Promise<unknown>[] = [Promise.resolve(), Promise.resolve()];
let nextLane = 0;

/** Reads a PDF in a thread of its own, within bounds. Throws only the signal's reason. */
export function readPdf(
  bytes: Uint8Array,
  maxCharacters: number,
  signal: AbortSignal,
): Promise<PdfText> {
  const lane = nextLane;
  nextLane = (nextLane + 1) % lanes.length;
  const input = { bytes, maxPages: mostPages, maxCharacters };
  const reading = (lanes[lane] ?? Promise.resolve()).then(() => readInWorker(input, signal));
  lanes[lane] = reading.catch(() => {});
  return reading;
}

async function readInWorker(input: PdfInput, signal: AbortSignal): Promise<PdfText> {
  signal.throwIfAborted();
  // The tests run the sources, the server what was made of them.
  const ending = import.meta.url.endsWith(".ts") ? ".ts" : ".js";
  // What is sent is given away, and these bytes may be a part of something larger.
  const bytes = Uint8Array.from(input.bytes);
  const worker = new Worker(new URL(`./pdf-worker${ending}`, import.meta.url), {
    workerData: { ...input, bytes },
    transferList: [bytes.buffer],
    // Whoever made the file finds no secrets there.
    env: {},
    resourceLimits: { maxOldGenerationSizeMb: memoryMb },
  });
  const { promise, resolve, reject } = Promise.withResolvers<PdfText>();
  const unreadable = (reason: string): void => resolve({ kind: "unreadable", reason });
  const abort = (): void => reject(signal.reason);
  const timer = setTimeout(() => unreadable("it takes too long to read"), readTimeoutMs);
  signal.addEventListener("abort", abort, { once: true });
  worker.once("message", resolve);
  worker.once("error", (error) => unreadable(messageOf(error)));
  worker.once("exit", () => unreadable("its reader ended"));
  try {
    return await promise;
  } finally {
    clearTimeout(timer);
    signal.removeEventListener("abort", abort);
    await worker.terminate();
  }
}
