import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";

/** A web site on loopback that sessions browse in tests. */
export class Site {
  readonly url: string;
  readonly #server: Server;

  private constructor(server: Server) {
    this.#server = server;
    const { address, port } = server.address() as AddressInfo;
    this.url = `http://${address}:${port}`;
  }

  static async start(
    handler: (request: IncomingMessage, response: ServerResponse) => void,
    address = "127.0.0.1",
  ): Promise<Site> {
    const server = createServer(handler);
    await new Promise<void>((resolve) => server.listen(0, address, resolve));
    return new Site(server);
  }

  async stop(): Promise<void> {
    this.#server.closeAllConnections();
    await new Promise((resolve) => this.#server.close(resolve));
  }
}

/** Answers every path with a small page whose title is the path. */
export function pageTitledByPath(request: IncomingMessage, response: ServerResponse): void {
  response.setHeader("Content-Type", "text/html");
  response.end(`<!doctype html><title>${request.url}</title><h1>Nightjar</h1>`);
}
