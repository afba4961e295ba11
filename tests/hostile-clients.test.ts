import { once } from "node:events";
import { readdir } from "node:fs/promises";
import { connect, type Socket } from "node:net";
import { afterAll, beforeAll, expect, test, vi } from "vitest";
import { Nightjar, testKey } from "./support/nightjar.ts";
import { residentBytes } from "./support/processes.ts";
import { RawCdp } from "./support/raw-cdp.ts";

let server: Nightjar;
let session: { readonly id: string; readonly cdpUrl: string };
let client: RawCdp;

beforeAll(async () => {
  server = await Nightjar.start();
  session = await server.startSession();
  client = await RawCdp.connect(session.cdpUrl);
  await client.evaluate("globalThis.state = 'kept'");
});

afterAll(async () => {
  client.close();
  await server.dispose();
});

const port = (): number => Number(new URL(server.url).port);

async function send(bytes: string): Promise<Socket> {
  const socket = connect(port(), "127.0.0.1");
  socket.on("error", () => {});
  await once(socket, "connect");
  socket.write(bytes);
  return socket;
}

const descriptors = async (): Promise<number> => (await readdir(`/proc/${server.pid}/fd`)).length;

/** The server answers, the session is as it was, and nothing of the clients is left. */
async function checkUnharmed(descriptorsBefore: number): Promise<void> {
  expect((await server.call("GET", "/health")).status).toBe(200);
  expect(await client.evaluate("globalThis.state")).toBe("kept");
  await vi.waitFor(
    async () => expect(await descriptors()).toBeLessThanOrEqual(descriptorsBefore + 5),
    {
      timeout: 20_000,
      interval: 100,
    },
  );
}

const head = (path: string, ...lines: readonly string[]): string =>
  [`${path} HTTP/1.1`, "Host: x", `Authorization: Bearer ${testKey}`, ...lines, "", ""].join(
    "\r\n",
  );

const upgrade = (): string => {
  const url = new URL(session.cdpUrl);
  return head(
    `GET ${url.pathname}${url.search}`,
    "Upgrade: websocket",
    "Connection: Upgrade",
    "Sec-WebSocket-Version: 13",
    `Sec-WebSocket-Key: ${Buffer.alloc(16).toString("base64")}`,
  );
};

test.each([
  ["in the middle of a head", () => "POST /sessions/start HTTP/1.1\r\nHo"],
  [
    "in the middle of a body",
    () =>
      head("POST /sessions/start", "Content-Type: application/json", "Content-Length: 100").concat(
        "{",
      ),
  ],
  [
    "before an answer",
    () => head(`POST /sessions/${session.id}/page/observe`, "Content-Length: 0"),
  ],
  ["right after an upgrade to CDP", upgrade],
  ["in the middle of a stream of events", () => head(`GET /sessions/${session.id}/events`)],
])(
  "two hundred clients that vanish %s leave nothing behind",
  { timeout: 60_000 },
  async (_when, bytes) => {
    const before = await descriptors();
    const sockets = await Promise.all(Array.from({ length: 200 }, () => send(bytes())));
    for (const [index, socket] of sockets.entries()) {
      if (index % 2 === 0) socket.destroy();
      else socket.resetAndDestroy();
    }
    await checkUnharmed(before);
  },
);

test("clients that ask and never read do not make the server's memory grow without bound", {
  timeout: 60_000,
}, async () => {
  const before = await descriptors();
  const memoryBefore = await residentBytes(server.pid);
  const ask = head("GET /openapi.json").repeat(50);
  const sockets = await Promise.all(
    Array.from({ length: 20 }, async () => {
      const socket = await send(ask);
      socket.pause();
      return socket;
    }),
  );
  const stream = await Promise.all(
    Array.from({ length: 20 }, async () => {
      const socket = await send(head(`GET /sessions/${session.id}/events`));
      socket.pause();
      return socket;
    }),
  );
  expect((await server.call("GET", "/health")).status).toBe(200);
  const grown = (await residentBytes(server.pid)) - memoryBefore;
  expect(grown).toBeLessThan(300 * 1024 * 1024);
  for (const socket of [...sockets, ...stream]) socket.destroy();
  await checkUnharmed(before);
});
