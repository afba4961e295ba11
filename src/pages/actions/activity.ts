import type { DriverConnection } from "../driver/driver-connection.ts";
import { RequestWatch } from "./request-watch.ts";

/** How long a navigation that a page asked for may take to begin, in ms; some never do. */
const requestedMs = 1000;
/** How many dialogs one tab may show during one action before its script is ended. */
const mostDialogs = 20;

/** How far a frame is on its way to another document. */
type Loading =
  | { readonly kind: "requested"; readonly since: number }
  | { readonly kind: "started" }
  | { readonly kind: "committed"; readonly loaderId: string };

/** What goes on in a session's pages from one moment on: navigations, requests, new tabs, as the browser tells them. */
export class Activity {
  /** CDP ids of tabs that have opened. */
  readonly openedTargets = new Set<string>();
  readonly #requests: RequestWatch;
  readonly #connection: DriverConnection;
  readonly #loading = new Map<string, Loading>();
  /** Where each frame went last. */
  readonly #navigated = new Map<string, string>();
  readonly #dialogs = new Map<string, number>();
  readonly #stops: (() => void)[] = [];
  #isOpening = false;
  #downloads = 0;
  #scriptsEnded = 0;
  #lastAt = Date.now();
  #wake = Promise.withResolvers<void>();

  constructor(connection: DriverConnection) {
    this.#connection = connection;
    this.#requests = new RequestWatch(connection, () => this.#changed());
    this.#stops.push(() => this.#requests.stop());
    this.#followFrames(connection);
    this.#followTabs(connection);
    this.#stops.push(
      connection.on("Page.javascriptDialogOpening", (_params, sessionId) =>
        this.#endEndlessDialogs(sessionId),
      ),
      connection.on("Page.downloadWillBegin", () => {
        this.#downloads += 1;
        this.#changed();
      }),
    );
  }

  /** Whether this frame is between leaving one document and having read the next. */
  isLoading(frameId: string): boolean {
    const loading = this.#loading.get(frameId);
    if (loading === undefined) return false;
    return loading.kind !== "requested" || Date.now() - loading.since < requestedMs;
  }

  /** Whether this frame shows another document, or another part of the same. */
  hasNavigated(frameId: string): boolean {
    return this.#navigated.has(frameId);
  }

  /**
   * The URL of the document, or the part of one, that this frame went to last; null where it stayed.
   * Playwright may hear of it later.
   */
  navigatedTo(frameId: string): string | null {
    return this.#navigated.get(frameId) ?? null;
  }

  /** Whether something that pages wait for is on its way in one of these CDP sessions. */
  isFetching(sessionIds: ReadonlySet<string>): boolean {
    return this.#requests.isFetching(sessionIds);
  }

  /** Whether a page asked for a tab that has not come yet. */
  get isOpeningTab(): boolean {
    return this.#isOpening;
  }

  /** How many downloads pages began. */
  get downloads(): number {
    return this.#downloads;
  }

  /** How many tabs had their script ended, because it showed one dialog after the other. */
  get scriptsEnded(): number {
    return this.#scriptsEnded;
  }

  /** For how long nothing has happened, in ms. */
  get quietMs(): number {
    return Date.now() - this.#lastAt;
  }

  /** Settles when something happens, or after `timeoutMs`. */
  async change(timeoutMs: number): Promise<void> {
    const wake = this.#wake.promise;
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise<void>((resolve) => {
      timer = setTimeout(resolve, timeoutMs);
    });
    await Promise.race([wake, late]);
    clearTimeout(timer);
  }

  stop(): void {
    for (const stop of this.#stops.splice(0)) stop();
  }

  #changed(): void {
    this.#lastAt = Date.now();
    this.#wake.resolve();
    this.#wake = Promise.withResolvers();
  }

  #followFrames(connection: DriverConnection): void {
    const goesOn = (frameId: string, loading: Loading): void => {
      this.#loading.set(frameId, loading);
      this.#changed();
    };
    const rests = (frameId: string): void => {
      if (this.#loading.delete(frameId)) this.#changed();
    };
    this.#stops.push(
      connection.on("Page.frameRequestedNavigation", ({ frameId, disposition }) => {
        if (disposition === "currentTab") {
          goesOn(frameId, { kind: "requested", since: Date.now() });
        }
      }),
      connection.on("Page.frameStartedLoading", ({ frameId }) => {
        goesOn(frameId, { kind: "started" });
      }),
      connection.on("Page.frameNavigated", ({ frame }) => {
        this.#navigated.set(frame.id, `${frame.url}${frame.urlFragment ?? ""}`);
        // A document that is written by script is committed without having been loaded.
        if (this.#loading.has(frame.id)) {
          goesOn(frame.id, { kind: "committed", loaderId: frame.loaderId });
        } else this.#changed();
      }),
      connection.on("Page.lifecycleEvent", ({ frameId, loaderId, name }) => {
        const loading = this.#loading.get(frameId);
        const isRead = name === "DOMContentLoaded" && loading?.kind === "committed";
        if (isRead && loading.loaderId === loaderId) rests(frameId);
      }),
      connection.on("Page.frameStoppedLoading", ({ frameId }) => rests(frameId)),
      connection.on("Page.frameDetached", ({ frameId }) => rests(frameId)),
      connection.on("Page.navigatedWithinDocument", ({ frameId, url }) => {
        this.#navigated.set(frameId, url);
        rests(frameId);
        this.#changed();
      }),
    );
  }

  #followTabs(connection: DriverConnection): void {
    this.#stops.push(
      connection.on("Page.windowOpen", () => {
        this.#isOpening = true;
        this.#changed();
      }),
      connection.on("Target.attachedToTarget", ({ targetInfo }) => {
        if (targetInfo.type !== "page") return;
        this.#isOpening = false;
        this.openedTargets.add(targetInfo.targetId);
        this.#changed();
      }),
      connection.on("Target.detachedFromTarget", ({ targetId }) => {
        if (targetId !== undefined) this.openedTargets.delete(targetId);
        this.#changed();
      }),
    );
  }

  /** Each dialog is answered at once, so a page that asks in a loop would be busy for ever. */
  #endEndlessDialogs(sessionId: string): void {
    const count = (this.#dialogs.get(sessionId) ?? 0) + 1;
    this.#dialogs.set(sessionId, count);
    this.#changed();
    if (count % mostDialogs !== 0) return;
    if (count === mostDialogs) this.#scriptsEnded += 1;
    this.#connection
      .command("Runtime.terminateExecution", undefined, { sessionId })
      // The tab is gone, and its script with it.
      .catch(() => {});
  }
}
