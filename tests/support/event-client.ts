import { type Nightjar, testKey } from "./nightjar.ts";

export interface ReceivedEvent {
  readonly id: string;
  readonly event: string;
  readonly data: Readonly<Record<string, unknown>>;
}

/** A client of server-sent events that keeps what it received. */
export class EventClient {
  readonly status: number;
  readonly received: ReceivedEvent[] = [];
  /** Settles when the server has ended the answer, or `stop` was called. */
  readonly ended: Promise<void>;
  readonly #controller: AbortController;

  private constructor(response: Response, controller: AbortController) {
    this.status = response.status;
    this.#controller = controller;
    this.ended = this.#read(response).catch(() => {});
  }

  static async connect(
    server: Nightjar,
    route: string,
    options: { readonly lastEventId?: string; readonly key?: string } = {},
  ): Promise<EventClient> {
    const controller = new AbortController();
    const { lastEventId, key = testKey } = options;
    const response = await fetch(`${server.url}${route}`, {
      headers: {
        Authorization: `Bearer ${key}`,
        Accept: "text/event-stream",
        ...(lastEventId === undefined ? {} : { "Last-Event-ID": lastEventId }),
      },
      signal: controller.signal,
    });
    return new EventClient(response, controller);
  }

  /** Those of a kind. */
  of(event: string): readonly ReceivedEvent[] {
    return this.received.filter((received) => received.event === event);
  }

  get lastId(): string {
    return this.received.at(-1)?.id ?? "";
  }

  stop(): void {
    this.#controller.abort();
  }

  async #read(response: Response): Promise<void> {
    let text = "";
    for await (const chunk of response.body?.pipeThrough(new TextDecoderStream()) ?? []) {
      text += chunk;
      const blocks = text.split("\n\n");
      text = blocks.pop() ?? "";
      for (const block of blocks) this.#take(block);
    }
  }

  #take(block: string): void {
    const fields = new Map(
      block.split("\n").map((line) => {
        const [name = "", ...rest] = line.split(": ");
        return [name, rest.join(": ")];
      }),
    );
    const data = fields.get("data");
    if (data === undefined) return;
    this.received.push({
      id: fields.get("id") ?? "",
      event: fields.get("event") ?? "",
      data: JSON.parse(data) as Record<string, unknown>,
    });
  }
}
