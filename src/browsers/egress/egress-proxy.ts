import type { LookupAddress, lookup } from "node:dns";
import { EventEmitter } from "node:events";
import type { Server as HttpServer, IncomingMessage, ServerResponse } from "node:http";
import type { Socket } from "node:net";
import {
  type PrepareRequestFunctionOpts,
  type PrepareRequestFunctionResult,
  RequestError,
  Server,
} from "proxy-chain";
import type { EgressFailure } from "../../sessions/ports.ts";
import type { Traffic } from "../../sessions/traffic.ts";
import { ClientConnection, type Destination, type Way } from "./client-connection.ts";
import { dial, lookupOf } from "./dial.ts";
import { type EgressError, failed, refused, troubleOf } from "./egress-error.ts";
import type { EgressPolicy } from "./egress-policy.ts";
import { canonicalHost } from "./host-patterns.ts";
import { isPeerOfUser } from "./peer-check.ts";
import { refusalHeaders, refusalPage, sentence } from "./refusal-page.ts";
import { TrafficMeter } from "./traffic-meter.ts";
import {
  connectThroughSocks,
  type Upstream,
  upstreamStatusTrouble,
  upstreamUrl,
} from "./upstream.ts";

/** How many failures are remembered, to say why a page did not open. */
const mostFailures = 50;
/** How long a handshake with another proxy may take, in ms. */
const handshakeTimeoutMs = 30_000;
/** For how long the browser may keep an unused connection, in ms: longer than it wants to. */
const keepAliveTimeoutMs = 330_000;

/** What holds for one session's traffic. */
export interface EgressRules {
  readonly policy: EgressPolicy;
  readonly upstream: Upstream | null;
  /** Decides where the upstream itself may be. */
  readonly upstreamPolicy: EgressPolicy;
}

export interface EgressProxyOptions {
  readonly rules: EgressRules;
  /** The user whose processes may use an upstream of it; null where the platform has no users. */
  readonly uid: number | null;
  readonly onConnection: () => void;
  readonly onFailure: (failure: EgressFailure) => void;
  readonly onClose: () => void;
}

interface Target {
  readonly host: string;
  readonly port: number;
}

/**
 * The way out of one browser: a proxy on loopback that it is launched with and that it cannot do
 * without. Decides about every connection by the address that is dialled, and counts the bytes.
 */
export class EgressProxy {
  readonly port: number;
  readonly #server: Server;
  readonly #options: EgressProxyOptions;
  readonly #meter = new TrafficMeter();
  readonly #clients = new WeakMap<Socket, ClientConnection>();
  /** What clients asked for last. */
  readonly #targets = new WeakMap<Socket, Target>();
  /** Servers that clients are about to be joined with. */
  readonly #dialled = new WeakMap<Socket, Socket>();
  readonly #joints = new EventEmitter();
  readonly #recent: EgressFailure[] = [];
  readonly #listeners = new Set<(failure: EgressFailure) => void>();
  #rules: EgressRules;
  #closed = false;

  private constructor(server: Server, options: EgressProxyOptions) {
    this.port = server.port;
    this.#server = server;
    this.#options = options;
    this.#rules = options.rules;
    this.#joints.on("connection", (source: Socket) => this.#join(source));
    const http = server.server;
    // It must not keep the process alive by itself.
    http.unref();
    // An upload may take as long as it takes.
    http.requestTimeout = 0;
    http.keepAliveTimeout = keepAliveTimeoutMs;
    http.prependListener("request", ({ socket }: IncomingMessage, response: ServerResponse) =>
      this.#clientOf(socket).answering(response),
    );
    server.on("tunnelConnectFailed", ({ response, customTag }) => {
      const { statusCode = 0 } = response as IncomingMessage;
      this.#record(customTag as Target, tunnelTrouble(statusCode));
    });
  }

  /** Throws a system error where the port is taken. */
  static async listen(port: number, options: EgressProxyOptions): Promise<EgressProxy> {
    let ready: (proxy: EgressProxy) => void = () => {};
    const listening = new Promise<EgressProxy>((resolve) => {
      ready = resolve;
    });
    const server = new Server({
      host: "127.0.0.1",
      port,
      prepareRequestFunction: async (request) => (await listening).#prepare(request),
    });
    await server.listen();
    const proxy = new EgressProxy(server, options);
    ready(proxy);
    return proxy;
  }

  /** Puts other rules in force for connections from now on. */
  use(rules: EgressRules): void {
    this.#rules = rules;
  }

  /** Bytes that went over the network to and from here, so far. */
  get traffic(): Traffic {
    return this.#meter.total;
  }

  /** The last failures, oldest first. */
  get recentFailures(): readonly EgressFailure[] {
    return this.#recent;
  }

  onFailure(listener: (failure: EgressFailure) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /** Breaks every connection. Idempotent. */
  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#options.onClose();
    this.#server.close(true).catch(() => {});
  }

  /** Decides about one request of the browser, before anything is dialled for it. */
  async #prepare(given: PrepareRequestFunctionOpts): Promise<PrepareRequestFunctionResult> {
    const { request, isHttp } = given;
    const target = { host: canonicalHost(given.hostname), port: Number(given.port) };
    this.#options.onConnection();
    this.#targets.set(request.socket, target);
    removeProxyHeaders(request);
    try {
      const { upstream } = this.#rules;
      if (upstream === null || upstream.bypass.matches(target.host, target.port)) {
        return await this.#prepareDirect(request.socket, target, isHttp);
      }
      return await this.#prepareUpstream(request.socket, target, upstream, isHttp);
    } catch (error) {
      const trouble = troubleOf(error);
      this.#record(target, trouble);
      return answerOf(trouble, request, isHttp);
    }
  }

  async #prepareDirect(
    source: Socket,
    target: Target,
    isHttp: boolean,
  ): Promise<PrepareRequestFunctionResult> {
    const addresses = await this.#rules.policy.addressesOf(target.host, target.port);
    if (isHttp) {
      return {
        httpAgent: this.#clientOf(source).agent(this.#toServer),
        dnsLookup: dnsLookupOf(addresses),
      };
    }
    return this.#tunnel(source, (signal) => this.#dial(addresses, target.port, signal));
  }

  async #prepareUpstream(
    source: Socket,
    target: Target,
    upstream: Upstream,
    isHttp: boolean,
  ): Promise<PrepareRequestFunctionResult> {
    const { policy, upstreamPolicy } = this.#rules;
    const { uid } = this.#options;
    const [addresses, own] = await Promise.all([
      upstreamPolicy.addressesOfUpstream(upstream.host, upstream.port).catch((error: unknown) => {
        throw troubleOf(error, "the session's proxy");
      }),
      // The upstream's password must serve nobody else on this machine.
      uid === null ? true : isPeerOfUser(source, uid),
    ]);
    if (!own) throw refused("peer", "this way out belongs to another session");
    policy.checkThroughUpstream(target.host, target.port, addresses);
    const client = this.#clientOf(source);
    const dnsLookup = dnsLookupOf(addresses);
    if (upstream.protocol === "socks5") {
      if (isHttp) return { httpAgent: client.agent(this.#throughSocks), dnsLookup };
      return this.#tunnel(source, (signal) =>
        this.#dialSocks(upstream, { ...target, addresses }, signal),
      );
    }
    return {
      upstreamProxyUrl: upstreamUrl(upstream),
      ...(upstream.protocol === "https"
        ? { httpsAgent: client.tlsAgent(this.#toUpstream) }
        : { httpAgent: client.agent(this.#toUpstream) }),
      dnsLookup,
      customTag: target,
    };
  }

  // For plain HTTP and HTTP upstreams, where the library asks for connections.
  readonly #toServer: Way = {
    to: "the server",
    open: ({ addresses, port }) => this.#dial(addresses, port),
  };
  readonly #toUpstream: Way = {
    to: "the session's proxy",
    open: ({ addresses, port }) => this.#dial(addresses, port),
  };
  readonly #throughSocks: Way = {
    to: "the session's proxy",
    open: (destination) => {
      const { upstream } = this.#rules;
      if (upstream === null) throw new Error("there is no upstream");
      return this.#dialSocks(upstream, destination);
    },
  };

  /** `destination`: what the upstream is asked for, with the upstream's addresses. */
  async #dialSocks(
    upstream: Upstream,
    destination: Destination,
    signal?: AbortSignal,
  ): Promise<Socket> {
    let socket: Socket;
    try {
      socket = await this.#dial(destination.addresses, upstream.port, signal);
    } catch (error) {
      throw troubleOf(error, "the session's proxy");
    }
    return connectThroughSocks(socket, upstream, destination, handshakeTimeoutMs);
  }

  async #dial(
    addresses: readonly LookupAddress[],
    port: number,
    signal?: AbortSignal,
  ): Promise<Socket> {
    const socket = await dial(addresses, port, signal === undefined ? {} : { signal });
    this.#meter.add(socket);
    return socket;
  }

  /** Dials ahead of the answer, so that a failure can be told, and joins the two once the library has answered. */
  async #tunnel(
    source: Socket,
    open: (signal: AbortSignal) => Promise<Socket>,
  ): Promise<PrepareRequestFunctionResult> {
    const gone = new AbortController();
    const abort = (): void => gone.abort(new Error("the browser gave up"));
    source.once("close", abort);
    try {
      const server = await open(gone.signal);
      if (source.destroyed) abort();
      if (gone.signal.aborted) server.destroy();
      gone.signal.throwIfAborted();
      this.#dialled.set(source, server);
      source.once("close", () => server.destroy());
    } finally {
      source.off("close", abort);
    }
    // The library asks for an HTTP server and does nothing with it but emit this event.
    return { customConnectServer: this.#joints as unknown as HttpServer };
  }

  #join(source: Socket): void {
    const server = this.#dialled.get(source);
    if (server === undefined) {
      source.destroy();
      return;
    }
    server.on("error", () => source.destroy());
    // What has been received is delivered, then this side closes as well.
    server.once("close", () => source.destroySoon());
    source.pipe(server);
    server.pipe(source);
  }

  #clientOf(source: Socket): ClientConnection {
    const client =
      this.#clients.get(source) ??
      new ClientConnection(source, (error) => {
        const target = this.#targets.get(source);
        if (target !== undefined) this.#record(target, error);
      });
    this.#clients.set(source, client);
    return client;
  }

  #record(target: Target, error: EgressError): void {
    const { host, port } = target;
    const failure = { at: Date.now(), host, port, ...error.outcome, message: error.message };
    this.#recent.push(failure);
    if (this.#recent.length > mostFailures) this.#recent.shift();
    this.#options.onFailure(failure);
    for (const listener of [...this.#listeners]) listener(failure);
  }
}

/** What the browser is told. */
function answerOf(
  trouble: EgressError,
  request: IncomingMessage,
  isHttp: boolean,
): PrepareRequestFunctionResult {
  const { kind, reason } = trouble.outcome;
  if (kind === "refused" && isHttp) {
    const wantsPage = request.headers.accept?.includes("text/html") === true;
    const body = wantsPage ? refusalPage(trouble.message) : `${sentence(trouble.message)}\n`;
    const type = wantsPage ? {} : { "content-type": "text/plain; charset=utf-8" };
    return {
      customResponseFunction: () => ({
        statusCode: 403,
        headers: { ...refusalHeaders, ...type, "x-nightjar-refused": reason },
        body,
      }),
    };
  }
  // As without a proxy: the page gets no answer at all.
  if (isHttp) request.socket.destroy();
  throw new RequestError(`${sentence(trouble.message)}\n`, kind === "refused" ? 403 : 502);
}

/** Browsers send it to proxies alone. Changed in place: the library sends on what it finds there. */
function removeProxyHeaders({ rawHeaders }: IncomingMessage): void {
  for (let at = rawHeaders.length - 2; at >= 0; at -= 2) {
    if (/^proxy-/i.test(rawHeaders[at] ?? "")) rawHeaders.splice(at, 2);
  }
}

/** What an HTTP upstream that does not connect has to say by its status. */
function tunnelTrouble(status: number): EgressError {
  return (
    upstreamStatusTrouble(status) ??
    failed("upstream_target", `the session's proxy could not connect to it (it answered ${status})`)
  );
}

/** The library types it as the system's own function, of which this is the part that is called. */
function dnsLookupOf(addresses: readonly LookupAddress[]): typeof lookup {
  return lookupOf(addresses) as unknown as typeof lookup;
}
