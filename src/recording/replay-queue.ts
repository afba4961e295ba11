import type { Tracer } from "../sessions/tracer.ts";
import type { ReplayMaker, ReplayOutcome } from "./replay-maker.ts";

/** How often a replay is tried to be made before it is given up. */
const mostTries = 2;

export interface ReplayQueueOptions {
  readonly maker: Pick<ReplayMaker, "encode" | "finish">;
  readonly tracer: Tracer;
  readonly directoryOf: (sessionId: string) => string;
  readonly onFinished: (sessionId: string, outcome: ReplayOutcome) => Promise<void>;
  /** A replay was given up. */
  readonly onFailed: (sessionId: string, error: unknown) => Promise<void>;
  /** Something failed that will be tried again. */
  readonly onFailure: (sessionId: string, error: unknown) => void;
}

/**
 * The work on replays that is to be done, one piece at a time: first those whose session has ended,
 * since somebody may wait for them. It lives in memory alone; what lies in the folders tells the
 * next process what is left to do.
 */
export class ReplayQueue {
  readonly #options: ReplayQueueOptions;
  /** Sessions that ended, with the tries so far. */
  readonly #finishing = new Map<string, number>();
  /** Files of frames of sessions that run, in the order they were completed. */
  #files: { readonly sessionId: string; readonly number: number }[] = [];
  #current: { readonly sessionId: string; readonly abort: AbortController } | null = null;
  #currentSettled: Promise<void> = Promise.resolve();
  #working: Promise<void> | null = null;
  #stopped = false;

  constructor(options: ReplayQueueOptions) {
    this.#options = options;
  }

  /** Encodes a complete file of frames of a session that runs. */
  encodeSoon(sessionId: string, number: number): void {
    this.#files.push({ sessionId, number });
    this.#work();
  }

  /** Makes the replay of a session whose recording is complete. */
  finishSoon(sessionId: string): void {
    this.#files = this.#files.filter((file) => file.sessionId !== sessionId);
    if (!this.#finishing.has(sessionId)) this.#finishing.set(sessionId, 0);
    this.#work();
  }

  /** Whether the replay of a session is being made or waits to be. */
  isFinishing(sessionId: string): boolean {
    return this.#finishing.has(sessionId);
  }

  /** Gives up all work for a session. Resolves when none is under way any more. */
  async cancel(sessionId: string): Promise<void> {
    this.#finishing.delete(sessionId);
    this.#files = this.#files.filter((file) => file.sessionId !== sessionId);
    while (this.#current?.sessionId === sessionId) {
      this.#current.abort.abort(new Error("the recording was removed"));
      await this.#currentSettled;
    }
  }

  /** Breaks off what is under way, for the next process to go on with. */
  async stop(): Promise<void> {
    this.#stopped = true;
    this.#current?.abort.abort(new Error("the server stops"));
    await this.#working;
  }

  #work(): void {
    if (this.#working !== null || this.#stopped) return;
    if (this.#finishing.size === 0 && this.#files.length === 0) return;
    this.#working = this.#workThrough().finally(() => {
      this.#working = null;
      // What came at the very last moment.
      this.#work();
    });
  }

  async #workThrough(): Promise<void> {
    // After whatever called: a queue never holds up who fills it.
    await Promise.resolve();
    for (let next = this.#next(); next !== null && !this.#stopped; next = this.#next()) {
      const abort = new AbortController();
      this.#current = { sessionId: next.sessionId, abort };
      this.#currentSettled = this.#do(next, abort.signal);
      await this.#currentSettled;
      this.#current = null;
    }
  }

  #next(): { readonly sessionId: string; readonly number: number | null } | null {
    for (const sessionId of this.#finishing.keys()) return { sessionId, number: null };
    return this.#files.shift() ?? null;
  }

  async #do(
    { sessionId, number }: { readonly sessionId: string; readonly number: number | null },
    signal: AbortSignal,
  ): Promise<void> {
    const { maker, tracer, directoryOf, onFinished, onFailure } = this.#options;
    const about = { "nightjar.session_id": sessionId };
    try {
      if (number !== null) {
        await tracer.root("replay.encode", about, () =>
          maker.encode(directoryOf(sessionId), number, { signal, awaited: false }),
        );
        return;
      }
      const outcome = await tracer.root("replay.finish", about, async (span) => {
        const made = await maker.finish(directoryOf(sessionId), { signal, awaited: true });
        span.set({ "nightjar.replay.outcome": made.kind });
        return made;
      });
      signal.throwIfAborted();
      await onFinished(sessionId, outcome);
      this.#finishing.delete(sessionId);
    } catch (error) {
      if (signal.aborted) return;
      // Of a session that runs, it is tried again at its end.
      if (number !== null) onFailure(sessionId, error);
      else await this.#failed(sessionId, error);
    }
  }

  async #failed(sessionId: string, error: unknown): Promise<void> {
    const { onFailed, onFailure } = this.#options;
    const tries = (this.#finishing.get(sessionId) ?? 0) + 1;
    if (tries < mostTries) {
      onFailure(sessionId, error);
      // At the end of the queue.
      this.#finishing.delete(sessionId);
      this.#finishing.set(sessionId, tries);
      return;
    }
    await onFailed(sessionId, error).catch((failure: unknown) => onFailure(sessionId, failure));
    // Not before that is written down: who asks meanwhile would be told that there is nothing.
    this.#finishing.delete(sessionId);
  }
}
