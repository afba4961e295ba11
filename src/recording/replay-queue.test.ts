import { beforeEach, describe, expect, it } from "vitest";
import { noTracer } from "../sessions/tracer.ts";
import type { EncodingOptions } from "./encoder.ts";
import type { ReplayOutcome } from "./replay-maker.ts";
import { ReplayQueue } from "./replay-queue.ts";

const empty: ReplayOutcome = { kind: "empty" };

/** Work that lasts until a test lets it end. */
class HeldMaker {
  readonly begun: string[] = [];
  readonly signals: AbortSignal[] = [];
  #ends: PromiseWithResolvers<void>[] = [];

  encode(directory: string, number: number, { signal }: EncodingOptions): Promise<void> {
    return this.#begin(`${directory} ${number}`, signal);
  }

  async finish(directory: string, { signal }: EncodingOptions): Promise<ReplayOutcome> {
    await this.#begin(directory, signal);
    return empty;
  }

  end(error?: unknown): void {
    const first = this.#ends.shift();
    if (error === undefined) first?.resolve();
    else first?.reject(error);
  }

  #begin(what: string, signal: AbortSignal): Promise<void> {
    this.begun.push(what);
    this.signals.push(signal);
    const end = Promise.withResolvers<void>();
    signal.addEventListener("abort", () => end.reject(signal.reason));
    this.#ends.push(end);
    return end.promise;
  }
}

let maker: HeldMaker;
let queue: ReplayQueue;
let finished: string[];
let failed: string[];
let retried: string[];
/** Whether a replay was still being made for who asks, when it was written down that it failed. */
let finishingWhenFailed: boolean;

beforeEach(() => {
  maker = new HeldMaker();
  [finished, failed, retried, finishingWhenFailed] = [[], [], [], false];
  queue = new ReplayQueue({
    tracer: noTracer,
    maker,
    directoryOf: (sessionId) => sessionId,
    onFinished: async (sessionId) => void finished.push(sessionId),
    onFailed: async (sessionId) => {
      failed.push(sessionId);
      finishingWhenFailed = queue.isFinishing(sessionId);
    },
    onFailure: (sessionId) => void retried.push(sessionId),
  });
});

const begun = (...what: string[]) => expect.poll(() => maker.begun).toEqual(what);

describe("the work on replays", () => {
  it("is done one piece at a time, first what somebody may wait for", async () => {
    queue.encodeSoon("a", 1);
    queue.encodeSoon("a", 2);
    await begun("a 1");
    queue.finishSoon("b");
    maker.end();
    await begun("a 1", "b");
    maker.end();
    await begun("a 1", "b", "a 2");
    expect(finished).toEqual(["b"]);
    expect(queue.isFinishing("b")).toBe(false);
    // What is done at the end of a session includes its files.
    queue.encodeSoon("a", 3);
    queue.finishSoon("a");
    maker.end();
    await begun("a 1", "b", "a 2", "a");
    maker.end();
    await expect.poll(() => finished).toEqual(["b", "a"]);
    queue.finishSoon("c");
    await begun("a 1", "b", "a 2", "a", "c");
  });

  it("is tried again at the end of the queue, and then given up", async () => {
    queue.finishSoon("a");
    queue.finishSoon("b");
    await begun("a");
    maker.end(new Error("no"));
    await begun("a", "b");
    expect(queue.isFinishing("a")).toBe(true);
    maker.end();
    await begun("a", "b", "a");
    maker.end(new Error("no"));
    await expect.poll(() => failed).toEqual(["a"]);
    expect([retried, finishingWhenFailed]).toEqual([["a"], true]);
    await expect.poll(() => queue.isFinishing("a")).toBe(false);
  });

  it("on a file of a session that runs is left for its end when it fails", async () => {
    queue.encodeSoon("a", 1);
    queue.encodeSoon("a", 2);
    await begun("a 1");
    maker.end(new Error("no"));
    await begun("a 1", "a 2");
    expect([retried, failed]).toEqual([["a"], []]);
  });

  it("of one session is given up without a trace, and that of the others goes on", async () => {
    queue.finishSoon("a");
    queue.encodeSoon("b", 1);
    await begun("a");
    await queue.cancel("a");
    expect([finished, failed, retried, queue.isFinishing("a")]).toEqual([[], [], [], false]);
    await begun("a", "b 1");
    queue.encodeSoon("b", 2);
    await queue.cancel("b");
    await queue.cancel("c");
    queue.finishSoon("d");
    await begun("a", "b 1", "d");
  });

  it("is broken off when the server stops, and none begins afterwards", async () => {
    queue.finishSoon("a");
    queue.finishSoon("b");
    await begun("a");
    await queue.stop();
    queue.finishSoon("c");
    expect(maker.signals[0]?.aborted).toBe(true);
    expect([maker.begun, finished, failed]).toEqual([["a"], [], []]);
    // It is not done: the next process does it.
    expect(queue.isFinishing("a")).toBe(true);
  });
});
