import type { BrowserWatch, WatchedTarget } from "../sessions/ports.ts";
import { FramePace } from "./frame-pace.ts";
import type { FrameListener } from "./screencast-frame.ts";
import { TabScreencast } from "./tab-screencast.ts";

export interface SubscribeOptions {
  /** The most frames a second that the subscriber wants; the last of a burst always comes. */
  readonly maxFps: number;
}

/**
 * Ends a subscription. `handOnWaiting`: the listener gets the frame that has come but was not due yet,
 * within the call.
 */
export type StopFrames = (options?: { readonly handOnWaiting: boolean }) => void;

/**
 * The pictures of one browser's tabs: a screencast a tab, shared by all who subscribe to it and run
 * only while somebody does. A tab that stops changing is always seen in its last state.
 */
export class Screencasts {
  readonly #watch: BrowserWatch;
  readonly #casts = new Map<string, TabScreencast>();
  /** Ids of the open tabs, the one used last at the end. */
  #used: string[];
  readonly #activeListeners = new Set<(targetId: string | null) => void>();
  readonly #stopListening: () => void;

  constructor(watch: BrowserWatch) {
    this.#watch = watch;
    this.#used = watch.tabs.map(({ targetId }) => targetId);
    const stopTargets = watch.onTarget(({ kind, target }) => {
      if (target.kind !== "page") return;
      if (kind === "opened") this.activate(target.targetId);
      if (kind === "closed") this.#forget(target.targetId);
    });
    const stopEvents = watch.onEvent(({ method, params, target }) => {
      if (target === null || !method.startsWith("Page.screencast")) return;
      this.#casts.get(target.targetId)?.receive(method, params);
    });
    this.#stopListening = () => {
      stopTargets();
      stopEvents();
    };
    void watch.closed.then(() => this.close());
  }

  /** Settles when the connection to the browser has broken: no frame comes any more. */
  get closed(): Promise<void> {
    return this.#watch.closed;
  }

  /**
   * The tab that was used last: opened, brought to front, or named by `activate`; null where none
   * is open.
   */
  get activeTab(): string | null {
    return this.#used.at(-1) ?? null;
  }

  /** Calls back when another tab becomes the active one; returns the way to stop. */
  onActiveTab(listener: (targetId: string | null) => void): () => void {
    this.#activeListeners.add(listener);
    return () => this.#activeListeners.delete(listener);
  }

  /** Makes a tab the active one, because somebody works in it. Unknown tabs are ignored. */
  activate(targetId: string): void {
    if (this.activeTab === targetId) return;
    if (!this.#watch.tabs.some((tab) => tab.targetId === targetId)) return;
    this.#used = [...this.#used.filter((id) => id !== targetId), targetId];
    this.#tellActive();
  }

  /**
   * Calls back for the frames of a tab until the way to stop, which it returns, is called. Where the
   * tab is cast already, its current frame comes at once, within the call.
   */
  subscribe(targetId: string, options: SubscribeOptions, listener: FrameListener): StopFrames {
    const cast = this.#casts.get(targetId) ?? this.#cast(targetId);
    if (cast === null) return () => {};
    const pace = new FramePace(options.maxFps, listener);
    cast.add(pace);
    return ({ handOnWaiting } = { handOnWaiting: false }) => {
      if (handOnWaiting) pace.handOnWaiting();
      pace.stop();
      if (cast.remove(pace) > 0) return;
      cast.stop();
      if (this.#casts.get(targetId) === cast) this.#casts.delete(targetId);
    };
  }

  /** Ends every screencast. The browser runs on. */
  close(): void {
    this.#stopListening();
    for (const cast of this.#casts.values()) cast.stop();
    this.#casts.clear();
    this.#activeListeners.clear();
  }

  #cast(targetId: string): TabScreencast | null {
    const tab = this.#watch.tabs.find((page) => page.targetId === targetId);
    if (tab === undefined) return null;
    const cast = new TabScreencast(this.#watch, tab, (visible) => this.#visibility(tab, visible));
    this.#casts.set(targetId, cast);
    return cast;
  }

  /** Where tabs share a window, the active one is hidden when another comes to its front. */
  #visibility({ targetId }: WatchedTarget, visible: boolean): void {
    if (visible) this.activate(targetId);
    else if (targetId === this.activeTab) void this.#findVisible();
  }

  async #findVisible(): Promise<void> {
    for (const { targetId, sessionId } of this.#watch.tabs) {
      const answer = (await this.#watch
        .send("Runtime.evaluate", { expression: "document.visibilityState" }, { sessionId })
        .catch(() => null)) as { readonly result?: { readonly value?: unknown } } | null;
      if (answer?.result?.value !== "visible") continue;
      this.activate(targetId);
      return;
    }
  }

  #forget(targetId: string): void {
    this.#casts.get(targetId)?.stop();
    this.#casts.delete(targetId);
    const wasActive = this.activeTab === targetId;
    this.#used = this.#used.filter((id) => id !== targetId);
    if (wasActive) this.#tellActive();
  }

  #tellActive(): void {
    for (const listener of [...this.#activeListeners]) listener(this.activeTab);
  }
}
