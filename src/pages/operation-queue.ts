import { NightjarError } from "../sessions/errors.ts";

/** How many operations may wait for their turn in one session. */
const mostWaiting = 32;
/** How soon a client whose operation was refused may try again: about one operation. */
const retryAfterSeconds = 1;

/**
 * Runs the page operations of one session one after the other, in the order they came. An operation
 * whose signal is aborted while it waits never starts.
 */
export class OperationQueue {
  #last: Promise<unknown> = Promise.resolve();
  #waiting = 0;

  /** Throws `too_many_operations` when too many wait, and the signal's reason when it is aborted first. */
  async run<T>(signal: AbortSignal, operation: () => Promise<T>): Promise<T> {
    if (this.#waiting >= mostWaiting) {
      throw new NightjarError(
        "too_many_operations",
        `${mostWaiting} operations of this session are waiting for their turn already. Wait for their answers before you send more.`,
        { retryAfterSeconds },
      );
    }
    this.#waiting += 1;
    const turn = this.#last.then(() => {
      this.#waiting -= 1;
      signal.throwIfAborted();
      return operation();
    });
    this.#last = turn.catch(() => {});
    return turn;
  }
}
