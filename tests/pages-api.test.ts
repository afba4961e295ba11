import path from "node:path";
import {
  getSessionScript,
  NotteClient,
  pageExecute,
  pageObserve,
  pageScrape,
  pageScreenshot,
  scrapeWebpage,
  sessionOffset,
} from "notte-sdk";
import { chromium } from "playwright-core";
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { z } from "zod";
import { observationAnswer } from "../src/edge/page-schemas.ts";
import { readPdf } from "../src/pages/scrape/pdf-text.ts";
import type { Step } from "../src/pages/steps/step.ts";
import { openSqlite } from "../src/store/sqlite.ts";
import { Nightjar, testKey } from "./support/nightjar.ts";
import { makePdf } from "./support/pdf.ts";
import { RawCdp } from "./support/raw-cdp.ts";
import { Site } from "./support/site.ts";

let nightjar: Nightjar;
let site: Site;
let notte: NotteClient;
let id: string;

const never = new AbortController().signal;

const shop = `<!doctype html><title>Shop</title><h1>Lamps</h1>
  <label>Search <input name=q></label><label>Password <input type=password></label>
  <select aria-label=Sort><option>Price<option>Name</select>
  <button onclick="document.title = 'Clicked'">Buy</button><a href="/about">About us</a>
  <article><h2>The lamp</h2><p>${"It shines brightly all night long. ".repeat(20)}</p></article>`;

beforeAll(async () => {
  site = await Site.start((request, response) => {
    response.setHeader("Content-Type", "text/html");
    if (request.url === "/json") {
      response.setHeader("Content-Type", "application/json");
      response.end('{"a":[1,2]}');
    } else if (request.url?.startsWith("/report") === true) {
      // As servers do that want no page of theirs to connect anywhere.
      response.setHeader("Content-Security-Policy", "default-src 'none'");
      response.setHeader("Content-Type", "application/pdf");
      const isWelcome = request.headers.cookie === "key=1";
      const text = isWelcome ? "The lamp shines." : "Who are you?";
      const texts = request.url === "/report-scan" ? [] : [{ text, size: 11, y: 700 }];
      response.end(makePdf(texts, request.url === "/report-locked"));
    } else response.end(request.url === "/about" ? "<!doctype html><title>About</title>" : shop);
  });
  nightjar = await Nightjar.start({ NIGHTJAR_WARM_POOL: "2", NIGHTJAR_RECORDING: "0" });
  notte = new NotteClient({ baseUrl: nightjar.url, apiKey: testKey });
}, 60_000);

afterAll(async () => {
  await nightjar.dispose();
  await site.stop();
});

beforeEach(async () => {
  ({ id } = await nightjar.startSession());
});

const viewport = z.object({
  scroll_x: z.int(),
  scroll_y: z.int(),
  viewport_width: z.int(),
  viewport_height: z.int(),
  total_width: z.int(),
  total_height: z.int(),
});

/** What the official clients insist on, from their types. */
const observation = z.object({
  started_at: z.iso.datetime({ offset: true }),
  ended_at: z.iso.datetime({ offset: true }),
  metadata: z.object({
    title: z.string(),
    url: z.string(),
    viewport,
    tabs: z.array(z.object({ tab_id: z.int(), title: z.string(), url: z.string() })),
  }),
  screenshot: z.object({
    raw: z.string(),
    bboxes: z.array(z.object({ x: z.number(), notte_id: z.string(), viewport_width: z.number() })),
    last_action_id: z.string().nullable(),
  }),
  space: z.object({
    description: z.string(),
    category: z.string().nullable(),
    markdown: z.string(),
    interaction_actions: z.array(
      z.object({
        type: z.string(),
        id: z.string(),
        selector: z.object({
          css_selector: z.string(),
          xpath_selector: z.string(),
          in_iframe: z.boolean(),
          in_shadow_root: z.boolean(),
          iframe_parent_css_selectors: z.array(z.string()),
        }),
        element: z.object({ role: z.string(), name: z.string(), value: z.string().nullable() }),
      }),
    ),
    browser_actions: z.array(z.object({ type: z.string() })),
    actions: z.array(z.object({ type: z.string() })),
  }),
  text: z.string(),
});

const executed = z.object({
  started_at: z.iso.datetime({ offset: true }),
  ended_at: z.iso.datetime({ offset: true }),
  action: z.looseObject({ type: z.string() }),
  success: z.boolean(),
  message: z.string(),
  exception: z.string().nullable(),
  data: z.object({ markdown: z.string() }).nullable(),
});

async function execute(body: Record<string, unknown>, session = id) {
  const answer = await nightjar.call("POST", `/sessions/${session}/page/execute`, { body });
  expect(answer.status, JSON.stringify(answer.body)).toBe(200);
  return executed.parse(answer.body);
}

async function observe(body: Record<string, unknown> = {}, session = id) {
  const answer = await nightjar.call("POST", `/sessions/${session}/page/observe`, { body });
  expect(answer.status, JSON.stringify(answer.body)).toBe(200);
  // It is written by hand: what the API's documentation says holds all the same, and nothing else is there.
  expect(observationAnswer.parse(answer.body)).toEqual(answer.body);
  return observation.parse(answer.body);
}

async function idOf(name: string, session = id): Promise<string> {
  const { space } = await observe({ screenshot: false }, session);
  const found = space.interaction_actions.find(({ element }) => element.name === name);
  if (found === undefined) throw new Error(`nothing is called ${name}:\n${space.description}`);
  return found.id;
}

/** Puts the last step into the record of a session that it has room for. */
async function fillSteps(session: string): Promise<void> {
  const database = await openSqlite(path.join(nightjar.dataDir, "nightjar.db"));
  const step: Step = { kind: "screenshot", startedAt: 1, endedAt: 2, url: site.url, sizeBytes: 1 };
  await database.query
    .insertInto("session_steps")
    .values({
      session_id: session,
      position: 9999,
      total_characters: 1,
      step_json: JSON.stringify(step),
    })
    .execute();
  await database.close();
}

describe("observe", () => {
  test("answers in the contract's shape, with a JPEG of even size", async () => {
    await execute({ type: "goto", url: site.url });
    const seen = await observe({ perception_type: "fast" });
    expect(seen.metadata).toMatchObject({ title: "Shop", tabs: [{ tab_id: 0 }] });
    expect(
      seen.space.interaction_actions.map(({ type, element }) => `${type} ${element.name}`),
    ).toEqual([
      "fill Search",
      "fill Password",
      "select_dropdown_option Sort",
      "click Buy",
      "click About us",
    ]);
    expect(seen.space.actions).toHaveLength(
      seen.space.interaction_actions.length + seen.space.browser_actions.length,
    );
    const picture = Buffer.from(seen.screenshot.raw, "base64");
    expect([...picture.subarray(0, 3)]).toEqual([0xff, 0xd8, 0xff]);
    expect(seen.screenshot.bboxes).toHaveLength(5);
  });

  test("opens a URL first, takes a token budget, and leaves the picture out", async () => {
    const seen = await observe({ url: site.url, token_budget: 60, screenshot: false });
    expect(seen.metadata.title).toBe("Shop");
    expect(seen.text.length).toBeLessThanOrEqual(240);
    expect(seen.screenshot.raw).toBe("");
  });

  test("names the field that is wrong", async () => {
    const answer = await nightjar.call("POST", `/sessions/${id}/page/observe`, {
      body: { max_nb_actions: 0, nope: 1 },
    });
    expect(answer.status).toBe(422);
    expect(JSON.stringify(answer.body["detail"])).toMatch(
      /max_nb_actions.*nope|nope.*max_nb_actions/,
    );
  });
});

describe("execute", () => {
  test("says what happened, echoes the action, and records the step without its secret", async () => {
    await execute({ type: "goto", url: site.url });
    const password = await idOf("Password");
    const filled = await execute({ type: "fill", id: `${password}[:]`, value: "planted-secret-7" });
    expect(filled).toMatchObject({
      success: true,
      exception: null,
      action: { type: "fill", id: `${password}[:]` },
    });
    const clicked = await execute({ type: "click", id: `@${await idOf("Buy")}`, selector: "" });
    expect(clicked.success).toBe(true);
    await nightjar.call("POST", `/sessions/${id}/page/scrape`, { body: {} });
    const { body } = await nightjar.call("GET", `/sessions/${id}`);
    const steps = z
      .array(z.object({ type: z.string(), value: z.looseObject({}) }))
      .parse(body["steps"]);
    const done = steps.filter(({ type }) => type === "execution_result");
    expect(done.map(({ value }) => value["action"])).toMatchObject(
      ["goto", "fill", "click", "scrape"].map((type) => ({ type })),
    );
    expect(JSON.stringify(body)).not.toContain("planted-secret-7");
    expect(nightjar.output).not.toContain("planted-secret-7");
  });

  test("answers a failed action with success false and an exception in words", async () => {
    await execute({ type: "goto", url: site.url });
    const failed = await execute({ type: "click", id: "B77" });
    expect(failed.success).toBe(false);
    expect(failed.exception).toContain("Action with id 'B77' is invalid");
  });

  test("takes an element as each official client names it", async () => {
    await execute({ type: "goto", url: site.url });
    const selectors = {
      css_selector: "button",
      xpath_selector: "",
      in_iframe: false,
      in_shadow_root: false,
      iframe_parent_css_selectors: [],
      playwright_selector: "",
    };
    const common = {
      category: "Interaction Actions",
      description: "",
      press_enter: null,
      timeout: 0,
    };
    expect(await execute({ type: "click", id: "", selector: selectors, ...common })).toMatchObject({
      success: true,
    });
    expect(await execute({ type: "click", selector: "button" })).toMatchObject({ success: true });
  });

  test.each([
    [{ type: "nope" }, 422, /type/],
    [{ type: "click" }, 422, /id or selector is required/],
    [{ type: "goto" }, 422, /url/],
    [{ type: "wait", time_ms: 99_999 }, 422, /time_ms/],
    [{ type: "goto", url: "https://example.com", extra: 1 }, 422, /extra/],
    [{ type: "form_fill", value: {} }, 422, /value/],
    [{ type: "form_fill", value: { password: "a", current_password: "b" } }, 422, /same field/],
    [{ type: "captcha_solve" }, 501, /captcha_solve/],
    [{ type: "sms_read", limit: 5 }, 501, /sms_read/],
  ])("refuses %j with %i and says why", async (body, status, why) => {
    const answer = await nightjar.call("POST", `/sessions/${id}/page/execute`, { body });
    expect(answer.status).toBe(status);
    expect(String(answer.body["message"])).toMatch(why);
  });

  test("runs the operations of a session in their order, and refuses more than it can keep waiting", async () => {
    await execute({ type: "goto", url: site.url });
    const order = await Promise.all(
      [1, 2, 3, 4].map((n) => execute({ type: "evaluate_js", code: `document.title += ${n}` })),
    );
    expect(order.at(-1)?.data?.markdown).toBe("Shop1234");
    const many = await Promise.all(
      Array.from({ length: 50 }, () =>
        nightjar.call("POST", `/sessions/${id}/page/execute`, {
          body: { type: "wait", time_ms: 20 },
        }),
      ),
    );
    const refused = many.filter(({ status }) => status === 429);
    expect(refused.length).toBeGreaterThan(0);
    expect(refused[0]?.headers.get("retry-after")).toBe("1");
    expect(refused[0]?.body["code"]).toBe("too_many_operations");
  });

  test("that meets the end of its session says so with the reason", async () => {
    const waiting = nightjar.call("POST", `/sessions/${id}/page/execute`, {
      body: { type: "wait", time_ms: 20_000 },
    });
    await expect
      .poll(async () => (await nightjar.call("GET", `/sessions/${id}/offset`)).status)
      .toBe(200);
    await nightjar.call("DELETE", `/sessions/${id}/stop`);
    const answer = await waiting;
    expect(answer.status).toBe(410);
    expect(String(answer.body["message"])).toContain("client_stop");
  });

  test("is another tenant's business only for that tenant", async () => {
    const { stdout } = await nightjar.cli("keys", "create", "--tenant", "bob");
    const key = /nj_[\w-]+/.exec(stdout)?.[0] ?? "";
    for (const [method, route] of [
      ["POST", "page/observe"],
      ["POST", "page/screenshot"],
      ["GET", "cookies"],
      ["GET", "offset"],
      ["GET", "workflow/code"],
    ] as const) {
      const answer = await nightjar.call(method, `/sessions/${id}/${route}`, { key });
      expect(answer.status, route).toBe(404);
    }
  });
});

describe("scrape", () => {
  test("brings markdown, of the whole page or of what a reader came for", async () => {
    await execute({ type: "goto", url: site.url });
    const scrape = async (body: Record<string, unknown>) =>
      (await nightjar.call("POST", `/sessions/${id}/page/scrape`, { body })).body;
    expect(await scrape({})).toMatchObject({ markdown: expect.stringContaining("# Lamps") });
    expect(await scrape({ only_main_content: true })).toMatchObject({
      markdown: expect.stringContaining("shines brightly"),
      images: null,
      structured: null,
    });
    expect(await scrape({ selector: "article h2", json_schema: "left by a client" })).toMatchObject(
      { markdown: "## The lamp" },
    );
    expect(await scrape({ selector: ".no" })).toMatchObject({
      status: 422,
      message: expect.stringContaining(".no"),
    });
    expect(await scrape({ instructions: "the price" })).toMatchObject({
      status: 501,
      message: expect.stringContaining("NIGHTJAR_MODEL"),
    });
  });

  test("answers JSON and text sensibly", async () => {
    await execute({ type: "goto", url: `${site.url}/json` });
    const { body } = await nightjar.call("POST", `/sessions/${id}/page/scrape`, { body: {} });
    expect(body["markdown"]).toBe('```json\n{\n  "a": [\n    1,\n    2\n  ]\n}\n```');
  });

  test.each([
    ["the headless shell, which downloads it", {}],
    ["the full browser, which shows it", { browser_type: "chrome" }],
  ])(
    "reads the text of a PDF in %s, with the session's cookies, and prints pages",
    async (_what, settings) => {
      const { id: session } = await nightjar.startSession(settings);
      const scrape = () =>
        nightjar.call("POST", `/sessions/${session}/page/scrape`, {
          body: { only_main_content: true },
        });
      await execute({ type: "goto", url: site.url }, session);
      await execute({ type: "evaluate_js", code: "document.cookie = 'key=1'" }, session);
      expect(await execute({ type: "goto", url: `${site.url}/report` }, session)).toMatchObject({
        success: true,
      });
      expect((await scrape()).body).toMatchObject({ markdown: "The lamp shines." });
      const action = { type: "scrape", only_main_content: true };
      expect(await execute(action, session)).toMatchObject({
        data: { markdown: "The lamp shines." },
      });
      await execute({ type: "goto", url: `${site.url}/report-locked` }, session);
      expect(await scrape()).toMatchObject({
        status: 502,
        body: { message: expect.stringContaining("protected by a password") },
      });
      await execute({ type: "goto", url: `${site.url}/report-scan` }, session);
      expect((await scrape()).body["message"]).toContain("its 1 page is a picture");
      await execute({ type: "goto", url: site.url }, session);
      expect((await scrape()).body["markdown"]).toContain("shines brightly");
      const printed = await fetch(`${nightjar.url}/sessions/${session}/page/pdf`, {
        method: "POST",
        headers: { Authorization: `Bearer ${testKey}`, "Content-Type": "application/json" },
        body: JSON.stringify({ paper: "A5" }),
      });
      expect(printed.status).toBe(200);
      const pdf = await readPdf(Buffer.from(await printed.arrayBuffer()), 10_000, never);
      expect(pdf).toMatchObject({ markdown: expect.stringMatching(/^# Lamps.*shines brightly/s) });
      await nightjar.call("DELETE", `/sessions/${session}/stop`);
    },
  );

  test("of a URL makes a session of its own and ends it", async () => {
    const answer = await nightjar.call("POST", "/scrape", {
      body: { url: site.url, headless: true, json_schema: 1 },
    });
    expect(answer.body["markdown"]).toContain("Lamps");
    const { body } = await nightjar.call("GET", "/sessions?only_active=false");
    expect(z.array(z.looseObject({})).parse(body["items"])[0]).toMatchObject({
      status: "closed",
      end_reason: "client_stop",
    });
    const unreachable = await nightjar.call("POST", "/scrape", {
      body: { url: "http://127.0.0.1:9/" },
    });
    expect(unreachable).toMatchObject({ status: 502, body: { code: "page_failed" } });
    const wrong = await nightjar.call("POST", "/scrape", {
      body: { url: site.url, viewport_width: 1 },
    });
    expect(wrong).toMatchObject({
      status: 422,
      body: { message: expect.stringContaining("viewport_width") },
    });
  });

  test("of HTML takes the caller's, links made absolute", async () => {
    const frames = [
      { frameUrl: "https://a.example/x/", frameData: "<h1>Hi</h1><a href='b'>there</a>" },
    ];
    const { body } = await nightjar.call("POST", "/scrape_from_html", { body: { frames } });
    expect(body["markdown"]).toBe("# Hi\n\n[there](https://a.example/x/b)");
  });
});

describe("the first API", () => {
  const environment = z.looseObject({
    session: z.looseObject({ session_id: z.string(), status: z.string() }),
    metadata: z.looseObject({ title: z.string(), url: z.string() }),
    screenshot: z.string().nullable(),
    data: z.object({ markdown: z.string() }).nullable(),
    space: z.looseObject({
      actions: z.array(z.object({ id: z.string(), description: z.string(), status: z.string() })),
      special_actions: z.array(z.object({ id: z.string() })),
    }),
    error: z.string().nullable(),
  });

  async function env(route: string, body: Record<string, unknown>) {
    const answer = await nightjar.call("POST", `/env/${route}`, { body });
    expect(answer.status, JSON.stringify(answer.body)).toBe(200);
    for (const forbidden of ["status", "detail"]) expect(answer.body).not.toHaveProperty(forbidden);
    return environment.parse(answer.body);
  }

  test("makes a session for one observation, and closes it after unless it is kept alive", async () => {
    const once = await env("observe", { url: site.url, screenshot: true });
    expect(once).toMatchObject({
      session: { status: "closed" },
      metadata: { title: "Shop" },
      data: null,
    });
    expect(once.screenshot?.length).toBeGreaterThan(1000);
    const kept = await env("observe", { url: site.url, keep_alive: true });
    expect(kept.session.status).toBe("active");
    const session_id = kept.session.session_id;
    const buy = kept.space.actions.find(({ description }) => description.includes("Buy"));
    const clicked = await env("step", { session_id, keep_alive: true, action_id: buy?.id });
    expect(clicked).toMatchObject({
      metadata: { title: "Clicked" },
      error: null,
      session: { status: "active" },
    });
    const search = clicked.space.actions.find(({ id: one }) => one.startsWith("I"));
    expect(
      await env("step", { session_id, keep_alive: true, action_id: search?.id, value: "lamp" }),
    ).toMatchObject({ error: null });
    const scraped = await env("scrape", { session_id, keep_alive: true });
    expect(scraped.data?.markdown).toContain("shines brightly");
    expect(
      await env("step", {
        session_id,
        keep_alive: true,
        action_id: "S1",
        value: `${site.url}/about`,
      }),
    ).toMatchObject({ metadata: { title: "About" } });
    const failed = await env("step", { session_id, action_id: "B99" });
    expect(failed.error).toContain("B99");
    expect(failed.session.status).toBe("active");
    await nightjar.call("POST", "/session/close", { body: { session_id } });
  });

  test("closes a session that was not started to be kept", async () => {
    const started = await nightjar.call("POST", "/session/start", { body: {} });
    const session_id = started.body["session_id"];
    expect(await env("observe", { session_id, url: site.url })).toMatchObject({
      session: { status: "closed" },
    });
    const again = await nightjar.call("POST", "/env/observe", { body: { session_id } });
    expect(again).toMatchObject({ status: 410, body: { status: 410 } });
  });

  test("refuses what is wrong with 400", async () => {
    for (const body of [{}, { action_id: "" }, { action_id: "S11", value: "soon" }]) {
      const answer = await nightjar.call("POST", "/env/step", { body });
      expect(answer.status, JSON.stringify(body)).toBe(400);
      expect(typeof answer.body["detail"]).toBe("string");
    }
  });
});

describe("notte-sdk, unchanged,", () => {
  test("observes, executes, scrapes, takes pictures, and handles cookies", async () => {
    const session = notte.Session();
    await session.use(async (running) => {
      await running.execute({ type: "goto", url: site.url });
      const seen = await running.observe();
      const buy = seen.space.interaction_actions.find(({ text_label }) => text_label === "Buy");
      if (buy === undefined) throw new Error("nothing to buy");
      expect(await running.execute({ type: "click", id: buy.id ?? "" })).toMatchObject({
        success: true,
      });
      expect(await running.scrape({ only_main_content: true })).toContain("shines brightly");
      await expect(running.execute({ type: "click", id: "B99" })).rejects.toThrow(/B99/);
      await running.setCookies([
        { name: "a", value: "1", domain: "127.0.0.1", path: "/", httpOnly: true },
      ]);
      expect(await running.getCookies()).toMatchObject([
        { name: "a", value: "1", httpOnly: true, sameSite: expect.any(String) },
      ]);
    });
  });

  test("through its plain functions", async () => {
    const client = notte.getClient();
    const path = { session_id: id };
    const gone = await pageExecute({ client, path, body: { type: "goto", url: site.url } });
    expect(gone.data).toMatchObject({ success: true });
    expect(
      (await pageObserve({ client, path, body: { perception_type: "fast" } })).data?.metadata.title,
    ).toBe("Shop");
    expect((await pageScrape({ client, path, body: {} })).data?.markdown).toContain("Lamps");
    const shot = await pageScreenshot({ client, path });
    expect(shot.data).toBeInstanceOf(Blob);
    expect((await sessionOffset({ client, path })).data?.offset).toBe(4);
    const script = await getSessionScript({ client, path, query: { as_workflow: true } });
    expect(script.data?.python_script).toContain("page.goto(");
    const scraped = await scrapeWebpage({ client, body: { url: site.url } });
    expect(scraped.data?.markdown).toContain("Lamps");
  });
});

test("an observation, a scrape and a picture that fail leave steps that say why, and no code", async () => {
  const { body: started } = await nightjar.call("GET", `/sessions/${id}`);
  const host = site.url.replace("http://", "http://ada:planted-secret-8@");
  await execute({ type: "goto", url: host });
  const call = (what: string, body: Record<string, unknown>) =>
    nightjar.call("POST", `/sessions/${id}/page/${what}`, { body });
  expect((await call("scrape", { selector: ".no" })).status).toBe(422);
  await execute({ type: "evaluate_js", code: "document.body.style.height = '70000px'" });
  expect((await call("screenshot", { full_page: true })).status).toBe(413);
  // A window that is wider than a picture may be.
  const client = await RawCdp.connect(String(started["cdp_url"]));
  const metrics = { width: 70_000, height: 10, deviceScaleFactor: 1, mobile: false };
  await client.send("Emulation.setDeviceMetricsOverride", metrics, await client.firstPage());
  expect((await call("observe", {})).status).toBe(413);
  client.close();

  const { body } = await nightjar.call("GET", `/sessions/${id}/steps`);
  const tooLarge = expect.stringContaining("a jpeg has at most 65500 on a side");
  expect(body["items"]).toMatchObject([
    { type: "execution_result", value: { success: true } },
    {
      type: "execution_result",
      value: {
        action: { type: "scrape", selector: ".no" },
        success: false,
        exception: expect.stringContaining('nothing on the page matches ".no"'),
      },
    },
    { type: "execution_result", value: { success: true } },
    { type: "screenshot", value: { success: false, exception: tooLarge } },
    {
      type: "observation",
      value: {
        success: false,
        message: tooLarge,
        metadata: { url: expect.stringContaining(new URL(site.url).host) },
      },
    },
  ]);
  expect(JSON.stringify(body)).not.toContain("planted-secret-8");
  const { body: code } = await nightjar.call("GET", `/sessions/${id}/workflow/code`);
  expect(code["json_actions"]).toMatchObject([{ type: "goto" }, { type: "evaluate_js" }]);
  expect(code["javascript_script"]).toContain("Left out: 1 step that failed.");
});

test("after a crash of the server no id names another element than before, also where the record of steps is full", async () => {
  const full = (await nightjar.startSession()).id;
  await fillSteps(full);
  const before = new Map<string, string>();
  for (const session of [id, full]) {
    await execute({ type: "goto", url: site.url }, session);
    before.set(session, await idOf("Buy", session));
  }
  await nightjar.signal("SIGKILL");
  await nightjar.run();
  for (const [session, buy] of before) {
    const stale = await execute({ type: "click", id: buy }, session);
    expect(stale.exception).toContain("is invalid");
    const again = await idOf("Buy", session);
    expect(again).not.toBe(buy);
    expect(await execute({ type: "click", id: again }, session)).toMatchObject({ success: true });
  }
  expect((await nightjar.call("GET", `/sessions/${full}/steps`)).body["items"]).toHaveLength(1);
}, 60_000);

test("a page that another Playwright drives as well is seen and operated all the same", async () => {
  const { id: session, cdpUrl } = await nightjar.startSession();
  const other = await chromium.connectOverCDP(cdpUrl);
  const page = other.contexts()[0]?.pages()[0];
  await page?.goto(site.url);
  const seen = await nightjar.call("POST", `/sessions/${session}/page/observe`, { body: {} });
  const { space } = observation.parse(seen.body);
  const buy = space.interaction_actions.find(({ element }) => element.name === "Buy");
  expect(await execute({ type: "click", id: buy?.id }, session)).toMatchObject({ success: true });
  expect(await page?.title()).toBe("Clicked");
  await other.close();
  expect(await execute({ type: "click", id: buy?.id }, session)).toMatchObject({ success: true });
});
