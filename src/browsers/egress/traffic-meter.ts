import type { Socket } from "node:net";
import type { Traffic } from "../../sessions/traffic.ts";

/** Counts the bytes of sockets as they go over the network, also while they are open. */
export class TrafficMeter {
  readonly #open = new Set<Socket>();
  #requestBytes = 0;
  #responseBytes = 0;

  /** Counts a socket from its first byte on. */
  add(socket: Socket): void {
    this.#open.add(socket);
    socket.once("close", () => {
      this.#open.delete(socket);
      this.#requestBytes += socket.bytesWritten;
      this.#responseBytes += socket.bytesRead;
    });
  }

  get total(): Traffic {
    let requestBytes = this.#requestBytes;
    let responseBytes = this.#responseBytes;
    for (const socket of this.#open) {
      requestBytes += socket.bytesWritten;
      responseBytes += socket.bytesRead;
    }
    return { requestBytes, responseBytes };
  }
}
