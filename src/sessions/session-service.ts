import { randomUUID } from "node:crypto";
import { Admission, type AdmissionLimits, type WaitOutcome } from "./admission.ts";
import { Deadlines } from "./deadlines.ts";
import { type Allowance, invalidField, NightjarError, sessionNotFound } from "./errors.ts";
import type { Shortage } from "./host-room.ts";
import { IdempotentStarts } from "./idempotent-starts.ts";
import { type EndListener, LiveSession } from "./live-session.ts";
import type {
  Browser,
  HostGauge,
  HostReading,
  SessionListQuery,
  SessionPage,
  SessionProgress,
} from "./ports.ts";
import type { ProfileSave } from "./profile.ts";
import {
  type ActiveSession,
  deadlineOf,
  type EndedSession,
  type EndReason,
  endSession,
  isActive,
  retimeSession,
  type Session,
  statusOfEnd,
  touchSession,
} from "./session.ts";
import {
  type Principal,
  SessionStarter,
  type SessionStarterOptions,
  type StartRequest,
} from "./session-starter.ts";

export type { Principal, StartRequest } from "./session-starter.ts";

/** How a host is doing, for whoever sends it sessions. */
export interface Pressure {
  readonly running: number;
  /** Starts that wait for room. */
  readonly waiting: number;
  /** How many more could start now. */
  readonly free: number;
  /** What keeps the next start from being let in at once; null for nothing. */
  readonly blockedBy: "draining" | "queue" | Shortage | null;
  readonly reading: HostReading;
}

/** How long the parts of a start took, in ms: the wait for room, its browser, its row. */
export interface StartTimes {
  readonly waitMs: number;
  readonly browserMs: number;
  readonly rowMs: number;
}

/** What happens to sessions, for the log, the metrics and whoever works beside them. */
export interface SessionObserver {
  /** A start has been let in, refused for want of room, or given up, after so long a wait. */
  waited(principal: Principal, waitedMs: number, outcome: WaitOutcome): void;
  started(session: ActiveSession, took: StartTimes): void;
  /** A session has its browser: it was just started, or found again after a restart of the server. */
  running(session: ActiveSession, browser: Browser): void;
  /** Its limits are others now. */
  changed(session: ActiveSession): void;
  ended(session: EndedSession): void;
  /** The server failed at something that no caller waits for; it will be tried again. */
  failed(what: string, sessionId: string, error: unknown): void;
}

export interface SessionServiceOptions extends SessionStarterOptions {
  readonly gauge: HostGauge;
  readonly observer: SessionObserver;
  /** The longest that any session may last, in minutes: the server's global limit. */
  readonly maxSessionMinutes: number;
  readonly limits: AdmissionLimits;
}

/** How often accesses and traffic are saved and failed ends tried again. */
const saveEveryMs = 1000;

/** How long a planned stop waits for starts that are under way, in ms. */
const startsSettleWithinMs = 5000;

/** How long it waits for what is kept of sessions (recordings, logs, downloads) to be written, in ms. */
const endsSettleWithinMs = 5000;

/** Starts, touches, ends and lists sessions: the only place that changes one. */
export class SessionService {
  readonly #options: SessionServiceOptions;
  /** Of each session, until all who were told of its end are done with it. */
  readonly #telling = new Set<Promise<void>>();
  readonly #live = new Map<string, LiveSession>();
  readonly #starter: SessionStarter;
  readonly #deadlines: Deadlines;
  readonly #admission: Admission;
  readonly #idempotent: IdempotentStarts;
  #draining = false;
  #onEmpty: (() => void)[] = [];
  #cancelSave: (() => void) | null = null;

  constructor(options: SessionServiceOptions) {
    this.#options = options;
    this.#starter = new SessionStarter(options);
    this.#admission = new Admission({
      ...options,
      onWaited: (entry, waitedMs, outcome) => options.observer.waited(entry, waitedMs, outcome),
    });
    this.#idempotent = new IdempotentStarts(options.store);
    this.#deadlines = new Deadlines({
      clock: options.clock,
      sessions: () => this.#activeSessions(),
      onDue: (session, deadline) => this.#endLater(session.id, deadline.reason, null),
    });
  }

  /** How many sessions this node serves now. */
  get activeCount(): number {
    return this.#live.size;
  }

  /** How many starts wait for room. */
  get waitingCount(): number {
    return this.#admission.waitingCount;
  }

  /** Whether it is stopping and takes no new sessions. */
  get draining(): boolean {
    return this.#draining;
  }

  /**
   * Starts a session; it is in the store when the promise resolves. With a claim that was used
   * before, answers the session of that first start. Where there is no room it waits, within the
   * limits of the queue, unless the signal tells that the caller is gone.
   * Throws `invalid_request`, `at_capacity`, `tenant_limit`, `too_many_starts`,
   * `idempotency_conflict`, `shutting_down`, `client_gone`, and what `SessionProfiles.load` and
   * `BrowserHost.acquire` throw.
   */
  async start(principal: Principal, request: StartRequest, signal?: AbortSignal): Promise<Session> {
    this.#checkLimits(request);
    return this.#idempotent.run(
      principal.tenantId,
      request.claim,
      (wanted) => this.#startNew(principal, request, wanted),
      signal,
    );
  }

  /** What is left of the caller's limit on starts a minute; null where there is none. */
  startAllowance(principal: Principal): Allowance | null {
    return this.#admission.allowance(principal);
  }

  async pressure(): Promise<Pressure> {
    const running = this.#live.size;
    const since = new Map([...this.#live].map(([id, { session }]) => [id, session.createdAt]));
    const { free, bound, reading } = await this.#admission.room(since);
    const waiting = this.waitingCount;
    const shortage = free > 0 ? null : bound;
    const blockedBy = this.#draining ? "draining" : (shortage ?? (waiting > 0 ? "queue" : null));
    return { running, waiting, free: this.#draining ? 0 : free, blockedBy, reading };
  }

  /** Throws `session_not_found` where the session is unknown or another tenant's. */
  async get(principal: Principal, sessionId: string): Promise<Session> {
    const session =
      this.#live.get(sessionId)?.measure() ?? (await this.#options.store.find(sessionId));
    if (session === null || session.tenantId !== principal.tenantId) {
      throw sessionNotFound(sessionId);
    }
    return session;
  }

  async list(query: SessionListQuery): Promise<SessionPage> {
    const page = await this.#options.store.list(query);
    const sessions = page.sessions.map((session) =>
      isActive(session) ? (this.#live.get(session.id)?.measure() ?? session) : session,
    );
    return { ...page, sessions };
  }

  /** Ends a session, or answers the final record of one that has ended. Throws `session_not_found`. */
  async stop(principal: Principal, sessionId: string, error: string | null = null) {
    const session = await this.get(principal, sessionId);
    return isActive(session) ? this.#end(session, "client_stop", error) : session;
  }

  /**
   * Counts as an access and changes the limits that are given. Answers the final record of a session
   * that has ended. Throws `session_not_found` or `invalid_request`.
   */
  async keepAlive(
    principal: Principal,
    sessionId: string,
    limits: { readonly idleTimeoutMinutes?: number; readonly keepAlive?: boolean },
  ): Promise<Session> {
    const session = await this.get(principal, sessionId);
    const live = this.#live.get(sessionId);
    if (!isActive(session) || live === undefined) return session;
    // Put in force before it is saved, so that a call beside this one builds upon it.
    const before = live.session;
    live.update(touchSession(retimeSession(before, limits), this.#options.clock.now()));
    this.#deadlines.consider(live.session);
    try {
      if (await this.#options.store.retime(live.session)) {
        this.#options.observer.changed(live.session);
        return live.session;
      }
    } catch (failure) {
      const { idleTimeoutMinutes, keepAlive } = before;
      live.update(retimeSession(live.session, { idleTimeoutMinutes, keepAlive }));
      throw failure;
    }
    return this.get(principal, sessionId);
  }

  /** Records an operation on the session now; saved within a second. Free to call for every message. */
  touch(sessionId: string): void {
    const live = this.#live.get(sessionId);
    if (live === undefined) return;
    live.update(touchSession(live.session, this.#options.clock.now()));
  }

  /**
   * The browser of an active session. Throws `session_not_found`, or `session_ended` with the
   * reason where the session is over.
   */
  async browserOf(sessionId: string, principal: Principal | null): Promise<Browser> {
    const live = this.#live.get(sessionId);
    if (
      live !== undefined &&
      (principal === null || live.session.tenantId === principal.tenantId) &&
      !live.ending
    ) {
      return live.browser;
    }
    const session = await this.#options.store.find(sessionId);
    if (session === null || (principal !== null && session.tenantId !== principal.tenantId)) {
      throw sessionNotFound(sessionId);
    }
    const reason = isActive(session) ? "it is ending" : session.state.endReason;
    throw new NightjarError("session_ended", `Session "${sessionId}" has ended: ${reason}.`);
  }

  /** A session whoever owns it, for the holder of a capability of it. */
  async find(sessionId: string): Promise<Session | null> {
    return this.#live.get(sessionId)?.measure() ?? this.#options.store.find(sessionId);
  }

  /** Calls back once when the session ends, unless cancelled. False when it is not live here. */
  onEnd(sessionId: string, listener: EndListener): (() => void) | null {
    return this.#live.get(sessionId)?.onEnd(listener) ?? null;
  }

  /** Ends a session whoever owns it, e.g. because its own client closed the browser over CDP. */
  async endById(sessionId: string, reason: EndReason): Promise<void> {
    const live = this.#live.get(sessionId);
    if (live !== undefined) await this.#end(live.session, reason, null);
  }

  /** The browsers of the sessions that this process serves, and of those that are about to be. */
  browsers(): {
    readonly live: ReadonlyMap<string, Browser>;
    readonly starting: ReadonlySet<Browser>;
  } {
    const live = [...this.#live].map(([id, { browser }]) => [id, browser] as const);
    return { live: new Map(live), starting: new Set(this.#starter.starting) };
  }

  /** Ends a session whose row is active though this process, whose it is, does not serve it. */
  async endLost(session: ActiveSession): Promise<void> {
    const message = "The server lost sight of its browser.";
    const now = this.#options.clock.now();
    await this.#commitEnd(endSession(session, "browser_crash", now, message));
  }

  /** Takes up the sessions that the last process of this node left active. Call once, first. */
  async recover(): Promise<void> {
    const { store, host, clock, nodeId } = this.#options;
    const now = clock.now();
    const active = await store.activeOnNode(nodeId);
    // One that persists its profile needs its browser once more, whatever its deadline.
    const isOver = (session: ActiveSession) =>
      deadlineOf(session).at <= now && !session.settings.profile?.persist;
    const overdue = active.filter(isOver);
    const due = active.filter((session) => !isOver(session));
    const browsers = await host.recover(
      new Map(due.map((session) => [session.id, session.browserReference])),
    );
    for (const session of overdue) {
      await this.#commitEnd(endSession(session, deadlineOf(session).reason, now));
    }
    for (const session of due) {
      const found = browsers.get(session.id);
      if (found !== undefined && "release" in found) this.#adopt(session, found);
      else {
        const loss = found ?? { reason: "browser_crash" as const, message: "The browser is gone." };
        await this.#commitEnd(endSession(session, loss.reason, now, loss.message));
      }
    }
    this.#scheduleSave();
  }

  /** Takes no new sessions from now on; those that run go on. */
  drain(): void {
    this.#draining = true;
    this.#admission.close();
  }

  /** Resolves when no session runs and none is being started; to be asked after `drain`. */
  async emptied(): Promise<void> {
    await this.#idempotent.settled();
    if (this.#live.size > 0) await new Promise<void>((resolve) => this.#onEmpty.push(resolve));
  }

  /**
   * Stops taking new sessions; then ends every session with `server_stop` and refuses the starts that
   * are under way, or with `keep` leaves all and their browsers for the next start on this store. Resolves when what is kept of them has
   * been written, too, or takes too long.
   */
  async shutDown(mode: "close" | "keep"): Promise<void> {
    this.drain();
    this.#deadlines.stop();
    this.#cancelSave?.();
    if (mode === "close") {
      // One that has its row only now would have to be ended after all others.
      this.#starter.close();
      await Promise.all([this.#endAll(), this.#startsSettled()]);
      await this.#endAll();
    } else {
      await this.#startsSettled();
      this.#starter.close();
      await Promise.all([this.#saveProgress(), this.#leaveProfiles()]);
      for (const live of this.#live.values()) live.leave();
      this.#live.clear();
    }
    await this.#within(Promise.all(this.#telling), endsSettleWithinMs);
  }

  async #endAll(): Promise<void> {
    const ends = [...this.#live.values()].map(({ session }) =>
      this.#end(session, "server_stop", null),
    );
    await Promise.allSettled(ends);
  }

  async #leaveProfiles(): Promise<void> {
    const leaving = [...this.#live.values()].map(({ session, browser }) =>
      session.settings.profile?.persist ? this.#options.profiles.leave(session, browser) : null,
    );
    await this.#within(Promise.all(leaving), endsSettleWithinMs);
  }

  /** Starts that are under way may end up with sessions; one that hangs is not waited for. */
  async #startsSettled(): Promise<void> {
    await this.#within(this.#idempotent.settled(), startsSettleWithinMs);
  }

  /** Resolves with the work, or after so many ms. */
  async #within(work: Promise<unknown>, ms: number): Promise<void> {
    const { clock } = this.#options;
    let cancel = (): void => {};
    const late = new Promise<void>((resolve) => {
      cancel = clock.callAt(clock.now() + ms, resolve);
    });
    await Promise.race([work, late]);
    cancel();
  }

  #activeSessions(): readonly ActiveSession[] {
    return [...this.#live.values()].filter((live) => !live.ending).map((live) => live.session);
  }

  #checkLimits(request: StartRequest): void {
    const { maxSessionMinutes } = this.#options;
    if (request.maxDurationMinutes > maxSessionMinutes) {
      throw invalidField(
        "max_duration_minutes",
        `max_duration_minutes must be at most ${maxSessionMinutes}, the limit of this server; got ${request.maxDurationMinutes}.`,
      );
    }
    const { recording, recordBodies } = request.settings;
    if (recordBodies && !(recording ?? this.#options.recordByDefault)) {
      throw invalidField(
        "record_bodies",
        "record_bodies needs a recording, and this session has none. Send `recording: true`, too.",
      );
    }
    if (request.idleTimeoutMinutes > request.maxDurationMinutes) {
      throw invalidField(
        "idle_timeout_minutes",
        `idle_timeout_minutes must be at most max_duration_minutes (${request.maxDurationMinutes}); got ${request.idleTimeoutMinutes}.`,
      );
    }
  }

  async #startNew(
    principal: Principal,
    request: StartRequest,
    signal: AbortSignal | undefined,
  ): Promise<ActiveSession | null> {
    const { clock, observer, tracer } = this.#options;
    const begun = clock.now();
    const id = randomUUID();
    // Ahead of the wait for room, which would be in vain without it.
    await this.#starter.checkProfile(principal, request);
    const start = async (): Promise<ActiveSession | null> => {
      const admitted = clock.now();
      const started = await this.#starter.start(id, principal, request);
      if (started === null) return null;
      const { session, browser } = started;
      this.#adopt(session, browser);
      observer.started(session, {
        waitMs: admitted - begun,
        browserMs: session.createdAt - admitted,
        rowMs: clock.now() - session.createdAt,
      });
      return session;
    };
    return tracer.span("session.start", { "nightjar.session_id": id }, () =>
      this.#admission.admit({ sessionId: id, ...principal }, start, signal),
    );
  }

  #adopt(session: ActiveSession, browser: Browser): void {
    const live = new LiveSession(session, browser);
    this.#live.set(session.id, live);
    this.#telling.add(live.told);
    void live.told.then(() => this.#telling.delete(live.told));
    this.#deadlines.consider(session);
    this.#options.observer.running(session, browser);
    void browser.lost.then((loss) => this.#endLater(session.id, loss.reason, loss.message));
  }

  /**
   * Ends a session for which no caller waits. A failure is tried again until the store takes it: a
   * deadline by its timer, the loss of a browser here.
   */
  #endLater(sessionId: string, reason: EndReason, error: string | null): void {
    const live = this.#live.get(sessionId);
    if (live === undefined) return;
    this.#end(live.session, reason, error).catch((failure: unknown) => {
      this.#options.observer.failed("end a session", sessionId, failure);
      if (reason === "idle_timeout" || reason === "max_duration") return;
      const { clock } = this.#options;
      clock.callAt(clock.now() + saveEveryMs, () => this.#endLater(sessionId, reason, error));
    });
  }

  /** The first end wins; whoever comes while it is being committed gets the same answer. */
  async #end(session: ActiveSession, reason: EndReason, error: string | null): Promise<Session> {
    const live = this.#live.get(session.id);
    if (live === undefined) {
      return (await this.#options.store.find(session.id)) ?? session;
    }
    return live.end(async () => {
      const { clock, tracer } = this.#options;
      const profileSave = await this.#saveProfile(live, reason);
      const ended = endSession(live.measure(), reason, clock.now(), error, profileSave);
      try {
        const about = { "nightjar.session_id": session.id, "nightjar.end_reason": reason };
        const final = await tracer.span("session.end", about, () => this.#commitEnd(ended));
        this.#live.delete(session.id);
        this.#admission.look();
        if (this.#live.size === 0) for (const tell of this.#onEmpty.splice(0)) tell();
        return final;
      } catch (failure) {
        // The deadline may have passed while this end was under way and been skipped for it; not
        // at once, or a store that takes nothing would be asked without a pause.
        clock.callAt(clock.now() + saveEveryMs, () => {
          if (!this.#draining) this.#deadlines.consider(live.session);
        });
        throw failure;
      }
    });
  }

  /**
   * Ahead of the end's commit: until then nobody else can write the profile, and whoever is answered
   * that the session has ended finds its state there.
   */
  async #saveProfile(live: LiveSession, reason: EndReason): Promise<ProfileSave | undefined> {
    if (!live.session.settings.profile?.persist) return undefined;
    const isGone = statusOfEnd[reason] === "error";
    return this.#options.profiles.save(live.session, isGone ? null : live.browser);
  }

  async #commitEnd(ended: EndedSession): Promise<EndedSession> {
    const { store, observer } = this.#options;
    if (await store.end(ended.id, ended.state, ended.lastAccessedAt, ended.traffic)) {
      observer.ended(ended);
      return ended;
    }
    const stored = await store.find(ended.id);
    return stored !== null && !isActive(stored) ? stored : ended;
  }

  #scheduleSave(): void {
    const { clock } = this.#options;
    this.#cancelSave = clock.callAt(clock.now() + saveEveryMs, () => {
      void this.#saveProgress().finally(() => {
        if (!this.#draining) this.#scheduleSave();
      });
    });
  }

  async #saveProgress(): Promise<void> {
    const unsaved = new Map<string, SessionProgress>();
    for (const live of this.#live.values()) {
      const progress = live.unsavedProgress();
      if (progress !== null) unsaved.set(live.session.id, progress);
    }
    if (unsaved.size === 0) return;
    try {
      await this.#options.store.saveProgress(unsaved);
      for (const [id, progress] of unsaved) this.#live.get(id)?.progressSaved(progress);
    } catch (failure) {
      this.#options.observer.failed("save progress", [...unsaved.keys()].join(","), failure);
    }
  }
}
