import { keepWatching } from "../recording/keep-watching.ts";
import type { Screencasts } from "../recording/screencast.ts";
import type { Browser, BrowserWatch, Clock, WatchedTarget } from "../sessions/ports.ts";
import type { ActiveSession } from "../sessions/session.ts";
import { watchDeadline } from "./deadline-watch.ts";
import { EventLog } from "./event-log.ts";
import type { SessionNews, TabView } from "./session-event.ts";

/** How many events of a session are kept for those who come back. */
const mostKept = 1000;

/** Of URLs and titles that pages make up as long as they like, in characters. */
const longestUrl = 2000;
const longestTitle = 300;

/** What is kept of an event: steps are in the store. */
export type KeptNews =
  | Exclude<SessionNews, { readonly kind: "step" }>
  | { readonly kind: "step"; readonly position: number };

export type KeptEvent = { readonly id: number } & KeptNews;

/** What a feed needs of a session's screencasts. */
type FeedScreencasts = Pick<Screencasts, "activeTab" | "onActiveTab" | "closed">;

export interface SessionFeedOptions {
  readonly clock: Clock;
  readonly screencasts: { of(sessionId: string): Promise<FeedScreencasts> };
  /** The session as it is; null when it has ended. */
  readonly session: () => Promise<ActiveSession | null>;
}

/** The news of one session that this process serves. */
export class SessionFeed {
  readonly #options: SessionFeedOptions;
  readonly #log: EventLog<KeptNews>;
  readonly #leaveListeners = new Set<() => void>();
  #tabs: () => readonly TabView[] = () => [];
  #activeTab: () => string | null = () => null;
  #stopTabs = (): void => {};
  #followers = 0;
  #stopDeadline: (() => void) | null = null;
  /** Aborted at the session's end, or when this process lets go of it: no more news come. */
  readonly #over = new AbortController();

  constructor(options: SessionFeedOptions) {
    this.#options = options;
    this.#log = new EventLog(() => options.clock.now(), mostKept);
  }

  get lastId(): number {
    return this.#log.lastId;
  }

  publish(news: KeptNews, leastId?: number): void {
    if (this.#over.signal.aborted) return;
    if (news.kind === "end") this.#stop();
    this.#log.append(news, leastId);
  }

  /** How the tabs are now. */
  tabs(): Extract<SessionNews, { readonly kind: "tabs" }> {
    return { kind: "tabs", tabs: this.#tabs(), activeTab: this.#activeTab() };
  }

  after(id: number): readonly KeptEvent[] | null {
    return this.#log.after(id);
  }

  /**
   * Calls back for the events to come, and once when this process lets go of a session that runs on.
   * Returns the way to stop.
   */
  follow(listener: (event: KeptEvent) => void, onLeft: () => void): () => void {
    const stop = this.#log.follow(listener);
    this.#leaveListeners.add(onLeft);
    this.#followers += 1;
    // Nobody else needs to know how near the end is.
    if (!this.#over.signal.aborted) this.#stopDeadline ??= this.#watchDeadline();
    let following = true;
    return () => {
      if (!following) return;
      following = false;
      stop();
      this.#leaveListeners.delete(onLeft);
      this.#followers -= 1;
      if (this.#followers > 0) return;
      this.#stopDeadline?.();
      this.#stopDeadline = null;
    };
  }

  /** The server stops and leaves the session running. */
  leave(): void {
    this.#stop();
    for (const listener of [...this.#leaveListeners]) listener();
  }

  /**
   * Tells of the tabs of the session's browser until the session is over: of all of them at first, and
   * whenever the browser is watched anew. Never rejects; `onFailure` is told why it cannot be watched,
   * once until it can.
   */
  async watchTabs(
    sessionId: string,
    browser: Pick<Browser, "watch">,
    onFailure: (error: unknown) => void,
  ): Promise<void> {
    await keepWatching({
      over: this.#over.signal,
      onFailure,
      pause: (ms) => this.#delay(ms),
      watch: async () => {
        const watch = await browser.watch();
        const casts = await this.#options.screencasts.of(sessionId);
        if (this.#over.signal.aborted) return;
        this.#followTabs(watch, casts);
        await Promise.race([watch.closed, casts.closed]);
        this.#stopTabs();
      },
    });
  }

  #followTabs(watch: BrowserWatch, casts: FeedScreencasts): void {
    this.#tabs = () => watch.tabs.map(viewOf);
    this.#activeTab = () => casts.activeTab;
    const stopTargets = watch.onTarget(({ kind, target }) => {
      if (target.kind === "page") this.publish({ kind: "tab", change: kind, tab: viewOf(target) });
    });
    const stopActive = casts.onActiveTab((targetId) => {
      const tab = watch.tabs.find((target) => target.targetId === targetId);
      if (tab === undefined) return;
      // After the word that it opened, or that another closed, which is being passed around now.
      queueMicrotask(() => this.publish({ kind: "tab", change: "activated", tab: viewOf(tab) }));
    });
    this.#stopTabs = () => {
      stopTargets();
      stopActive();
    };
    this.publish(this.tabs());
  }

  #delay(ms: number): Promise<void> {
    const { clock } = this.#options;
    return new Promise((resolve) => {
      clock.callAt(clock.now() + ms, resolve);
    });
  }

  #watchDeadline(): () => void {
    return watchDeadline({
      ...this.#options,
      onChange: (deadline, approaching) =>
        this.publish({ kind: "deadline", deadline, approaching }),
    });
  }

  #stop(): void {
    this.#over.abort();
    this.#stopTabs();
    this.#stopDeadline?.();
    this.#stopDeadline = null;
  }
}

function viewOf({ targetId, url, title }: WatchedTarget): TabView {
  return {
    id: targetId,
    url: url.slice(0, longestUrl).toWellFormed(),
    title: title.slice(0, longestTitle).toWellFormed(),
  };
}
