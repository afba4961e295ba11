import { setTimeout as delay } from "node:timers/promises";
import type { Browser, WatchedTarget } from "../sessions/ports.ts";
import { originOf } from "./capture.ts";

/** Origins that are remembered; the one that was left longest ago goes first. */
const mostOrigins = 500;

/** How long after the watch of the browser broke it is asked for again, in ms. */
const retryMs = 1000;

/** Notes where the pages of a browser go, for as long as it is followed. */
export class VisitedSites {
  readonly #origins = new Set<string>();
  #over = false;
  #stop = (): void => {};

  /** The one that was come to last is last. */
  get origins(): ReadonlySet<string> {
    return this.#origins;
  }

  /** Resolves when it is over. Never rejects. */
  async follow(browser: Pick<Browser, "watch">): Promise<void> {
    while (!this.#over) {
      const watch = await browser.watch().catch(() => null);
      if (this.#over) return;
      if (watch !== null) {
        this.#stop = watch.onTarget(({ target }) => this.#note(target));
        for (const target of watch.targets) this.#note(target);
        await watch.closed;
        this.#stop();
      }
      if (!this.#over) await delay(retryMs, undefined, { ref: false });
    }
  }

  end(): void {
    this.#over = true;
    this.#stop();
  }

  #note({ kind, url }: WatchedTarget): void {
    if (kind !== "page" && kind !== "iframe") return;
    const origin = originOf(url);
    if (origin === null) return;
    this.#origins.delete(origin);
    this.#origins.add(origin);
    const [oldest] = this.#origins;
    if (this.#origins.size > mostOrigins && oldest !== undefined) this.#origins.delete(oldest);
  }
}
