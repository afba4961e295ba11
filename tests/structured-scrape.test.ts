import { NotteClient } from "notte-sdk";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { z } from "zod";
import { ModelVendor, vendorKey } from "./support/model-vendor.ts";
import { Nightjar, testKey } from "./support/nightjar.ts";
import { Site } from "./support/site.ts";

let vendor: ModelVendor;
let nightjar: Nightjar;
let site: Site;

const html = `<!doctype html><title>Lamp</title><main><h1>Lamp</h1><p>It costs 20 EUR.</p></main>`;
const product = z.object({ name: z.string(), price: z.number() });
const schema = z.toJSONSchema(product);
const good = { name: "Lamp", price: 20 };

beforeAll(async () => {
  vendor = await ModelVendor.start();
  site = await Site.start((_request, response) => {
    response.setHeader("Content-Type", "text/html");
    response.end(html);
  });
  nightjar = await Nightjar.start({
    NIGHTJAR_RECORDING: "0",
    NIGHTJAR_MODEL: "compatible/a-model",
    NIGHTJAR_MODEL_URL: vendor.url,
    NIGHTJAR_MODEL_KEY: vendorKey,
  });
}, 60_000);

afterAll(async () => {
  await nightjar.dispose();
  await site.stop();
  await vendor.stop();
});

describe("a scrape that asks for data", () => {
  test("answers what the model found on the page, beside the markdown", async () => {
    vendor.answer({ text: JSON.stringify(good) });
    const { id } = await nightjar.startSession();
    await nightjar.call("POST", `/sessions/${id}/page/execute`, {
      body: { type: "goto", url: site.url },
    });
    const body = { response_format: schema, instructions: "the product" };
    expect(await nightjar.call("POST", `/sessions/${id}/page/scrape`, { body })).toMatchObject({
      status: 200,
      body: {
        markdown: expect.stringContaining("It costs 20 EUR."),
        structured: { success: true, error: null, data: good },
      },
    });
    const asked = vendor.requests[0]?.messages[0]?.text ?? "";
    for (const part of ["the product", "It costs 20 EUR.", site.url]) expect(asked).toContain(part);
    await nightjar.call("DELETE", `/sessions/${id}/stop`);
  });

  test("answers 200 with words when the model fails, and never its key", async () => {
    vendor.answer({ status: 401, message: `Not your key: ${vendorKey}` });
    const body = { url: site.url, response_format: schema };
    const answer = await nightjar.call("POST", "/scrape", { body });
    expect(answer).toMatchObject({
      status: 200,
      body: {
        markdown: expect.stringContaining("It costs 20 EUR."),
        structured: {
          success: false,
          error: expect.stringContaining("NIGHTJAR_MODEL_KEY"),
          data: null,
        },
      },
    });
    const health = await nightjar.call("GET", "/health", { key: null });
    expect(JSON.stringify([answer.body, health.body])).not.toContain(vendorKey);
    expect(nightjar.output).toContain("Not your key: [redacted]");
    expect(nightjar.output).not.toContain(vendorKey);
  });

  test("ends at the vendor when its client hangs up, and its own session ends with it", async () => {
    vendor.answer("nothing ever");
    const client = new AbortController();
    const asking = fetch(`${nightjar.url}/scrape`, {
      method: "POST",
      headers: { Authorization: `Bearer ${testKey}`, "Content-Type": "application/json" },
      body: JSON.stringify({ url: site.url, response_format: schema }),
      signal: client.signal,
    });
    await vendor.received(1);
    client.abort();
    await expect(asking).rejects.toThrow();
    await vendor.hungUp(1);
    await expect
      .poll(async () => (await nightjar.call("GET", "/sessions")).body["items"])
      .toEqual([]);
  });
});

describe("a scrape of HTML", () => {
  const frames = [{ frameUrl: "https://shop.example/", frameData: html }];

  test("answers data by the schema that was given", async () => {
    vendor.answer({ text: JSON.stringify(good) });
    const body = { frames, response_format: schema };
    expect((await nightjar.call("POST", "/scrape_from_html", { body })).body).toMatchObject({
      model_schema: { success: true, model_schema: schema },
      scrape: { success: true, error: null, data: good },
    });
  });

  test("answers data by a schema that the model made of the instructions", async () => {
    vendor.answer({ text: JSON.stringify(schema) }, { text: JSON.stringify(good) });
    const body = { frames, instructions: "name and price" };
    expect((await nightjar.call("POST", "/scrape_from_html", { body })).body).toMatchObject({
      model_schema: { success: true, model_schema: schema },
      scrape: { success: true, error: null, data: good },
    });
    expect(vendor.requests).toHaveLength(2);
  });

  test("says why there is no schema", async () => {
    vendor.answer({ text: "I cannot." });
    const body = { frames, instructions: "name and price" };
    expect((await nightjar.call("POST", "/scrape_from_html", { body })).body).toMatchObject({
      model_schema: { success: false, error: expect.stringContaining("does not fit") },
      scrape: null,
    });
  });
});

describe("notte-sdk, unchanged,", () => {
  test("scrapes by a zod schema, from a session and from a URL", async () => {
    const notte = new NotteClient({ baseUrl: nightjar.url, apiKey: testKey });
    vendor.answer({ text: JSON.stringify(good) });
    expect(await notte.scrape(site.url, { response_format: product as never })).toEqual(good);
    await notte.Session().use(async (session) => {
      await session.execute({ type: "goto", url: site.url });
      expect(await session.scrape({ response_format: product as never })).toEqual(good);
    });
    expect(vendor.requests).toHaveLength(2);
  });
});
