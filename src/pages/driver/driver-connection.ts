import type { ProtocolMapping } from "devtools-protocol/types/protocol-mapping.js";
import type { ConnectOverCDPTransport } from "playwright-core";
import type { CdpMessages } from "../../sessions/ports.ts";

type Commands = ProtocolMapping.Commands;
type Events = ProtocolMapping.Events;

/** How long a command of ours may take before it is given up, in ms. */
const defaultTimeoutMs = 10_000;

/** Playwright counts its commands from 1; ours never meet them. */
const firstOwnId = 2 ** 30;

/** The parts of a CDP message that are read here. */
interface Message {
  readonly id?: number;
  readonly method?: string;
  readonly params?: unknown;
  readonly result?: unknown;
  readonly error?: { readonly message: string };
  readonly sessionId?: string;
}

interface Pending {
  readonly timer: NodeJS.Timeout;
  resolve(result: unknown): void;
  reject(error: Error): void;
}

/** An error that the browser answered to a command of ours. */
export class DriverCommandError extends Error {
  constructor(method: string, message: string) {
    super(`${method}: ${message}`);
    this.name = "DriverCommandError";
  }
}

/**
 * The one CDP connection that a session's Playwright and our own commands share. Playwright uses it
 * as its transport; every message of the browser can be listened to beside it, and commands can be
 * sent into Playwright's own CDP sessions, so that what runs in a page's isolated world needs no
 * second connection, no second attachment and no second set of events.
 */
export class DriverConnection implements ConnectOverCDPTransport {
  onmessage?: (message: object) => void;
  onclose?: (reason?: string) => void;
  readonly closed: Promise<void>;
  readonly #channel: CdpMessages;
  readonly #pending = new Map<number, Pending>();
  readonly #listeners = new Map<string, Set<(params: never, sessionId: string) => void>>();
  /** Messages that Playwright is still to get. */
  readonly #inbox: object[] = [];
  #lastId = firstOwnId;
  #open = true;

  constructor(channel: CdpMessages) {
    this.#channel = channel;
    this.closed = channel.closed;
    // One message a task, as Playwright's own transports do: it listens for what follows an answer only
    // after the answer's promise has settled, and would miss it if both came at once (new tabs, say).
    channel.onMessage((message) => setImmediate(() => this.#receive(message)));
    void channel.closed.then(() => {
      this.#open = false;
      for (const { timer, reject } of this.#pending.values()) {
        clearTimeout(timer);
        reject(new Error("the connection to the browser is closed"));
      }
      this.#pending.clear();
      this.onclose?.();
    });
  }

  /** False from the moment it breaks, before anything that waits for an answer is told. */
  get isOpen(): boolean {
    return this.#open;
  }

  /** Playwright's own messages. */
  send(message: object): void {
    const { id, method, sessionId } = message as Message;
    // The session's downloads have a directory already; Playwright would name one of its own.
    if (method === "Browser.setDownloadBehavior") {
      this.#deliver({ id, result: {}, ...(sessionId && { sessionId }) });
      return;
    }
    this.#channel.send(message);
  }

  close(): void {
    this.#channel.close();
  }

  /**
   * Sends a command of ours, to the browser itself or into one of Playwright's CDP sessions.
   * Throws `DriverCommandError` for the browser's errors, or when no answer comes in time.
   */
  command<M extends keyof Commands>(
    method: M,
    params: Commands[M]["paramsType"][0],
    options: { readonly sessionId?: string; readonly timeoutMs?: number } = {},
  ): Promise<Commands[M]["returnType"]> {
    const { sessionId, timeoutMs = defaultTimeoutMs } = options;
    this.#lastId += 1;
    const id = this.#lastId;
    return new Promise((resolve, reject) => {
      if (!this.#open) {
        reject(new Error(`${method}: the connection to the browser is closed`));
        return;
      }
      const timer = setTimeout(() => {
        this.#pending.delete(id);
        reject(new Error(`${method}: the page did not answer within ${timeoutMs} ms`));
      }, timeoutMs);
      this.#pending.set(id, {
        timer,
        resolve,
        reject: (error) => reject(new DriverCommandError(method, error.message)),
      });
      this.#channel.send({ id, method, params: params ?? {}, ...(sessionId && { sessionId }) });
    });
  }

  /** Calls back for one kind of event, before Playwright sees it; returns the way to stop. */
  on<E extends keyof Events>(
    method: E,
    listener: (params: Events[E][0], sessionId: string) => void,
  ): () => void {
    const listeners = this.#listeners.get(method) ?? new Set();
    this.#listeners.set(method, listeners);
    listeners.add(listener);
    return () => listeners.delete(listener);
  }

  #receive(received: object): void {
    const message = received as Message;
    if (message.id !== undefined && message.id > firstOwnId) {
      this.#answer(message.id, message);
      return;
    }
    if (message.method !== undefined) {
      for (const listener of this.#listeners.get(message.method) ?? []) {
        listener(message.params as never, message.sessionId ?? "");
      }
    }
    this.#deliver(received);
  }

  /**
   * Hands a message to Playwright in a task of its own. What it begins on one message has to have
   * gone as far as it can before the next: several in one task have it lose the contexts of a popup.
   */
  #deliver(message: object): void {
    this.#inbox.push(message);
    if (this.#inbox.length > 1) return;
    const next = (): void => {
      const [first] = this.#inbox;
      if (first === undefined) return;
      try {
        this.onmessage?.(first);
      } finally {
        this.#inbox.shift();
        if (this.#inbox.length > 0) setImmediate(next);
      }
    };
    setImmediate(next);
  }

  #answer(id: number, message: Message): void {
    const pending = this.#pending.get(id);
    if (pending === undefined) return;
    this.#pending.delete(id);
    clearTimeout(pending.timer);
    if (message.error === undefined) pending.resolve(message.result);
    else pending.reject(new Error(message.error.message));
  }
}
