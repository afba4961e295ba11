import { afterAll, beforeAll, beforeEach, describe, expect, onTestFinished, test } from "vitest";
import { WebSocket } from "ws";
import { EventClient } from "./support/event-client.ts";
import { eventually } from "./support/eventually.ts";
import { type Answer, Nightjar, testKey } from "./support/nightjar.ts";
import { RawCdp } from "./support/raw-cdp.ts";

let nightjar: Nightjar;
let id: string;
let cdpUrl: string;

beforeAll(async () => {
  nightjar = await Nightjar.start({ NIGHTJAR_RECORDING: "0", NIGHTJAR_ON_STOP: "keep" });
}, 60_000);

afterAll(() => nightjar.dispose());

beforeEach(async () => {
  ({ id, cdpUrl } = await nightjar.startSession());
});

const execute = (body: Record<string, unknown>) =>
  nightjar.call("POST", `/sessions/${id}/page/execute`, { body });

const page = "data:text/html,<title>Lamps</title>";

async function steps(): Promise<Answer["body"]> {
  return (await nightjar.call("GET", `/sessions/${id}/steps`)).body;
}

/** An action that takes longer than any test. */
const stuck = { type: "wait", time_ms: 30_000 };
const stuckStep = {
  type: "execution_result",
  value: { url: page, action: { type: "wait", time_ms: 30_000 } },
};

/** Has the session go to a page and then be stuck; answers once that is under way. */
async function getStuck(): Promise<{ readonly answer: Promise<Answer | Error> }> {
  await execute({ type: "goto", url: page });
  const answer = execute(stuck).catch((error: Error) => error);
  await eventually(async () => expect((await steps())["running"]).not.toBeNull());
  return { answer };
}

const interruptedStep = (why: string) => ({
  position: 1,
  type: "execution_result",
  value: {
    action: { type: "wait", time_ms: 30_000 },
    success: false,
    interrupted: true,
    message: expect.stringContaining(why),
    exception: expect.stringContaining(why),
  },
});

describe("A step", () => {
  test("is told as soon as it starts, wherever steps are told, and is over when it is done", async () => {
    const { body: debug } = await nightjar.call("GET", `/sessions/${id}/debug`);
    const logged: { readonly type: string; readonly data: Record<string, unknown> }[] = [];
    const logs = new WebSocket((debug["ws"] as { readonly logs: string }).logs);
    onTestFinished(() => logs.terminate());
    logs.on("message", (data) => logged.push(JSON.parse(String(data))));
    const events = await EventClient.connect(nightjar, `/sessions/${id}/events`);
    onTestFinished(() => events.stop());
    await eventually(() => expect(events.of("tabs").at(-1)?.data["tabs"]).toHaveLength(1));

    await execute({ type: "goto", url: page });
    const done = execute({ type: "wait", time_ms: 1500 });
    const asked = { type: "wait", time_ms: 1500 };
    await eventually(async () =>
      expect(await steps()).toMatchObject({
        items: [{ position: 0, value: { action: { type: "goto" }, success: true } }],
        running: {
          started_at: expect.stringMatching(/^\d{4}-/),
          type: "execution_result",
          value: { url: page, action: asked },
        },
      }),
    );
    await eventually(() =>
      expect(events.of("step_started").map(({ data }) => data)).toMatchObject([
        { type: "execution_result", value: { action: { type: "goto", url: page } } },
        { type: "execution_result", value: { url: page, action: asked } },
      ]),
    );
    expect(events.of("step")).toHaveLength(1);
    await eventually(() => expect(logged).toHaveLength(3));
    // Who comes now is told what is under way, too.
    const late = await EventClient.connect(nightjar, `/sessions/${id}/events`);
    onTestFinished(() => late.stop());
    await eventually(() => expect(late.of("step_started")).toHaveLength(1));

    expect((await done).body["success"]).toBe(true);
    const after = await steps();
    expect(after["running"]).toBeNull();
    expect(after["items"]).toHaveLength(2);
    await eventually(() => expect(logged).toHaveLength(4));
    expect(logged).toMatchObject([
      { type: "agent_step_start", data: { action: { type: "goto" } } },
      { type: "execution_result", data: { action: { type: "goto" }, success: true } },
      { type: "agent_step_start", data: { action: asked } },
      { type: "execution_result", data: { action: asked, success: true } },
    ]);
    await eventually(() => expect(events.of("step")).toHaveLength(2));
    const told = events.received.map(({ event }) => event).filter((name) => name.includes("step"));
    expect(told).toEqual(["step_started", "step", "step_started", "step"]);
  });

  test("hides what is typed until it is known not to be secret", async () => {
    const secret = "planted-secret-5";
    const field = `data:text/html,<input id="a" onclick="for (;;);"><input id="b">`;
    await execute({ type: "goto", url: field });
    const events = await EventClient.connect(nightjar, `/sessions/${id}/events`);
    onTestFinished(() => events.stop());
    await execute({ type: "fill", selector: "#b", value: secret });
    await eventually(() => expect(events.of("step")).toHaveLength(1));
    expect(events.of("step_started")[0]?.data).toMatchObject({
      value: { action: { type: "fill", selector: "#b", value: "********" } },
    });
    expect(events.of("step")[0]?.data).toMatchObject({ value: { action: { value: secret } } });
  });

  test("that the end of the session breaks off is told as interrupted, before the end", async () => {
    const events = await EventClient.connect(nightjar, `/sessions/${id}/events`);
    const { answer } = await getStuck();
    await nightjar.call("DELETE", `/sessions/${id}/stop`);
    expect(await answer).toMatchObject({ status: 410 });
    await events.ended;
    const kept = await steps();
    expect(kept["running"]).toBeNull();
    expect(kept["items"]).toMatchObject([{ position: 0 }, interruptedStep("client_stop")]);
    expect(events.received.slice(-2)).toMatchObject([
      { event: "step", data: interruptedStep("client_stop") },
      { event: "end" },
    ]);
    const { body } = await nightjar.call("GET", `/sessions/${id}/workflow/code`);
    expect(body["json_actions"]).toMatchObject([{ type: "goto" }]);
    expect(body["javascript_script"]).not.toContain("Left out");
  });

  test("that the death of its browser breaks off is interrupted", async () => {
    const { answer } = await getStuck();
    const client = await RawCdp.connect(cdpUrl);
    onTestFinished(() => client.close());
    void client.send("Browser.crash").catch(() => {});
    expect(await answer).not.toMatchObject({ status: 200 });
    await eventually(async () => expect((await steps())["items"]).toHaveLength(2));
    expect(await steps()).toMatchObject({
      items: [{}, interruptedStep("Interrupted: ")],
      running: null,
    });
  });

  test("that the death of the server breaks off is interrupted when it serves again", async () => {
    const { answer } = await getStuck();
    // By then it is noted.
    await eventually(async () => {
      const running = (await steps())["running"] as { readonly started_at: string };
      expect(Date.now() - Date.parse(running.started_at)).toBeGreaterThan(1000);
    });
    await nightjar.signal("SIGKILL");
    await answer;
    await nightjar.run();
    expect(await steps()).toMatchObject({
      items: [{}, interruptedStep("the server went down")],
      running: null,
    });
    await execute({ type: "reload" });
    expect((await steps())["items"]).toHaveLength(3);
  });

  test("that a server breaks off which stops, and leaves the session running, is interrupted", async () => {
    const { answer } = await getStuck();
    await nightjar.signal("SIGTERM");
    await answer;
    await nightjar.run();
    expect(await steps()).toMatchObject({
      items: [{}, interruptedStep("The server restarts; the session goes on")],
      running: null,
    });
    expect((await nightjar.call("GET", `/sessions/${id}`)).body["status"]).toBe("active");
  });

  test("that its client gives up while it only waits is interrupted", async () => {
    await execute({ type: "goto", url: page });
    const client = new AbortController();
    const route = `${nightjar.url}/sessions/${id}/page/execute`;
    const answer = fetch(route, {
      method: "POST",
      headers: {
        Authorization: `Bearer ${testKey}`,
        "Content-Type": "application/json",
      },
      body: JSON.stringify(stuck),
      signal: client.signal,
    }).catch(() => null);
    await eventually(async () => expect((await steps())["running"]).toMatchObject(stuckStep));
    client.abort();
    await answer;
    await eventually(async () => expect((await steps())["items"]).toHaveLength(2));
    expect((await steps())["items"]).toMatchObject([{}, interruptedStep("the client hung up")]);
  });
});

describe("Cookies and PDFs", () => {
  const secret = "planted-secret-6";
  const cookie = { name: "basket", value: secret, domain: "shop.test", path: "/", httpOnly: true };

  test("are steps as everything else, without the cookies' values, and are no code", async () => {
    await execute({ type: "goto", url: page });
    const route = `/sessions/${id}/cookies`;
    const set = (cookies: object[]) => nightjar.call("POST", route, { body: { cookies } });
    expect((await set([cookie])).status).toBe(200);
    expect((await set([{ ...cookie, name: "__Host-a", domain: ".shop.test" }])).status).toBe(422);
    expect((await nightjar.call("GET", route)).body["cookies"]).toHaveLength(1);
    const pdf = await fetch(`${nightjar.url}/sessions/${id}/page/pdf`, {
      method: "POST",
      headers: { Authorization: `Bearer ${testKey}` },
    });
    expect(pdf.status).toBe(200);
    const size = (await pdf.arrayBuffer()).byteLength;

    const { items } = await steps();
    const named = { count: 1, cookies: [{ name: "basket", domain: "shop.test" }] };
    const result = (value: object) => ({ type: "execution_result", value });
    expect(items).toMatchObject([
      result({ action: { type: "goto" } }),
      result({
        url: page,
        action: { type: "cookies_set", ...named },
        success: true,
        message: "Set 1 cookie of shop.test.",
      }),
      result({
        action: { type: "cookies_set" },
        success: false,
        exception: expect.stringContaining("does not take these cookies"),
      }),
      result({
        action: { type: "cookies_read", ...named },
        message: "Read 1 cookie of shop.test.",
      }),
      result({ url: page, action: { type: "pdf", size }, success: true }),
    ]);
    expect(JSON.stringify(items)).not.toContain(secret);
    const { body: session } = await nightjar.call("GET", `/sessions/${id}`);
    expect(JSON.stringify(session)).not.toContain(secret);
    expect(session["steps"]).toHaveLength(5);

    const { body: code } = await nightjar.call("GET", `/sessions/${id}/workflow/code`);
    expect(code["json_actions"]).toMatchObject([{ type: "goto" }]);
    expect(code["javascript_script"]).toContain("// set cookies: left out, the values of cookies");
    expect(code["python_script"]).toContain("# set cookies: left out, the values of cookies");
  });
});
