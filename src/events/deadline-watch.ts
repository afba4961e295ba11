import type { Clock } from "../sessions/ports.ts";
import { type ActiveSession, type Deadline, deadlineOf } from "../sessions/session.ts";

/** How long before a deadline it is told of, in ms; for short timeouts, half of them. */
const approachMs = 60_000;

/** How often a deadline that is near is looked at, in ms: a touch may have moved it. */
const nearEveryMs = 1000;

const msPerMinute = 60_000;

/**
 * Tells when a session's deadline comes near, once for each time, and when it has moved away. Works
 * from `start` until the way to stop, which that returns, is called.
 */
export function watchDeadline(options: {
  readonly clock: Clock;
  /** The session as it is; null when it has ended. */
  readonly session: () => Promise<ActiveSession | null>;
  readonly onChange: (deadline: Deadline, approaching: boolean) => void;
}): () => void {
  const { clock, session: current, onChange } = options;
  let stopped = false;
  let cancel = (): void => {};
  let told: Deadline | null = null;

  async function look(): Promise<void> {
    const session = await current().catch(() => null);
    if (stopped || session === null) return;
    const deadline = deadlineOf(session);
    const nearAt = deadline.at - approachOf(session, deadline);
    const near = clock.now() >= nearAt;
    if (near && told?.at !== deadline.at) {
      told = deadline;
      onChange(deadline, true);
    } else if (!near && told !== null) {
      told = null;
      onChange(deadline, false);
    }
    cancel = clock.callAt(near ? clock.now() + nearEveryMs : nearAt, () => void look());
  }

  void look();
  return () => {
    stopped = true;
    cancel();
  };
}

function approachOf(session: ActiveSession, { reason }: Deadline): number {
  const minutes =
    reason === "idle_timeout" ? session.idleTimeoutMinutes : session.maxDurationMinutes;
  return Math.min(approachMs, (minutes * msPerMinute) / 2);
}
