import { createSocket } from "node:dgram";
import { once } from "node:events";
import { type AddressInfo, createServer } from "node:net";

/** Listens, for TCP and UDP on one port, where nobody may get. */
export class Canary {
  /** How many connections and packets came. */
  visits = 0;
  readonly port: number;
  readonly #close: () => void;

  private constructor(port: number, close: () => void) {
    this.port = port;
    this.#close = close;
  }

  static async start(address: string): Promise<Canary> {
    const server = createServer();
    server.listen(0, address);
    await once(server, "listening");
    const { port } = server.address() as AddressInfo;
    const udp = createSocket("udp4");
    udp.bind(port, address);
    await once(udp, "listening");
    const canary = new Canary(port, () => {
      server.close();
      udp.close();
    });
    server.on("connection", (socket) => {
      canary.visits += 1;
      socket.destroy();
    });
    udp.on("message", () => {
      canary.visits += 1;
    });
    return canary;
  }

  stop(): void {
    this.#close();
  }
}
