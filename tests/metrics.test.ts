import { readFile } from "node:fs/promises";
import path from "node:path";
import { afterAll, beforeAll, expect, test, vi } from "vitest";
import { Nightjar } from "./support/nightjar.ts";
import { RawCdp } from "./support/raw-cdp.ts";

const token = "a-token-for-the-metrics";
let server: Nightjar;

beforeAll(async () => {
  server = await Nightjar.start({ NIGHTJAR_METRICS_TOKEN: token });
});
afterAll(() => server.dispose());

/** The samples of the text format, by name and labels as they stand. */
async function scrape(): Promise<ReadonlyMap<string, number>> {
  const response = await fetch(`${server.url}/metrics`, {
    headers: { Authorization: `Bearer ${token}` },
  });
  expect(response.status).toBe(200);
  expect(response.headers.get("content-type")).toMatch(/^text\/plain; version=0\.0\.4/);
  const samples = new Map<string, number>();
  const declared = new Set<string>();
  for (const line of (await response.text()).trim().split("\n")) {
    const type = /^# TYPE (\w+) (?:counter|gauge|histogram|summary)$/.exec(line);
    if (type !== null) declared.add(type[1] ?? "");
    if (line === "" || line.startsWith("#")) continue;
    const sample = /^(\w+)(\{.*\})? (\S+)$/.exec(line);
    expect(sample, line).not.toBeNull();
    const [, name = "", labels = "", value = ""] = sample ?? [];
    expect(declared, name).toContain(
      name
        .replace(/_(?:bucket|sum|count)$/, "")
        .replace(/^(.*)$/, (base) => (declared.has(name) ? name : base)),
    );
    samples.set(`${name}${labels}`, Number(value));
  }
  return samples;
}

test("a session's life shows in the numbers", async () => {
  const before = await scrape();
  const { id, cdpUrl } = await server.startSession();
  const client = await RawCdp.connect(cdpUrl);
  await client.evaluate("'x'.repeat(100000)");
  const during = await scrape();
  expect(during.get("nightjar_sessions_active")).toBe(1);
  expect(during.get("nightjar_cdp_connections")).toBe(1);
  expect(during.get("nightjar_cdp_to_client_bytes_total")).toBeGreaterThan(100_000);
  await server.call("POST", `/sessions/${id}/page/execute`, {
    body: { type: "goto", url: "http://10.0.0.1/" },
  });
  client.close();
  await server.call("DELETE", `/sessions/${id}/stop`);
  const after = await vi.waitFor(async () => {
    const samples = await scrape();
    expect(samples.get("nightjar_cdp_connections")).toBe(0);
    return samples;
  }, 10_000);
  const grown = (name: string): number => (after.get(name) ?? 0) - (before.get(name) ?? 0);
  expect(grown("nightjar_sessions_started_total")).toBe(1);
  expect(grown("nightjar_session_start_seconds_count")).toBe(1);
  expect(grown('nightjar_sessions_ended_total{reason="client_stop"}')).toBe(1);
  expect(grown("nightjar_egress_connections_total")).toBe(1);
  expect(grown('nightjar_egress_refused_total{reason="address"}')).toBe(1);
  expect(grown("nightjar_pool_hits_total") + grown("nightjar_pool_misses_total")).toBe(1);
  expect(
    grown(
      'nightjar_http_request_seconds_count{method="POST",route="/sessions/start",status="200"}',
    ),
  ).toBe(1);
});

test("ids and unknown paths make no metrics of their own", async () => {
  await server.call("GET", `/sessions/${crypto.randomUUID()}`);
  await server.call("GET", "/some/unknown/path");
  const names = [...(await scrape()).keys()].filter((name) => name.includes("route="));
  expect(names.some((name) => name.includes('route="/sessions/:session_id"'))).toBe(true);
  expect(
    names.some((name) => name.includes('route="unknown"') && name.includes('status="404"')),
  ).toBe(true);
  expect(names.some((name) => /[0-9a-f]{8}-[0-9a-f]{4}/.test(name))).toBe(false);
});

test("only the token of the metrics opens them, and without one they are not served", async () => {
  expect((await server.call("GET", "/metrics")).status).toBe(401);
  expect((await server.call("GET", "/metrics", { key: null })).status).toBe(401);
  const other = await Nightjar.start();
  try {
    expect((await other.call("GET", "/metrics")).status).toBe(404);
  } finally {
    await other.dispose();
  }
});

test("the dashboard asks only for metrics that there are", async () => {
  const file = path.resolve(import.meta.dirname, "../docs/grafana-dashboard.json");
  const asked = new Set((await readFile(file, "utf8")).match(/\b(?:nightjar|process|nodejs)_\w+/g));
  const text = await (
    await fetch(`${server.url}/metrics`, { headers: { Authorization: `Bearer ${token}` } })
  ).text();
  // A counter by reason has no sample before there was a reason, but it is declared.
  const known = new Set(
    [...text.matchAll(/^# TYPE (\w+) (\w+)$/gm)].flatMap(([, name = "", type]) =>
      type === "histogram" ? [`${name}_bucket`, `${name}_count`, `${name}_sum`] : [name],
    ),
  );
  for (const name of asked) expect(known, name).toContain(name);
});

test("every metric has a help text, a unit at its end, and labels of few values", async () => {
  await server.startSession();
  const text = await (
    await fetch(`${server.url}/metrics`, { headers: { Authorization: `Bearer ${token}` } })
  ).text();
  for (const [, name = "", type] of text.matchAll(/^# TYPE (nightjar_\w+) (\w+)$/gm)) {
    expect(text, name).toMatch(new RegExp(`^# HELP ${name} [A-Z].*\\.$`, "m"));
    // prometheus.io/docs/practices/naming
    if (type === "counter") expect(name).toMatch(/_total$/);
    if (type === "histogram") expect(name).toMatch(/_seconds$/);
    const samples = text.split("\n").filter((line) => line.startsWith(name));
    expect(samples.length, name).toBeLessThan(500);
  }
});

test("numbers that something else counts are there", async () => {
  const samples = await vi.waitFor(async () => {
    const some = await scrape();
    // A browser is always kept warm, but for the moment in which it is launched.
    expect(some.get("nightjar_browsers_memory_bytes")).toBeGreaterThan(1_000_000);
    return some;
  }, 20_000);
  expect(samples.get('nightjar_leaks_repaired_total{kind="process"}')).toBe(0);
  const parts = ["wait", "browser", "row"].map((part) =>
    samples.get(`nightjar_session_start_part_seconds_count{part="${part}"}`),
  );
  expect(new Set(parts).size).toBe(1);
  expect(parts[0]).toBeGreaterThan(0);
});
