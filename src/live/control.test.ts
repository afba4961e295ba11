import { setImmediate as nextTurn } from "node:timers/promises";
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import type { CdpMessages } from "../sessions/ports.ts";
import { Control } from "./control.ts";
import type { ServerMessage } from "./protocol.ts";
import type { Viewer } from "./viewer.ts";

/** A connection to a browser that has an answer to every command. */
class FakeLine implements CdpMessages {
  readonly #closing = Promise.withResolvers<void>();
  readonly closed = this.#closing.promise;
  #listener: (message: object) => void = () => {};

  send(message: object): void {
    const { id, params } = message as { id: number; params: { targetId?: string } };
    queueMicrotask(() => this.#listener({ id, result: { sessionId: `at ${params.targetId}` } }));
  }

  onMessage(listener: (message: object) => void): void {
    this.#listener = listener;
  }

  /** An event of a tab that somebody has worked in. */
  tell(targetId: string, method: string, params: object = {}): void {
    this.#listener({ method, params, sessionId: `at ${targetId}` });
  }

  close(): void {
    this.#closing.resolve();
  }
}

let openings: PromiseWithResolvers<CdpMessages>[];
let inputs: number;
let messages: ServerMessage[];
let control: Control;
let ada: Viewer;

beforeEach(() => {
  openings = [];
  inputs = 0;
  messages = [];
  control = new Control(
    {
      openMessages: () => {
        const opening = Promise.withResolvers<CdpMessages>();
        openings.push(opening);
        return opening.promise;
      },
    },
    {
      onInput: () => {
        inputs += 1;
      },
      onTab: () => {},
      onChange: () => {},
    },
  );
  ada = {
    number: 1,
    name: "Ada",
    mayControl: true,
    sink: { message: (message) => messages.push(message), frame: () => {}, gone: () => {} },
    chosen: null,
    watched: "tab-1",
    stopFrames: () => {},
  };
});

afterEach(() => {
  vi.useRealTimers();
});

const look = async (tabId: string): Promise<void> => {
  ada.watched = tabId;
  control.looksAt(ada);
  await nextTurn();
};

const dialogs = () => messages.flatMap((said) => (said.type === "dialog" ? [said.dialog] : []));

describe("Control", () => {
  test.each([
    ["closes", (opening: PromiseWithResolvers<CdpMessages>) => opening.resolve(new FakeLine())],
    ["fails", (opening: PromiseWithResolvers<CdpMessages>) => opening.reject(new Error("late"))],
  ])("that was taken again stays when the connection of before %s late", async (_how, settle) => {
    control.take(ada);
    control.release(ada);
    control.take(ada);
    const line = new FakeLine();
    openings[1]?.resolve(line);
    await nextTurn();
    const [first] = openings;
    if (first === undefined) throw new Error("no connection was asked for");
    settle(first);
    await nextTurn();
    expect(control.isHeldBy(ada)).toBe(true);
    expect(messages.filter(({ type }) => type === "notice")).toEqual([]);
    line.close();
    await nextTurn();
    expect(control.holder).toBeNull();
  });

  test("lapses though others change the tabs: only what its holder does counts as use", async () => {
    vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout"] });
    control.take(ada);
    openings[0]?.resolve(new FakeLine());
    await nextTurn();
    const before = inputs;
    vi.advanceTimersByTime(4 * 60_000);
    await look("tab-2");
    expect(inputs).toBe(before);
    control.command(ada, { type: "go", to: "reload" });
    expect(inputs).toBe(before + 1);
    vi.advanceTimersByTime(4 * 60_000);
    await look("tab-1");
    expect(control.isHeldBy(ada)).toBe(true);
    vi.advanceTimersByTime(2 * 60_000);
    expect(control.holder).toBeNull();
  });

  test("tells of a dialog that waits in a tab whenever its holder looks there", async () => {
    control.take(ada);
    const line = new FakeLine();
    openings[0]?.resolve(line);
    await nextTurn();
    await look("tab-2");
    const opening = { type: "prompt", message: "Which name?", defaultPrompt: "Ada" };
    line.tell("tab-1", "Page.javascriptDialogOpening", opening);
    expect(dialogs().every((dialog) => dialog === null)).toBe(true);
    const dialog = { kind: "prompt", message: "Which name?", defaultText: "Ada" };
    for (let visit = 0; visit < 2; visit += 1) {
      await look("tab-1");
      expect(dialogs().at(-1)).toEqual(dialog);
      await look("tab-2");
      expect(dialogs().at(-1)).toBeNull();
    }
    line.tell("tab-1", "Page.javascriptDialogClosed");
    await look("tab-1");
    expect(dialogs().at(-1)).toBeNull();
  });
});
