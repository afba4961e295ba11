import { setImmediate as nextTurn } from "node:timers/promises";
import { expect, test } from "vitest";
import { FakeClock } from "../../tests/support/domain-fakes.ts";
import type { BrowserWatch, WatchedTarget } from "../sessions/ports.ts";
import { type KeptEvent, SessionFeed } from "./session-feed.ts";

const tab: WatchedTarget = {
  ...{ targetId: "tab-1", sessionId: "session-1", kind: "page", tabId: "tab-1" },
  ...{ url: "about:blank", title: "" },
};

test("A feed watches the browser's tabs again where that failed or broke, until the session is over", async () => {
  const clock = new FakeClock();
  let reachable = false;
  let attempts = 0;
  let line = Promise.withResolvers<void>();
  const failures: unknown[] = [];
  const events: KeptEvent[] = [];
  const feed = new SessionFeed({
    clock,
    screencasts: {
      of: async () => ({
        activeTab: tab.targetId,
        onActiveTab: () => () => {},
        closed: line.promise,
      }),
    },
    session: async () => null,
  });
  const stop = feed.follow(
    (event) => events.push(event),
    () => {},
  );
  const watch = async (): Promise<BrowserWatch> => {
    attempts += 1;
    if (!reachable) throw new Error("nobody is there");
    return {
      tabs: [tab],
      targets: [tab],
      onTarget: () => () => {},
      onEvent: () => () => {},
      send: async () => ({}),
      closed: line.promise,
    };
  };
  const watching = feed.watchTabs("session", { watch }, (error) => failures.push(error));
  await clock.advance(3000);
  expect(attempts).toBe(4);
  expect(failures).toHaveLength(1);
  reachable = true;
  await clock.advance(1000);
  expect(events.map(({ kind }) => kind)).toEqual(["tabs"]);

  const broken = line;
  line = Promise.withResolvers();
  broken.resolve();
  await nextTurn();
  await clock.advance(1000);
  expect(events.map(({ kind }) => kind)).toEqual(["tabs", "tabs"]);
  feed.leave();
  line.resolve();
  await watching;
  expect(attempts).toBe(6);
  expect(failures).toHaveLength(1);
  stop();
});
