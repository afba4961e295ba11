import { expect, test } from "vitest";
import type { OwnTab } from "../sessions/ports.ts";
import { BlankTab, visitAll } from "./blank-tab.ts";

const sites = ["https://1.com", "https://2.com", "https://3.com"].map((origin) => ({ origin }));

let closed = 0;

/** A tab of a browser that answers everything at once. */
function openTab(): Promise<BlankTab> {
  const tab: OwnTab = {
    targetId: "tab",
    send: async () => ({}),
    onEvent: () => {},
    close: async () => {
      closed += 1;
    },
  };
  return BlankTab.over(tab);
}

const never = new AbortController().signal;

test("a tab that does not open leaves its part to the others", async () => {
  let asked = 0;
  const visited: string[] = [];
  closed = 0;
  await visitAll(
    sites,
    () => {
      asked += 1;
      return asked === 2 ? openTab() : Promise.reject(new Error("no tab"));
    },
    async (_tab, { origin }) => void visited.push(origin),
    () => {},
    never,
  );
  expect(visited).toEqual(sites.map(({ origin }) => origin));
  expect(closed).toBe(1);
});

test("without any tab it fails, and without any site it does nothing", async () => {
  const none = () => Promise.reject(new Error("no tab"));
  const visit = async () => {};
  await expect(visitAll(sites, none, visit, visit, never)).rejects.toThrow("no tab");
  await visitAll([], none, visit, visit, never);
});

test("it does not wait for a visit that hangs when its time is over", async () => {
  const over = new AbortController();
  const visited: string[] = [];
  const visiting = visitAll(
    sites,
    openTab,
    async (_tab, { origin }) => {
      if (origin === "https://1.com") await new Promise(() => {});
      visited.push(origin);
    },
    () => {},
    over.signal,
  );
  await expect.poll(() => visited).toEqual(["https://2.com", "https://3.com"]);
  over.abort();
  await visiting;
});
