import type { StartedStep } from "../pages/steps/started-step.ts";
import type { StepStore } from "../pages/steps/step-store.ts";
import type { Browser, Clock } from "../sessions/ports.ts";
import {
  type ActiveSession,
  type EndedSession,
  isActive,
  type Session,
} from "../sessions/session.ts";
import { EventLog } from "./event-log.ts";
import { LogReader } from "./log-reader.ts";
import type { SessionEvent, TenantEvent } from "./session-event.ts";
import { type KeptEvent, SessionFeed, type SessionFeedOptions } from "./session-feed.ts";

export interface SessionFeedsOptions {
  readonly clock: Clock;
  readonly steps: StepStore;
  /** The step of a session that is under way; null where none is. */
  readonly runningStep: (sessionId: string) => StartedStep | null;
  readonly screencasts: SessionFeedOptions["screencasts"];
  readonly findSession: (sessionId: string) => Promise<Session | null>;
  readonly onFailure: (what: string, sessionId: string, error: unknown) => void;
}

export interface EventFollower {
  /** Resolves when the follower takes the next event; it does at once where this is left out. */
  readonly ready?: () => Promise<void>;
  readonly onEvent: (event: SessionEvent) => void;
  /** Nothing more comes, though the session has not ended: the server stops. */
  readonly onLeft: () => void;
}

export interface TenantFollower {
  /** Resolves when the follower takes the next event. */
  readonly ready: () => Promise<void>;
  readonly onEvent: (event: TenantEvent) => void;
  /** At first, and where some of the events up to this number are not known any more. */
  readonly onReset: (lastId: number) => void;
}

/** How long the feed of a session that ended is kept for those who come back, in ms. */
const keptAfterEndMs = 60_000;

/**
 * The end's number is so far beyond the time of the end, in ms. So it can be told from the session
 * alone, also after a restart, that somebody has seen the end.
 */
const endNumberAfterMs = 10_000;

/** How many started and ended sessions are kept for those who come back. */
const mostTenantEvents = 2000;

/** How far back steps are looked for that somebody missed while the server was restarted. */
const mostMissedSteps = 1000;

/** How many steps are read from the store at once: each may be some 10 kB. */
const stepsAtOnce = 50;

/** From a step's end to its event, in ms, at the very most: rather a step twice than never. */
const stepEventWithinMs = 5000;

/** The news of all sessions that this process serves. */
export class SessionFeeds {
  readonly #options: SessionFeedsOptions;
  readonly #feeds = new Map<string, SessionFeed>();
  readonly #tenants: EventLog<Omit<TenantEvent, "id">>;

  constructor(options: SessionFeedsOptions) {
    this.#options = options;
    this.#tenants = new EventLog(() => options.clock.now(), mostTenantEvents);
  }

  started(session: ActiveSession): void {
    this.#tenants.append({ change: "started", session });
  }

  /** A session has its browser: from now on there are news of it. */
  running(session: ActiveSession, browser: Browser): void {
    const { clock, screencasts, findSession, onFailure } = this.#options;
    const feed = new SessionFeed({
      clock,
      screencasts,
      session: async () => {
        const now = await findSession(session.id);
        return now !== null && isActive(now) ? now : null;
      },
    });
    this.#feeds.set(session.id, feed);
    void feed.watchTabs(session.id, browser, (error) =>
      onFailure("watch the tabs of a session", session.id, error),
    );
  }

  /** The limits of a session are others now. */
  changed(session: ActiveSession): void {
    this.#feeds.get(session.id)?.publish({ kind: "state", session });
  }

  stepStarted(sessionId: string, started: StartedStep): void {
    this.#feeds.get(sessionId)?.publish({ kind: "step_started", started });
  }

  stepAdded(sessionId: string, position: number): void {
    this.#feeds.get(sessionId)?.publish({ kind: "step", position });
  }

  ended(session: EndedSession): void {
    const { clock } = this.#options;
    this.#tenants.append({ change: "ended", session });
    const feed = this.#feeds.get(session.id);
    feed?.publish({ kind: "end", session }, endNumber(session));
    clock.callAt(clock.now() + keptAfterEndMs, () => {
      if (this.#feeds.get(session.id) === feed) this.#feeds.delete(session.id);
    });
  }

  /** The server stops: whoever follows a session that runs on is told to come back. */
  leave(): void {
    for (const feed of this.#feeds.values()) feed.leave();
    this.#feeds.clear();
  }

  /** Whether somebody who saw the events up to a number has seen the session's end. */
  hasSeenEnd(session: Session, after: number | null): boolean {
    return !isActive(session) && after !== null && after >= endNumber(session);
  }

  /**
   * Calls back for the events of a session: first for those that came after a number, or, without
   * one or where they are not known any more, for how the session is now; then for all that come, the
   * end as the last. Returns the way to stop.
   */
  follow(session: Session, after: number | null, follower: EventFollower): () => void {
    const feed = this.#feeds.get(session.id);
    let left = false;
    const deliver = async (event: SessionEvent): Promise<void> => {
      await follower.ready?.();
      if (!reader.stopped) follower.onEvent(event);
    };
    const reader: LogReader<KeptEvent> = new LogReader(
      {
        after: (id) => feed?.after(id) ?? null,
        deliver: (event) => this.#deliverKept(session.id, event, deliver),
        catchUp: async (seen) => {
          const number = feed?.lastId ?? this.#options.clock.now();
          const started = this.#options.runningStep(session.id);
          if (seen !== null) await this.#deliverMissedSteps(session.id, seen, reader, deliver);
          const now = (await this.#options.findSession(session.id).catch(() => null)) ?? session;
          await this.#deliverState(now, feed, { number, started }, deliver);
          if (feed !== undefined && isActive(now)) return number;
          if (isActive(now) && !reader.stopped) follower.onLeft();
          return null;
        },
        onIdle: () => {
          if (left) follower.onLeft();
        },
      },
      after,
    );
    const stop = feed?.follow(
      () => reader.wake(),
      () => {
        left = true;
        reader.wake();
      },
    );
    reader.wake();
    return () => {
      reader.stop();
      stop?.();
    };
  }

  /**
   * Calls back for the sessions of a tenant that start and end, those after a number included. Returns
   * the way to stop.
   */
  followTenant(tenantId: string, after: number | null, follower: TenantFollower): () => void {
    const reader: LogReader<TenantEvent> = new LogReader(
      {
        after: (id) => this.#tenants.after(id),
        deliver: async (event) => {
          if (event.session.tenantId !== tenantId) return;
          await follower.ready();
          if (!reader.stopped) follower.onEvent(event);
        },
        catchUp: async () => {
          await follower.ready();
          const { lastId } = this.#tenants;
          if (!reader.stopped) follower.onReset(lastId);
          return lastId;
        },
      },
      after,
    );
    const stop = this.#tenants.follow(() => reader.wake());
    reader.wake();
    return () => {
      reader.stop();
      stop();
    };
  }

  async #deliverKept(sessionId: string, event: KeptEvent, deliver: Deliver): Promise<void> {
    if (event.kind !== "step") return deliver(event);
    const [placed] = await this.#stepsAfter(sessionId, event.position - 1, 1);
    if (placed !== undefined) await deliver({ ...event, step: placed.step });
  }

  async #deliverState(
    session: Session,
    feed: SessionFeed | undefined,
    { number: id, started }: { readonly number: number; readonly started: StartedStep | null },
    deliver: Deliver,
  ): Promise<void> {
    await deliver({ id, kind: "state", session });
    if (!isActive(session)) {
      await deliver({ id: Math.max(id, endNumber(session)), kind: "end", session });
      return;
    }
    if (feed !== undefined) await deliver({ id, ...feed.tabs() });
    // One that is over by now, or began meanwhile, is told of by the events that follow.
    if (started !== null && this.#options.runningStep(session.id) === started)
      await deliver({ id, kind: "step_started", started });
  }

  /** Those that there are by now, and not more than `mostMissedSteps`. */
  async #deliverMissedSteps(
    sessionId: string,
    after: number,
    reader: { readonly stopped: boolean },
    deliver: Deliver,
  ): Promise<void> {
    const count = await this.#options.steps.count(sessionId).catch(() => 0);
    let id = after;
    let next = Math.max(0, count - mostMissedSteps);
    while (next < count && !reader.stopped) {
      const most = Math.min(stepsAtOnce, count - next);
      const found = await this.#stepsAfter(sessionId, next - 1, most);
      for (const { position, step } of found) {
        if (step.endedAt < after - stepEventWithinMs) continue;
        id = Math.max(id + 1, step.endedAt);
        await deliver({ id, kind: "step", position, step });
      }
      if (found.length < most) return;
      next += most;
    }
  }

  async #stepsAfter(sessionId: string, position: number, most: number) {
    const { steps, onFailure } = this.#options;
    try {
      return await steps.after(sessionId, position, most);
    } catch (error) {
      onFailure("read steps for who follows a session", sessionId, error);
      return [];
    }
  }
}

type Deliver = (event: SessionEvent) => Promise<void>;

function endNumber({ state }: EndedSession): number {
  return state.closedAt + endNumberAfterMs;
}
