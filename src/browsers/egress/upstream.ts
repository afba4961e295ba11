import { request as httpRequest } from "node:http";
import type { Socket } from "node:net";
import { connect as tlsConnect } from "node:tls";
import { SocksClient } from "socks";
import { messageOf } from "../../sessions/errors.ts";
import { type EgressError, failed } from "./egress-error.ts";
import { HostPatterns, isHostPattern, plainHost } from "./host-patterns.ts";

const protocols = ["http:", "https:", "socks5:", "socks5h:"] as const;
const usualPorts: Readonly<Record<(typeof protocols)[number], number>> = {
  "http:": 80,
  "https:": 443,
  "socks5:": 1080,
  "socks5h:": 1080,
};

/** Another proxy, that a browser's proxy goes through. */
export interface Upstream {
  readonly protocol: "http" | "https" | "socks5";
  /** A name, or an address without brackets. */
  readonly host: string;
  readonly port: number;
  /** Empty for none. */
  readonly username: string;
  readonly password: string;
  /** Reached without it. */
  readonly bypass: HostPatterns;
}

/** Reads a proxy's address. Throws an `Error` whose message has no password in it. */
export function parseUpstream(given: {
  /** `http://host:port`; without a scheme it is `http`. */
  readonly server: string;
  readonly username: string | null;
  readonly password: string | null;
  readonly bypass: readonly string[];
}): Upstream {
  const text = given.server.trim();
  const url = URL.parse(/^[a-z][a-z0-9+.-]*:\/\//i.test(text) ? text : `http://${text}`);
  const protocol = protocols.find((known) => known === url?.protocol);
  if (url === null || protocol === undefined || url.hostname === "") {
    throw new Error("must be the URL of a proxy: http://, https:// or socks5://host:port");
  }
  if (!/^\/?$/.test(url.pathname) || url.search !== "" || url.hash !== "") {
    throw new Error("must be the URL of a proxy, without a path behind host and port");
  }
  const wrong = given.bypass.find((pattern) => !isHostPattern(pattern));
  if (wrong !== undefined) throw new Error(`has a bypass list with "${wrong}", which is no host`);
  const username = given.username ?? decoded(url.username);
  if (username.includes(":")) throw new Error("must have a user name without a colon");
  return {
    protocol: protocol.startsWith("socks5") ? "socks5" : protocol === "https:" ? "https" : "http",
    host: plainHost(url.hostname),
    port: url.port === "" ? usualPorts[protocol] : Number(url.port),
    username,
    password: given.password ?? decoded(url.password),
    bypass: new HostPatterns(given.bypass),
  };
}

/** The URL of an HTTP upstream, for the library. */
export function upstreamUrl({ protocol, host, port, username, password }: Upstream): string {
  const user = [username, password].map(encodeURIComponent).join(":");
  const credentials = user === ":" ? "" : `${user}@`;
  return `${protocol}://${credentials}${host.includes(":") ? `[${host}]` : host}:${port}`;
}

/** Asks a SOCKS proxy, on a connection to it, for one to a host. Throws an `EgressError`. */
export async function connectThroughSocks(
  socket: Socket,
  upstream: Upstream,
  target: { readonly host: string; readonly port: number },
  timeoutMs: number,
): Promise<Socket> {
  try {
    await SocksClient.createConnection({
      command: "connect",
      existing_socket: socket,
      proxy: {
        host: upstream.host,
        port: upstream.port,
        type: 5,
        ...(upstream.username === "" ? {} : { userId: upstream.username }),
        ...(upstream.password === "" ? {} : { password: upstream.password }),
      },
      destination: { host: plainHost(target.host), port: target.port },
      timeout: timeoutMs,
    });
    // The library pauses what it hands over.
    return socket;
  } catch (error) {
    socket.destroy();
    throw socksTrouble(messageOf(error));
  }
}

/** What the SOCKS library says, in our words. `rejected connection - X` alone comes from a proxy that works. */
function socksTrouble(text: string): EgressError {
  const reason = /rejected connection - (\w+)/.exec(text)?.[1];
  if (reason !== undefined) {
    return failed("upstream_target", `the session's proxy could not connect to it (${reason})`);
  }
  if (/authentication failed/i.test(text)) {
    return failed("upstream", "the session's proxy does not accept the user name and password");
  }
  if (/no accepted authentication type/i.test(text)) {
    return failed("upstream", "the session's proxy wants a user name and a password");
  }
  if (/timed out/i.test(text))
    return failed("upstream", "the session's proxy did not answer in time");
  return failed("upstream", "the session's proxy does not answer as a SOCKS proxy does");
}

/** How long a proxy may take for one answer when it is tried out, in ms. */
const probeTimeoutMs = 4000;

/**
 * Finds out whether a proxy works, on connections that `open` makes to it: it is asked to connect to
 * itself, which needs nobody else. Whether it does so does not matter; its answer tells that it is
 * a proxy and takes the credentials. Throws an `EgressError`.
 */
export async function probeUpstream(
  upstream: Upstream,
  open: (timeoutMs: number) => Promise<Socket>,
): Promise<void> {
  if (upstream.protocol === "socks5") {
    const socket = await open(probeTimeoutMs);
    try {
      await connectThroughSocks(socket, upstream, upstream, probeTimeoutMs);
    } catch (error) {
      if ((error as EgressError).outcome.reason !== "upstream_target") throw error;
    } finally {
      socket.destroy();
    }
    return;
  }
  const itself = `${upstream.host.includes(":") ? `[${upstream.host}]` : upstream.host}:${upstream.port}`;
  let status = await connectStatus(upstream, await open(probeTimeoutMs), itself);
  // Some say nothing when they cannot connect; a name that cannot exist is at least soon found not to.
  status ??= await connectStatus(upstream, await open(probeTimeoutMs), "probe.invalid:443");
  if (status === null)
    throw failed("upstream", "the session's proxy does not answer as a proxy does");
  const trouble = upstreamStatusTrouble(status);
  if (trouble !== null) throw trouble;
}

/** What is wrong with a proxy that answers a `CONNECT` so; null where it is its target. */
export function upstreamStatusTrouble(status: number): EgressError | null {
  if (status === 401 || status === 407) {
    return failed("upstream", "the session's proxy does not accept the user name and password");
  }
  if (status === 405 || status === 501) {
    return failed("upstream", `the session's proxy answers ${status}: it is none`);
  }
  return null;
}

/** The status that an HTTP proxy answers a `CONNECT` with; null when it answers none in time. */
async function connectStatus(
  upstream: Upstream,
  socket: Socket,
  target: string,
): Promise<number | null> {
  const stream = upstream.protocol === "https" ? await secured(socket, upstream.host) : socket;
  const { promise, resolve } = Promise.withResolvers<number | null>();
  const request = httpRequest({
    method: "CONNECT",
    path: target,
    headers: { host: target, ...authorizationOf(upstream) },
    createConnection: () => stream,
    signal: AbortSignal.timeout(probeTimeoutMs),
  });
  request.once("connect", ({ statusCode }) => resolve(statusCode ?? null));
  request.once("response", ({ statusCode }) => resolve(statusCode ?? null));
  request.once("error", () => resolve(null));
  request.once("close", () => resolve(null));
  request.end();
  try {
    return await promise;
  } finally {
    request.destroy();
    socket.destroy();
  }
}

/** Throws an `EgressError` where no TLS comes about or the certificate is not for this host. */
export async function secured(socket: Socket, host: string): Promise<Socket> {
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  const stream = tlsConnect({ socket, servername: /^[\d.]+$|:/.test(host) ? "" : host, host });
  const timer = setTimeout(() => reject(new Error("no answer in time")), probeTimeoutMs);
  stream.once("secureConnect", resolve);
  stream.once("error", reject);
  stream.once("close", () => reject(new Error("it closed the connection")));
  try {
    await promise;
    return stream;
  } catch (error) {
    stream.destroy();
    socket.destroy();
    throw failed("upstream", `the session's proxy does not do TLS properly (${messageOf(error)})`);
  } finally {
    clearTimeout(timer);
    stream.on("error", () => {});
  }
}

function authorizationOf({ username, password }: Upstream): Record<string, string> {
  if (username === "" && password === "") return {};
  const basic = Buffer.from(`${username}:${password}`).toString("base64");
  return { "proxy-authorization": `Basic ${basic}` };
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}
