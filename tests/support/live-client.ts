import { once } from "node:events";
import { WebSocket } from "ws";
import { frameHeader, type ServerMessage, type ViewerMessage } from "../../src/live/protocol.ts";
import type { Closing } from "./raw-cdp.ts";

export interface ReceivedFrame {
  readonly tab: number;
  readonly number: number;
  /** When the browser drew it, in epoch ms. */
  readonly at: number;
  readonly width: number;
  readonly height: number;
  readonly jpeg: Buffer;
}

/** A viewer on a bare WebSocket. */
export class LiveClient {
  readonly socket: WebSocket;
  readonly messages: ServerMessage[] = [];
  /** How many frames came, and the last one. */
  frameCount = 0;
  lastFrame: ReceivedFrame | null = null;
  onFrame: (frame: ReceivedFrame) => void = () => {};
  readonly #shows: boolean;
  /** Settles when the connection is closed, by whichever side. */
  readonly closed: Promise<Closing>;

  private constructor(socket: WebSocket, shows: boolean) {
    this.socket = socket;
    this.#shows = shows;
    this.closed = new Promise((resolve) => {
      socket.on("close", (code, reason) => resolve({ code, reason: String(reason) }));
    });
    // `close` follows.
    socket.on("error", () => {});
    socket.on("message", (data: Buffer, isBinary) => {
      if (isBinary) this.#frame(data);
      else this.messages.push(JSON.parse(String(data)) as ServerMessage);
    });
  }

  /**
   * Connects by a link to the live view, as the page that it opens does. `shows`: whether it says that
   * frames are shown as they come.
   */
  static async connect(viewerUrl: string, { shows } = { shows: true }): Promise<LiveClient> {
    const socket = new WebSocket(liveUrl(viewerUrl), { perMessageDeflate: false });
    const client = new LiveClient(socket, shows);
    await once(socket, "open");
    return client;
  }

  /** The last message of a type. */
  last<T extends ServerMessage["type"]>(
    type: T,
  ): Extract<ServerMessage, { readonly type: T }> | undefined {
    return this.messages.findLast(
      (message): message is Extract<ServerMessage, { readonly type: T }> => message.type === type,
    );
  }

  send(message: ViewerMessage): void {
    this.socket.send(JSON.stringify(message));
  }

  close(): void {
    this.socket.terminate();
  }

  #frame(data: Buffer): void {
    const frame: ReceivedFrame = {
      tab: data.readUInt16BE(frameHeader.tab),
      number: data.readUInt32BE(frameHeader.number),
      at: data.readDoubleBE(frameHeader.at),
      width: data.readFloatBE(frameHeader.width),
      height: data.readFloatBE(frameHeader.height),
      jpeg: data.subarray(frameHeader.bytes),
    };
    this.frameCount += 1;
    this.lastFrame = frame;
    if (this.#shows) this.send({ type: "shown", number: frame.number });
    this.onFrame(frame);
  }
}

/** The WebSocket that a link to the live view leads to. */
export function liveUrl(viewerUrl: string): string {
  const url = new URL(viewerUrl);
  url.protocol = url.protocol.replace("http", "ws");
  url.pathname = `/sessions/${url.searchParams.get("session")}/live`;
  return url.href;
}
