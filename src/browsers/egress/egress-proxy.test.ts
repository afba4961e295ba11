import { once } from "node:events";
import { request as httpRequest, type IncomingMessage } from "node:http";
import { connect, createServer, type Socket } from "node:net";
import { getCACertificates, setDefaultCACertificates } from "node:tls";
import fc from "fast-check";
import { afterAll, beforeAll, describe, expect, test, vi } from "vitest";
import { makeCertificate } from "../../../tests/support/certificate.ts";
import { DnsServer } from "../../../tests/support/dns-server.ts";
import { Site } from "../../../tests/support/site.ts";
import {
  proxyUser,
  startHttpProxy,
  startSilentServer,
  startSocksProxy,
  type UpstreamProxy,
} from "../../../tests/support/upstream-proxies.ts";
import type { ProxySettings } from "../../sessions/browser-settings.ts";
import { Egress, strictEgress } from "./egress.ts";
import type { EgressProxy } from "./egress-proxy.ts";

let site: Site;
let dns: DnsServer;
let egress: Egress;
let proxy: EgressProxy;
/** What `rebinding.test` leads to now. */
let rebound = "127.0.0.1";
const seen: IncomingMessage[] = [];

const big = Buffer.alloc(3_000_000, "nightjar ");

beforeAll(async () => {
  dns = await DnsServer.start((name, type) => {
    if (type === "AAAA") return [];
    if (name === "rebinding.test") return [rebound];
    if (name === "here.test") return ["127.0.0.1"];
    return name === "inside.test" ? ["127.0.0.2"] : [];
  });
  site = await Site.start((request, response) => {
    seen.push(request);
    if (request.url === "/big") response.end(big);
    else if (request.url === "/gone") request.socket.destroy();
    else if (request.method === "POST") request.pipe(response);
    else response.end(`this is ${request.url}`);
  });
  egress = new Egress({
    ...strictEgress,
    allow: ["127.0.0.1"],
    denyHosts: ["denied.test"],
    dnsServers: [dns.address],
  });
  proxy = await egress.open(null);
});

afterAll(async () => {
  proxy.close();
  dns.stop();
  await site.stop();
});

interface Got {
  readonly status: number;
  readonly headers: IncomingMessage["headers"];
  readonly body: Buffer;
}

/** One plain request through a proxy, as a browser sends it. */
function get(url: string, through: EgressProxy = proxy, body?: Buffer): Promise<Got> {
  return new Promise((resolve, reject) => {
    const request = httpRequest(
      {
        host: "127.0.0.1",
        port: through.port,
        path: url,
        method: body === undefined ? "GET" : "POST",
        headers: { host: new URL(url).host, "proxy-connection": "keep-alive", accept: "text/html" },
        agent: false,
      },
      async (response) => {
        const chunks: Buffer[] = [];
        for await (const chunk of response) chunks.push(chunk);
        const { statusCode = 0, headers } = response;
        resolve({ status: statusCode, headers, body: Buffer.concat(chunks) });
      },
    );
    request.once("error", reject);
    request.end(body);
  });
}

/** Asks a proxy for a tunnel. */
function tunnel(
  target: string,
  through: EgressProxy = proxy,
): Promise<{ readonly status: number; readonly socket: Socket; readonly head: string }> {
  return new Promise((resolve, reject) => {
    const request = httpRequest({
      host: "127.0.0.1",
      port: through.port,
      method: "CONNECT",
      path: target,
      agent: false,
    });
    request.once("connect", (response, socket, head) =>
      resolve({ status: response.statusCode ?? 0, socket, head: head.toString() }),
    );
    request.once("error", reject);
    request.end();
  });
}

async function getInTunnel(target: string, through: EgressProxy = proxy): Promise<string> {
  const { status, socket } = await tunnel(target, through);
  if (status !== 200) return String(status);
  socket.write("GET /tunnelled HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
  const chunks: Buffer[] = [];
  for await (const chunk of socket) chunks.push(chunk);
  return Buffer.concat(chunks).toString();
}

const portOfSite = (): string => new URL(site.url).port;

describe("what is allowed", () => {
  test("comes through as it is, and the server is not told of the proxy", async () => {
    const got = await get(`${site.url}/page`);
    expect(got).toMatchObject({ status: 200, body: Buffer.from("this is /page") });
    expect(Object.keys(seen.at(-1)?.headers ?? {})).not.toContain("proxy-connection");
    expect(await getInTunnel(`127.0.0.1:${portOfSite()}`)).toContain("this is /tunnelled");
  });

  test("keeps every byte of large bodies, both ways, and they are counted", async () => {
    const before = proxy.traffic;
    expect((await get(`${site.url}/big`)).body.equals(big)).toBe(true);
    expect((await get(`${site.url}/echo`, proxy, big)).body.equals(big)).toBe(true);
    const { requestBytes, responseBytes } = proxy.traffic;
    const sent = requestBytes - before.requestBytes;
    const received = responseBytes - before.responseBytes;
    expect(sent).toBeGreaterThan(big.length);
    expect(sent).toBeLessThan(big.length * 1.01);
    expect(received).toBeGreaterThan(2 * big.length);
    expect(received).toBeLessThan(2 * big.length * 1.01);
  });

  test("that cannot be reached fails the connection, as it would without a proxy", async () => {
    await expect(get("http://127.0.0.1:7/")).rejects.toThrow(/hang up|ECONNRESET/);
    await expect(get(`${site.url}/gone`)).rejects.toThrow(/hang up|ECONNRESET/);
    await expect(get("http://none.test/")).rejects.toThrow(/hang up|ECONNRESET/);
    expect((await tunnel("127.0.0.1:7")).status).toBe(502);
    expect(proxy.recentFailures.slice(-4).map(({ host, reason }) => [host, reason])).toEqual([
      ["127.0.0.1", "refused_there"],
      ["127.0.0.1", "closed"],
      ["none.test", "name"],
      ["127.0.0.1", "refused_there"],
    ]);
  });
});

describe("what is refused", () => {
  test.each([
    "http://127.0.0.2/",
    "http://0x7f.2/",
    "http://[::1]/",
    "http://inside.test/",
    "http://169.254.169.254/",
  ])("is answered 403 with a page that says why: %s", async (url) => {
    const { status, headers, body } = await get(url);
    expect(status).toBe(403);
    expect(headers["x-nightjar-refused"]).toBe("address");
    expect(body.toString()).toContain("which sessions may not connect to");
  });

  test("is answered 403 where a tunnel is asked for, in every spelling", async () => {
    for (const target of ["127.0.0.2:443", "2130706434:443", "0177.2:80", "[::1]:443", "127.2:1"]) {
      expect((await tunnel(target)).status).toBe(403);
    }
    expect((await tunnel("denied.test:443")).status).toBe(403);
  });

  test("holds for the address that a name leads to when it is dialled, not before", async () => {
    rebound = "127.0.0.1";
    expect((await get(`http://rebinding.test:${portOfSite()}/`)).status).toBe(200);
    rebound = "127.0.0.2";
    expect((await get(`http://rebinding.test:${portOfSite()}/`)).status).toBe(403);
    expect(await getInTunnel(`rebinding.test:${portOfSite()}`)).toBe("403");
    rebound = "127.0.0.1";
    expect(await getInTunnel(`rebinding.test:${portOfSite()}`)).toContain("this is");
  });

  test("is told to who listens, and counted", async () => {
    const before = egress.counts.refused["domain"] ?? 0;
    const told = vi.fn();
    const stop = proxy.onFailure(told);
    await get("http://denied.test/");
    stop();
    await get("http://denied.test/");
    expect(told.mock.calls).toEqual([
      [
        expect.objectContaining({
          kind: "refused",
          reason: "domain",
          host: "denied.test",
          port: 80,
        }),
      ],
    ]);
    expect(egress.counts.refused["domain"]).toBe(before + 2);
  });
});

describe("a client that misbehaves", () => {
  test("gets no further and takes nobody with it, whatever it sends", async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.oneof(
          fc.uint8Array({ maxLength: 200 }).map((bytes) => Buffer.from(bytes)),
          fc
            .tuple(
              fc.constantFrom("GET", "CONNECT", "POST", "PRI", "OPTIONS"),
              fc.oneof(fc.string(), fc.webUrl(), fc.constantFrom("*", "/", "http://", "http:///")),
              fc.constantFrom(
                "",
                "Host: a\r\n",
                "Proxy-Authorization: Basic !\r\n",
                "Host: \0\r\n",
              ),
            )
            .map(([method, target, header]) =>
              Buffer.from(`${method} ${target} HTTP/1.1\r\n${header}\r\n`),
            ),
        ),
        async (bytes) => {
          const socket = connect(proxy.port, "127.0.0.1");
          socket.on("error", () => {});
          socket.resume();
          socket.end(bytes);
          await once(socket, "close");
        },
      ),
      { numRuns: 60 },
    );
    expect((await get(`${site.url}/still`)).status).toBe(200);
  });

  test("that goes away takes its connection to the server with it", async () => {
    const held = new Set<Socket>();
    const server = createServer((socket) => {
      held.add(socket);
      socket.on("error", () => {});
      socket.once("close", () => held.delete(socket));
      socket.resume();
    });
    server.listen(0, "127.0.0.1");
    await once(server, "listening");
    const { port } = server.address() as { port: number };
    const { socket } = await tunnel(`127.0.0.1:${port}`);
    const plain = connect(proxy.port, "127.0.0.1");
    plain.write(`GET http://127.0.0.1:${port}/ HTTP/1.1\r\nHost: a\r\n\r\n`);
    await vi.waitFor(() => expect(held.size).toBe(2));
    socket.destroy();
    plain.destroy();
    await vi.waitFor(() => expect(held.size).toBe(0));
    server.close();
  });
});

describe("another proxy", () => {
  const upstreams = new Map<string, UpstreamProxy>();
  let silent: UpstreamProxy;

  beforeAll(async () => {
    const certificate = await makeCertificate();
    setDefaultCACertificates([...getCACertificates("default"), certificate.cert]);
    upstreams.set("http", await startHttpProxy());
    upstreams.set("https", await startHttpProxy(certificate));
    upstreams.set("socks5", await startSocksProxy());
    silent = await startSilentServer();
  });

  afterAll(async () => {
    await Promise.all([...upstreams.values(), silent].map((upstream) => upstream.stop()));
  });

  const external = (server: string, changes: object = proxyUser): ProxySettings => ({
    kind: "external",
    server,
    username: null,
    password: null,
    bypass: [],
    ...changes,
  });

  const serverOf = (protocol: string) => `${protocol}://127.0.0.1:${upstreams.get(protocol)?.port}`;

  async function through(settings: ProxySettings): Promise<EgressProxy> {
    const rules = await egress.rulesFor({ proxy: settings, allow: [] });
    const opened = await egress.open(null);
    opened.use(rules);
    return opened;
  }

  test.each(["http", "https", "socks5"])("carries requests and tunnels: %s", async (protocol) => {
    const routed = await through(
      external(serverOf(protocol), { ...proxyUser, bypass: ["127.0.0.1"] }),
    );
    const asked = upstreams.get(protocol)?.asked ?? [];
    asked.length = 0;
    const named = `unknown-here.test:${portOfSite()}`;
    expect((await get(`http://${named}/up`, routed)).body.toString()).toBe("this is /up");
    expect((await get(`http://${named}/big`, routed)).body.equals(big)).toBe(true);
    expect(await getInTunnel(named, routed)).toContain("this is /tunnelled");
    expect(new Set(asked)).toEqual(new Set([named]));
    // What is to be reached without it is.
    const times = asked.length;
    expect((await get(`${site.url}/direct`, routed)).status).toBe(200);
    expect(await getInTunnel(`127.0.0.1:${portOfSite()}`, routed)).toContain("this is");
    expect(asked).toHaveLength(times);
    routed.close();
  });

  test.each(["http", "https", "socks5"])(
    "that cannot reach the server is said to be the one: %s",
    async (protocol) => {
      const routed = await through(external(serverOf(protocol)));
      await expect(tunnel("some.test:7", routed).then(({ status }) => status)).resolves.not.toBe(
        200,
      );
      expect(routed.recentFailures.at(-1)).toMatchObject({ host: "some.test", port: 7 });
      expect(routed.recentFailures.at(-1)?.message).toContain("the session's proxy");
      routed.close();
    },
  );

  test.each([
    ["is not there", () => external("http://127.0.0.1:9")],
    ["is not there", () => external("socks5://127.0.0.1:9")],
    ["has no address", () => external("http://none.test:8080")],
    ["is at a refused address", () => external("http://127.0.0.2:8080")],
    ["is at a browser's port", () => external("http://127.0.0.1:29000")],
    ["wants another password", () => external(serverOf("http"), { ...proxyUser, password: "x" })],
    ["wants another password", () => external(serverOf("https"), { ...proxyUser, password: "x" })],
    ["wants another password", () => external(serverOf("socks5"), { ...proxyUser, password: "x" })],
    ["wants a password", () => external(serverOf("http"), {})],
    ["wants a password", () => external(serverOf("socks5"), {})],
    ["is none but a web server", () => external(site.url)],
    ["is none but a web server", () => external(site.url.replace("http", "socks5"))],
    ["speaks another protocol", () => external(serverOf("http").replace("http", "https"))],
    ["speaks another protocol", () => external(serverOf("socks5").replace("socks5", "http"))],
  ])("that %s is told at once", async (_what, settings) => {
    const failure = egress.rulesFor({ proxy: settings(), allow: [] });
    await expect(failure).rejects.toThrow(expect.objectContaining({ code: "proxy_failed" }));
    await expect(failure).rejects.not.toThrow(/planted/);
  });

  test("that never answers is given up", async () => {
    const { port } = silent;
    await expect(
      egress.rulesFor({ proxy: external(`socks5://127.0.0.1:${port}`), allow: [] }),
    ).rejects.toThrow(expect.objectContaining({ code: "proxy_failed" }));
  });

  test("is no way to an address that is refused here", async () => {
    const routed = await through(external(serverOf("http")));
    expect((await get("http://169.254.169.254/", routed)).status).toBe(403);
    expect((await tunnel("[::1]:443", routed)).status).toBe(403);
    expect((await tunnel("127.0.0.1:29001", routed)).status).toBe(403);
    routed.close();
  });

  test("that the operator named may be at any address, and is asked for by no settings but that", async () => {
    const named = new Egress({
      ...strictEgress,
      defaultProxy: {
        server: serverOf("http").replace("//", "//user:planted-pass%3Aword%40%25@"),
        bypass: [],
      },
    });
    const rules = await named.rulesFor({ proxy: { kind: "default" }, allow: [] });
    expect(rules.upstream?.password).toBe(proxyUser.password);
    await expect(egress.rulesFor({ proxy: { kind: "default" }, allow: [] })).rejects.toThrow(
      expect.objectContaining({ code: "invalid_request" }),
    );
  });

  test.runIf(process.platform === "linux" && process.getuid?.() === 0)(
    "serves only the user that the browser runs as",
    async () => {
      const rules = await egress.rulesFor({ proxy: external(serverOf("http")), allow: [] });
      const foreign = await egress.open(54_321);
      foreign.use(rules);
      expect((await get(`http://some.test:${portOfSite()}/`, foreign)).status).toBe(403);
      expect((await tunnel(`some.test:${portOfSite()}`, foreign)).status).toBe(403);
      expect(foreign.recentFailures.at(-1)).toMatchObject({ reason: "peer" });
      foreign.close();
    },
  );
});

test("a proxy comes back on its port, and says so when that is taken", async () => {
  const first = await egress.open(null);
  const { port } = first;
  first.close();
  const again = await egress.reopen(port, null, { proxy: null, allow: ["127.0.0.2"] });
  expect(again.port).toBe(port);
  await expect(egress.reopen(port, null, { proxy: null, allow: [] })).rejects.toThrow(/EADDRINUSE/);
  again.close();
  again.close();
});
