import { expect, test } from "vitest";
import { EventParser } from "./event-stream.ts";

const text =
  ': hello\n\nid: 7\nevent: step\ndata: {"position":1}\n\ndata: first\ndata: second\n\nid: 8\r\nevent: end\r\ndata:last\r\n\r\n';

const events = [
  { id: "7", event: "step", data: '{"position":1}' },
  { id: "7", event: "message", data: "first\nsecond" },
  { id: "8", event: "end", data: "last" },
];

test("events are read as the standard has them: comments, lines, both kinds of line ends", () => {
  expect(new EventParser().push(text)).toEqual(events);
});

test("events are the same wherever the text is cut", () => {
  for (let cut = 1; cut < text.length; cut += 1) {
    const parser = new EventParser();
    expect([...parser.push(text.slice(0, cut)), ...parser.push(text.slice(cut))]).toEqual(events);
  }
});

test("an event that is not complete is not told", () => {
  expect(new EventParser().push("id: 9\nevent: step\ndata: half")).toEqual([]);
});
