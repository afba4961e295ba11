import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { z } from "zod";
import { Nightjar, testKey } from "./support/nightjar.ts";

let nightjar: Nightjar;
let bob: string;

beforeAll(async () => {
  nightjar = await Nightjar.start();
  bob = (await nightjar.cli("keys", "create", "--tenant", "bob", "--name", "bob's")).stdout.trim();
}, 60_000);

afterAll(() => nightjar.dispose());

const keyList = z.array(
  z.object({
    id: z.string(),
    name: z.string(),
    hint: z.string(),
    created_at: z.string(),
    revoked_at: z.string().nullable(),
    is_current: z.boolean(),
  }),
);

async function keysOf(key: string) {
  const { status, body } = await nightjar.call("GET", "/api-keys", { key });
  expect(status).toBe(200);
  return keyList.parse(body["items"]);
}

async function statusWith(key: string): Promise<number> {
  return (await nightjar.call("GET", "/sessions", { key })).status;
}

describe("/api-keys", () => {
  test("makes a key, shows it once, and revokes it at once", async () => {
    const made = await nightjar.call("POST", "/api-keys", { body: { name: "  nightly crawl " } });
    expect(made.status).toBe(200);
    expect(made.headers.get("cache-control")).toBe("no-store");
    const key = String(made.body["key"]);
    const id = String(made.body["id"]);
    expect(key).toMatch(/^nj_[\w-]{43}$/);
    expect(made.body).toMatchObject({ name: "nightly crawl", revoked_at: null, is_current: false });
    expect(await statusWith(key)).toBe(200);

    const listed = await nightjar.call("GET", "/api-keys");
    expect(JSON.stringify(listed.body)).not.toContain(key);
    const [entry] = await keysOf(testKey);
    expect(entry).toMatchObject({ id, name: "nightly crawl", hint: `${key.slice(0, 6)}...` });
    expect((await keysOf(key)).filter(({ is_current }) => is_current)).toMatchObject([{ id }]);

    const revoked = await nightjar.call("DELETE", `/api-keys/${id}`);
    expect(revoked).toMatchObject({ status: 200, body: { success: true } });
    expect(await statusWith(key)).toBe(401);
    expect((await keysOf(testKey)).find((other) => other.id === id)?.revoked_at).not.toBeNull();
    const again = await nightjar.call("DELETE", `/api-keys/${id}`);
    expect(again).toMatchObject({ status: 404, body: { code: "api_key_not_found" } });
  });

  test("knows nothing of another tenant's keys", async () => {
    const [his] = await keysOf(bob);
    expect(his).toMatchObject({ name: "bob's", is_current: true });
    expect((await keysOf(testKey)).map(({ id }) => id)).not.toContain(his?.id);
    const refused = await nightjar.call("DELETE", `/api-keys/${his?.id}`);
    const unknown = await nightjar.call("DELETE", "/api-keys/key_000000000000");
    expect([refused.status, unknown.status]).toEqual([404, 404]);
    expect(refused.body["code"]).toBe(unknown.body["code"]);
    expect(await statusWith(bob)).toBe(200);
  });

  test.each(["", "   ", "x".repeat(101), "two\nlines"])("refuses the name %j", async (name) => {
    const answer = await nightjar.call("POST", "/api-keys", { body: { name } });
    expect(answer).toMatchObject({ status: 422, body: { code: "invalid_request" } });
  });
});

describe("/host", () => {
  test("tells how the host is doing to who has a key, and to nobody else", async () => {
    expect((await nightjar.call("GET", "/host", { key: null })).status).toBe(401);
    const { id } = await nightjar.startSession();
    const { status, body } = await nightjar.call("GET", "/host");
    await nightjar.call("DELETE", `/sessions/${id}/stop`);
    expect(status).toBe(200);
    expect(body).toMatchObject({
      versions: { nightjar: expect.stringMatching(/^\d/), node: process.versions.node },
      draining: false,
      sessions: { running: 1 },
      warm_browsers_target: 1,
      memory: { server_rss_bytes: expect.any(Number) },
      cpu: { cores: expect.any(Number), load_percent: expect.any(Number) },
    });
    const { memory, disk } = z
      .object({
        memory: z.object({
          total_bytes: z.number(),
          free_bytes: z.number(),
          browsers_bytes: z.number(),
        }),
        disk: z.object({ total_bytes: z.number(), free_bytes: z.number() }),
      })
      .parse(body);
    expect(memory.browsers_bytes).toBeGreaterThan(50_000_000);
    expect(memory.browsers_bytes).toBeLessThan(memory.total_bytes);
    expect(memory.free_bytes).toBeLessThan(memory.total_bytes);
    expect(disk.free_bytes).toBeLessThanOrEqual(disk.total_bytes);
  });
});

describe("the list of sessions", () => {
  test("can be asked for one state, and searched", async () => {
    const idle = await nightjar.startSession();
    const stopped = await nightjar.startSession();
    await nightjar.call("DELETE", `/sessions/${stopped.id}/stop`);
    const ids = async (query: string) => {
      const { body } = await nightjar.call("GET", `/sessions?${query}`);
      return z
        .array(z.object({ session_id: z.string() }))
        .parse(body["items"])
        .map((session) => session.session_id);
    };
    expect(await ids("status=active")).toEqual([idle.id]);
    expect(await ids("status=closed")).toContain(stopped.id);
    expect(await ids("status=closed")).not.toContain(idle.id);
    expect(await ids("status=closed&only_active=true")).toEqual([]);
    expect(await ids(`search=${stopped.id.slice(0, 8)}`)).toEqual([]);
    expect(await ids(`only_active=false&search=${stopped.id.slice(0, 8)}`)).toEqual([stopped.id]);
    expect(await ids("only_active=false&search=Client%20Stop")).toContain(stopped.id);
    expect(await ids("only_active=false&search=client_stop")).not.toContain(idle.id);
    expect(await ids("only_active=false&search=%25")).toEqual([]);
    const wrong = await nightjar.call("GET", "/sessions?status=asleep");
    expect(wrong.status).toBe(422);
    await nightjar.call("DELETE", `/sessions/${idle.id}/stop`);
  });
});
