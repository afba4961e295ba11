import type { StepStore } from "../pages/steps/step-store.ts";
import type { SessionScreencasts } from "../recording/session-screencasts.ts";
import type { Browser, Clock } from "../sessions/ports.ts";
import {
  type ActiveSession,
  type EndedSession,
  isActive,
  type Session,
} from "../sessions/session.ts";
import { EventLog } from "./event-log.ts";
import type { SessionEvent, TenantEvent } from "./session-event.ts";
import { type KeptEvent, SessionFeed } from "./session-feed.ts";

export interface SessionFeedsOptions {
  readonly clock: Clock;
  readonly steps: StepStore;
  readonly screencasts: SessionScreencasts;
  readonly findSession: (sessionId: string) => Promise<Session | null>;
  readonly onFailure: (what: string, sessionId: string, error: unknown) => void;
}

export interface EventFollower {
  readonly onEvent: (event: SessionEvent) => void;
  /** Nothing more comes, though the session has not ended: the server stops. */
  readonly onLeft: () => void;
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
    feed.watchTabs(session.id, browser).catch((error: unknown) => {
      if (!feed.over) onFailure("watch the tabs of a session", session.id, error);
    });
  }

  /** The limits of a session are others now. */
  changed(session: ActiveSession): void {
    this.#feeds.get(session.id)?.publish({ kind: "state", session });
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
    let stopped = false;
    let delivered = Promise.resolve();
    const later = (work: () => Promise<void> | void): void => {
      delivered = delivered.then(async () => {
        if (!stopped) await work();
      });
    };
    const deliver = (event: SessionEvent): void => {
      if (!stopped) follower.onEvent(event);
    };
    const feed = this.#feeds.get(session.id);
    const stop = feed?.follow(
      (event) => later(async () => this.#deliverKept(session.id, event, deliver)),
      () => later(follower.onLeft),
    );
    const missed = after === null ? null : (feed?.after(after) ?? null);
    if (missed !== null) {
      for (const event of missed) later(() => this.#deliverKept(session.id, event, deliver));
    } else {
      const number = feed?.lastId ?? this.#options.clock.now();
      later(async () => {
        if (after !== null) await this.#deliverMissedSteps(session.id, after, deliver);
        const now = (await this.#options.findSession(session.id).catch(() => null)) ?? session;
        deliverState(now, feed, number, deliver);
        if (feed === undefined && isActive(now)) follower.onLeft();
      });
    }
    return () => {
      stopped = true;
      stop?.();
    };
  }

  /**
   * Calls back for the sessions of a tenant that start and end, those after a number included.
   * `complete` is false where some of those are not known any more.
   */
  followTenant(
    tenantId: string,
    after: number | null,
    onEvent: (event: TenantEvent) => void,
  ): { readonly complete: boolean; readonly lastId: number; stop(): void } {
    const deliver = (event: TenantEvent): void => {
      if (event.session.tenantId === tenantId) onEvent(event);
    };
    const missed = after === null ? [] : this.#tenants.after(after);
    for (const event of missed ?? []) deliver(event);
    const { lastId } = this.#tenants;
    return { complete: missed !== null, lastId, stop: this.#tenants.follow(deliver) };
  }

  async #deliverKept(
    sessionId: string,
    event: KeptEvent,
    deliver: (event: SessionEvent) => void,
  ): Promise<void> {
    if (event.kind !== "step") {
      deliver(event);
      return;
    }
    const [placed] = await this.#stepsAfter(sessionId, event.position - 1, 1);
    if (placed !== undefined) deliver({ ...event, step: placed.step });
  }

  async #deliverMissedSteps(
    sessionId: string,
    after: number,
    deliver: (event: SessionEvent) => void,
  ): Promise<void> {
    const count = await this.#options.steps.count(sessionId).catch(() => 0);
    let id = after;
    const from = Math.max(0, count - mostMissedSteps);
    for (const { position, step } of await this.#stepsAfter(sessionId, from - 1, mostMissedSteps)) {
      if (step.endedAt < after - stepEventWithinMs) continue;
      id = Math.max(id + 1, step.endedAt);
      deliver({ id, kind: "step", position, step });
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

function deliverState(
  session: Session,
  feed: SessionFeed | undefined,
  id: number,
  deliver: (event: SessionEvent) => void,
): void {
  deliver({ id, kind: "state", session });
  if (isActive(session)) {
    if (feed !== undefined) deliver({ id, ...feed.tabs() });
  } else {
    deliver({ id: Math.max(id, endNumber(session)), kind: "end", session });
  }
}

function endNumber({ state }: EndedSession): number {
  return state.closedAt + endNumberAfterMs;
}
