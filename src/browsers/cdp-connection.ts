import type { LookupFunction } from "node:net";
import type { ProtocolMapping } from "devtools-protocol/types/protocol-mapping.js";
import { WebSocket } from "ws";
import { z } from "zod";

type Commands = ProtocolMapping.Commands;
type Events = ProtocolMapping.Events;

export type CdpParams<M extends keyof Commands> = Commands[M]["paramsType"][0];
export type CdpResult<M extends keyof Commands> = Commands[M]["returnType"];

export interface CdpEvent {
  readonly method: string;
  readonly params: unknown;
  /** The session (attached target) it comes from; null for the browser itself. */
  readonly sessionId: string | null;
}

/** An error that the browser itself answered to a command. */
export class CdpError extends Error {
  constructor(method: string, message: string) {
    super(`${method}: ${message}`);
    this.name = "CdpError";
  }
}

interface Pending {
  readonly method: string;
  readonly timer: NodeJS.Timeout;
  resolve(result: unknown): void;
  reject(error: Error): void;
}

export interface CdpSendOptions {
  /** Of an attached target; the browser itself without one. */
  readonly sessionId?: string;
  readonly timeoutMs?: number;
}

const messageSchema = z.object({
  id: z.number().optional(),
  method: z.string().optional(),
  params: z.unknown().optional(),
  result: z.unknown().optional(),
  error: z.object({ message: z.string() }).optional(),
  sessionId: z.string().optional(),
});

function parseMessage(text: string): z.infer<typeof messageSchema> | null {
  try {
    return messageSchema.parse(JSON.parse(text));
  } catch {
    return null;
  }
}

/** How long a command may take before it is given up, in ms. */
const defaultTimeoutMs = 5000;

/** A thin CDP client of the browser's WebSocket, typed by devtools-protocol. */
export class CdpConnection {
  readonly #socket: WebSocket;
  readonly #pending = new Map<number, Pending>();
  readonly #listeners = new Set<(event: CdpEvent) => void>();
  #lastId = 0;

  /** Settles when the connection is closed, by whichever side; never rejects. */
  readonly closed: Promise<void>;

  private constructor(socket: WebSocket) {
    this.#socket = socket;
    this.closed = new Promise((resolve) => {
      socket.on("close", () => {
        this.#failAll(new Error("the connection to the browser is closed"));
        resolve();
      });
    });
    // Whatever goes wrong ends in `close`; without a listener an error would end the process.
    socket.on("error", () => {});
    socket.on("message", (data) => this.#receive(String(data)));
  }

  /** Connects to a `ws:` or `wss:` URL. Throws when that takes longer than `timeoutMs`. */
  static async connect(url: string, options: CdpConnectOptions = {}): Promise<CdpConnection> {
    return new CdpConnection(await openCdpSocket(url, options));
  }

  get open(): boolean {
    return this.#socket.readyState === WebSocket.OPEN;
  }

  /** Sends a command. Throws `CdpError` for the browser's own errors, or when no answer comes. */
  async send<M extends keyof Commands>(
    method: M,
    params: CdpParams<M>,
    options: CdpSendOptions = {},
  ): Promise<CdpResult<M>> {
    return (await this.sendUntyped(method, params ?? {}, options)) as CdpResult<M>;
  }

  /** As `send`, for commands that are named only at run time. */
  sendUntyped(method: string, params: object, options: CdpSendOptions = {}): Promise<unknown> {
    const timeoutMs = options.timeoutMs ?? defaultTimeoutMs;
    this.#lastId += 1;
    const id = this.#lastId;
    return new Promise((resolve, reject) => {
      if (this.#socket.readyState !== WebSocket.OPEN) {
        reject(new Error(`${method}: the connection to the browser is closed`));
        return;
      }
      const timer = setTimeout(() => {
        this.#pending.delete(id);
        reject(new Error(`${method}: the browser did not answer within ${timeoutMs} ms`));
      }, timeoutMs);
      this.#pending.set(id, { method, timer, resolve, reject });
      const { sessionId } = options;
      this.#socket.send(JSON.stringify({ id, method, params, ...(sessionId && { sessionId }) }));
    });
  }

  /** Calls back for every event; returns the way to stop. */
  onEvent(listener: (event: CdpEvent) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /** Calls back for one kind of event, with its type. */
  on<E extends keyof Events>(
    method: E,
    listener: (params: Events[E][0], sessionId: string | null) => void,
  ): () => void {
    return this.onEvent((event) => {
      if (event.method === method) listener(event.params as Events[E][0], event.sessionId);
    });
  }

  close(): void {
    this.#socket.terminate();
  }

  #receive(text: string): void {
    const message = parseMessage(text);
    if (message === null) {
      // A browser elsewhere may be anything; what does not speak CDP is no browser.
      this.close();
      return;
    }
    if (message.id === undefined) {
      const { method, params, sessionId = null } = message;
      if (method === undefined || this.#listeners.size === 0) return;
      for (const listener of [...this.#listeners]) listener({ method, params, sessionId });
      return;
    }
    const pending = this.#pending.get(message.id);
    if (pending === undefined) return;
    this.#pending.delete(message.id);
    clearTimeout(pending.timer);
    if (message.error === undefined) pending.resolve(message.result);
    else pending.reject(new CdpError(pending.method, message.error.message));
  }

  #failAll(error: Error): void {
    for (const pending of this.#pending.values()) {
      clearTimeout(pending.timer);
      pending.reject(error);
    }
    this.#pending.clear();
  }
}

/** Opens a WebSocket to a `ws:` or `wss:` URL. Throws when that takes longer than `timeoutMs`. */
export async function openCdpSocket(
  url: string,
  options: CdpConnectOptions = {},
): Promise<WebSocket> {
  const socket = new WebSocket(url, {
    perMessageDeflate: false,
    handshakeTimeout: options.timeoutMs ?? defaultTimeoutMs,
    maxPayload: 256 * 1024 * 1024,
    ...(options.lookup === undefined ? {} : { lookup: options.lookup }),
  });
  await new Promise<void>((resolve, reject) => {
    socket.once("open", resolve);
    socket.once("error", reject);
  });
  return socket;
}

export interface CdpConnectOptions {
  readonly timeoutMs?: number;
  /** Resolves host names, for URLs whose addresses must be checked first. */
  readonly lookup?: LookupFunction;
}
