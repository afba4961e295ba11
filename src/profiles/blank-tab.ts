import { setTimeout as delay } from "node:timers/promises";
import type { Browser, OwnTab } from "../sessions/ports.ts";
import { untilAborted } from "./slots.ts";

/** How long an empty document may take to load, in ms. */
const loadTimeoutMs = 3000;

/** How often, and how many ms apart, it is tried to forget where a tab has been. */
const mostResets = 40;
const resetEveryMs = 50;

const emptyDocument = Buffer.from("<!doctype html>").toString("base64");

interface PausedRequest {
  readonly requestId: string;
  readonly request: { readonly url: string };
}

/**
 * A tab that goes to origins without going there: every request is answered here, with an empty
 * document, so that nothing of the site runs and nothing is sent.
 */
export class BlankTab {
  readonly #tab: OwnTab;
  #goingTo = "";

  private constructor(tab: OwnTab) {
    this.#tab = tab;
  }

  /** Takes a tab over. Throws when the browser does not answer, or a client does not let the tab run. */
  static async over(tab: OwnTab): Promise<BlankTab> {
    const blank = new BlankTab(tab);
    tab.onEvent((method, params) => {
      if (method === "Fetch.requestPaused") blank.#answer(params as PausedRequest);
    });
    await tab.send("Fetch.enable", { patterns: [{ urlPattern: "*" }] }, loadTimeoutMs);
    return blank;
  }

  #answer({ requestId, request }: PausedRequest): void {
    // The full browser tries https first where http was asked for: only then does it go there.
    const [method, answer] = request.url.startsWith(this.#goingTo)
      ? [
          "Fetch.fulfillRequest",
          {
            responseCode: 200,
            responseHeaders: [{ name: "Content-Type", value: "text/html" }],
            body: emptyDocument,
          },
        ]
      : ["Fetch.failRequest", { errorReason: "ConnectionRefused" }];
    // It fails where the tab went elsewhere meanwhile.
    this.#tab.send(method, { requestId, ...answer }).catch(() => {});
  }

  /** Opens one. Throws like `over`. */
  static async open(browser: Browser): Promise<BlankTab> {
    const tab = await browser.openTab();
    try {
      // In a browser that has been used, workers of sites would answer in our place.
      await tab.send("Network.enable", {}, loadTimeoutMs);
      await tab.send("Network.setBypassServiceWorker", { bypass: true }, loadTimeoutMs);
      return await BlankTab.over(tab);
    } catch (error) {
      await tab.close();
      throw error;
    }
  }

  get send(): OwnTab["send"] {
    return this.#tab.send;
  }

  /** Throws where the browser does not go there. */
  async goTo(origin: string): Promise<void> {
    this.#goingTo = `${origin}/`;
    const answer = await this.#tab.send("Page.navigate", { url: this.#goingTo }, loadTimeoutMs);
    const { errorText } = answer as { readonly errorText?: string };
    if (errorText !== undefined && errorText !== "") throw new Error(errorText);
  }

  close(): Promise<void> {
    return this.#tab.close();
  }

  /** Makes it an ordinary tab again, with an empty page and no history. Throws when the browser does not. */
  async handBack(): Promise<void> {
    const { send } = this.#tab;
    await send("Fetch.disable");
    await send("Page.navigate", { url: "about:blank" }, loadTimeoutMs);
    for (let attempt = 1; ; attempt += 1) {
      try {
        await send("Page.resetNavigationHistory");
        return;
      } catch (error) {
        // While the page before still makes room, the browser says that this one is not there yet.
        if (attempt >= mostResets) throw error;
        await delay(resetEveryMs);
      }
    }
  }
}

/**
 * Does something in each of a list's origins, in several tabs at a time. A tab that fails at one goes
 * on with the next; `onFailure` is told, and what it throws ends that tab. Throws when no tab can be
 * opened. Resolves when the signal is aborted, whatever is under way.
 */
export async function visitAll<S extends { readonly origin: string }>(
  sites: readonly S[],
  openTab: () => Promise<BlankTab>,
  visit: (tab: BlankTab, site: S) => Promise<void>,
  onFailure: (site: S, error: unknown) => void,
  signal: AbortSignal,
): Promise<void> {
  const waiting = [...sites];
  const work = async (tab: BlankTab): Promise<void> => {
    try {
      while (!signal.aborted) {
        const site = waiting.shift();
        if (site === undefined) break;
        try {
          await tab.goTo(site.origin);
          await visit(tab, site);
        } catch (error) {
          onFailure(site, error);
        }
      }
    } finally {
      await tab.close();
    }
  };
  const tabs = Array.from({ length: Math.min(tabsAtOnce, sites.length) }, openTab);
  const works = tabs.map((tab) => tab.then(work));
  // One that does not open leaves its part to the others.
  await untilAborted(Promise.allSettled(works), signal);
  if (signal.aborted) return;
  const opened = await Promise.allSettled(tabs);
  const [first] = opened;
  const hasNone = opened.every(({ status }) => status === "rejected");
  if (hasNone && first?.status === "rejected") throw first.reason;
}

/** More would be in each other's way: each origin has a process of its own. */
const tabsAtOnce = 3;
