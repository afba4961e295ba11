import { once } from "node:events";
import { createServer } from "node:net";
import path from "node:path";
import { DatabaseSync } from "node:sqlite";
import { type Browser, chromium, type Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect, onTestFinished, test, vi } from "vitest";
import { findChromium } from "../src/browsers/chromium.ts";
import { Canary } from "./support/canary.ts";
import { DnsServer } from "./support/dns-server.ts";
import { Nightjar } from "./support/nightjar.ts";
import { serveProbingSite, wayNames } from "./support/probing-page.ts";
import { pageTitledByPath, Site } from "./support/site.ts";

/** Names of the operator's network; `.test` never leads anywhere else. */
const inside = "127.0.0.2";

const { chromium: fullBrowser } = await findChromium({
  chromiumPath: null,
  headlessShellPath: null,
  dataDir: "/nonexistent",
});

/** The headless shell, and the full browser where there is one. */
const builds = fullBrowser === null ? ["chromium"] : ["chromium", "chrome"];

let server: Nightjar;
let site: Site;
let dns: DnsServer;
/** At an address that no session may reach. */
let canary: Canary;
let port: string;
/** What `rebinding.test` leads to now. */
let rebound = "127.0.0.1";

const body = "x".repeat(200_000);

beforeAll(async () => {
  canary = await Canary.start(inside);
  site = await Site.start((request, response) => {
    if (request.url === "/large") response.end(body);
    else if (!serveProbingSite(request, response)) pageTitledByPath(request, response);
  });
  ({ port } = new URL(site.url));
  dns = await DnsServer.start((name, type) => {
    if (type === "AAAA") return name === "six.test" ? ["::1"] : [];
    if (name === "rebinding.test") return [rebound];
    if (name === "several.test") return [inside, "10.0.0.1", "127.0.0.1"];
    if (name === "denied.test" || name === "here.test") return ["127.0.0.1"];
    return name.endsWith("inside.test") ? [inside] : [];
  });
  server = await Nightjar.start({
    NIGHTJAR_EGRESS_ALLOW: "127.0.0.1",
    NIGHTJAR_EGRESS_DENY_HOSTS: "denied.test",
    NIGHTJAR_DNS_SERVERS: dns.address,
  });
}, 60_000);

afterAll(async () => {
  await server?.dispose();
  dns?.stop();
  canary?.stop();
  await site?.stop();
});

interface Opened {
  readonly id: string;
  readonly browser: Browser;
  readonly page: Page;
}

async function open(fields: Record<string, unknown> = {}, key?: string): Promise<Opened> {
  const { id, cdpUrl } = await server.startSession(fields, key);
  const browser = await chromium.connectOverCDP(cdpUrl);
  onTestFinished(async () => {
    await browser.close().catch(() => {});
    await server.call("DELETE", `/sessions/${id}/stop`, key === undefined ? {} : { key });
  });
  const page = browser.contexts()[0]?.pages()[0];
  if (page === undefined) throw new Error("the session has no tab");
  return { id, browser, page };
}

async function goto(id: string, url: string): Promise<{ success: boolean; message: string }> {
  const { body: answer } = await server.call("POST", `/sessions/${id}/page/execute`, {
    body: { type: "goto", url },
  });
  return { success: answer["success"] === true, message: String(answer["message"]) };
}

/** The row of a session, as it is stored. */
function rowOf(id: string): { readonly responseBytes: number; readonly reference: string } {
  const database = new DatabaseSync(path.join(server.dataDir, "nightjar.db"), { readOnly: true });
  try {
    const row = database
      .prepare("SELECT response_bytes, browser_reference FROM sessions WHERE id = ?")
      .get(id);
    return {
      responseBytes: Number(row?.["response_bytes"]),
      reference: String(row?.["browser_reference"]),
    };
  } finally {
    database.close();
  }
}

describe("a page", () => {
  test.each(builds)("gets to no refused address, by whatever way it tries: %s", async (build) => {
    const { id, page } = await open({ browser_type: build });
    // The full browser blocks what opens a window without having been clicked.
    const blocked: readonly string[] = build === "chrome" ? ["popup", "download"] : [];
    const ways = wayNames.filter((way) => !blocked.includes(way));
    dns.asked.length = 0;
    // Some of the ways never finish, so neither does its loading.
    await page.goto(`${site.url}/probe?port=${canary.port}`, { waitUntil: "commit" });
    // Each is seen to be tried, under a name of its own, and none arrives.
    await vi.waitFor(
      () => {
        const refused = ways.filter((way) =>
          server.output.includes(`"session_id":"${id}","host":"${way}.inside.test"`),
        );
        expect(refused).toEqual(ways);
      },
      { timeout: 15_000, interval: 100 },
    );
    expect(canary.visits).toBe(0);
    // Names are asked for by the proxy alone, and only for connections.
    expect(dns.asked).toContain("prefetch.inside.test");
    expect(dns.asked).not.toContain("dns-prefetch.inside.test");
  });

  test.each(builds)(
    "sends no UDP, neither by WebRTC nor by WebTransport: %s",
    async (browser_type) => {
      const listener = await Canary.start("127.0.0.1");
      onTestFinished(() => listener.stop());
      const { page } = await open({ browser_type });
      await page.goto(`${site.url}/`);
      const found = await page.evaluate(`(async () => {
        const connection = new RTCPeerConnection({
          iceServers: [{ urls: ["stun:127.0.0.1:${listener.port}", "stun:localhost:${listener.port}"] }],
        });
        const candidates = [];
        const gathered = new Promise((resolve) => {
          connection.onicecandidate = ({ candidate }) => {
            if (candidate === null) resolve();
            else candidates.push(candidate.candidate);
          };
        });
        connection.createDataChannel("channel");
        await connection.setLocalDescription(await connection.createOffer());
        await gathered;
        const transport = await new WebTransport("https://127.0.0.1:${listener.port}/").ready.then(
          () => "opened",
          () => "failed",
        );
        return { candidates, transport };
      })()`);
      expect(found).toEqual({ candidates: [], transport: "failed" });
      expect(listener.visits).toBe(0);
    },
  );

  test("is told why, in the page and by the API", async () => {
    const { id, page } = await open();
    const response = await page.goto(`http://${inside}:${canary.port}/`);
    expect(response?.status()).toBe(403);
    expect(await page.textContent("main")).toContain(
      "127.0.0.2 is an address of this machine, which sessions may not connect to",
    );
    for (const url of [
      "http://169.254.169.254/latest/meta-data",
      "https://169.254.169.254/",
      `http://0x7f.2:${canary.port}/`,
      `https://2130706434:${canary.port}/`,
      `http://[::ffff:127.0.0.2]:${canary.port}/`,
      `${site.url}/to?url=http://www.inside.test:${canary.port}/`,
      `${site.url}/to?url=https://www.inside.test:${canary.port}/`,
    ]) {
      const { success, message } = await goto(id, url);
      expect({ url, success }).toEqual({ url, success: false });
      expect(message).toContain("which sessions may not connect to");
    }
    const denied = await goto(id, `https://denied.test:${port}/`);
    expect(denied.message).toContain("denied.test is on the operator's list");
    const logged = await vi.waitFor(async () => {
      const { body: log } = await server.call(
        "GET",
        `/sessions/${id}/network/requests?failed=true&page_size=100`,
      );
      const failures = (log["items"] as { url: string; failure: string }[]).map(
        ({ url, failure }) => `${url}: ${failure}`,
      );
      expect(failures.join("\n")).toContain("denied.test");
      return failures;
    });
    expect(logged).toContainEqual(
      expect.stringMatching(/^http:\/\/169\.254\.169\.254\/.*metadata service/),
    );
    expect(logged).toContainEqual(
      expect.stringMatching(/^https:\/\/169\.254\.169\.254\/: net::ERR_TUNNEL.*metadata service/),
    );
    const unknown = await goto(id, "https://nowhere.test/");
    expect(unknown.message).toContain("no server has this name");
    expect(canary.visits).toBe(0);
  });

  test("gets to the allowed one of a name's addresses", async () => {
    const { id } = await open();
    expect(await goto(id, `http://several.test:${port}/`)).toMatchObject({ success: true });
    expect(await goto(id, `http://here.test:${port}/`)).toMatchObject({ success: true });
    expect((await goto(id, `http://six.test:${port}/`)).message).toContain("leads to ::1");
  });

  test("does not get further when a name begins to lead elsewhere", async () => {
    const { page } = await open();
    rebound = "127.0.0.1";
    await page.goto(`http://rebinding.test:${port}/`);
    rebound = inside;
    // Another port is another connection, so the name is resolved anew.
    const statuses = await page.evaluate(async (to) => {
      const status = await fetch(`http://rebinding.test:${to}/`, { mode: "no-cors" }).then(
        () => "answered",
        () => "failed",
      );
      const socket = new WebSocket(`ws://rebinding.test:${to}/`);
      const opened = await new Promise((resolve) => {
        socket.onopen = () => resolve(true);
        socket.onerror = () => resolve(false);
      });
      return { status, opened };
    }, canary.port);
    expect(statuses.opened).toBe(false);
    expect(canary.visits).toBe(0);
  });
});

test("a CDP client cannot choose another way out", async () => {
  const { browser } = await open();
  for (const proxy of [
    { server: `http://127.0.0.1:${port}` },
    { server: "direct://" },
    { server: "http://127.0.0.1:1", bypass: "*" },
  ]) {
    await expect(browser.newContext({ proxy })).rejects.toThrow(/name it in the session's/);
  }
  const context = await browser.newContext();
  expect((await (await context.newPage()).goto(`${site.url}/`))?.status()).toBe(200);
});

test("a tenant may be allowed more than others", async () => {
  const key = (await server.cli("keys", "create", "--tenant", "more")).stdout.trim();
  await expect(server.cli("tenants", "allow", "nobody", inside)).rejects.toThrow("no tenant");
  await expect(server.cli("tenants", "allow", "more", "10.0.0.0/99")).rejects.toThrow(
    "10.0.0.0/99",
  );
  const further = await Site.start(pageTitledByPath, inside);
  onTestFinished(() => further.stop());
  const before = await open({}, key);
  expect((await before.page.goto(further.url))?.status()).toBe(403);
  await server.cli("tenants", "allow", "more", inside, "10.0.0.0/8");
  expect((await server.cli("tenants", "list")).stdout).toContain(`${inside}, 10.0.0.0/8`);
  const after = await open({}, key);
  expect((await after.page.goto(further.url))?.status()).toBe(200);
  const others = await open();
  expect((await others.page.goto(further.url))?.status()).toBe(403);
});

describe("kill -9 of the server", () => {
  test("takes neither the way out nor the counted bytes from a session", async () => {
    const { id, page } = await open();
    const bytes = async () => {
      const { body: answer } = await server.call("GET", `/sessions/${id}`);
      return {
        sent: Number(answer["network_request_bytes"]),
        received: Number(answer["network_response_bytes"]),
      };
    };
    expect(await bytes()).toEqual({ sent: 0, received: 0 });
    await page.goto(`${site.url}/large`);
    const counted = await bytes();
    expect(counted.sent).toBeGreaterThan(200);
    expect(counted.received).toBeGreaterThan(body.length);
    expect(counted.received).toBeLessThan(body.length * 1.02);
    // They are saved within a second.
    await vi.waitFor(() => expect(rowOf(id).responseBytes).toBe(counted.received));
    await server.signal("SIGKILL");
    await server.run();
    expect(await bytes()).toEqual(counted);
    expect(await goto(id, `${site.url}/large`)).toMatchObject({ success: true });
    expect((await goto(id, `http://www.inside.test:${canary.port}/`)).message).toContain(
      "may not connect to",
    );
    const { body: ended } = await server.call("DELETE", `/sessions/${id}/stop`);
    expect(ended["network_response_bytes"]).toBeGreaterThan(2 * body.length);
    expect((await bytes()).received).toBe(ended["network_response_bytes"]);
    // What would find its browser again, and could hold the password of a proxy.
    expect(rowOf(id).reference).toBe("");
  });

  test("ends a session whose way out is taken meanwhile, and says so", async () => {
    const { id } = await server.startSession();
    const { proxyPort: taken } = JSON.parse(rowOf(id).reference) as { proxyPort: number };
    await server.signal("SIGKILL");
    const thief = createServer().listen(taken, "127.0.0.1");
    await once(thief, "listening");
    onTestFinished(() => {
      thief.close();
    });
    await server.run();
    expect((await server.call("GET", `/sessions/${id}`)).body).toMatchObject({
      status: "error",
      error: expect.stringContaining("way out to the network could not be opened again"),
    });
  });
});
