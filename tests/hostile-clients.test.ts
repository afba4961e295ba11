import { once } from "node:events";
import { readdir } from "node:fs/promises";
import { connect, type Socket } from "node:net";
import { afterAll, beforeAll, expect, onTestFinished, test, vi } from "vitest";
import { FaultLab } from "./support/fault-lab.ts";
import { Nightjar, testKey } from "./support/nightjar.ts";
import { residentBytes } from "./support/processes.ts";
import { RawCdp } from "./support/raw-cdp.ts";

let lab: FaultLab;
let server: Nightjar;

beforeAll(async () => {
  lab = await FaultLab.start();
  server = lab.server;
});

afterAll(() => lab.dispose());

const port = (): number => Number(new URL(server.url).port);

async function send(bytes: string): Promise<Socket> {
  const socket = connect(port(), "127.0.0.1");
  socket.on("error", () => {});
  await once(socket, "connect");
  socket.write(bytes);
  return socket;
}

/** Those not of warm browsers: each has two CDP connections, a standard error and a proxy. */
async function descriptors(): Promise<number> {
  const { body } = await server.call("GET", "/health");
  const open = await readdir(`/proc/${server.pid}/fd`);
  return open.length - 4 * Number(body["warm_browsers"]);
}

/** Nothing of the clients is left, and nobody else has noticed them. */
async function expectUnharmed(descriptorsBefore: number): Promise<void> {
  // Until the server has seen them go, those of the session itself are in its queue. For a while: the connections to the browser that clients asked for may come after they left.
  let quiet = 0;
  await vi.waitFor(
    async () => {
      const now = await descriptors();
      quiet = now <= descriptorsBefore + 5 ? quiet + 1 : 0;
      expect(now).toBeLessThanOrEqual(descriptorsBefore + 5);
      expect(quiet).toBeGreaterThan(15);
    },
    { timeout: 20_000, interval: 100 },
  );
  await lab.expectUnharmed();
  // That clients go away is nothing that the server did not expect.
  expect(server.output).not.toContain("unexpected failure");
}

const head = (path: string, ...lines: readonly string[]): string =>
  [`${path} HTTP/1.1`, "Host: x", `Authorization: Bearer ${testKey}`, ...lines, "", ""].join(
    "\r\n",
  );

const upgrade = (): string => {
  const url = new URL(lab.bystander.cdpUrl);
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
    () => head(`POST /sessions/${lab.bystander.id}/page/observe`, "Content-Length: 0"),
  ],
  ["right after an upgrade to CDP", upgrade],
  ["in the middle of a stream of events", () => head(`GET /sessions/${lab.bystander.id}/events`)],
])(
  "two hundred clients that vanish %s leave nothing behind",
  { timeout: 120_000 },
  async (_when, bytes) => {
    const before = await descriptors();
    const sockets = await Promise.all(Array.from({ length: 200 }, () => send(bytes())));
    for (const [index, socket] of sockets.entries()) {
      if (index % 2 === 0) socket.destroy();
      else socket.resetAndDestroy();
    }
    await expectUnharmed(before);
  },
);

test("upgrades that are refused are closed, though their clients do not close them", {
  timeout: 120_000,
}, async () => {
  const before = await descriptors();
  const sockets = await Promise.all(
    Array.from({ length: 100 }, async () => {
      const socket = connect({ port: port(), host: "127.0.0.1", allowHalfOpen: true });
      socket.on("error", () => {});
      await once(socket, "connect");
      socket.write(upgrade().replace(/token=[^ ]+/, "token=wrong"));
      const [answer] = (await once(socket, "data")) as [Buffer];
      expect(answer.toString()).toMatch(/^HTTP\/1.1 401 /);
      return socket;
    }),
  );
  await expectUnharmed(before);
  for (const socket of sockets) socket.destroy();
});

test("connections without end leave descriptors for browsers, and half of them for other addresses", {
  timeout: 120_000,
}, async () => {
  // Half of them is for connections, and half of that for one address.
  const small = await Nightjar.start({}, undefined, ["prlimit", "--nofile=400:400"]);
  onTestFinished(() => small.dispose());
  const host = "127.0.0.1";
  const target = { port: Number(new URL(small.url).port), host };
  const sockets = await Promise.all(
    Array.from({ length: 300 }, async () => {
      const socket = connect(target);
      socket.on("error", () => {});
      await once(socket, "connect");
      return socket;
    }),
  );
  await vi.waitFor(() => {
    const open = sockets.filter((socket) => !socket.destroyed && !socket.readableEnded);
    expect(open.length).toBeGreaterThan(50);
    expect(open.length).toBeLessThanOrEqual(100);
  }, 10_000);
  const other = connect({ ...target, localAddress: "127.0.0.2" });
  await once(other, "connect");
  other.write(head("POST /sessions/start", "Content-Length: 0", "Connection: close"));
  const [answer] = (await once(other, "data")) as [Buffer];
  expect(answer.toString()).toMatch(/^HTTP\/1.1 200 /);
  for (const socket of [...sockets, other]) socket.destroy();
});

test("clients that ask and never read do not make the server's memory grow without bound", {
  timeout: 120_000,
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
      const socket = await send(head(`GET /sessions/${lab.bystander.id}/events`));
      socket.pause();
      return socket;
    }),
  );
  expect((await server.call("GET", "/health")).status).toBe(200);
  const grown = (await residentBytes(server.pid)) - memoryBefore;
  expect(grown).toBeLessThan(300 * 1024 * 1024);
  for (const socket of [...sockets, ...stream]) socket.destroy();
  await expectUnharmed(before);
});

test("clients that ask for all that a page says over CDP and never read it harm nobody else", {
  timeout: 120_000,
}, async () => {
  const before = await descriptors();
  const { id, cdpUrl } = await server.startSession();
  const listeners = await Promise.all(
    Array.from({ length: 5 }, async () => {
      const listener = await RawCdp.connect(cdpUrl);
      await listener.send("Runtime.enable", {}, await listener.firstPage());
      listener.socket.pause();
      return listener;
    }),
  );
  const reader = await RawCdp.connect(cdpUrl);
  // More than fits on the way to any of them.
  await reader.evaluate("for (let i = 0; i < 20; i += 1) console.log(i + 'x'.repeat(1 << 20))");
  await lab.checkOthersServed();
  expect(await reader.evaluate("6 * 7")).toBe(42);
  expect((await server.call("DELETE", `/sessions/${id}/stop`)).status).toBe(200);
  for (const client of [...listeners, reader]) client.close();
  await expectUnharmed(before);
});
