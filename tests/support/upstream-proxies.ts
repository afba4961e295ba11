import { once } from "node:events";
import { type AddressInfo, connect, createServer, type Server, type Socket } from "node:net";
import { Server as ProxyServer, RequestError } from "proxy-chain";
import type { Certificate } from "./certificate.ts";

/** The only credentials that the proxies of tests take. */
export const proxyUser = { username: "user", password: "planted-pass:word@%" } as const;

/** A real proxy on loopback that notes what it was asked for, as `host:port`. */
export interface UpstreamProxy {
  readonly port: number;
  readonly asked: string[];
  stop(): Promise<void>;
}

/** One that speaks HTTP, over TLS with a certificate, and wants `proxyUser`. */
export async function startHttpProxy(certificate?: Certificate): Promise<UpstreamProxy> {
  const asked: string[] = [];
  const options = {
    host: "127.0.0.1",
    port: 0,
    prepareRequestFunction: (request: {
      readonly username: string;
      readonly password: string;
      readonly hostname: string;
      readonly port: number;
    }) => {
      const { username, password, hostname, port } = request;
      if (username !== proxyUser.username || password !== proxyUser.password) {
        throw new RequestError("who are you?", 407);
      }
      asked.push(`${hostname}:${port}`);
      // What tests ask for by name is on loopback.
      const lookup = (_name: string, _options: object, callback: (...args: unknown[]) => void) =>
        callback(null, [{ address: "127.0.0.1", family: 4 }]);
      return { dnsLookup: lookup as never };
    },
  };
  const server =
    certificate === undefined
      ? new ProxyServer(options)
      : new ProxyServer({ ...options, serverType: "https", httpsOptions: certificate });
  await server.listen();
  return { port: server.port, asked, stop: () => server.close(true) };
}

/** One that speaks SOCKS 5 (RFC 1928 and 1929) and wants `proxyUser`. */
export async function startSocksProxy(): Promise<UpstreamProxy> {
  const asked: string[] = [];
  const sockets = new Set<Socket>();
  const server = createServer((socket) => {
    sockets.add(socket);
    socket.on("error", () => {});
    socket.once("close", () => sockets.delete(socket));
    void serveSocks(socket, asked).catch(() => socket.destroy());
  });
  await listening(server);
  return {
    port: portOf(server),
    asked,
    async stop() {
      for (const socket of sockets) socket.destroy();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

async function serveSocks(client: Socket, asked: string[]): Promise<void> {
  const [, methodCount = 0] = await read(client, 2);
  const methods = await read(client, methodCount);
  if (!methods.includes(2)) {
    client.end(Buffer.from([5, 0xff]));
    return;
  }
  client.write(Buffer.from([5, 2]));
  const [, nameLength = 0] = await read(client, 2);
  const name = (await read(client, nameLength)).toString();
  const [passwordLength = 0] = await read(client, 1);
  const password = (await read(client, passwordLength)).toString();
  const known = name === proxyUser.username && password === proxyUser.password;
  client.write(Buffer.from([1, known ? 0 : 1]));
  if (!known) {
    client.end();
    return;
  }
  const [, , , kind = 0] = await read(client, 4);
  const host = await readHost(client, kind);
  const port = (await read(client, 2)).readUInt16BE(0);
  asked.push(`${host}:${port}`);
  // What tests ask for by name is on loopback.
  const target = connect(port, /^[\d.]+$/.test(host) ? host : "127.0.0.1");
  target.on("error", () => client.end(Buffer.from([5, 5, 0, 1, 0, 0, 0, 0, 0, 0])));
  await once(target, "connect");
  client.write(Buffer.from([5, 0, 0, 1, 0, 0, 0, 0, 0, 0]));
  client.pipe(target).pipe(client);
  client.once("close", () => target.destroy());
}

async function readHost(client: Socket, kind: number): Promise<string> {
  if (kind === 1) return [...(await read(client, 4))].join(".");
  if (kind !== 3) throw new Error("this proxy knows no other kind of address");
  const [length = 0] = await read(client, 1);
  return (await read(client, length)).toString();
}

async function read(socket: Socket, length: number): Promise<Buffer> {
  for (;;) {
    const chunk: Buffer | null = length === 0 ? Buffer.alloc(0) : socket.read(length);
    if (chunk !== null) return chunk;
    await once(socket, "readable");
  }
}

/** A server that takes connections and never says a word. */
export async function startSilentServer(): Promise<UpstreamProxy> {
  const sockets = new Set<Socket>();
  const server = createServer((socket) => {
    sockets.add(socket);
    socket.on("error", () => {});
  });
  await listening(server);
  return {
    port: portOf(server),
    asked: [],
    async stop() {
      for (const socket of sockets) socket.destroy();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

async function listening(server: Server): Promise<void> {
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
}

function portOf(server: Server): number {
  return (server.address() as AddressInfo).port;
}
