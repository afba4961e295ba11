import { describe, expect, test } from "vitest";
import { EventLog } from "./event-log.ts";

describe("An event log", () => {
  test("numbers events by their time, each higher than the one before", () => {
    let now = 1000;
    const log = new EventLog<{ name: string }>(() => now, 10);
    const seen: number[] = [];
    const stop = log.follow(({ id }) => seen.push(id));
    log.append({ name: "a" });
    log.append({ name: "b" });
    now = 2000;
    log.append({ name: "c" });
    now = 1500;
    log.append({ name: "d" });
    log.append({ name: "e" }, 9000);
    stop();
    log.append({ name: "f" });
    expect(seen).toEqual([1001, 1002, 2000, 2001, 9000]);
    expect(log.lastId).toBe(9001);
  });

  test("gives those after a number, and says when it does not know them all", () => {
    let now = 1000;
    const log = new EventLog<{ name: string }>(() => now, 2);
    expect(log.after(1000)).toEqual([]);
    // Before this process, and after anything that it can have said.
    expect(log.after(999)).toBeNull();
    expect(log.after(1001)).toBeNull();
    for (const name of ["a", "b", "c"]) {
      now += 10;
      log.append({ name });
    }
    expect(log.after(1000)).toBeNull();
    expect(log.after(1010)).toEqual([
      { id: 1020, name: "b" },
      { id: 1030, name: "c" },
    ]);
    expect(log.after(1030)).toEqual([]);
  });
});
