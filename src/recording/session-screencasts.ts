import type { SessionService } from "../sessions/session-service.ts";
import { Screencasts } from "./screencast.ts";

/** The screencasts of the sessions of this process: one for each session that anybody asks for. */
export class SessionScreencasts {
  readonly #sessions: Pick<SessionService, "browserOf" | "onEnd">;
  readonly #opened = new Map<string, Promise<Screencasts>>();

  constructor(sessions: Pick<SessionService, "browserOf" | "onEnd">) {
    this.#sessions = sessions;
  }

  /**
   * The screencasts of an active session, whoever owns it; the same ones for all who ask, until the
   * session ends. Throws `session_not_found`, `session_ended`, or what `Browser.watch` throws.
   */
  of(sessionId: string): Promise<Screencasts> {
    let opening = this.#opened.get(sessionId);
    if (opening === undefined) {
      opening = this.#open(sessionId);
      this.#opened.set(sessionId, opening);
      const forget = () => this.#forget(sessionId, opening);
      opening.then(({ closed }) => closed.then(forget), forget);
    }
    return opening;
  }

  /** Says that somebody works in a tab of a session; does nothing where nobody looks at the session. */
  activate(sessionId: string, targetId: string): void {
    void this.#opened.get(sessionId)?.then(
      (screencasts) => screencasts.activate(targetId),
      () => {},
    );
  }

  async #open(sessionId: string): Promise<Screencasts> {
    const browser = await this.#sessions.browserOf(sessionId, null);
    const screencasts = new Screencasts(await browser.watch());
    const known = this.#sessions.onEnd(sessionId, () => {
      this.#opened.delete(sessionId);
      screencasts.close();
    });
    if (known === null) {
      screencasts.close();
      // It has ended meanwhile: this says how.
      await this.#sessions.browserOf(sessionId, null);
    }
    return screencasts;
  }

  #forget(sessionId: string, opening: Promise<Screencasts> | undefined): void {
    if (this.#opened.get(sessionId) === opening) this.#opened.delete(sessionId);
  }
}
