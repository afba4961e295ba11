import { afterAll, afterEach, beforeAll, describe, expect, onTestFinished, test, vi } from "vitest";
import { z } from "zod";
import { type Answer, type CallOptions, Nightjar } from "./support/nightjar.ts";

const pressure = z.object({
  accepting: z.boolean(),
  blocked_by: z.string().nullable(),
  running: z.int(),
  max_running: z.int(),
  free: z.int(),
  queued: z.int(),
  max_queued: z.int(),
  memory: z.object({ total_bytes: z.int().positive(), available_bytes: z.int().min(0) }),
  cpu: z.object({ cores: z.int().positive(), load_percent: z.number().min(0).max(100) }),
  disk: z.object({ total_bytes: z.int().positive(), free_bytes: z.int().min(0) }),
});

async function pressureOf(server: Nightjar): Promise<z.infer<typeof pressure>> {
  const answer = await server.call("GET", "/pressure", { key: null });
  expect(answer.status).toBe(200);
  return pressure.parse(answer.body);
}

/** Waits until so many starts wait for room. */
async function queued(server: Nightjar, count: number): Promise<void> {
  await vi.waitFor(async () => expect((await pressureOf(server)).queued).toBe(count), {
    timeout: 10_000,
    interval: 20,
  });
}

function start(server: Nightjar, options: CallOptions = {}): Promise<Answer> {
  return server.call("POST", "/sessions/start", options);
}

async function stop(server: Nightjar, answer: Answer, key?: string): Promise<void> {
  const id = String(answer.body["session_id"]);
  const stopped = await server.call("DELETE", `/sessions/${id}/stop`, key ? { key } : {});
  expect(stopped.status).toBe(200);
}

/** Every refusal of a start says when to come back, and what the limit is. */
function expectRefusal(answer: Answer, status: number, code: string): void {
  expect({ status: answer.status, code: answer.body["code"] }).toEqual({ status, code });
  const { headers } = answer;
  const retryAfter = Number(headers.get("retry-after"));
  expect(retryAfter).toBeGreaterThan(0);
  expect(Number(headers.get("x-ratelimit-limit"))).toBeGreaterThan(0);
  expect(headers.get("x-ratelimit-remaining")).toBe("0");
  const reset = Number(headers.get("x-ratelimit-reset")) - Date.now() / 1000;
  expect(reset).toBeGreaterThan(retryAfter - 5);
  expect(reset).toBeLessThan(retryAfter + 2);
}

describe("a host that is full", () => {
  let server: Nightjar;
  let occupant: Answer;

  beforeAll(async () => {
    server = await Nightjar.start({
      NIGHTJAR_MAX_SESSIONS: "1",
      NIGHTJAR_QUEUE_LENGTH: "1",
      NIGHTJAR_QUEUE_TIMEOUT: "60",
    });
  }, 60_000);
  afterAll(() => server.dispose());

  async function occupy(): Promise<void> {
    occupant = await start(server);
    expect(occupant.status).toBe(200);
  }

  afterEach(async () => {
    const { body } = await server.call("GET", "/sessions");
    for (const { session_id } of body["items"] as { session_id: string }[]) {
      await server.call("DELETE", `/sessions/${session_id}/stop`);
    }
    expect(await pressureOf(server)).toMatchObject({ running: 0, queued: 0 });
  });

  test("lets a start wait until a session ends; one too many is 529 at once", async () => {
    expect(await pressureOf(server)).toMatchObject({ accepting: true, free: 1, max_running: 1 });
    await occupy();
    const waiting = start(server);
    await queued(server, 1);
    expect(await pressureOf(server)).toMatchObject({
      accepting: false,
      blocked_by: "sessions",
      running: 1,
      free: 0,
    });
    expectRefusal(await start(server), 529, "at_capacity");
    const first = await server.call("POST", "/session/start");
    expectRefusal(first, 529, "at_capacity");
    await stop(server, occupant);
    expect((await waiting).status).toBe(200);
  });

  test.each([
    ["POST", "/sessions/start", {}],
    ["POST", "/session/start", {}],
    ["POST", "/env/observe", { url: "data:text/html,hello" }],
    ["POST", "/scrape", { url: "data:text/html,hello" }],
  ])("forgets a start whose client goes away: %s %s", async (method, route, body) => {
    await occupy();
    const client = new AbortController();
    const waiting = fetch(`${server.url}${route}`, {
      method,
      headers: {
        Authorization: "Bearer test-key-of-the-default-tenant",
        "Content-Type": "application/json",
      },
      body: JSON.stringify(body),
      signal: client.signal,
    }).catch(() => null);
    await queued(server, 1);
    client.abort();
    expect(await waiting).toBeNull();
    await queued(server, 0);
    await stop(server, occupant);
    expect(await pressureOf(server)).toMatchObject({ accepting: true, running: 0 });
  });

  test("makes one session for all repeats of a start that waits", async () => {
    await occupy();
    const options = { headers: { "Idempotency-Key": crypto.randomUUID() } };
    const client = new AbortController();
    const first = fetch(`${server.url}/sessions/start`, {
      method: "POST",
      headers: { Authorization: "Bearer test-key-of-the-default-tenant", ...options.headers },
      signal: client.signal,
    }).catch(() => null);
    await queued(server, 1);
    const repeats = [start(server, options), start(server, options)];
    // Answered after the repeats have come in, on a connection of its own.
    await pressureOf(server);
    client.abort();
    await first;
    await stop(server, occupant);
    const ids = (await Promise.all(repeats)).map(({ body }) => body["session_id"]);
    expect(new Set(ids).size).toBe(1);
    expect(ids[0]).toBe((await start(server, options)).body["session_id"]);
    expect(await pressureOf(server)).toMatchObject({ running: 1, queued: 0 });
  });
});

describe("limits of a tenant's own", () => {
  let server: Nightjar;
  let one: string;
  let two: string;

  beforeAll(async () => {
    server = await Nightjar.start({
      NIGHTJAR_MAX_SESSIONS: "3",
      NIGHTJAR_MAX_SESSIONS_PER_TENANT: "1",
      NIGHTJAR_STARTS_PER_MINUTE_PER_TENANT: "2",
      NIGHTJAR_QUEUE_TIMEOUT: "1",
    });
    const made = ["one", "two"].map((tenant) => server.cli("keys", "create", "--tenant", tenant));
    [one = "", two = ""] = (await Promise.all(made)).map(({ stdout }) => stdout.trim());
  }, 60_000);
  afterAll(() => server.dispose());

  test("hold up that tenant alone, and are told as 429", async () => {
    const first = await start(server, { key: one });
    expect(first.headers.get("x-ratelimit-limit")).toBe("2");
    expect(first.headers.get("x-ratelimit-remaining")).toBe("1");
    const waiting = start(server, { key: one });
    await queued(server, 1);
    const other = await start(server, { key: two });
    expect(other.status).toBe(200);
    const refused = await waiting;
    expectRefusal(refused, 429, "tenant_limit");
    expect(refused.body["message"]).toContain("It waited 1 s for room.");
    await stop(server, other, two);
    await stop(server, first, one);

    // The refused one did not count: this is the second start of the minute.
    await stop(server, await start(server, { key: one }), one);
    const tooMany = await start(server, { key: one });
    expectRefusal(tooMany, 429, "too_many_starts");
    expect(tooMany.headers.get("x-ratelimit-limit")).toBe("2");
    expect(Number(tooMany.headers.get("retry-after"))).toBeLessThanOrEqual(60);
    const others = await start(server, { key: two });
    expect(others.status).toBe(200);
    await stop(server, others, two);
  });
});

describe("a host that is short of", () => {
  test.each([
    ["memory", "NIGHTJAR_MEMORY_RESERVE_MB", /memory/],
    ["disk", "NIGHTJAR_DISK_RESERVE_MB", /disk/],
  ])("%s starts nothing, and says so", async (shortage, setting, text) => {
    const server = await Nightjar.start({
      [setting]: "10000000",
      NIGHTJAR_WARM_POOL: "0",
      NIGHTJAR_QUEUE_TIMEOUT: "0",
    });
    onTestFinished(() => server.dispose());
    expect(await pressureOf(server)).toMatchObject({ accepting: false, blocked_by: shortage });
    const answer = await start(server);
    expectRefusal(answer, 529, "at_capacity");
    expect(answer.body["message"]).toMatch(text);
  });
});
