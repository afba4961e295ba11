import { messageOf } from "../../sessions/errors.ts";
import type { DrivenPage } from "../driver/driven-page.ts";

/** Pages with more frames than this are watched in the first ones only: each costs a call. */
const mostFrames = 12;
/** A page that does not answer is not asked longer, in ms. */
const askTimeoutMs = 1000;

/** Counts what changes on a page, in all of its frames, from one moment on. */
export class ChangeWatch {
  readonly #page: DrivenPage;
  #isSilent = false;

  private constructor(page: DrivenPage) {
    this.#page = page;
  }

  /** A page that is busy or just going away is watched as far as it answers. */
  static async begin(page: DrivenPage): Promise<ChangeWatch> {
    const watch = new ChangeWatch(page);
    await watch.#ask("watchChanges");
    return watch;
  }

  /** The page did not answer in time when it was asked last: its scripts keep it busy. */
  get isSilent(): boolean {
    return this.#isSilent;
  }

  /** How many changes were seen; null where the page's document is another one, or does not answer. */
  soFar(): Promise<number | null> {
    return this.#ask("changesSoFar");
  }

  /** As `soFar`; ends the watch. */
  end(): Promise<number | null> {
    return this.#ask("changesSeen");
  }

  async #ask(call: "watchChanges" | "changesSoFar" | "changesSeen"): Promise<number | null> {
    if (this.#page.page.isClosed()) return null;
    const frames = this.#page.frames().slice(0, mostFrames);
    this.#isSilent = false;
    const [main, ...others] = await Promise.all(
      frames.map((frame) =>
        this.#page
          .call<number | null>(frame, "perception", call, [], askTimeoutMs)
          .catch((error: unknown) => {
            const isLate = /did not answer within/.test(messageOf(error));
            if (isLate && frame.parentFrameId === null) this.#isSilent = true;
            return null;
          }),
      ),
    );
    if (main === undefined || main === null) return null;
    return others.reduce<number>((sum, count) => sum + (count ?? 0), main);
  }
}
