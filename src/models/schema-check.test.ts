import { describe, expect, test } from "vitest";
import { checkBySchema } from "./schema-check.ts";

const { signal } = new AbortController();
const check = (schema: Record<string, unknown>, value?: unknown) =>
  checkBySchema(value === undefined ? { schema } : { schema, value }, signal);
const fits = { kind: "fits" };

/** As pydantic and zod write it. */
const shop = {
  $defs: { Item: { type: "object", properties: { name: { type: "string" } }, required: ["name"] } },
  type: "object",
  properties: {
    items: { type: "array", items: { $ref: "#/$defs/Item" } },
    price: { anyOf: [{ type: "number" }, { type: "null" }], default: null, title: "Price" },
  },
  required: ["items"],
};

describe("a value", () => {
  test.each([
    [undefined],
    ["https://json-schema.org/draft/2020-12/schema"],
    ["http://json-schema.org/draft-07/schema#"],
  ])("is checked by a schema of the draft %s", async ($schema) => {
    const schema = $schema === undefined ? shop : { ...shop, $schema };
    expect(await check(schema, { items: [{ name: "Lamp" }], price: null })).toEqual(fits);
    expect(await check(schema, { items: [{}], price: "4" })).toEqual({
      kind: "misfit",
      mistakes: expect.arrayContaining([
        "/items/0 must have required property 'name'",
        "/price must be number",
      ]),
    });
  });

  test("is checked by what only the newest draft says, and by what only draft 7 says", async () => {
    const tuple = [{ type: "string" }, { type: "number" }];
    for (const schema of [{ prefixItems: tuple }, { items: tuple }]) {
      expect(await check(schema, ["a", 1])).toEqual(fits);
      expect(await check(schema, ["a", "b"])).toMatchObject({ mistakes: ["/1 must be number"] });
    }
  });

  test("is told which values are allowed and which property is one too many", async () => {
    const schema = { properties: { unit: { enum: ["EUR", "USD"] } }, additionalProperties: false };
    expect(await check(schema, { unit: "pounds", extra: 1 })).toEqual({
      kind: "misfit",
      mistakes: [
        'the answer must NOT have additional properties: "extra"',
        '/unit must be equal to one of the allowed values: ["EUR","USD"]',
      ],
    });
  });

  test("that is nested too deep does not fit, whatever the schema", async () => {
    const value: unknown = JSON.parse(`${"[".repeat(50_000)}${"]".repeat(50_000)}`);
    expect(await check({}, value)).toEqual({
      kind: "misfit",
      mistakes: ["the answer is nested more than 100 levels deep"],
    });
  });
});

describe("a schema", () => {
  test("may hold keywords and formats that nobody knows", async () => {
    const schema = {
      type: "object",
      "x-ui": { widget: "text" },
      discriminator: { propertyName: "kind", mapping: {} },
      properties: { a: { type: "string", format: "no-such-format", nullable: true } },
    };
    expect(await check(schema, { a: null })).toEqual(fits);
  });

  test("may hold a pattern of another language's making", async () => {
    const schema = { properties: { a: { pattern: "^[\\w\\_]+\\-\\d$" } } };
    expect(await check(schema, { a: "x_y-1" })).toEqual(fits);
    expect(await check(schema, { a: "x_y" })).toMatchObject({ kind: "misfit" });
  });

  test("may keep its parts under the name that draft 7 gives them", async () => {
    const schema = { definitions: { A: { type: "integer" } }, items: { $ref: "#/definitions/A" } };
    expect(await check(schema, [1])).toEqual(fits);
    expect(await check(schema, ["a"])).toMatchObject({ mistakes: ["/0 must be integer"] });
  });

  test("may refer to itself", async () => {
    const tree = {
      properties: { kids: { type: "array", items: { $ref: "#" } } },
      required: ["id"],
    };
    expect(await check(tree, { id: 1, kids: [{ id: 2 }] })).toEqual(fits);
    expect(await check(tree, { id: 1, kids: [{}] })).toMatchObject({ kind: "misfit" });
  });

  test.each([
    [
      "refers to another document",
      { $ref: "https://example.com/a.json" },
      "other documents are never fetched",
    ],
    [
      "refers to what it does not hold",
      { $ref: "#/$defs/None" },
      '"#/$defs/None" leads to nothing',
    ],
    ["names a type that there is none of", { type: "text" }, "type"],
    [
      "holds a pattern that is none",
      { properties: { a: { pattern: "(" } } },
      "Invalid regular expression",
    ],
    ["is asynchronous", { $async: true }, "$async"],
    ["is nested too deep", nested(200), "more than 100 levels"],
    ["is too long", { description: "x".repeat(300_000) }, "200000 are the most"],
  ])("that %s is unusable, before any value", async (_case, schema, reason) => {
    expect(await check(schema)).toEqual({
      kind: "unusable",
      reason: expect.stringContaining(reason),
    });
  });

  test("whose pattern takes for ever is given up, and the server goes on meanwhile", async () => {
    const schema = { properties: { a: { pattern: "^(a+)+$" } } };
    let turns = 0;
    const ticking = setInterval(() => {
      turns += 1;
    }, 10);
    const verdict = await check(schema, { a: `${"a".repeat(60)}!` });
    clearInterval(ticking);
    expect(verdict).toEqual({ kind: "unusable", reason: "it takes too long to check by it" });
    expect(turns).toBeGreaterThan(10);
  });

  test("that takes for ever is given up at once when nobody waits any more", async () => {
    const controller = new AbortController();
    const input = {
      schema: { properties: { a: { pattern: "^(a+)+$" } } },
      value: { a: `${"a".repeat(60)}!` },
    };
    const checking = checkBySchema(input, controller.signal);
    controller.abort(new Error("gone"));
    await expect(checking).rejects.toThrow("gone");
  });
});

function nested(levels: number): Record<string, unknown> {
  let schema: Record<string, unknown> = {};
  for (let level = 0; level < levels; level += 1) schema = { not: schema };
  return schema;
}
