import { once } from "node:events";
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from "vitest";
import { WebSocket } from "ws";
import { BreakableLine } from "./support/breakable-line.ts";
import { EventClient } from "./support/event-client.ts";
import { eventually } from "./support/eventually.ts";
import { makeStep } from "./support/made-steps.ts";
import { Nightjar } from "./support/nightjar.ts";
import { RawCdp } from "./support/raw-cdp.ts";
import { seedSteps } from "./support/seeded-sessions.ts";

let nightjar: Nightjar;

beforeAll(async () => {
  nightjar = await Nightjar.start();
}, 60_000);

afterAll(() => nightjar.dispose());

const page = (title: string) => `data:text/html,<title>${title}</title><h1>${title}</h1>`;

async function goto(id: string, url: string): Promise<void> {
  const body = { type: "goto", url };
  const answer = await nightjar.call("POST", `/sessions/${id}/page/execute`, { body });
  expect(answer.body["success"]).toBe(true);
}

const stop = (id: string) => nightjar.call("DELETE", `/sessions/${id}/stop`);

describe("GET /sessions/{id}/events", () => {
  test("tells how the session is, then of steps and tabs, and ends with the reason", async () => {
    const { id, cdpUrl } = await nightjar.startSession();
    const before = (await nightjar.call("GET", `/sessions/${id}`)).body["last_accessed_at"];
    const events = await EventClient.connect(nightjar, `/sessions/${id}/events`);
    expect(events.status).toBe(200);
    await eventually(() => expect(events.of("tabs").at(-1)?.data["tabs"]).toHaveLength(1));
    expect(events.received[0]).toMatchObject({
      event: "state",
      data: { session_id: id, status: "active", deadline: { reason: "idle_timeout" } },
    });
    expect((await nightjar.call("GET", `/sessions/${id}`)).body["last_accessed_at"]).toBe(before);

    await goto(id, page("one"));
    await eventually(() => expect(events.of("step")).toHaveLength(1));
    expect(events.of("step")[0]?.data).toMatchObject({
      position: 0,
      type: "execution_result",
      value: { action: { type: "goto" }, success: true },
    });

    const client = await RawCdp.connect(cdpUrl);
    const created = await client.send("Target.createTarget", { url: page("two") });
    const targetId = created.result?.["targetId"];
    await eventually(() =>
      expect(events.of("tab").map(({ data }) => [data["change"], data["tab_id"]])).toEqual(
        expect.arrayContaining([
          ["opened", targetId],
          ["activated", targetId],
        ]),
      ),
    );
    await client.send("Target.closeTarget", { targetId });
    await eventually(() =>
      expect(
        events
          .of("tab")
          .slice(-2)
          .map(({ data }) => [data["change"], data["tab_id"] === targetId]),
      ).toEqual([
        ["closed", true],
        ["activated", false],
      ]),
    );

    await stop(id);
    await events.ended;
    expect(events.received.at(-1)).toMatchObject({
      event: "end",
      data: { session_id: id, status: "closed", end_reason: "client_stop" },
    });
    const ids = events.received.map((event) => Number(event.id));
    expect(ids).toEqual(ids.toSorted((a, b) => a - b));

    // Who has seen the end has nothing to come back for; others are told of it.
    const again = (lastEventId?: string) =>
      EventClient.connect(
        nightjar,
        `/sessions/${id}/events`,
        lastEventId === undefined ? {} : { lastEventId },
      );
    expect((await again(events.lastId)).status).toBe(204);
    const late = await again();
    await late.ended;
    expect(late.received.map(({ event }) => event)).toEqual(["state", "end"]);
    const missed = await again(events.of("step")[0]?.id ?? "");
    await missed.ended;
    expect(missed.of("step")).toEqual([]);
    expect(missed.of("tab")).toEqual(events.of("tab").slice(-missed.of("tab").length));
    expect(missed.received.at(-1)).toEqual(events.received.at(-1));
  });

  test("gives who comes back what was missed, also after the server was killed", async () => {
    const { id } = await nightjar.startSession();
    const events = await EventClient.connect(nightjar, `/sessions/${id}/events`);
    await goto(id, page("first"));
    await eventually(() => expect(events.of("step")).toHaveLength(1));
    events.stop();
    await events.ended;
    const seen = events.of("step")[0]?.id ?? "";
    await goto(id, page("missed"));

    const back = await EventClient.connect(nightjar, `/sessions/${id}/events`, {
      lastEventId: seen,
    });
    await eventually(() => expect(back.of("step")).toHaveLength(1));
    expect(back.of("step")[0]?.data["position"]).toBe(1);
    expect(back.of("state")).toEqual([]);
    const lastId = back.lastId;
    back.stop();

    await goto(id, page("before the crash"));
    await nightjar.signal("SIGKILL");
    await nightjar.run();
    const after = await EventClient.connect(nightjar, `/sessions/${id}/events`, {
      lastEventId: lastId,
    });
    await eventually(() => expect(after.of("tabs").at(-1)?.data["tabs"]).toHaveLength(1));
    expect(after.of("step").map(({ data }) => data["position"])).toContain(2);
    expect(after.of("state")).toHaveLength(1);
    const ids = after.received.map((event) => Number(event.id));
    expect(Math.min(...ids)).toBeGreaterThan(Number(lastId));
    await goto(id, page("after the crash"));
    await eventually(() => expect(after.of("step").at(-1)?.data["position"]).toBe(3));
    await stop(id);
    await after.ended;
    expect(after.received.at(-1)?.event).toBe("end");
  });

  test("gives who was away for long all that was missed, however much it is", async () => {
    const { id } = await nightjar.startSession();
    const values = { last_name: "x".repeat(8000) };
    const step = makeStep({ type: "form_fill", values, dialog: null });
    const steps = Array.from({ length: 300 }, () => step);
    await seedSteps(nightjar, id, steps);
    const events = await EventClient.connect(nightjar, `/sessions/${id}/events`, {
      lastEventId: "1",
    });
    await eventually(() => expect(events.of("tabs")).toHaveLength(1));
    expect(events.of("step").map(({ data }) => data["position"])).toEqual([...steps.keys()]);
    expect(events.received.slice(-2).map(({ event }) => event)).toEqual(["state", "tabs"]);
    await goto(id, page("and on"));
    await eventually(() => expect(events.of("step").at(-1)?.data["position"]).toBe(steps.length));
    const ids = events.received.map((event) => Number(event.id));
    expect(ids).toEqual(ids.toSorted((a, b) => a - b));
    await stop(id);
    await events.ended;
    expect(events.received.at(-1)?.event).toBe("end");
  });

  test("tells of tabs again after the line to a browser elsewhere broke", async () => {
    const theirs = await nightjar.startSession();
    const line = await BreakableLine.to(Number(new URL(nightjar.url).port));
    onTestFinished(() => line.close());
    const url = new URL(theirs.cdpUrl);
    url.port = String(line.port);
    const { id } = await nightjar.startSession({ cdp_url: url.href });
    const events = await EventClient.connect(nightjar, `/sessions/${id}/events`);
    await eventually(() => expect(events.of("tabs").at(-1)?.data["tabs"]).toHaveLength(1));
    const { ws } = (await nightjar.call("GET", `/sessions/${id}/debug`)).body as {
      readonly ws: Readonly<Record<"recording", string>>;
    };
    const recording = new WebSocket(ws.recording);
    await once(recording, "message");

    // The session lives as long as its first connection; the others only look.
    const before = events.of("tabs").length;
    line.breakAllButFirst();
    const [code] = await once(recording, "close");
    expect(code).toBe(1012);
    await eventually(() => expect(events.of("tabs").length).toBeGreaterThan(before));
    const client = await RawCdp.connect(theirs.cdpUrl);
    const { result } = await client.send("Target.createTarget", { url: page("after") });
    const opened = () => events.of("tab").filter(({ data }) => data["change"] === "opened");
    await eventually(() =>
      expect(opened().map(({ data }) => data["tab_id"])).toEqual([result?.["targetId"]]),
    );
    client.close();
    await stop(id);
    await events.ended;
    expect(events.received.at(-1)?.data["end_reason"]).toBe("client_stop");
    await eventually(() => expect(line.connections).toBe(0));
    await stop(theirs.id);
  });

  test("is closed to other tenants and to numbers that are none", async () => {
    const { id } = await nightjar.startSession();
    const { stdout } = await nightjar.cli("keys", "create", "--tenant", "stranger", "--name", "k");
    const key = /nj_\S+/.exec(stdout)?.[0] ?? "";
    expect((await nightjar.call("GET", `/sessions/${id}/events`, { key })).status).toBe(404);
    const headers = { "Last-Event-ID": "first" };
    expect((await nightjar.call("GET", `/sessions/${id}/events`, { headers })).status).toBe(422);
    await stop(id);
  });
});

describe("GET /events", () => {
  test("tells of the tenant's sessions that start and end, and of no others", async () => {
    const { stdout } = await nightjar.cli("keys", "create", "--tenant", "other", "--name", "k");
    const key = /nj_\S+/.exec(stdout)?.[0] ?? "";
    const mine = await EventClient.connect(nightjar, "/events");
    const theirs = await EventClient.connect(nightjar, "/events", { key });
    const { id } = await nightjar.startSession();
    await stop(id);
    await eventually(() => expect(mine.of("session")).toHaveLength(2));
    expect(mine.received.map(({ event }) => event)).toEqual(["reset", "session", "session"]);
    expect(mine.of("session").map(({ data }) => data)).toMatchObject([
      { change: "started", session_id: id, status: "active" },
      { change: "ended", session_id: id, status: "closed", end_reason: "client_stop" },
    ]);
    const back = await EventClient.connect(nightjar, "/events", {
      lastEventId: mine.of("session")[0]?.id ?? "",
    });
    await eventually(() => expect(back.received).toEqual([mine.received[2]]));
    const unknown = await EventClient.connect(nightjar, "/events", { lastEventId: "1" });
    await eventually(() => expect(unknown.received[0]?.event).toBe("reset"));
    const { id: foreign } = await nightjar.startSession({}, key);
    await eventually(() => expect(theirs.of("session")).toHaveLength(1));
    expect(mine.of("session")).toHaveLength(2);
    await nightjar.call("DELETE", `/sessions/${foreign}/stop`, { key });
    for (const client of [mine, theirs, back, unknown]) client.stop();
  });
});

describe("GET /sessions/{id}/steps", () => {
  test("lists steps in order, page by page, also of a session that ended", async () => {
    const { id } = await nightjar.startSession();
    for (const title of ["a", "b", "c"]) await goto(id, page(title));
    await stop(id);
    const first = await nightjar.call("GET", `/sessions/${id}/steps?limit=2`);
    expect(first.body).toMatchObject({
      items: [{ position: 0, type: "execution_result" }, { position: 1 }],
      has_next: true,
    });
    const rest = await nightjar.call("GET", `/sessions/${id}/steps?limit=2&after=1`);
    expect(rest.body).toMatchObject({ items: [{ position: 2 }], has_next: false });
    expect((await nightjar.call("GET", `/sessions/${id}/steps?after=-2`)).status).toBe(422);
  });
});

test("A server that stops ends the streams of its clients", async () => {
  const tenant = await EventClient.connect(nightjar, "/events");
  const { id } = await nightjar.startSession();
  const events = await EventClient.connect(nightjar, `/sessions/${id}/events`);
  await nightjar.signal("SIGTERM");
  await Promise.all([tenant.ended, events.ended]);
  expect(events.received.at(-1)).toMatchObject({
    event: "end",
    data: { end_reason: "server_stop" },
  });
});
