import { type AddressInfo, connect, createServer, type Server, type Socket } from "node:net";

/** Carries TCP connections to a port of this machine, and breaks them when a test says so. */
export class BreakableLine {
  readonly #server: Server;
  /** The open ones, oldest first. */
  readonly #sockets = new Set<Socket>();

  private constructor(port: number) {
    this.#server = createServer((socket) => {
      const target = connect(port, "127.0.0.1");
      this.#sockets.add(socket);
      socket.pipe(target).pipe(socket);
      for (const [end, other] of [
        [socket, target],
        [target, socket],
      ] as const) {
        // `close` follows.
        end.on("error", () => {});
        end.on("close", () => other.destroy());
      }
      socket.on("close", () => this.#sockets.delete(socket));
    });
  }

  static async to(port: number): Promise<BreakableLine> {
    const line = new BreakableLine(port);
    await new Promise<void>((resolve) => line.#server.listen(0, "127.0.0.1", resolve));
    return line;
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port;
  }

  /** How many connections there are. */
  get connections(): number {
    return this.#sockets.size;
  }

  breakAllButFirst(): void {
    for (const socket of [...this.#sockets].slice(1)) socket.destroy();
  }

  async close(): Promise<void> {
    for (const socket of this.#sockets) socket.destroy();
    await new Promise((resolve) => this.#server.close(resolve));
  }
}
