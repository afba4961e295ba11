import { expect, test } from "vitest";
import type { BrowserWatch, WatchedChange, WatchedTarget } from "../sessions/ports.ts";
import { VisitedSites } from "./visited-sites.ts";

function target(kind: "page" | "iframe", url: string): WatchedTarget {
  return { targetId: kind, sessionId: kind, kind, tabId: "page", url, title: "" };
}

/** Follows a browser whose only tab shows `shown`; answers what tells it of a target. */
async function followed(shown: string) {
  const tab = target("page", shown);
  let listener: (change: WatchedChange) => void = () => {};
  const watch: BrowserWatch = {
    tabs: [tab],
    targets: [tab],
    onTarget: (told) => {
      listener = told;
      return () => {};
    },
    onEvent: () => () => {},
    send: async () => ({}),
    closed: new Promise(() => {}),
  };
  const visited = new VisitedSites();
  void visited.follow({ watch: async () => watch });
  await expect.poll(() => visited.origins).toHaveLength(1);
  const tell = (told: WatchedTarget) => listener({ kind: "changed", target: told });
  return { visited, tell };
}

test("frames count where they are of their tab's own site, after its pages", async () => {
  const { visited, tell } = await followed("https://shop.com/");
  tell(target("iframe", "https://ads.net/frame"));
  tell(target("iframe", "https://login.shop.com/frame"));
  expect(visited.origins).toEqual(["https://login.shop.com", "https://shop.com"]);
});

test("a site with any number of names does not make others forgotten", async () => {
  const { visited, tell } = await followed("https://bank.com/");
  for (let n = 0; n < 600; n += 1) tell(target("page", `https://a${n}.evil.com/`));
  expect(visited.origins).toHaveLength(500);
  expect(visited.origins).toContain("https://bank.com");
  expect(visited.origins.at(-1)).toBe("https://a599.evil.com");
});
