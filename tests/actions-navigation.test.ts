import type { ServerResponse } from "node:http";
import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";
import type { Action, ActionResult } from "../src/pages/actions/action.ts";
import { bySelector, PageLab } from "./support/page-lab.ts";
import { pageTitledByPath, Site } from "./support/site.ts";

let lab: PageLab;
/** Another site, that can be slow, or never answer. */
let site: Site;
/** Answers that a test holds back, by path. */
const held = new Map<string, ServerResponse>();

beforeAll(async () => {
  lab = await PageLab.start();
  site = await Site.start((request, response) => {
    const path = request.url ?? "/";
    if (path.startsWith("/held")) {
      held.set(path, response);
      return;
    }
    if (path === "/empty") {
      response.writeHead(204).end();
      return;
    }
    if (path === "/broken") {
      request.socket.destroy();
      return;
    }
    response.setHeader("Access-Control-Allow-Origin", "*");
    if (path === "/missing") response.statusCode = 404;
    if (path === "/endless") {
      response.write("<!doctype html><title>Endless</title><p>Begun</p>");
      return;
    }
    if (path === "/late-picture") {
      response.setHeader("Content-Type", "text/html");
      response.end("<!doctype html><title>Late</title><img src=/held/picture>");
      return;
    }
    pageTitledByPath(request, response);
  });
}, 60_000);

afterAll(async () => {
  await lab.dispose();
  await site.stop();
});

/** Every test begins with one tab. */
afterEach(async () => {
  for (const response of held.values()) response.destroy();
  held.clear();
  const { driver } = lab.browser;
  const fresh = await driver.context.newPage();
  await driver.activate(fresh);
  for (const tab of driver.tabs()) if (tab !== fresh) await tab.close();
});

const run = (action: { readonly type: Action["type"] } & Record<string, unknown>) =>
  lab.execute({ dialog: null, ...action } as Action);
const goto = (url: string): Promise<ActionResult> => run({ type: "goto", url });
const click = (selector: string): Promise<ActionResult> =>
  run({ type: "click", ...bySelector(selector) });
const urls = () => lab.browser.driver.tabs().map((tab) => tab.url());
const title = () => lab.evaluate<string>("document.title");

describe("goto", () => {
  test("opens a page and says where it came out", async () => {
    const result = await goto(`${site.url}/one`);
    expect(result).toMatchObject({ success: true, effects: { navigatedTo: `${site.url}/one` } });
    expect(result.message).toBe(`Opened ${site.url}/one.`);
    expect(await title()).toBe("/one");
  });

  test.each(["about:blank", "data:text/html,<title>Data</title>"])("opens %s", async (url) => {
    expect((await goto(url)).success).toBe(true);
  });

  test("tells an error of the server", async () => {
    expect((await goto(`${site.url}/missing`)).message).toContain("answers with the error 404");
  });

  test.each([
    "file:///etc/passwd",
    "chrome://version",
    "about:version",
    "javascript:alert(1)",
    "view-source:http://example.org",
    "FILE:///etc/passwd",
    "blob:file:///x",
  ])("refuses %s", async (url) => {
    const { failure } = await goto(url);
    expect(failure?.kind).toBe("refused_url");
    expect(urls()).toEqual(["about:blank"]);
  });

  test.each(["", "http://", "not a url at all"])("does not take %j for a URL", async (url) => {
    expect((await goto(url)).failure?.kind).toBe("invalid_url");
  });

  test.each([["/broken", "the server closed the connection"]])(
    "says in words why %s does not open",
    async (path, words) => {
      const { failure } = await goto(site.url + path);
      expect(failure?.kind).toBe("navigation_failed");
      expect(failure?.message).toContain(words);
      expect(failure?.message).not.toContain("Call log");
    },
  );

  test("says that nobody answers, and that no server has a name", async () => {
    const gone = await Site.start(() => {});
    await gone.stop();
    expect((await goto(gone.url)).failure?.message).toContain("refuses the connection");
    expect((await goto("http://no-such-host.invalid")).failure?.message).toContain("this name");
  });

  test("stays where it is when there is nothing to show", async () => {
    await goto(`${site.url}/one`);
    const result = await goto(`${site.url}/empty`);
    expect(result.message).toContain("the tab stays where it was");
    expect(await title()).toBe("/one");
  });

  test("gives up a page that never answers, and the tab works on", { tags: ["long"] }, async () => {
    const result = await goto(`${site.url}/held`);
    expect(result.failure?.kind).toBe("timeout");
    expect((await goto(`${site.url}/one`)).success).toBe(true);
  });

  test("does not wait for pictures", async () => {
    const result = await goto(`${site.url}/late-picture`);
    expect(result.success).toBe(true);
    expect(held.has("/held/picture")).toBe(true);
    expect(result.endedAt - result.startedAt).toBeLessThan(9000);
  });

  test("shows what has come of a page that never ends", { tags: ["long"] }, async () => {
    const result = await goto(`${site.url}/endless`);
    expect(result.failure?.message).toContain("What has come so far is shown");
    expect(await lab.evaluate("document.body.innerText")).toContain("Begun");
  });

  test("gets past a page that asks whether to leave", async () => {
    await lab.open(
      `<button id=b>Press</button><script>onbeforeunload = (event) => event.preventDefault();</script>`,
    );
    await click("#b");
    const result = await goto(`${site.url}/one`);
    expect(result.success).toBe(true);
    expect(result.effects.dialogs).toMatchObject([{ type: "beforeunload", accepted: true }]);
  });
});

describe("tabs", () => {
  test("are opened, switched and closed, and the answers say which is active", async () => {
    await goto(`${site.url}/one`);
    const opened = await run({ type: "goto_new_tab", url: `${site.url}/two` });
    expect(opened.message).toBe(`In a new tab: Opened ${site.url}/two.`);
    expect(opened.effects.openedTabs).toEqual([`${site.url}/two`]);
    expect(await title()).toBe("/two");
    expect((await run({ type: "switch_tab", tabIndex: 0 })).message).toContain(`${site.url}/one`);
    expect(await title()).toBe("/one");
    await run({ type: "switch_tab", tabIndex: -1 });
    expect(await title()).toBe("/two");
    const none = await run({ type: "switch_tab", tabIndex: 7 });
    expect(none.failure).toMatchObject({
      kind: "no_such_tab",
      message: expect.stringContaining(`0: ${site.url}/one, 1: ${site.url}/two`),
    });
    expect((await run({ type: "close_tab" })).message).toContain(`0 now, at ${site.url}/one`);
    expect(await title()).toBe("/one");
  });

  test("the last one is replaced by an empty one, since a session always has a tab", async () => {
    await goto(`${site.url}/one`);
    const result = await run({ type: "close_tab" });
    expect(result.message).toBe("Closed the only tab; an empty one took its place.");
    expect(urls()).toEqual(["about:blank"]);
  });

  test.each([
    ["a link", `<a id=b target=_blank href="URL">Go</a>`],
    ["a link that may know its opener", `<a id=b target=_blank rel=opener href="URL">Go</a>`],
    ["a script", `<button id=b onclick="window.open('URL')">Go</button>`],
    ["a form", `<form target=_blank action="URL"><button id=b>Go</button></form>`],
    [
      "a window of its own",
      `<button id=b onclick="window.open('URL', '', 'popup,width=300')">Go</button>`,
    ],
  ])("that %s opens are followed", async (_kind, html) => {
    await lab.open(html.replace("URL", `${site.url}/two`));
    const result = await click("#b");
    const [url = ""] = result.effects.openedTabs;
    expect(url.replace("?", "")).toBe(`${site.url}/two`);
    expect(result.message).toContain(`A new tab opened and is active now: ${url}`);
    expect((await title()).replace("?", "")).toBe("/two");
  });

  test("that close themselves leave the one before", async () => {
    await lab.open(`<button id=b onclick="window.open('/closing')">Go</button>`);
    lab.serve("/closing", `<button id=c onclick="window.close()">Close</button>`);
    await click("#b");
    const result = await click("#c");
    expect(result.message).toContain("The tab closed itself.");
    expect(urls()).toEqual([`${lab.site.url}/`]);
  });
});

describe("the history", () => {
  test("goes back and forward, also within a page, and says when it ends", async () => {
    await lab.open(`<a id=h href="#part">Part</a>`);
    await click("#h");
    await goto(`${site.url}/two`);
    expect((await run({ type: "go_back" })).effects.navigatedTo).toBe(`${lab.site.url}/#part`);
    expect((await run({ type: "go_back" })).message).toBe(`Went back to ${lab.site.url}/.`);
    expect((await run({ type: "go_forward" })).message).toBe(
      `Went forward to ${lab.site.url}/#part.`,
    );
    await run({ type: "go_forward" });
    expect(await title()).toBe("/two");
    expect((await run({ type: "go_forward" })).failure?.kind).toBe("no_history");
    await run({ type: "goto_new_tab", url: "about:blank" });
    expect((await run({ type: "go_back" })).failure?.kind).toBe("no_history");
  });

  test("is reloaded", async () => {
    await lab.open(`<p>Fresh</p>`);
    await lab.evaluate("document.body.textContent = 'changed'");
    const result = await run({ type: "reload" });
    expect(result).toMatchObject({ success: true, message: `Reloaded ${lab.site.url}/.` });
    expect(await lab.evaluate("document.body.textContent")).toBe("Fresh");
  });
});

describe("a click is followed to where the page comes to rest:", () => {
  test("another page", async () => {
    await lab.open(`<a id=b href="${site.url}/two">Go</a>`);
    const result = await click("#b");
    expect(result.message).toBe(`Clicked #b. The page went to ${site.url}/two.`);
    expect(await title()).toBe("/two");
  });

  test("a page that is slow to answer", async () => {
    await lab.open(`<a id=b href="${site.url}/held/page">Go</a>`);
    const clicking = click("#b");
    await expect.poll(() => held.has("/held/page")).toBe(true);
    held.get("/held/page")?.end("<!doctype html><title>Came</title>");
    expect((await clicking).effects.navigatedTo).toBe(`${site.url}/held/page`);
    expect(await title()).toBe("Came");
  });

  test("another part of the page, and a state that a script pushes", async () => {
    await lab.open(
      `<a id=h href="#part">Part</a><button id=p onclick="history.pushState(0, '', '/pushed')">P</button>`,
    );
    expect((await click("#h")).effects.navigatedTo).toBe(`${lab.site.url}/#part`);
    expect((await click("#p")).effects.navigatedTo).toBe(`${lab.site.url}/pushed`);
  });

  test("what it fetches", async () => {
    await lab.open(`<button id=b onclick="fetch('${site.url}/held/data').then((answer) => answer.text())
      .then((text) => { document.title = text; })">Load</button>`);
    const clicking = click("#b");
    await expect.poll(() => held.has("/held/data")).toBe(true);
    held.get("/held/data")?.writeHead(200, { "Access-Control-Allow-Origin": "*" }).end("fetched");
    await clicking;
    expect(await title()).toBe("fetched");
  });

  test("but not what never ends: requests without an answer, event streams", async () => {
    await lab.open(`<button id=b onclick="fetch('${site.url}/held/poll')">Poll</button>
      <button id=s onclick="new EventSource('${site.url}/held/stream')">Stream</button>`);
    const polled = await click("#b");
    expect(held.has("/held/poll")).toBe(true);
    expect(polled).toMatchObject({ success: true });
    expect(polled.endedAt - polled.startedAt).toBeLessThan(9000);
    expect((await click("#s")).success).toBe(true);
  });

  test("on a page that fetches without end on its own", async () => {
    await lab.open(`<button id=b onclick="this.textContent = 'pressed'">Press</button><script>
      const again = () => fetch("/").finally(again);
      again();
    </script>`);
    const result = await click("#b");
    expect(result.success).toBe(true);
    expect(result.endedAt - result.startedAt).toBeLessThan(9000);
  });
});

describe("dialogs", () => {
  test("are answered, and told", async () => {
    await lab.open(
      `<button id=b onclick="document.title = [confirm('Sure?'), prompt('Name?', 'nobody')]">Ask</button>`,
    );
    const result = await click("#b");
    expect(await title()).toBe("true,nobody");
    expect(result.message).toContain('A dialog (confirm) said "Sure?" and was accepted.');
    expect(result.effects.dialogs).toMatchObject([{ type: "confirm" }, { type: "prompt" }]);
  });

  test("are answered as the action says, and only by that action", async () => {
    await lab.open(
      `<button id=b onclick="document.title = [confirm('Sure?'), prompt('Name?')]">Ask</button>`,
    );
    await run({ type: "click", ...bySelector("#b"), dialog: { accept: false, text: null } });
    expect(await title()).toBe("false,");
    await run({ type: "click", ...bySelector("#b"), dialog: { accept: true, text: "Ada" } });
    expect(await title()).toBe("true,Ada");
    await click("#b");
    expect(await title()).toBe("true,");
  });

  test("without end have their script ended, and the session goes on", async () => {
    await lab.open(`<button id=b onclick="while (true) alert('again')">Ask</button>`);
    const result = await click("#b");
    expect(result.message).toContain("dialogs without end, so its script was ended");
    expect((await goto(`${site.url}/one`)).success).toBe(true);
  });
});

describe("keys", () => {
  test("are pressed, also together", async () => {
    await lab.open(`<input id=i value=text onkeydown="document.title += event.key">`);
    await click("#i");
    await run({ type: "press_key", key: "Control+A" });
    expect((await run({ type: "press_key", key: "Delete" })).message).toBe("Pressed Delete.");
    expect(await lab.evaluate("document.querySelector('#i').value")).toBe("");
    expect(await title()).toContain("Delete");
  });

  test("that do not exist are named", async () => {
    const { failure } = await run({ type: "press_key", key: "Hyper+Q" });
    expect(failure?.kind).toBe("invalid_key");
    expect(failure?.message).toContain('"Hyper+Q" is no key');
  });
});

describe("scrolling", () => {
  test("moves the page by 70 % of the viewport or as far as asked, and fails at the end", async () => {
    await lab.open(`<div style="height:5000px">Long</div>`);
    const height = await lab.evaluate<number>("innerHeight");
    await run({ type: "scroll_down", amount: null });
    expect(await lab.evaluate("Math.round(scrollY)")).toBe(Math.round(height * 0.7));
    const result = await run({ type: "scroll_down", amount: 100 });
    expect(result.message).toContain("Scrolled the page down by 100 px");
    await run({ type: "scroll_up", amount: 100_000 });
    const { failure } = await run({ type: "scroll_up", amount: null });
    expect(failure).toMatchObject({ kind: "no_effect", message: expect.stringContaining("top") });
  });

  test("moves the box in the middle where the page does not scroll, or is locked", async () => {
    for (const lock of ["", "overflow:hidden;height:5000px"]) {
      await lab.open(`<body style="margin:0;${lock}"><div id=box style="position:fixed;inset:0;overflow:auto">
        <div style="height:5000px">Long</div></div>`);
      expect((await run({ type: "scroll_down", amount: 300 })).success).toBe(true);
      expect(await lab.evaluate("document.querySelector('#box').scrollTop")).toBe(300);
      expect(await lab.evaluate("scrollY")).toBe(0);
    }
  });
});

describe("a hostile page", () => {
  const hang = async (): Promise<void> => {
    await lab.open(`<title>Free</title><button id=b>Press</button>`);
    await lab.evaluate("setTimeout(() => { while (true); })");
  };

  test("that blocks its own thread fails actions in bounded time", {
    tags: ["long"],
    timeout: 90_000,
  }, async () => {
    await hang();
    const stuck = await run({ type: "click", ...bySelector("#b"), timeoutMs: 2000 });
    expect(stuck.failure?.kind).toBe("unresponsive");
    expect(stuck.message).toContain("goto, reload or close_tab");
    const key = await run({ type: "press_key", key: "a" });
    expect(key.failure?.kind).toBe("unresponsive");
    const script = await run({ type: "evaluate_js", code: "1" });
    expect(script.failure?.kind).toBe("unresponsive");
  });

  test.each([
    // The same site, so the same process, whose thread is blocked.
    ["to its own site", "goto", "Free"],
    ["by reloading it", "reload", "Free"],
    ["by closing its tab", "close_tab", ""],
  ] as const)(
    "that blocks its own thread can be left %s",
    async (_way, type, shown) => {
      await hang();
      const result = await run({ type, url: lab.site.url });
      expect(result.failure).toBeNull();
      expect(await title()).toBe(shown);
    },
    60_000,
  );

  test("that crashes is replaced by an empty tab, and the answer says so", async () => {
    await lab.open(`<button id=b>Crash</button>`);
    const active = await lab.browser.driver.activePage();
    const crashed = new Promise((resolve) => active.page.once("crash", resolve));
    const waiting = run({ type: "click", ...bySelector("#later"), timeoutMs: 10_000 });
    active.connection
      .command("Page.crash", undefined, { sessionId: active.sessionId })
      .catch(() => {});
    await crashed;
    const result = await waiting;
    expect(result.failure?.kind).toBe("page_crashed");
    expect(result.message).toContain("Open a URL again");
    expect(urls()).toEqual(["about:blank"]);
    expect((await goto(`${site.url}/one`)).success).toBe(true);
  });

  test("that navigates without end still gets an answer", async () => {
    await lab.open(`<script>setInterval(() => location.replace("?" + Date.now()), 250)</script>`);
    const result = await run({ type: "click", ...bySelector("#none"), timeoutMs: 1000 });
    expect(result.success).toBe(false);
    expect((await goto(`${site.url}/one`)).success).toBe(true);
  });
});
