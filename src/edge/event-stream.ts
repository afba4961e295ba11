import { PassThrough, type Readable } from "node:stream";

/** A client that lets so much pile up does not read; it may come back for the rest, in bytes. */
const mostBufferedBytes = 1024 * 1024;

/** How often a word is sent where there is no news, so that nobody takes the line for dead, in ms. */
const heartbeatMs = 15_000;

/** How soon a client that was cut off should come back, in ms. */
const comeBackMs = 1000;

/** Server-sent events (the HTML standard, 9.2) on their way to one client. */
export class EventStream {
  readonly #stream = new PassThrough();
  readonly #heartbeat: NodeJS.Timeout;

  constructor() {
    this.#heartbeat = setInterval(() => this.#write(": still here\n\n"), heartbeatMs);
    // Whatever goes wrong ends in `close`.
    this.#stream.on("error", () => {});
    this.#stream.on("close", () => clearInterval(this.#heartbeat));
    this.#write(`retry: ${comeBackMs}\n\n`);
  }

  /** The bytes for the answer's body. */
  get body(): Readable {
    return this.#stream;
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

  #write(text: string): void {
    if (this.#stream.destroyed || this.#stream.writableEnded) return;
    this.#stream.write(text);
    if (this.#stream.writableLength > mostBufferedBytes) this.#stream.destroy();
  }
}
