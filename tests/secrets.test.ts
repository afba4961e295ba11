import { afterAll, beforeAll, expect, test } from "vitest";
import { Nightjar } from "./support/nightjar.ts";
import { RawCdp } from "./support/raw-cdp.ts";
import { Site } from "./support/site.ts";

/** Each stands in exactly one place that must never be logged. */
const planted = {
  operatorKey: "planted-operator-key-0001",
  wrongKey: "planted-wrong-key-0002",
  urlPassword: "planted-url-password-0003",
  header: "planted-header-0004",
  password: "planted-typed-password-0005",
  cookie: "planted-cookie-0006",
  pageToken: "planted-page-token-0007",
  modelKey: "planted-model-key-0008",
  idempotencyKey: "planted-idempotency-0009",
} as const;

let server: Nightjar;
let site: Site;

beforeAll(async () => {
  site = await Site.start((_request, response) => {
    response.setHeader("Content-Type", "text/html");
    response.end('<!doctype html><form><label>Password <input type="password"></label></form>');
  });
  server = await Nightjar.start({
    NIGHTJAR_LOG_LEVEL: "trace",
    NIGHTJAR_API_KEY: planted.operatorKey,
    NIGHTJAR_MODEL: "compatible/none",
    NIGHTJAR_MODEL_URL: "http://127.0.0.1:9/v1",
    NIGHTJAR_MODEL_KEY: planted.modelKey,
  });
});

afterAll(async () => {
  await server.dispose();
  await site.stop();
});

test("no key, token, cookie, password or header is in the server's log, whatever goes wrong", {
  timeout: 60_000,
}, async () => {
  const key = planted.operatorKey;
  const call = (method: string, route: string, body?: unknown) =>
    server.call(method, route, { key, ...(body === undefined ? {} : { body }) });
  await server.call("GET", "/sessions", { key: planted.wrongKey });
  await server.call("GET", `/sessions?token=${planted.pageToken}`, { key });
  const start = await server.call("POST", "/sessions/start", {
    key,
    headers: { "Idempotency-Key": planted.idempotencyKey },
    body: { extra_http_headers: { Authorization: `Bearer ${planted.header}` } },
  });
  expect(start.status).toBe(200);
  const id = String(start.body["session_id"]);
  const cdpUrl = String(start.body["cdp_url"]);
  const page = (route: string, body: object) => call("POST", `/sessions/${id}/page/${route}`, body);

  await page("execute", { type: "goto", url: `${site.url}/?token=${planted.pageToken}` });
  const typed = await page("execute", {
    type: "fill",
    selector: "input[type=password]",
    value: planted.password,
  });
  expect(typed.body["success"]).toBe(true);
  await page("observe", {});
  await page("execute", { type: "goto", url: `http://user:${planted.urlPassword}@127.0.0.1:9/` });
  await page("scrape", { instructions: "The title", response_format: { type: "object" } });
  await call("POST", `/sessions/${id}/cookies`, {
    cookies: [
      { name: "sid", value: planted.cookie, domain: "127.0.0.1", path: "/", httpOnly: true },
    ],
  });
  await call("POST", `/sessions/${id}/cookies`, { cookies: [{ value: planted.cookie }] });
  await call("POST", "/sessions/start", {
    cdp_url: `ws://user:${planted.urlPassword}@127.0.0.1:9/`,
  });
  await call("POST", "/sessions/start", {
    browser_type: planted.password,
    unknown: planted.header,
  });
  await server.call("POST", "/sessions/start", {
    key,
    rawBody: `{"user_agent": "${planted.header}`,
  });
  const client = await RawCdp.connect(cdpUrl);
  await client.send("Network.setCookie", { name: "a", value: planted.cookie, url: site.url });
  client.close();
  await fetch(cdpUrl.replace(/^ws/, "http").replace("/cdp?", "/cdp/json/list?"));
  await fetch(`${server.url}/sessions/${id}/cdp/json/list?token=${planted.pageToken}`);
  await call("DELETE", `/sessions/${id}/stop`);

  expect(server.output).toContain("request");
  const token = new URL(cdpUrl).searchParams.get("token") ?? "";
  expect(token).not.toBe("");
  for (const secret of [...Object.values(planted), token]) {
    const line = server.output.split("\n").find((each) => each.includes(secret));
    expect(line, secret).toBeUndefined();
  }
});
