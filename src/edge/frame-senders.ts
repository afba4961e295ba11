import type { WebSocket } from "ws";
import { frameHeader, mostFramesAhead } from "../live/protocol.ts";
import type { ScreencastFrame } from "../recording/screencast-frame.ts";

/**
 * Sends frames to a viewer, so many ahead of those that it has shown; of those that come meanwhile
 * only the last one waits. So a viewer sees the page as late as its line takes, never later.
 */
export class ViewerFrames {
  readonly #socket: WebSocket;
  #sent = 0;
  #shown = 0;
  #waiting: { readonly frame: ScreencastFrame; readonly tab: number } | null = null;

  constructor(socket: WebSocket) {
    this.#socket = socket;
  }

  offer(frame: ScreencastFrame, tab: number): void {
    this.#waiting = { frame, tab };
    this.#send();
  }

  /** The viewer has shown this frame and all before it. */
  shown(number: number): void {
    this.#shown = Math.max(this.#shown, Math.min(number, this.#sent));
    this.#send();
  }

  #send(): void {
    if (this.#waiting === null || this.#sent - this.#shown >= mostFramesAhead) return;
    const { frame, tab } = this.#waiting;
    this.#waiting = null;
    this.#sent += 1;
    this.#socket.send(Buffer.concat([headerOf(frame, tab, this.#sent), frame.jpeg]));
  }
}

function headerOf(frame: ScreencastFrame, tab: number, number: number): Buffer {
  const header = Buffer.alloc(frameHeader.bytes);
  header.writeUInt16BE(tab & 0xffff, frameHeader.tab);
  header.writeUInt32BE(number, frameHeader.number);
  header.writeDoubleBE(frame.at, frameHeader.at);
  header.writeFloatBE(frame.width, frameHeader.width);
  header.writeFloatBE(frame.height, frameHeader.height);
  header.writeFloatBE(frame.pageScale, frameHeader.pageScale);
  return header;
}

/** How many frames may be on their way to the operating system at once. */
const mostInFlight = 2;

/** Sends bare JPEGs to a client that does not say what it has shown; as fast as it reads. */
export class BareFrames {
  readonly #socket: WebSocket;
  #inFlight = 0;
  #waiting: Buffer | null = null;

  constructor(socket: WebSocket) {
    this.#socket = socket;
  }

  offer({ jpeg }: ScreencastFrame): void {
    this.#waiting = jpeg;
    this.#send();
  }

  #send(): void {
    if (this.#waiting === null || this.#inFlight >= mostInFlight) return;
    const jpeg = this.#waiting;
    this.#waiting = null;
    this.#inFlight += 1;
    this.#socket.send(jpeg, () => {
      this.#inFlight -= 1;
      this.#send();
    });
  }
}
