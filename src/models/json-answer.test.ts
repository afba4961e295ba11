import { describe, expect, test } from "vitest";
import { jsonIn } from "./json-answer.ts";

describe("the JSON in an answer", () => {
  test.each([
    ["stands alone", ' {"a": [1]}\n', { a: [1] }],
    ["is an array", "[1, 2]", [1, 2]],
    ["stands in a fenced block", 'Here it is:\n```json\n{"a": 1}\n```\nBye {now}.', { a: 1 }],
    ["stands in a fence that never ends", '```json\n{"a": 1}', { a: 1 }],
    [
      "stands between words with brackets",
      'As asked [see below]: {"a": "}"} and {that} is it.',
      { a: "}" },
    ],
    [
      "follows thoughts that hold JSON, too",
      '<think>Maybe {"a": 0, "b": 1}?</think>{"a": 1}',
      { a: 1 },
    ],
    ["is the largest of several", 'From {"x": 1} I made {"list": [1, 2, 3]}.', { list: [1, 2, 3] }],
    ["holds quotes that are escaped", 'So: {"a": "\\"}"}', { a: '"}' }],
  ])("%s", (_case, text, data) => {
    expect(jsonIn(text)).toEqual(data);
  });

  test.each(["", "I cannot.", "42", '"text"', "null", '{"a": 1', "{a: 1}"])(
    "is missing in %j",
    (text) => {
      expect(jsonIn(text)).toBeUndefined();
    },
  );

  test.each([
    ["brackets that never close", "[".repeat(300_000)],
    ["a fence and empty lines", `\`\`\`${"\n".repeat(300_000)}`],
  ])(
    "is looked for in %s without end to the work",
    (_case, text) => {
      expect(jsonIn(text)).toBeUndefined();
    },
    5000,
  );
});
