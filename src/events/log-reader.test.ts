import { setImmediate as nextTurn } from "node:timers/promises";
import { beforeEach, describe, expect, test } from "vitest";
import { EventLog } from "./event-log.ts";
import { LogReader } from "./log-reader.ts";

type Named = { readonly id: number; readonly name: string };

let log: EventLog<{ readonly name: string }>;
let handed: string[];
/** Lets the reader go on after an event; each is taken when a test says so. */
let take: (() => void)[];
let idle: number;

beforeEach(() => {
  log = new EventLog(() => 1000, 3);
  [handed, take, idle] = [[], [], 0];
});

function readerAfter(after: number | null): LogReader<Named> {
  const reader = new LogReader<Named>(
    {
      after: (id) => log.after(id),
      deliver: ({ name }) => {
        handed.push(name);
        return new Promise((resolve) => take.push(resolve));
      },
      catchUp: async (seen) => {
        handed.push(`all since ${seen}`);
        return log.lastId;
      },
      onIdle: () => {
        idle += 1;
      },
    },
    after,
  );
  log.follow(() => reader.wake());
  reader.wake();
  return reader;
}

async function takeNext(): Promise<void> {
  take.shift()?.();
  await nextTurn();
}

describe("A log reader", () => {
  test("hands events on one by one, those that come meanwhile after those of before", async () => {
    log.append({ name: "a" });
    log.append({ name: "b" });
    const reader = readerAfter(1000);
    expect(handed).toEqual(["a"]);
    log.append({ name: "c" });
    await nextTurn();
    expect(handed).toEqual(["a"]);
    for (let count = 0; count < 3; count += 1) await takeNext();
    expect(handed).toEqual(["a", "b", "c"]);
    expect(idle).toBe(1);
    log.append({ name: "d" });
    expect(handed.at(-1)).toBe("d");
    reader.stop();
    log.append({ name: "e" });
    await takeNext();
    expect(handed.at(-1)).toBe("d");
  });

  test("says how things are where the log does not know any more what comes next", async () => {
    readerAfter(null);
    await nextTurn();
    expect(handed).toEqual(["all since null"]);
    for (const name of ["a", "b", "c", "d", "e", "f"]) log.append({ name });
    // While the first was being taken, the log has dropped those that come after it.
    await takeNext();
    expect(handed).toEqual(["all since null", "a", "all since 1001"]);
    log.append({ name: "g" });
    expect(handed.at(-1)).toBe("g");
  });
});
