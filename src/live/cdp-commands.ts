import type { ProtocolMapping } from "devtools-protocol/types/protocol-mapping.js";
import type { CdpMessages } from "../sessions/ports.ts";

export type Commands = ProtocolMapping.Commands;

interface Message {
  readonly id?: number;
  readonly method?: string;
  readonly params?: unknown;
  readonly result?: unknown;
  readonly error?: { readonly message: string };
  readonly sessionId?: string;
}

/** Commands over a CDP connection of our own, and the events that come back. */
export class CdpCommands {
  /** Settles when the connection is closed; never rejects. */
  readonly closed: Promise<void>;
  /** Called for each event; the CDP session is null for the browser's own. */
  onEvent: (method: string, params: unknown, sessionId: string | null) => void = () => {};
  readonly #messages: CdpMessages;
  readonly #pending = new Map<
    number,
    { readonly method: string; resolve(result: unknown): void; reject(error: Error): void }
  >();
  #lastId = 0;

  constructor(messages: CdpMessages) {
    this.#messages = messages;
    messages.onMessage((message: Message) => {
      if (message.id !== undefined) this.#answered(message.id, message);
      else if (message.method !== undefined) {
        this.onEvent(message.method, message.params, message.sessionId ?? null);
      }
    });
    this.closed = messages.closed.then(() => {
      for (const { reject } of this.#pending.values()) reject(new Error("the browser is gone"));
      this.#pending.clear();
    });
  }

  /** Resolves when the browser answers, however long a page that is busy takes. */
  send<M extends keyof Commands>(
    method: M,
    params: Commands[M]["paramsType"][0],
    sessionId?: string,
  ): Promise<Commands[M]["returnType"]> {
    this.#lastId += 1;
    const id = this.#lastId;
    const answer = new Promise((resolve, reject) => {
      this.#pending.set(id, { method, resolve, reject });
    });
    this.#messages.send({ id, method, params: params ?? {}, ...(sessionId && { sessionId }) });
    return answer as Promise<Commands[M]["returnType"]>;
  }

  close(): void {
    this.#messages.close();
  }

  #answered(id: number, { result, error }: Message): void {
    const pending = this.#pending.get(id);
    if (pending === undefined) return;
    this.#pending.delete(id);
    if (error === undefined) pending.resolve(result);
    else pending.reject(new Error(`${pending.method}: ${error.message}`));
  }
}
