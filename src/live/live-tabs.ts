import type { BrowserWatch } from "../sessions/ports.ts";
import type { ViewedTab } from "./protocol.ts";

/** Pages make up URLs and titles as long as they like; people see the beginning, in characters. */
const longestUrl = 2000;
const longestTitle = 300;

/** How often a tab that somebody looks at is asked for its title, in ms. */
const titleEveryMs = 1000;

/** The tabs of a session as viewers see them: each with a number, and the title that it has now. */
export class LiveTabs {
  readonly #watch: BrowserWatch;
  readonly #onChange: () => void;
  readonly #numbers = new Map<string, number>();
  /** Titles that changed since the tab's URL did, of which the browser does not tell. */
  readonly #titles = new Map<string, { readonly url: string; readonly title: string }>();
  readonly #timer: NodeJS.Timeout;
  readonly #stopListening: () => void;
  #lastNumber = 0;

  /** `watched`: the target ids of the tabs that anybody looks at. */
  constructor(watch: BrowserWatch, watched: () => ReadonlySet<string>, onChange: () => void) {
    this.#watch = watch;
    this.#onChange = onChange;
    this.#stopListening = watch.onTarget(({ kind, target }) => {
      if (target.kind !== "page") return;
      if (kind === "closed") this.#forget(target.targetId);
      onChange();
    });
    this.#timer = setInterval(() => {
      for (const targetId of watched()) void this.#askTitle(targetId);
    }, titleEveryMs);
  }

  stop(): void {
    this.#stopListening();
    clearInterval(this.#timer);
  }

  /** In the order in which they opened. */
  list(): readonly ViewedTab[] {
    return this.#watch.tabs.map(({ targetId, url, title }) => {
      const known = this.#titles.get(targetId);
      return {
        number: this.numberOf(targetId),
        url: shortened(url, longestUrl),
        title: shortened(known?.url === url ? known.title : title, longestTitle),
      };
    });
  }

  numberOf(targetId: string): number {
    let number = this.#numbers.get(targetId);
    if (number === undefined) {
      this.#lastNumber += 1;
      number = this.#lastNumber;
      this.#numbers.set(targetId, number);
    }
    return number;
  }

  /** The target id of an open tab. */
  idOf(number: number): string | null {
    const tab = this.#watch.tabs.find(({ targetId }) => this.#numbers.get(targetId) === number);
    return tab?.targetId ?? null;
  }

  async #askTitle(targetId: string): Promise<void> {
    const answer = (await this.#watch
      .send("Target.getTargetInfo", { targetId })
      .catch(() => null)) as TargetInfoAnswer | null;
    const tab = this.#watch.tabs.find((page) => page.targetId === targetId);
    if (answer === null || tab === undefined) return;
    const { url, title } = answer.targetInfo;
    if ((this.#titles.get(targetId)?.title ?? tab.title) === title) return;
    this.#titles.set(targetId, { url, title });
    this.#onChange();
  }

  #forget(targetId: string): void {
    this.#numbers.delete(targetId);
    this.#titles.delete(targetId);
  }
}

interface TargetInfoAnswer {
  readonly targetInfo: { readonly url: string; readonly title: string };
}

function shortened(text: string, most: number): string {
  return text.slice(0, most).toWellFormed();
}
