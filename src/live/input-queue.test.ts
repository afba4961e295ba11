import { setImmediate as nextTurn } from "node:timers/promises";
import { beforeEach, describe, expect, test } from "vitest";
import { InputQueue } from "./input-queue.ts";
import type { InputMessage } from "./protocol.ts";

let dispatched: InputMessage[];
let answers: (() => void)[];
let dropped: number;
let queue: InputQueue;

beforeEach(() => {
  dispatched = [];
  answers = [];
  dropped = 0;
  queue = new InputQueue(
    (message) => {
      dispatched.push(message);
      return new Promise<void>((resolve) => answers.push(resolve));
    },
    () => {
      dropped += 1;
    },
  );
});

const move = (x: number): InputMessage => ({
  type: "mouse",
  event: "move",
  tab: 1,
  x,
  y: 0,
  button: "none",
  buttons: 0,
  clicks: 0,
  modifiers: 0,
});
const down = (x: number): InputMessage => ({ ...move(x), event: "down" }) as InputMessage;
const wheel = (dy: number): InputMessage => ({
  type: "wheel",
  tab: 1,
  x: 0,
  y: 0,
  dx: 0,
  dy,
  modifiers: 0,
});

describe("An input queue", () => {
  test("joins the movements that a page cannot keep up with, and keeps the order", async () => {
    for (let x = 1; x <= 10; x += 1) queue.add(move(x));
    expect(dispatched).toEqual([move(1), move(2)]);
    queue.add(down(10));
    expect(dispatched.slice(2)).toEqual([move(10), down(10)]);
    for (const dy of [1, 2, 4]) queue.add(wheel(dy));
    expect(dispatched).toHaveLength(4);
    for (const answer of answers.splice(0)) answer();
    await nextTurn();
    expect(dispatched.slice(4)).toEqual([wheel(7)]);
  });

  test("drops what a page that does not react cannot take, and says so", () => {
    for (let count = 0; count < 500; count += 1) queue.add(down(count));
    expect(dispatched).toHaveLength(100);
    expect(dropped).toBe(400);
  });
});
