import type { LookupAddress } from "node:dns";
import { Agent as HttpAgent, type ServerResponse } from "node:http";
import { Agent as HttpsAgent } from "node:https";
import type { LookupFunction, Socket } from "node:net";
import type { Duplex } from "node:stream";
import { type EgressError, failed, type Peer, troubleOf } from "./egress-error.ts";
import { secured } from "./upstream.ts";

type Callback = (error: Error | null, stream: Duplex) => void;

/** What a connection is to lead to, with the addresses that were checked for it. */
export interface Destination {
  readonly host: string;
  readonly port: number;
  readonly addresses: readonly LookupAddress[];
}

/** A way to make connections. */
export interface Way {
  /** What they lead to. */
  readonly to: Peer;
  /** Throws an `EgressError` or a system error. */
  readonly open: (destination: Destination) => Promise<Socket>;
}

/** For how long a connection to a server is kept for the browser's next request, in ms. */
const idleMs = 4000;

/**
 * One connection of a browser to its proxy, with the connections to servers that its plain HTTP
 * requests use: theirs alone, so that what one policy or upstream allowed serves no other, and so
 * that the browser's own handling of connections that break holds.
 */
export class ClientConnection {
  readonly #source: Socket;
  readonly #onTrouble: (error: EgressError) => void;
  readonly #agents = new Map<Way, HttpAgent>();
  #response: ServerResponse | null = null;

  /** `onTrouble` is called when a server cannot be reached or goes without an answer. */
  constructor(source: Socket, onTrouble: (error: EgressError) => void) {
    this.#source = source;
    this.#onTrouble = onTrouble;
    source.once("close", () => {
      for (const agent of this.#agents.values()) agent.destroy();
    });
  }

  /** What the library gets its connections from; the same way has the same agent. */
  agent(way: Way): HttpAgent {
    return this.#agent(way, () =>
      opening(new HttpAgent(agentOptions), (options) => this.#connect(options, way)),
    );
  }

  /** The same for a proxy that speaks TLS. */
  tlsAgent(way: Way): HttpsAgent {
    const make = () =>
      // The library asks for one of this kind where the proxy speaks TLS.
      opening(new HttpsAgent(agentOptions), (options) =>
        this.#connect(options, {
          to: way.to,
          open: async (destination) => secured(await way.open(destination), destination.host),
        }),
      );
    return this.#agent(way, make) as HttpsAgent;
  }

  /** The request that is being answered. */
  answering(response: ServerResponse): void {
    this.#response = response;
  }

  #agent(way: Way, make: () => HttpAgent): HttpAgent {
    const agent = this.#agents.get(way) ?? make();
    this.#agents.set(way, agent);
    return agent;
  }

  async #connect(options: OpenOptions, way: Way): Promise<Socket> {
    try {
      const { host, port } = options;
      const addresses = await answersOf(options.lookup, host);
      const socket = await way.open({ host, port: Number(port), addresses });
      if (this.#source.destroyed) {
        socket.destroy();
        throw new Error("the browser gave up");
      }
      // All three: an answer of the library's own comes with the first of them.
      for (const event of ["end", "error", "close"]) {
        socket.once(event, () => this.#gone(failed("closed", `${way.to} closed the connection`)));
      }
      return socket;
    } catch (error) {
      const trouble = troubleOf(error, way.to);
      this.#gone(trouble);
      throw trouble;
    }
  }

  /**
   * A server that goes before it answered fails the browser's connection, as it would without a
   * proxy: the browser tries again where it may, and a page does not get an answer of ours.
   */
  #gone(trouble: EgressError): void {
    const response = this.#response;
    const answered = response === null ? this.#source.bytesWritten > 0 : response.headersSent;
    if (answered || this.#source.destroyed) return;
    this.#onTrouble(trouble);
    if (response !== null) this.#source.destroy();
  }
}

/** What the library's requests give an agent. */
interface OpenOptions {
  readonly host: string;
  readonly port: number | string;
  readonly lookup: LookupFunction;
}

type Connect = (options: OpenOptions) => Promise<Socket>;

const agentOptions = { keepAlive: true, timeout: idleMs };

/** Has an agent take its connections from `connect`. */
function opening<Agent extends HttpAgent>(agent: Agent, connect: Connect): Agent {
  agent.createConnection = (options: object, callback?: Callback): null => {
    handOver(connect(options as OpenOptions), callback);
    return null;
  };
  return agent;
}

function handOver(connecting: Promise<Socket>, callback: Callback | undefined): void {
  connecting.then(
    (socket) => {
      callback?.(null, socket);
      // A SOCKS handshake leaves it paused.
      socket.resume();
    },
    // Agents look at no stream where there is an error.
    (error: Error) => (callback as ((error: Error) => void) | undefined)?.(error),
  );
}

/** The addresses that were checked for this request: the library hands the look-up through. */
function answersOf(lookup: LookupFunction, host: string): Promise<readonly LookupAddress[]> {
  return new Promise((resolve, reject) => {
    lookup(host, { all: true }, (error, addresses) => {
      if (error !== null) reject(error);
      else resolve(Array.isArray(addresses) ? addresses : []);
    });
  });
}
