import type { Activity } from "./activity.ts";
import type { ChangeWatch } from "./change-watch.ts";
import { ActionFailed, asActionFailure } from "./failure.ts";

/** How long one attempt may take, in ms. */
const attemptMs = 1500;
/** A page on which nothing has happened for so long will not make an element ready by itself, in ms. */
const hopelessMs = 4000;

/** Reasons that a change of the page can mend. */
const mendable: ReadonlySet<string> = new Set([
  "covered",
  "disabled",
  "not_visible",
  "read_only",
  "outside",
  "moving",
  "timeout",
]);

/** What tells whether a page is still at work. */
export interface Patience {
  readonly timeoutMs: number;
  readonly activity: Activity;
  readonly changes: ChangeWatch;
  readonly signal: AbortSignal;
}

/**
 * Does something to an element as soon as it is ready, within `timeoutMs`; gives up sooner when the
 * page has been at rest for seconds and the element still is not ready, since then waiting is in
 * vain. Throws `ActionFailed`.
 */
export async function whenReady<T>(
  subject: string,
  { timeoutMs, activity, changes, signal }: Patience,
  attempt: (timeoutMs: number) => Promise<T>,
): Promise<T> {
  const began = Date.now();
  let seen: number | null = 0;
  let changedAt = began;
  for (;;) {
    signal.throwIfAborted();
    const left = began + timeoutMs - Date.now();
    try {
      return await attempt(Math.max(1, Math.min(left, attemptMs)));
    } catch (error) {
      const failure = asActionFailure(error, subject);
      if (!(failure instanceof ActionFailed) || !mendable.has(failure.kind)) throw failure;
      if (Date.now() - began >= timeoutMs) throw failure;
      const now = await changes.soFar();
      if (now !== seen) changedAt = Date.now();
      seen = now;
      const quietMs = Math.min(activity.quietMs, Date.now() - changedAt);
      if (quietMs >= hopelessMs) throw failure;
    }
  }
}
