import { once } from "node:events";
import { WebSocket } from "ws";

/** What a browser, or the server in its place, answered to a command. */
export interface CdpAnswer {
  readonly result?: Readonly<Record<string, unknown>>;
  readonly error?: { readonly code: number; readonly message: string };
}

interface CdpEvent {
  /** Answers have one, events none. */
  readonly id?: number;
  readonly method?: string;
  readonly params?: Readonly<Record<string, unknown>>;
}

export interface Closing {
  readonly code: number;
  readonly reason: string;
}

/** A CDP client on a bare WebSocket. */
export class RawCdp {
  readonly socket: WebSocket;
  /** Settles when the connection is closed, by whichever side. */
  readonly closed: Promise<Closing>;
  readonly #answers = new Map<number, (answer: CdpAnswer) => void>();
  readonly #listeners = new Map<string, (params: Readonly<Record<string, unknown>>) => void>();
  #lastId = 0;
  #firstPage: Promise<string> | null = null;

  private constructor(socket: WebSocket) {
    this.socket = socket;
    this.closed = new Promise((resolve) => {
      socket.on("close", (code, reason) => resolve({ code, reason: String(reason) }));
    });
    // `close` follows.
    socket.on("error", () => {});
    socket.on("message", (data) => {
      const message = JSON.parse(String(data)) as CdpAnswer & CdpEvent;
      if (message.id === undefined) {
        this.#listeners.get(message.method ?? "")?.(message.params ?? {});
        return;
      }
      this.#answers.get(message.id)?.(message);
      this.#answers.delete(message.id);
    });
  }

  static async connect(url: string): Promise<RawCdp> {
    const socket = new WebSocket(url, { perMessageDeflate: false });
    await once(socket, "open");
    return new RawCdp(socket);
  }

  send(
    method: string,
    params: Readonly<Record<string, unknown>> = {},
    sessionId?: string,
  ): Promise<CdpAnswer> {
    this.#lastId += 1;
    const id = this.#lastId;
    const answer = new Promise<CdpAnswer>((resolve) => this.#answers.set(id, resolve));
    this.socket.send(JSON.stringify({ id, method, params, ...(sessionId && { sessionId }) }));
    return answer;
  }

  /** Calls back for every event of this name; one listener each. */
  onEvent(method: string, listener: (params: Readonly<Record<string, unknown>>) => void): void {
    this.#listeners.set(method, listener);
  }

  /** The URLs and ids of the open tabs. */
  async pages(): Promise<readonly { readonly targetId: string; readonly url: string }[]> {
    const { result = {} } = await this.send("Target.getTargets", { filter: [{ type: "page" }] });
    return result["targetInfos"] as readonly { readonly targetId: string; readonly url: string }[];
  }

  /** Attaches to the first tab, once; answers the CDP session's id. */
  firstPage(): Promise<string> {
    this.#firstPage ??= this.#attachToFirstPage();
    return this.#firstPage;
  }

  /** The value of an expression in the first tab. */
  async evaluate(expression: string): Promise<unknown> {
    const params = { expression, returnByValue: true, awaitPromise: true };
    const { result = {} } = await this.send("Runtime.evaluate", params, await this.firstPage());
    return (result["result"] as { readonly value?: unknown } | undefined)?.value;
  }

  async #attachToFirstPage(): Promise<string> {
    const [page] = await this.pages();
    const params = { targetId: page?.targetId, flatten: true };
    const { result = {} } = await this.send("Target.attachToTarget", params);
    return String(result["sessionId"]);
  }

  close(): void {
    this.socket.terminate();
  }
}

/** The status with which a WebSocket handshake is refused. */
export async function refusalOf(url: string): Promise<number> {
  const socket = new WebSocket(url);
  return new Promise((resolve, reject) => {
    socket.on("unexpected-response", (_request, response) => {
      response.resume();
      socket.on("error", () => {});
      socket.terminate();
      resolve(response.statusCode ?? 0);
    });
    socket.on("open", () => reject(new Error("the handshake was accepted")));
  });
}
