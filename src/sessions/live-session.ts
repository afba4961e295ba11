import type { Browser, SessionProgress } from "./ports.ts";
import type { ActiveSession, EndedSession } from "./session.ts";
import { addTraffic, type Traffic } from "./traffic.ts";

/**
 * Told when a session ends; with `null` when the server stops and leaves the session running. The
 * browser lives on until a promise that it answers settles, so that whoever is connected to it can say goodbye.
 */
export type EndListener = (ended: EndedSession | null) => unknown;

/** An active session together with what this process holds for it. */
export class LiveSession {
  readonly browser: Browser;
  readonly #listeners = new Set<EndListener>();
  /** Of the time before this process had the browser. */
  readonly #earlierTraffic: Traffic;
  #session: ActiveSession;
  #saved: SessionProgress;
  readonly #told = Promise.withResolvers<void>();
  #ending: Promise<EndedSession> | null = null;

  constructor(session: ActiveSession, browser: Browser) {
    this.#session = session;
    this.browser = browser;
    this.#earlierTraffic = session.traffic;
    this.#saved = session;
  }

  /** Its traffic is as of the last `measure`. */
  get session(): ActiveSession {
    return this.#session;
  }

  /** The session with its traffic until now. */
  measure(): ActiveSession {
    const traffic = addTraffic(this.#earlierTraffic, this.browser.traffic);
    this.#session = { ...this.#session, traffic };
    return this.#session;
  }

  /** True from the first attempt to end it; false again if that attempt failed. */
  get ending(): boolean {
    return this.#ending !== null;
  }

  /** What has changed since it was last saved; null for nothing. */
  unsavedProgress(): SessionProgress | null {
    const { lastAccessedAt, traffic } = this.measure();
    const saved = this.#saved;
    const unchanged =
      lastAccessedAt === saved.lastAccessedAt &&
      traffic.requestBytes === saved.traffic.requestBytes &&
      traffic.responseBytes === saved.traffic.responseBytes;
    return unchanged ? null : { lastAccessedAt, traffic };
  }

  progressSaved(progress: SessionProgress): void {
    this.#saved = progress;
  }

  update(session: ActiveSession): void {
    this.#session = session;
  }

  /** Resolves when all who were told of the session's end, or that it was left, are done with it. */
  get told(): Promise<void> {
    return this.#told.promise;
  }

  onEnd(listener: EndListener): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /**
   * Commits the end once, then tells the listeners and releases the browser. Calls that come
   * meanwhile share the first one's answer; after a failed commit the next call tries again.
   */
  end(commit: () => Promise<EndedSession>): Promise<EndedSession> {
    this.#ending ??= commit().then(
      (ended) => {
        void this.#tell(ended).finally(() => this.browser.release());
        return ended;
      },
      (failure: unknown) => {
        this.#ending = null;
        throw failure;
      },
    );
    return this.#ending;
  }

  /** Lets go of the session without ending it. */
  leave(): void {
    void this.#tell(null);
  }

  async #tell(ended: EndedSession | null): Promise<void> {
    const listeners = [...this.#listeners];
    this.#listeners.clear();
    await Promise.allSettled(listeners.map(async (listener) => listener(ended)));
    this.#told.resolve();
  }
}
