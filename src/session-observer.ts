import type { Logger } from "pino";
import type { SessionFeeds } from "./events/session-feeds.ts";
import type { Metrics } from "./metrics/metrics.ts";
import type { StepLog } from "./pages/step-log.ts";
import type { Browser } from "./sessions/ports.ts";
import type { ActiveSession } from "./sessions/session.ts";
import type { SessionObserver } from "./sessions/session-service.ts";

/** A start that waited so long for room is told of, in ms. */
const longWaitMs = 1000;

export interface SessionObserverOptions {
  readonly metrics: Metrics;
  readonly logger: Logger;
  /** Made later than the service that is observed. */
  readonly feeds: () => SessionFeeds;
  readonly stepLog: () => Pick<StepLog, "breakOff">;
  /** Called for each session that has its browser: what is kept of it begins to be kept. */
  readonly onRunning: (session: ActiveSession, browser: Browser) => void;
}

/** Tells the log, the metrics and those who follow a session what becomes of it. */
export function sessionObserver({
  metrics,
  logger,
  feeds,
  stepLog,
  onRunning,
}: SessionObserverOptions): SessionObserver {
  return {
    waited: ({ tenantId }, waitedMs, outcome) => {
      metrics.startWaited(waitedMs, outcome);
      if (waitedMs >= longWaitMs || outcome !== "admitted") {
        logger.info({ tenant: tenantId, waited_ms: waitedMs, outcome }, "a start waited for room");
      }
    },
    running: (session, browser) => {
      feeds().running(session, browser);
      browser.onEgressFailure(({ kind, host: peer, port, reason }) =>
        logger.debug(
          { session_id: session.id, host: peer, port, reason },
          kind === "refused" ? "a connection was refused" : "a connection failed",
        ),
      );
      onRunning(session, browser);
    },
    started: (session, took) => {
      feeds().started(session);
      metrics.sessionStarted(took);
      logger.info(
        {
          session_id: session.id,
          tenant: session.tenantId,
          elapsed_ms: took.waitMs + took.browserMs + took.rowMs,
        },
        "session started",
      );
    },
    changed: (session) => feeds().changed(session),
    ended: (session) => {
      // The end is the last that is told of it.
      const interrupted = stepLog().breakOff(session.id, session.state.endReason);
      if (interrupted === null) feeds().ended(session);
      else void interrupted.then(() => feeds().ended(session));
      metrics.sessionEnded(session.state.endReason);
      const { id, tenantId, state, createdAt } = session;
      logger.info(
        {
          session_id: id,
          tenant: tenantId,
          status: state.status,
          end_reason: state.endReason,
          error: state.error,
          lived_ms: state.closedAt - createdAt,
        },
        "session ended",
      );
    },
    failed: (what, sessionId, error) =>
      logger.error({ err: error, session_id: sessionId }, `failed to ${what}`),
  };
}
