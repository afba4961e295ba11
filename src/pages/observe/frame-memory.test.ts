import { expect, test } from "vitest";
import type { FrameWorld } from "../driver/frame-tracker.ts";
import type { WalkAnswer, WalkedText } from "../perception-protocol.ts";
import { FrameMemories, FrameMemory } from "./frame-memory.ts";

function text(said: string): WalkedText {
  return ["text", said, null, "viewport", 0];
}

function answer(number: number, items: WalkAnswer["items"]): WalkAnswer {
  return {
    number,
    documentId: "d",
    url: "http://site/",
    baseUrl: "http://site/",
    title: "",
    language: "",
    scrollX: 0,
    scrollY: 0,
    viewportWidth: 800,
    viewportHeight: 600,
    totalWidth: 800,
    totalHeight: 600,
    items,
    layers: [],
    ways: null,
    itemWays: null,
    elementCount: 1,
    truncated: false,
  };
}

test("what is as before is the same object, by what the walk was asked to begin from", () => {
  const memory = new FrameMemory();
  const items = ["a", "b", "c"].map(text);
  const first = memory.take({ ...answer(1, items), ways: [], itemWays: [-1, -1, -1] }, null);
  const second = memory.take(answer(2, [["same", 1, 2], text("new")]), first);
  expect(second.content.items).toEqual([items[1], items[2], text("new")]);
  expect(second.content.items[0]).toBe(items[1]);
  expect(second.ways).toBe(first.ways);
  expect(memory.last).toBe(second);
  // An answer that was long on its way is read by what its walk knew, not by what came meanwhile.
  const third = memory.take(answer(3, [["same", 0, 1]]), first);
  expect(third.content.items).toEqual([items[0]]);
});

test.each([
  ["beyond the end", [["same", 2, 2]]],
  ["before the beginning", [["same", -5, 3]]],
  ["of broken numbers", [["same", 0.5, 1.5]]],
  [
    "so often that it would fill the memory",
    Array.from({ length: 20_000 }, () => ["same", 0, 2] as const),
  ],
] as const)("a page that tells of items %s is not believed", (_what, told) => {
  const memory = new FrameMemory();
  const first = memory.take(answer(1, ["a", "b", "c"].map(text)), null);
  expect(() => memory.take(answer(2, told), first)).toThrow("does not follow");
  expect(memory.last).toBe(first);
});

test("only what the tab shows that was looked at last is remembered", () => {
  const world = (documentId: string): FrameWorld => ({
    frameId: "f",
    parentFrameId: null,
    sessionId: "s",
    documentId,
    contextId: 1,
    mainContextId: 2,
    origin: "http://site",
  });
  const memories = new FrameMemories();
  const [one, other] = [memories.of(world("one")), memories.of(world("other"))];
  memories.keepOnly([world("one")]);
  expect(memories.of(world("one"))).toBe(one);
  expect(memories.of(world("other"))).not.toBe(other);
});
