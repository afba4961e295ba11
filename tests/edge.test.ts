import { once } from "node:events";
import { connect, type Socket } from "node:net";
import { afterAll, beforeAll, describe, expect, test, vi } from "vitest";
import { expectConsistent } from "./support/consistency.ts";
import { Nightjar, testKey } from "./support/nightjar.ts";
import { RawCdp } from "./support/raw-cdp.ts";

let server: Nightjar;

beforeAll(async () => {
  server = await Nightjar.start({
    NIGHTJAR_CORS_ORIGINS: "https://app.example.com",
    NIGHTJAR_MAX_FAILED_AUTHENTICATIONS: "5",
    NIGHTJAR_TRUSTED_PROXIES: "127.0.0.1",
    NIGHTJAR_REQUESTS_PER_MINUTE_PER_KEY: "100",
    NIGHTJAR_PING_SECONDS: "1",
  });
});
afterAll(() => server.dispose());

/** A connection on which bytes are sent as they stand. */
async function open(): Promise<Socket> {
  const socket = connect(Number(new URL(server.url).port), "127.0.0.1");
  await once(socket, "connect");
  return socket;
}

/** All that comes until the server closes. */
async function answerTo(bytes: string): Promise<string> {
  const socket = await open();
  const chunks: Buffer[] = [];
  socket.on("data", (chunk: Buffer) => chunks.push(chunk));
  socket.on("error", () => {});
  socket.write(bytes);
  await once(socket, "close");
  return Buffer.concat(chunks).toString();
}

describe("what is no request that the server reads", () => {
  test.each([
    ["bytes that are no HTTP", "GARBAGE\r\n\r\n", 400, "bad_request"],
    [
      "headers of more than 16 KB",
      `GET / HTTP/1.1\r\nHost: x\r\nX-Large: ${"x".repeat(20_000)}\r\n\r\n`,
      431,
      "headers_too_large",
    ],
    [
      "a URL of more than 16 KB",
      `GET /${"x".repeat(20_000)} HTTP/1.1\r\nHost: x\r\n\r\n`,
      431,
      "headers_too_large",
    ],
  ])("%s is answered in the contract's shape", async (_what, bytes, status, code) => {
    const answer = await answerTo(bytes);
    expect(answer).toMatch(new RegExp(`^HTTP/1.1 ${status} `));
    const body = JSON.parse(answer.slice(answer.indexOf("\r\n\r\n") + 4)) as object;
    expect(body).toMatchObject({
      status,
      code,
      message: expect.any(String),
      detail: expect.any(String),
    });
  });

  test("a head or a body that trickles in is given up within half a minute", {
    tags: ["long"],
    timeout: 60_000,
  }, async () => {
    const head = `POST /sessions HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n`;
    const withKey = `Authorization: Bearer ${testKey}\r\nContent-Length: 1000\r\n\r\n`;
    const answers = [
      trickle("GET /health HTTP/1.1\r\nHost: x\r\n", "X-More: 1\r\n"),
      trickle(`${head.replace("/sessions", "/sessions/start")}${withKey}{`, " "),
      // Refused at once, and still not let go on with its body.
      trickle(`${head}Content-Length: 1000\r\n\r\n{`, " "),
    ];
    const statuses = (await Promise.all(answers)).map((answer) => answer.slice(0, 12));
    expect(statuses).toEqual(["HTTP/1.1 408", "HTTP/1.1 408", "HTTP/1.1 401"]);
    await expectConsistent(server);
  });

  /** Sends a beginning and then a little each second; all that comes until the server closes. */
  async function trickle(beginning: string, more: string): Promise<string> {
    const socket = await open();
    const chunks: Buffer[] = [];
    socket.on("data", (chunk: Buffer) => chunks.push(chunk));
    socket.on("error", () => {});
    socket.write(beginning);
    const timer = setInterval(() => socket.write(more), 1000);
    // What it still sends when the server closes is answered with a reset.
    await new Promise((resolve) => socket.once("close", resolve));
    clearInterval(timer);
    return Buffer.concat(chunks).toString();
  }
});

describe("failed authentications", () => {
  const attempt = (from: string, key: string | null = "not-a-key") =>
    server.call("GET", "/sessions", { key, headers: { "X-Forwarded-For": from } });

  test("are counted by address, and what is too many is answered 429", async () => {
    for (let count = 0; count < 5; count += 1)
      expect((await attempt("203.0.113.1")).status).toBe(401);
    const refused = await attempt("203.0.113.1");
    expect(refused).toMatchObject({ status: 429, body: { code: "too_many_failures" } });
    expect(Number(refused.headers.get("retry-after"))).toBeGreaterThan(0);
    expect(refused.headers.get("x-ratelimit-limit")).toBe("5");
    expect((await attempt("203.0.113.2")).status).toBe(401);
  });

  test("keep nobody waiting whose key is known, and let nobody go on guessing", async () => {
    expect((await attempt("203.0.113.4", testKey)).status).toBe(200);
    for (let count = 0; count < 8; count += 1) await attempt("203.0.113.3", null);
    expect((await attempt("203.0.113.3", testKey)).status).toBe(200);
    // A guess that is right would tell by another answer.
    const unused = (await server.cli("keys", "create")).stdout.trim();
    expect((await attempt("203.0.113.3", unused)).status).toBe(429);
    expect((await attempt("203.0.113.4", unused)).status).toBe(200);
  });
});

describe("requests of one key", () => {
  test("are 429 beyond the limit, and every answer says what is left", async () => {
    const key = (await server.cli("keys", "create")).stdout.trim();
    const first = await server.call("GET", "/sessions", { key });
    expect(first.headers.get("x-ratelimit-limit")).toBe("100");
    expect(first.headers.get("x-ratelimit-remaining")).toBe("99");
    for (let count = 0; count < 99; count += 1) await server.call("GET", "/sessions", { key });
    const refused = await server.call("GET", "/sessions", { key });
    expect(refused).toMatchObject({ status: 429, body: { code: "too_many_requests" } });
    expect(Number(refused.headers.get("retry-after"))).toBeGreaterThan(0);
    const reset = Number(refused.headers.get("x-ratelimit-reset")) * 1000 - Date.now();
    expect(reset).toBeGreaterThan(0);
    expect(reset).toBeLessThan(62_000);
    expect((await server.call("GET", "/sessions")).status).toBe(200);
  });
});

describe("answers", () => {
  test("carry headers that keep browsers from guessing and framing", async () => {
    for (const route of ["/health", "/sessions", "/nowhere"]) {
      const { headers } = await server.call("GET", route);
      expect(headers.get("x-content-type-options")).toBe("nosniff");
      expect(headers.get("referrer-policy")).toBe("no-referrer");
      expect(headers.get("content-security-policy")).toContain("default-src 'none'");
    }
    const docs = await fetch(`${server.url}/docs/`);
    expect(docs.headers.get("content-security-policy")).toContain("frame-ancestors 'none'");
  });

  test("may be read by pages of the allowed origins, and by no others", async () => {
    const preflight = (origin: string) =>
      fetch(`${server.url}/sessions/start`, {
        method: "OPTIONS",
        headers: {
          Origin: origin,
          "Access-Control-Request-Method": "POST",
          "Access-Control-Request-Headers": "authorization,content-type",
        },
      });
    const allowed = await preflight("https://app.example.com");
    expect(allowed.status).toBe(204);
    expect(allowed.headers.get("access-control-allow-origin")).toBe("https://app.example.com");
    expect(allowed.headers.get("access-control-allow-credentials")).toBeNull();
    const refused = await preflight("https://evil.example.com");
    expect(refused.headers.get("access-control-allow-origin")).not.toBe("https://evil.example.com");
  });
});

describe("a CDP client", () => {
  test("that does not answer whether it is there is dropped, and its session goes on", async () => {
    const { id, cdpUrl } = await server.startSession();
    const url = new URL(cdpUrl);
    const silent = await open();
    silent.write(
      `GET ${url.pathname}${url.search} HTTP/1.1\r\nHost: ${url.host}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: ${Buffer.alloc(16).toString("base64")}\r\n\r\n`,
    );
    const [head] = (await once(silent, "data")) as [Buffer];
    expect(head.toString()).toMatch(/^HTTP\/1.1 101 /);
    const polite = await RawCdp.connect(cdpUrl);
    await vi.waitFor(() => expect(silent.closed || silent.readableEnded).toBe(true), 10_000);
    // `ws` answers pings by itself.
    expect(await polite.evaluate("6 * 7")).toBe(42);
    expect((await server.call("GET", `/sessions/${id}`)).body["status"]).toBe("active");
    polite.close();
    await server.call("DELETE", `/sessions/${id}/stop`);
    await expectConsistent(server);
  });
});
