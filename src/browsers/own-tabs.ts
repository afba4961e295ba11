import type { OwnTab, WatchedTarget } from "../sessions/ports.ts";

type Send = (
  method: string,
  params?: object,
  options?: { readonly sessionId?: string; readonly timeoutMs?: number },
) => Promise<unknown>;

interface Known {
  /** Settles when the watch is attached to it. */
  readonly attached: PromiseWithResolvers<WatchedTarget>;
  listener: (method: string, params: unknown) => void;
}

/** The tabs that a watch of a browser opened itself, which it shows to nobody. */
export class OwnTabs {
  readonly #send: Send;
  readonly #onForeign: (target: WatchedTarget) => void;
  /** By target id. */
  readonly #own = new Map<string, Known>();
  #opening = 0;
  /** Tabs that came while one of ours was being opened: it may be among them. By target id. */
  readonly #held = new Map<string, WatchedTarget>();

  /** `onForeign`: called for a tab that was held back and turned out not to be ours. */
  constructor(send: Send, onForeign: (target: WatchedTarget) => void) {
    this.#send = send;
    this.#onForeign = onForeign;
  }

  /** Throws when the browser opens none, or nobody lets it run. */
  async open(): Promise<OwnTab> {
    this.#opening += 1;
    let targetId: string;
    let known: Known;
    try {
      // In the background: no window comes to the front for it.
      const params = { url: "about:blank", background: true };
      const answer = await this.#send("Target.createTarget", params);
      targetId = (answer as { readonly targetId: string }).targetId;
      known = { attached: Promise.withResolvers(), listener: () => {} };
      this.#own.set(targetId, known);
      const held = this.#held.get(targetId);
      if (held !== undefined) known.attached.resolve(held);
    } finally {
      this.#opening -= 1;
      if (this.#opening === 0) this.#letGo();
    }
    const close = async (): Promise<void> => {
      await this.#send("Target.closeTarget", { targetId }).catch(() => {});
    };
    const late = setTimeout(
      () => known.attached.reject(new Error("the browser did not attach its new tab")),
      attachTimeoutMs,
    );
    try {
      const { sessionId } = await known.attached.promise;
      return {
        targetId,
        send: (method, params, timeoutMs) =>
          this.#send(method, params, {
            sessionId,
            ...(timeoutMs === undefined ? {} : { timeoutMs }),
          }),
        onEvent: (listener) => {
          known.listener = listener;
        },
        close,
      };
    } catch (error) {
      await close();
      throw error;
    } finally {
      clearTimeout(late);
    }
  }

  /** Whether nobody is to see a target. */
  hides({ tabId }: WatchedTarget): boolean {
    return this.#own.has(tabId) || this.#held.has(tabId);
  }

  /** To be called for each target that the watch is attached to, ahead of telling of it. */
  attached(target: WatchedTarget): void {
    if (target.kind !== "page") return;
    const known = this.#own.get(target.targetId);
    if (known !== undefined) known.attached.resolve(target);
    else if (this.#opening > 0) this.#held.set(target.targetId, target);
  }

  /** True for one that nobody saw. */
  detached(target: WatchedTarget): boolean {
    const hidden = this.hides(target);
    if (target.kind === "page") {
      this.#own.delete(target.targetId);
      this.#held.delete(target.targetId);
    }
    return hidden;
  }

  /** True for an event of a tab of ours, which is nobody else's. */
  takeEvent(target: WatchedTarget, method: string, params: unknown): boolean {
    const known = this.#own.get(target.tabId);
    if (known === undefined) return false;
    known.listener(method, params);
    return true;
  }

  #letGo(): void {
    const foreign = [...this.#held.values()].filter(({ targetId }) => !this.#own.has(targetId));
    this.#held.clear();
    for (const target of foreign) this.#onForeign(target);
  }
}

/** How long a new tab may take until it can be used, in ms. */
const attachTimeoutMs = 3000;
