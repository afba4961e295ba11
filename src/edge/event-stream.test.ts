import { setImmediate as nextTurn } from "node:timers/promises";
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { EventStream } from "./event-stream.ts";

const beatMs = 15_000;

let stream: EventStream;

beforeEach(() => {
  vi.useFakeTimers({ toFake: ["setInterval", "clearInterval"] });
  stream = new EventStream();
});

afterEach(() => {
  stream.body.destroy();
  vi.useRealTimers();
});

/** Sends until the client has to take something first; answers how many events that were. */
async function fill(): Promise<number> {
  for (let count = 0; ; count += 1) {
    const ready = stream.ready().then(() => true);
    if (!(await Promise.race([ready, nextTurn(false)]))) return count;
    stream.send({ id: count, name: "step", data: { text: "x".repeat(1000) } });
  }
}

describe("A stream of events", () => {
  test("waits for its client, whatever there is to send", async () => {
    expect(await fill()).toBeLessThan(1000);
    const ready = stream.ready();
    let text = "";
    stream.body.on("data", (chunk) => {
      text += String(chunk);
    });
    await ready;
    stream.end();
    await new Promise((resolve) => stream.onClosed(() => resolve(null)));
    expect(text).toMatch(/^retry: 1000\n\nid: 0\nevent: step\ndata: \{"text":"x+"\}\n\n/);
  });

  test("cuts off a client that takes nothing from one heartbeat to the next, and no other", async () => {
    vi.advanceTimersByTime(beatMs);
    expect(String(stream.body.read())).toContain(": still here");
    await fill();
    vi.advanceTimersByTime(beatMs);
    // It takes some, but not all: it is slow.
    expect(stream.body.read(1000)).toHaveLength(1000);
    await nextTurn();
    vi.advanceTimersByTime(beatMs);
    expect(stream.body.destroyed).toBe(false);
    const ready = stream.ready();
    vi.advanceTimersByTime(beatMs);
    expect(stream.body.destroyed).toBe(true);
    await ready;
  });
});
