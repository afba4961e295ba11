import type { SessionScreencasts } from "../recording/session-screencasts.ts";
import type { SessionService } from "../sessions/session-service.ts";
import { LiveView } from "./live-view.ts";
import type { Viewer, ViewerSink } from "./viewer.ts";

/** A view, and who looks at it. */
export interface JoinedView {
  readonly view: LiveView;
  readonly viewer: Viewer;
}

/** The live views of the sessions of this process: one for each session that anybody looks at. */
export class LiveViews {
  readonly #sessions: SessionService;
  readonly #screencasts: SessionScreencasts;
  readonly #opened = new Map<string, Promise<LiveView>>();
  readonly #views = new Map<string, LiveView>();

  constructor(sessions: SessionService, screencasts: SessionScreencasts) {
    this.#sessions = sessions;
    this.#screencasts = screencasts;
  }

  /**
   * Lets somebody look at an active session, whoever owns it. Throws `session_not_found`,
   * `session_ended` or `browser_unavailable`.
   */
  async join(
    sessionId: string,
    sink: ViewerSink,
    person: { readonly name: string; readonly mayControl: boolean },
  ): Promise<JoinedView> {
    for (;;) {
      const opening = this.#opened.get(sessionId) ?? this.#open(sessionId);
      this.#opened.set(sessionId, opening);
      const view = await opening.catch((error: unknown) => {
        this.#forget(sessionId, opening);
        throw error;
      });
      // The last one may have left it just now.
      if (!view.closed) return { view, viewer: view.join(sink, person) };
      this.#forget(sessionId, opening);
    }
  }

  /** Whether somebody is in control of a session. */
  isControlled(sessionId: string): boolean {
    return this.#views.get(sessionId)?.controlled === true;
  }

  #open(sessionId: string): Promise<LiveView> {
    const opening: Promise<LiveView> = this.#build(sessionId, () =>
      this.#forget(sessionId, opening),
    );
    return opening;
  }

  async #build(sessionId: string, onEmpty: () => void): Promise<LiveView> {
    const browser = await this.#sessions.browserOf(sessionId, null);
    const [watch, screencasts] = await Promise.all([
      browser.watch(),
      this.#screencasts.of(sessionId),
    ]);
    const view = new LiveView({
      browser,
      watch,
      screencasts,
      onInput: () => this.#sessions.touch(sessionId),
      onEmpty,
    });
    this.#views.set(sessionId, view);
    void watch.closed.then(() => {
      onEmpty();
      view.close();
    });
    return view;
  }

  #forget(sessionId: string, opening: Promise<LiveView>): void {
    if (this.#opened.get(sessionId) !== opening) return;
    this.#opened.delete(sessionId);
    this.#views.delete(sessionId);
  }
}
