import { rm, writeFile } from "node:fs/promises";
import { createServer, type Server } from "node:https";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import path from "node:path";
import { DatabaseSync } from "node:sqlite";
import { type Browser, chromium, type Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect, onTestFinished, test, vi } from "vitest";
import { WebSocketServer } from "ws";
import { makeCertificate } from "./support/certificate.ts";
import { Nightjar } from "./support/nightjar.ts";
import { mainProcesses } from "./support/processes.ts";
import { pageTitledByPath, Site } from "./support/site.ts";
import {
  proxyUser,
  startHttpProxy,
  startSilentServer,
  startSocksProxy,
  type UpstreamProxy,
} from "./support/upstream-proxies.ts";

const protocols = ["http", "https", "socks5"] as const;
const upstreams = new Map<string, UpstreamProxy>();

let server: Nightjar;
let site: Site;
let secureSite: Server;
let sockets: WebSocketServer;
let port: string;
let securePort: number;
let socketPort: number;

beforeAll(async () => {
  const certificate = await makeCertificate();
  const certificateFile = path.join(tmpdir(), `nightjar-ca-${process.pid}.pem`);
  await writeFile(certificateFile, certificate.cert);
  upstreams.set("http", await startHttpProxy());
  upstreams.set("https", await startHttpProxy(certificate));
  upstreams.set("socks5", await startSocksProxy());
  site = await Site.start(pageTitledByPath);
  ({ port } = new URL(site.url));
  secureSite = createServer(certificate, pageTitledByPath).listen(0, "127.0.0.1");
  sockets = new WebSocketServer({ host: "127.0.0.1", port: 0 });
  sockets.on("connection", (socket) => socket.send("hello"));
  await Promise.all(
    [secureSite, sockets].map((one) => new Promise((r) => one.once("listening", r))),
  );
  securePort = (secureSite.address() as AddressInfo).port;
  socketPort = (sockets.address() as AddressInfo).port;
  const user = [proxyUser.username, proxyUser.password].map(encodeURIComponent).join(":");
  server = await Nightjar.start({
    NIGHTJAR_EGRESS_ALLOW: "127.0.0.1",
    NIGHTJAR_PROXY: `socks5://${user}@127.0.0.1:${upstreams.get("socks5")?.port}`,
    NIGHTJAR_PROXY_BYPASS: "127.0.0.1",
    NODE_EXTRA_CA_CERTS: certificateFile,
  });
  await rm(certificateFile);
}, 60_000);

afterAll(async () => {
  await server?.dispose();
  await Promise.all([...upstreams.values()].map((upstream) => upstream.stop()));
  sockets?.close();
  secureSite?.close();
  await site?.stop();
});

interface Opened {
  readonly id: string;
  readonly answer: Readonly<Record<string, unknown>>;
  readonly page: Page;
}

async function open(proxies: unknown): Promise<Opened> {
  const { id, cdpUrl } = await server.startSession({ proxies });
  const browser: Browser = await chromium.connectOverCDP(cdpUrl);
  onTestFinished(async () => {
    await browser.close().catch(() => {});
    await server.call("DELETE", `/sessions/${id}/stop`);
  });
  const page = browser.contexts()[0]?.pages()[0];
  if (page === undefined) throw new Error("the session has no tab");
  const client = await page.context().newCDPSession(page);
  await client.send("Security.setIgnoreCertificateErrors", { ignore: true });
  return { id, answer: (await server.call("GET", `/sessions/${id}`)).body, page };
}

function external(protocol: string, changes: object = proxyUser) {
  const address = `${protocol}://127.0.0.1:${upstreams.get(protocol)?.port}`;
  return [{ type: "external", server: address, ...changes }];
}

/** What a page hears of a WebSocket, and how it ends otherwise. */
function firstMessage(page: Page, url: string): Promise<unknown> {
  return page.evaluate(
    (to) =>
      new Promise((resolve) => {
        const socket = new WebSocket(to);
        socket.onmessage = ({ data }) => resolve(data);
        socket.onerror = () => resolve("failed");
      }),
    url,
  );
}

describe("a session through another proxy", () => {
  test.each(protocols)(
    "has all of its traffic go there, but for what is to be reached without it: %s",
    async (protocol) => {
      const asked = upstreams.get(protocol)?.asked ?? [];
      const { answer, page } = await open(
        external(protocol, { ...proxyUser, bypass: "127.0.0.1, *.direct.test" }),
      );
      expect(answer["proxies"]).toBe(true);
      asked.length = 0;
      // The name is known to the proxy alone.
      expect((await page.goto(`http://there.test:${port}/plain`))?.status()).toBe(200);
      expect((await page.goto(`https://there.test:${securePort}/secure`))?.status()).toBe(200);
      expect(await page.title()).toBe("/secure");
      await page.goto(`http://there.test:${port}/plain`);
      expect(await firstMessage(page, `ws://there.test:${socketPort}/`)).toBe("hello");
      expect(new Set(asked)).toEqual(
        new Set([port, securePort, socketPort].map((to) => `there.test:${to}`)),
      );
      asked.length = 0;
      expect((await page.goto(`${site.url}/direct`))?.status()).toBe(200);
      expect(asked).toEqual([]);
    },
  );

  test("is given a browser that was ready, and goes on through it after kill -9 of the server", async () => {
    // After a burst of sessions more than one is kept ready for a while.
    const warm = await vi.waitFor(async () => {
      const running = new Set((await mainProcesses(server.dataDir)).keys());
      const { body } = await server.call("GET", "/health");
      expect(running.size).toBeGreaterThan(0);
      expect(body["warm_browsers"]).toBe(running.size);
      return running;
    }, 20_000);
    const asked = upstreams.get("http")?.asked ?? [];
    const { id, page } = await open(external("http"));
    expect([...(await mainProcesses(server.dataDir)).keys()]).toEqual(
      expect.arrayContaining([...warm]),
    );
    await page.goto(`http://there.test:${port}/before`);
    await server.signal("SIGKILL");
    await server.run();
    asked.length = 0;
    const { body } = await server.call("POST", `/sessions/${id}/page/execute`, {
      body: { type: "goto", url: `http://there.test:${port}/after` },
    });
    expect(body).toMatchObject({ success: true });
    expect(asked).toEqual([`there.test:${port}`]);
    expect((await server.call("GET", `/sessions/${id}`)).body["proxies"]).toBe(true);
  });

  test("is told what its proxy has to say of a server", async () => {
    const { id } = await open(external("http"));
    const { body } = await server.call("POST", `/sessions/${id}/page/execute`, {
      body: { type: "goto", url: "https://there.test:11111/" },
    });
    expect(body["success"]).toBe(false);
    expect(body["message"]).toContain("the session's proxy");
  });

  test("has the operator's for true, and none for an empty list", async () => {
    const asked = upstreams.get("socks5")?.asked ?? [];
    const routed = await open(true);
    asked.length = 0;
    await routed.page.goto(`http://there.test:${port}/`);
    await routed.page.goto(`${site.url}/direct`);
    expect(asked).toEqual([`there.test:${port}`]);
    expect((await open([])).answer["proxies"]).toBe(false);
  });
});

describe("a start with a proxy that does not work", () => {
  test.each([
    ["is not there", () => [{ type: "external", server: "http://127.0.0.1:9" }], "refuses"],
    [
      "wants another password",
      () => external("http", { ...proxyUser, password: "wrong" }),
      "password",
    ],
    ["wants a password", () => external("socks5", {}), "password"],
    [
      "is at a refused address",
      () => [{ type: "external", server: "http://10.0.0.1:80" }],
      "private",
    ],
    ["has no address", () => [{ type: "external", server: "http://proxy.invalid:80" }], "resolve"],
    ["is none", () => [{ type: "external", server: site.url }], "proxy does"],
  ])("that %s is answered 502 with the reason", async (_what, proxies, reason) => {
    const answer = await server.call("POST", "/sessions/start", { body: { proxies: proxies() } });
    expect(answer.body).toMatchObject({
      status: 502,
      code: "proxy_failed",
      message: expect.stringContaining(reason),
    });
  });

  test("that never answers is answered within its bound", { tags: ["long"] }, async () => {
    const silent = await startSilentServer();
    onTestFinished(() => silent.stop());
    const body = { proxies: [{ type: "external", server: `http://127.0.0.1:${silent.port}` }] };
    const answer = await server.call("POST", "/sessions/start", { body });
    expect(answer.body).toMatchObject({ status: 502, code: "proxy_failed" });
  });
});

test("passwords of proxies are in no log, in no answer and in no session's record", async () => {
  const { id, answer } = await open(external("http"));
  for (const password of [proxyUser.password, encodeURIComponent(proxyUser.password)]) {
    expect(JSON.stringify(answer)).not.toContain(password);
    expect(server.output).not.toContain(password);
  }
  const database = new DatabaseSync(path.join(server.dataDir, "nightjar.db"), { readOnly: true });
  const row = database.prepare("SELECT settings_json FROM sessions WHERE id = ?").get(id);
  database.close();
  expect(JSON.parse(String(row?.["settings_json"])).proxy).toMatchObject({
    username: proxyUser.username,
    password: null,
  });
});
