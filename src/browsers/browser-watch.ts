import type {
  BrowserWatch,
  WatchedChange,
  WatchedEvent,
  WatchedTarget,
} from "../sessions/ports.ts";
import { CdpConnection, type CdpConnectOptions } from "./cdp-connection.ts";

/** The kinds of targets that are watched, by their names in CDP. */
const kinds: ReadonlySet<string> = new Set<WatchedTarget["kind"]>([
  "page",
  "iframe",
  "worker",
  "service_worker",
  "shared_worker",
]);

/**
 * What tells of requests and messages. `Page` is not among them: a browser whose Page domain is on
 * leaves dialogs open until somebody answers them, and clients that answer none would hang.
 */
const captureDomains = ["Network", "Runtime", "Log"] as const;

/**
 * The browser need not hold what comes for us, nor send what pages upload; 0 would mean all of it. Of
 * sessions whose bodies are kept, the log asks for more. In bytes.
 */
const networkBuffer = { maxTotalBufferSize: 0, maxResourceBufferSize: 0, maxPostDataSize: 1 };

export interface WatchOptions extends CdpConnectOptions {
  /** Whether network, runtime and log events are wanted. */
  readonly capture: boolean;
}

/** Watches a browser over a CDP connection of its own. */
export class CdpBrowserWatch implements BrowserWatch {
  readonly #connection: CdpConnection;
  readonly #capture: boolean;
  /** By the watch's CDP session. */
  readonly #targets = new Map<string, WatchedTarget>();
  readonly #targetListeners = new Set<(change: WatchedChange) => void>();
  readonly #eventListeners = new Set<(event: WatchedEvent) => void>();

  private constructor(connection: CdpConnection, capture: boolean) {
    this.#connection = connection;
    this.#capture = capture;
    connection.onEvent(({ method, params, sessionId }) => this.#receive(method, params, sessionId));
  }

  /** Resolves when every page that there is, is watched. Throws when the browser does not answer. */
  static async open(url: string, options: WatchOptions): Promise<CdpBrowserWatch> {
    const connection = await CdpConnection.connect(url, options);
    const watch = new CdpBrowserWatch(connection, options.capture);
    try {
      // Titles and URLs of targets are told only to who discovers them.
      await Promise.all([
        connection.send("Target.setDiscoverTargets", { discover: true }),
        watch.#autoAttach(null),
      ]);
      return watch;
    } catch (error) {
      connection.close();
      throw error;
    }
  }

  get targets(): readonly WatchedTarget[] {
    return [...this.#targets.values()].filter((target) => !this.#isEcho(target));
  }

  get tabs(): readonly WatchedTarget[] {
    return this.targets.filter(({ kind }) => kind === "page");
  }

  get closed(): Promise<void> {
    return this.#connection.closed;
  }

  /** False once its connection has broken. */
  get open(): boolean {
    return this.#connection.open;
  }

  onTarget(listener: (change: WatchedChange) => void): () => void {
    this.#targetListeners.add(listener);
    return () => this.#targetListeners.delete(listener);
  }

  onEvent(listener: (event: WatchedEvent) => void): () => void {
    this.#eventListeners.add(listener);
    return () => this.#eventListeners.delete(listener);
  }

  send(
    method: string,
    params: object = {},
    options: { readonly sessionId?: string; readonly timeoutMs?: number } = {},
  ): Promise<unknown> {
    return this.#connection.sendUntyped(method, params, options);
  }

  close(): void {
    this.#connection.close();
  }

  #receive(method: string, params: unknown, sessionId: string | null): void {
    switch (method) {
      case "Target.attachedToTarget":
        this.#attached(params as AttachedToTarget, sessionId);
        return;
      case "Target.detachedFromTarget":
        this.#detached((params as { readonly sessionId: string }).sessionId);
        return;
      case "Target.targetInfoChanged":
        this.#changed((params as { readonly targetInfo: TargetInfo }).targetInfo);
        return;
    }
    if (this.#eventListeners.size === 0) return;
    const target = sessionId === null ? null : (this.#targets.get(sessionId) ?? null);
    if (target !== null && this.#isEcho(target)) {
      // Nobody else lets go of what was said for this session.
      if (method === "Runtime.consoleAPICalled") {
        this.#ask("Runtime.releaseObjectGroup", { objectGroup: "console" }, target.sessionId);
      }
      return;
    }
    for (const listener of [...this.#eventListeners]) listener({ method, params, target });
  }

  #attached(event: AttachedToTarget, parentSession: string | null): void {
    const { sessionId, targetInfo, waitingForDebugger } = event;
    if (isWatched(targetInfo.type)) {
      const parent = parentSession === null ? null : (this.#targets.get(parentSession) ?? null);
      const target: WatchedTarget = {
        targetId: targetInfo.targetId,
        sessionId,
        kind: targetInfo.type,
        tabId: tabOf(targetInfo, parent),
        url: targetInfo.url,
        title: targetInfo.title,
      };
      this.#targets.set(sessionId, target);
      if (!this.#isEcho(target)) this.#tell({ kind: "opened", target });
      this.#prepare(target);
    }
    // The commands before this one are done first: nothing of the target comes before they hold.
    if (waitingForDebugger) this.#ask("Runtime.runIfWaitingForDebugger", {}, sessionId);
  }

  #prepare({ kind, sessionId }: WatchedTarget): void {
    if (this.#capture) {
      for (const domain of captureDomains) {
        this.#ask(`${domain}.enable`, domain === "Network" ? networkBuffer : {}, sessionId);
      }
    }
    // Frames of other sites and workers are targets beneath theirs.
    if (kind !== "service_worker" && kind !== "shared_worker") {
      this.#autoAttach(sessionId).catch(() => {});
    }
  }

  #autoAttach(sessionId: string | null): Promise<unknown> {
    return this.send(
      "Target.setAutoAttach",
      { autoAttach: true, waitForDebuggerOnStart: true, flatten: true },
      sessionId === null ? {} : { sessionId },
    );
  }

  #detached(sessionId: string): void {
    const target = this.#targets.get(sessionId);
    if (target === undefined) return;
    const wasEcho = this.#isEcho(target);
    this.#targets.delete(sessionId);
    if (wasEcho) return;
    const next = [...this.#targets.values()].find(({ targetId }) => targetId === target.targetId);
    this.#tell(next === undefined ? { kind: "closed", target } : { kind: "changed", target: next });
  }

  /**
   * Service workers are attached to by the browser itself and once more by each of their pages, whose
   * attachment alone is early enough to see them load: the first that there is counts.
   */
  #isEcho({ kind, targetId, sessionId }: WatchedTarget): boolean {
    if (kind !== "service_worker") return false;
    for (const other of this.#targets.values()) {
      if (other.targetId === targetId) return other.sessionId !== sessionId;
    }
    return false;
  }

  #changed(info: TargetInfo): void {
    for (const target of this.#targets.values()) {
      if (target.targetId !== info.targetId) continue;
      if (target.url === info.url && target.title === info.title) return;
      const changed = { ...target, url: info.url, title: info.title };
      this.#targets.set(target.sessionId, changed);
      this.#tell({ kind: "changed", target: changed });
      return;
    }
  }

  #tell(change: WatchedChange): void {
    for (const listener of [...this.#targetListeners]) listener(change);
  }

  /** For commands whose failure means that the target is gone. */
  #ask(method: string, params: object, sessionId: string): void {
    this.send(method, params, { sessionId }).catch(() => {});
  }
}

interface TargetInfo {
  readonly targetId: string;
  readonly type: string;
  readonly url: string;
  readonly title: string;
}

interface AttachedToTarget {
  readonly sessionId: string;
  readonly targetInfo: TargetInfo;
  readonly waitingForDebugger: boolean;
}

/** Workers that several tabs may share belong to none. */
function tabOf({ type, targetId }: TargetInfo, parent: WatchedTarget | null): string {
  if (type === "page") return targetId;
  if (type === "service_worker" || type === "shared_worker") return "";
  return parent?.tabId ?? "";
}

function isWatched(type: string): type is WatchedTarget["kind"] {
  return kinds.has(type);
}
