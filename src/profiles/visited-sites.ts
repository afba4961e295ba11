import { setTimeout as delay } from "node:timers/promises";
import type { Browser, BrowserWatch, WatchedTarget } from "../sessions/ports.ts";
import { byTurns, originOf, siteOf } from "./site-of.ts";

/** Origins that are remembered, of pages and of frames each; of the site with most, the oldest goes first. */
const mostOrigins = 500;

/** How long after the watch of the browser broke it is asked for again, in ms. */
const retryMs = 1000;

/** Notes where the pages of a browser go, for as long as it is followed. */
export class VisitedSites {
  readonly #pages = new Set<string>();
  /** Those of a tab's own site: frames of others keep what they keep apart, where no other tab finds it. */
  readonly #frames = new Set<string>();
  #over = false;
  #stop = (): void => {};

  /** The one that was come to last is last; those that were frames only are ahead of all. */
  get origins(): readonly string[] {
    return [...this.#frames, ...this.#pages];
  }

  /** Resolves when it is over. Never rejects. */
  async follow(browser: Pick<Browser, "watch">): Promise<void> {
    while (!this.#over) {
      const watch = await browser.watch().catch(() => null);
      if (this.#over) return;
      if (watch !== null) {
        this.#stop = watch.onTarget(({ target }) => this.#note(target, watch));
        for (const target of watch.targets) this.#note(target, watch);
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

  #note({ kind, url, tabId }: WatchedTarget, watch: BrowserWatch): void {
    if (kind !== "page" && kind !== "iframe") return;
    const origin = originOf(url);
    if (origin === null) return;
    if (kind === "page") {
      remember(this.#pages, origin);
      return;
    }
    const tab = watch.tabs.find(({ targetId }) => targetId === tabId);
    const around = originOf(tab?.url ?? "");
    if (around !== null && siteOf(around) === siteOf(origin)) remember(this.#frames, origin);
  }
}

function remember(origins: Set<string>, origin: string): void {
  origins.delete(origin);
  origins.add(origin);
  if (origins.size > mostOrigins) origins.delete(byTurns(origins).at(-1) ?? "");
}
