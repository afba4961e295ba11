import { PassThrough, type Readable } from "node:stream";

/**
 * How often a word is sent where there is no news, so that nobody takes the line for dead, in ms. A
 * client that has taken nothing from one to the next, though something waits for it, does not read.
 */
const heartbeatMs = 15_000;

/** How soon a client that was cut off should come back, in ms. */
const comeBackMs = 1000;

/** Server-sent events (the HTML standard, 9.2) on their way to one client. */
export class EventStream {
  readonly #stream = new PassThrough();
  readonly #heartbeat: NodeJS.Timeout;
  #sentBytes = 0;
  /** What the client had taken at the last heartbeat, in bytes; null where nothing waited for it. */
  #takenBytes: number | null = null;
  #onReady = (): void => {};

  constructor() {
    this.#heartbeat = setInterval(() => this.#beat(), heartbeatMs);
    // Whatever goes wrong ends in `close`.
    this.#stream.on("error", () => {});
    this.#stream.on("drain", () => this.#onReady());
    this.#stream.on("close", () => {
      clearInterval(this.#heartbeat);
      this.#onReady();
    });
    this.#write(`retry: ${comeBackMs}\n\n`);
  }

  /** The bytes for the answer's body. */
  get body(): Readable {
    return this.#stream;
  }

  /**
   * Resolves when the client has taken what was sent but for a little, or is gone; never rejects. To be
   * awaited before each event, by one at a time.
   */
  async ready(): Promise<void> {
    if (this.#stream.destroyed || !this.#stream.writableNeedDrain) return;
    await new Promise<void>((resolve) => {
      this.#onReady = resolve;
    });
  }

  /** `id`: what the client says that it has seen when it comes back. */
  send(event: { readonly id: number; readonly name: string; readonly data: object }): void {
    // JSON has no line breaks of its own.
    this.#write(`id: ${event.id}\nevent: ${event.name}\ndata: ${JSON.stringify(event.data)}\n\n`);
  }

  /** Ends the answer when all of it is sent. */
  end(): void {
    clearInterval(this.#heartbeat);
    this.#stream.end();
  }

  /** Calls back when the answer is over, whoever ended it. */
  onClosed(callback: () => void): void {
    if (this.#stream.closed) callback();
    else this.#stream.once("close", callback);
  }

  #beat(): void {
    const { writableNeedDrain, writableLength, readableLength } = this.#stream;
    const takenBytes = this.#sentBytes - writableLength - readableLength;
    if (!writableNeedDrain) this.#write(": still here\n\n");
    // It may come back for the rest.
    else if (takenBytes === this.#takenBytes) this.#stream.destroy();
    this.#takenBytes = writableNeedDrain ? takenBytes : null;
  }

  #write(text: string): void {
    if (this.#stream.destroyed || this.#stream.writableEnded) return;
    const bytes = Buffer.from(text);
    this.#sentBytes += bytes.length;
    this.#stream.write(bytes);
  }
}
