import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { AxeBuilder } from "@axe-core/playwright";
import type { Browser } from "playwright-core";
import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";
import { WebSocket } from "ws";
import { EventClient } from "./support/event-client.ts";
import { eventually } from "./support/eventually.ts";
import { LiveClient, liveUrl } from "./support/live-client.ts";
import { Nightjar } from "./support/nightjar.ts";
import { RawCdp, refusalOf } from "./support/raw-cdp.ts";
import { launchViewerBrowser, ViewerPage } from "./support/viewer-browser.ts";

const embedder = "https://app.example.com";
/** WCAG 2.2 AA, as axe checks it. */
const wcag = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"];
const width = 800;
const height = 600;

let nightjar: Nightjar;
let browser: Browser;
const open: { close(): unknown }[] = [];

beforeAll(async () => {
  [nightjar, browser] = await Promise.all([
    Nightjar.start({ NIGHTJAR_EMBED_ORIGINS: embedder }),
    launchViewerBrowser(),
  ]);
}, 60_000);

afterAll(async () => {
  await browser.close();
  await nightjar.dispose();
});

afterEach(async () => {
  for (const opened of open.splice(0)) await opened.close();
  const { body } = await nightjar.call("GET", "/sessions?page_size=100");
  for (const { session_id } of body["items"] as readonly { readonly session_id: string }[]) {
    await nightjar.call("DELETE", `/sessions/${session_id}/stop`);
  }
});

/** A page that fills its window with a colour and holds what a test puts into it. */
const pageOf = (title: string, color: string, content = "") =>
  `data:text/html,${encodeURIComponent(
    `<title>${title}</title><body style="margin:0;background:${color}">${content}`,
  )}`;

interface Session {
  readonly id: string;
  readonly viewerUrl: string;
  readonly cdp: RawCdp;
}

/** A session whose first tab shows a page, driven over bare CDP, so that nobody answers its dialogs. */
async function sessionAt(url: string): Promise<Session> {
  const body = { viewport_width: width, viewport_height: height };
  const answer = await nightjar.call("POST", "/sessions/start", { body });
  expect(answer.status).toBe(200);
  const cdp = await RawCdp.connect(String(answer.body["cdp_url"]));
  open.push(cdp);
  await cdp.send("Page.navigate", { url }, await cdp.firstPage());
  await eventually(async () => expect(await cdp.evaluate("document.readyState")).toBe("complete"));
  return {
    id: String(answer.body["session_id"]),
    viewerUrl: String(answer.body["viewer_url"]),
    cdp,
  };
}

async function viewerAt(url: string): Promise<ViewerPage> {
  const viewer = await ViewerPage.open(browser, url);
  open.push(viewer);
  return viewer;
}

async function clientAt(url: string): Promise<LiveClient> {
  const client = await LiveClient.connect(url);
  open.push(client);
  return client;
}

const lastAccess = async (id: string) =>
  (await nightjar.call("GET", `/sessions/${id}`)).body["last_accessed_at"];

const nearly = (color: readonly number[]) => color.map((value) => expect.closeTo(value, -1.3));

describe("The live view's page", () => {
  test("shows the page live; in control, clicks, keys, paste and input methods reach it", async () => {
    const { id, viewerUrl, cdp } = await sessionAt(
      pageOf(
        "Form",
        "rgb(0, 0, 255)",
        "<textarea autofocus style='position:absolute;left:100px;top:50px;width:300px;height:60px'></textarea>",
      ),
    );
    expect(viewerUrl).toContain("?");
    const before = await lastAccess(id);
    const viewer = await viewerAt(viewerUrl);
    await eventually(async () => expect(await viewer.color()).toEqual(nearly([0, 0, 255])));
    await eventually(async () => expect(await viewer.page.title()).toBe("Form · Nightjar"));
    expect(await viewer.tabs.allTextContents()).toEqual(["Form"]);
    // Watching leaves the session's time alone, and the page too.
    await viewer.click(250, 80, width);
    await viewer.page.keyboard.type("no");
    await viewer.page.getByText("You are watching.").waitFor();
    expect(await lastAccess(id)).toBe(before);

    await viewer.takeControl.click();
    await viewer.releaseControl.waitFor();
    await eventually(async () => expect(await lastAccess(id)).not.toBe(before));
    const value = () => cdp.evaluate("document.querySelector('textarea').value");
    await viewer.click(250, 80, width);
    await viewer.page.keyboard.type("Añb");
    await viewer.page.keyboard.press("Enter");
    await viewer.page.keyboard.press("c");
    await viewer.page.keyboard.press("Backspace");
    await eventually(async () => expect(await value()).toBe("Añb\n"));

    await viewer.page.evaluate(`(() => {
      const clipboardData = new DataTransfer();
      clipboardData.setData("text/plain", "pasted");
      document.activeElement.dispatchEvent(new ClipboardEvent("paste", { clipboardData }));
    })()`);
    const ime = await viewer.page.context().newCDPSession(viewer.page);
    const composed = { text: "に", selectionStart: 1, selectionEnd: 1 };
    await ime.send("Input.imeSetComposition", composed);
    await eventually(async () => expect(await value()).toBe("Añb\npastedに"));
    await ime.send("Input.insertText", { text: "日本" });
    await eventually(async () => expect(await value()).toBe("Añb\npasted日本"));

    // F6 leaves the page: Tab and letters are this window's again.
    await viewer.page.keyboard.press("F6");
    await viewer.page.keyboard.type("x");
    await expect.poll(() => viewer.page.evaluate("document.activeElement.id")).toBe("control");
    await viewer.page.keyboard.press("Enter");
    await viewer.takeControl.waitFor();
    expect(await value()).toBe("Añb\npasted日本");
    expect(viewer.complaints).toEqual([]);
  }, 60_000);

  test("follows new tabs and popups, and opens, closes, chooses and navigates them", async () => {
    const { viewerUrl, cdp } = await sessionAt(
      pageOf(
        "First",
        "rgb(255, 0, 0)",
        `<a target="_blank" href="about:blank" style="position:absolute;inset:0">open</a>`,
      ),
    );
    const viewer = await viewerAt(viewerUrl);
    await viewer.takeControl.click();
    await viewer.releaseControl.waitFor();
    await viewer.click(400, 300, width);
    await eventually(async () => expect(await viewer.tabs.count()).toBe(2));
    await eventually(async () =>
      expect(await viewer.tabs.nth(1).getAttribute("aria-selected")).toBe("true"),
    );
    await viewer.address.fill(pageOf("Second", "rgb(0, 255, 0)"));
    await viewer.page.keyboard.press("Enter");
    await eventually(async () => expect(await viewer.color()).toEqual(nearly([0, 255, 0])));
    await eventually(async () => expect(await viewer.tabs.nth(1).textContent()).toBe("Second"));
    expect((await cdp.pages()).map(({ url }) => url)).toContain(pageOf("Second", "rgb(0, 255, 0)"));

    await viewer.address.fill("file:///etc/passwd");
    await viewer.page.keyboard.press("Enter");
    await viewer.page.getByText("are not opened in a hosted session").waitFor();
    await viewer.address.fill(pageOf("Third", "rgb(0, 0, 255)"));
    await viewer.page.keyboard.press("Enter");
    await eventually(async () => expect(await viewer.color()).toEqual(nearly([0, 0, 255])));
    await viewer.page.getByRole("button", { name: "Back", exact: true }).click();
    await eventually(async () => expect(await viewer.color()).toEqual(nearly([0, 255, 0])));

    await viewer.tabs.nth(0).click();
    await eventually(async () => expect(await viewer.color()).toEqual(nearly([255, 0, 0])));
    await viewer.releaseControl.click();
    // Where a client works over CDP, there the viewers look.
    const targetId = (await cdp.pages()).find(({ url }) => url.includes("Second"))?.targetId;
    const attached = await cdp.send("Target.attachToTarget", { targetId, flatten: true });
    const sessionId = String(attached.result?.["sessionId"]);
    await cdp.send("Input.insertText", { text: "x" }, sessionId);
    await eventually(async () => expect(await viewer.color()).toEqual(nearly([0, 255, 0])));
    await cdp.send("Input.insertText", { text: "x" }, await cdp.firstPage());
    await eventually(async () => expect(await viewer.color()).toEqual(nearly([255, 0, 0])));
    await viewer.takeControl.click();
    await viewer.releaseControl.waitFor();
    await viewer.page.getByRole("button", { name: "New tab" }).click();
    await eventually(async () => expect(await viewer.tabs.count()).toBe(3));
    await viewer.tabs.nth(2).focus();
    await viewer.page.keyboard.press("ArrowLeft");
    await viewer.page.keyboard.press("Delete");
    await eventually(async () => expect(await viewer.tabs.count()).toBe(2));
    expect((await cdp.pages()).map(({ url }) => url)).not.toContain(
      pageOf("Second", "rgb(0, 255, 0)"),
    );
    expect(viewer.complaints).toEqual([]);
  }, 60_000);

  test("asks the one in control what pages ask: dialogs, and lists of options", async () => {
    const { id, viewerUrl, cdp } = await sessionAt(
      pageOf(
        "Shop",
        "white",
        `<select style="position:absolute;left:0;top:0;width:200px;height:40px">
          <option>One<option disabled>Two<option>Three</select>
        <button style="position:absolute;left:0;top:100px;width:200px;height:40px"
          onclick="document.body.dataset.answer = prompt('Which name?', 'Ada')">Buy</button>`,
      ),
    );
    const viewer = await viewerAt(viewerUrl);
    await viewer.takeControl.click();
    await viewer.releaseControl.waitFor();
    await viewer.click(100, 20, width);
    const list = viewer.page.getByRole("listbox");
    await list.waitFor();
    expect(await list.getByRole("option").allTextContents()).toEqual(["One", "Two", "Three"]);
    await viewer.page.keyboard.press("ArrowDown");
    await viewer.page.keyboard.press("Enter");
    const chosen = () => cdp.evaluate("document.querySelector('select').value");
    await eventually(async () => expect(await chosen()).toBe("Three"));
    expect(await list.isVisible()).toBe(false);

    await viewer.click(100, 120, width);
    const dialog = viewer.page.getByRole("dialog");
    await dialog.getByText("Which name?").waitFor();
    await dialog.getByRole("textbox").fill("Grace");
    await dialog.getByRole("button", { name: "OK" }).click();
    const answer = () => cdp.evaluate("document.body.dataset.answer");
    await eventually(async () => expect(await answer()).toBe("Grace"));

    // Also where an agent's operations answer dialogs otherwise; but none of those waits for a person.
    const act = async (expression: string) => {
      const body = { type: "evaluate_js", code: expression };
      const { body: result } = await nightjar.call("POST", `/sessions/${id}/page/execute`, {
        body,
      });
      return (result["data"] as { readonly markdown: string }).markdown;
    };
    expect(await act("confirm('Operating?')")).toBe("true");
    await viewer.click(100, 120, width);
    await dialog.getByText("Which name?").waitFor();
    await dialog.getByRole("textbox").fill("Edsger");
    await dialog.getByRole("button", { name: "OK" }).click();
    await eventually(async () => expect(await answer()).toBe("Edsger"));
    await viewer.click(100, 120, width);
    await dialog.waitFor();
    expect(await act("document.title")).toBe("Shop");
    await dialog.waitFor({ state: "hidden" });

    // Who leaves control leaves no page waiting for them.
    await viewer.click(100, 120, width);
    await dialog.waitFor();
    await viewer.page.keyboard.press("Escape");
    await eventually(async () => expect(await answer()).toBe("null"));
    await viewer.click(100, 120, width);
    await dialog.waitFor();
    await viewer.close();
    await cdp.evaluate("document.body.dataset.answer = 'still answers'");
    expect(await answer()).toBe("still answers");
  }, 60_000);

  test("in control, takes the wheel, fingers and the button that loads a page again", async () => {
    const { viewerUrl, cdp } = await sessionAt(
      pageOf(
        "Long",
        "white",
        `<div style="height:3000px"></div><script>
          addEventListener("touchstart", ({ touches: [{ clientX, clientY }] }) => {
            touched = [clientX, clientY];
          });
          addEventListener("touchend", () => touched.push("end"));
        </script>`,
      ),
    );
    const viewer = await viewerAt(viewerUrl);
    await viewer.takeControl.click();
    await viewer.releaseControl.waitFor();
    const { x, y } = await viewer.placeOf(400, 300, width);
    await viewer.page.mouse.move(x, y);
    await viewer.page.mouse.wheel(0, 240);
    await eventually(async () => expect(await cdp.evaluate("scrollY")).toBe(240));

    const fingers = await viewer.page.context().newCDPSession(viewer.page);
    await fingers.send("Input.dispatchTouchEvent", { type: "touchStart", touchPoints: [{ x, y }] });
    await fingers.send("Input.dispatchTouchEvent", { type: "touchEnd", touchPoints: [] });
    await eventually(async () =>
      expect(await cdp.evaluate("touched")).toEqual([
        expect.closeTo(400, -0.3),
        expect.closeTo(300, -0.3),
        "end",
      ]),
    );

    await viewer.page.getByRole("button", { name: "Reload" }).click();
    await eventually(async () => expect(await cdp.evaluate("typeof touched")).toBe("undefined"));
    expect(viewer.complaints).toEqual([]);
  }, 60_000);

  test("lets one control and any number watch, and says who has control", async () => {
    const { id, viewerUrl, cdp } = await sessionAt(
      pageOf("Shared", "white", "<script>onclick = () => { document.title += '!' }</script>"),
    );
    const first = await viewerAt(`${viewerUrl}&name=Ada`);
    const second = await viewerAt(viewerUrl);
    await first.takeControl.click();
    await first.page.getByText("You are in control · 2 viewers").waitFor();
    await second.page.getByText("Ada is in control · 2 viewers").waitFor();
    expect(await second.takeControl.isDisabled()).toBe(true);
    for (const { page } of [first, second]) {
      const { violations } = await new AxeBuilder({ page }).withTags(wcag).analyze();
      expect(violations.map(({ id, nodes }) => [id, nodes.map(({ html }) => html)])).toEqual([]);
    }
    await second.click(400, 300, width);
    await first.click(400, 300, width);
    await eventually(async () => expect(await cdp.evaluate("document.title")).toBe("Shared!"));

    // Nor is there a way around the button.
    const third = await clientAt(viewerUrl);
    third.send({ type: "control", take: true });
    await eventually(() => expect(third.last("notice")?.text).toContain("Ada is in control"));
    third.send({ type: "text", text: "x" });
    third.send({ type: "open", url: "about:blank" });

    await first.releaseControl.click();
    await second.takeControl.click();
    await first.page.getByText("Viewer 2 is in control").waitFor();
    await second.click(400, 300, width);
    await eventually(async () => expect(await cdp.evaluate("document.title")).toBe("Shared!!"));
    await second.close();
    await first.takeControl.click();
    await first.page.getByText("You are in control").waitFor();

    // A title that changes without its URL is seen, too, and the end with its reason.
    await eventually(async () => expect(await first.tabs.textContent()).toBe("Shared!!"));
    await nightjar.call("DELETE", `/sessions/${id}/stop`);
    await first.page.getByText("The session has ended").waitFor();
    await first.page.getByText("It was stopped.").waitFor();
    expect(await third.closed).toEqual({ code: 4000, reason: "session ended: client_stop" });
    const late = await viewerAt(viewerUrl);
    await late.page.getByText("The session has ended").waitFor();
  }, 60_000);

  test("comes back by itself when the server was killed and started again", async () => {
    const { viewerUrl, cdp } = await sessionAt(pageOf("Before", "rgb(255, 0, 0)"));
    const viewer = await viewerAt(viewerUrl);
    await eventually(async () => expect(await viewer.color()).toEqual(nearly([255, 0, 0])));
    await nightjar.signal("SIGKILL");
    await viewer.page.getByText("Connection lost").waitFor();
    await nightjar.run();
    await viewer.page.getByText("Connection lost").waitFor({ state: "hidden" });
    const again = await RawCdp.connect(cdp.socket.url);
    open.push(again);
    const color = "document.body.style.background = 'rgb(0, 0, 255)'";
    await again.evaluate(color);
    await eventually(async () => expect(await viewer.color()).toEqual(nearly([0, 0, 255])));
  }, 60_000);

  test("fits into a frame of those whom the operator allows: the page alone, in the wanted theme", async () => {
    const { viewerUrl } = await sessionAt(pageOf("Framed", "rgb(0, 255, 0)"));
    const policy = (await fetch(viewerUrl)).headers.get("content-security-policy");
    expect(policy).toContain(`frame-ancestors 'self' ${embedder}`);
    expect(policy).not.toContain("unsafe");

    const site = createServer((_request, response) => {
      response.setHeader("Content-Type", "text/html");
      response.end(`<iframe src="${viewerUrl}" width="500" height="400"></iframe>`);
    });
    await new Promise<void>((resolve) => site.listen(0, "127.0.0.1", resolve));
    open.push({ close: () => new Promise((resolve) => site.close(resolve)) });
    const foreign = await viewerAt(`http://localhost:${(site.address() as AddressInfo).port}`);
    await eventually(() => expect(foreign.complaints.join()).toContain("frame-ancestors"));

    // The server's own pages may; this one stands for the console.
    const own = await viewerAt("about:blank");
    const framed = `${viewerUrl}&mode=embed-minimal&interactive=1&theme=dark`;
    await own.page.route("**/stand-in", (route) =>
      route.fulfill({
        contentType: "text/html",
        body: `<iframe src="${framed}" width="500" height="400"></iframe>
          <script>states = []; onmessage = ({ data }) => states.push(data)</script>`,
      }),
    );
    await own.page.goto(`${nightjar.url}/stand-in`);
    const frame = own.page.frameLocator("iframe");
    await frame.getByText("Live").waitFor();
    expect(await frame.getByRole("tab").count()).toBe(0);
    expect(await frame.locator("html").getAttribute("data-theme")).toBe("dark");
    await frame.locator("#page").click();
    await frame.getByRole("button", { name: "Release control" }).waitFor();
    await eventually(async () =>
      expect(await own.page.evaluate("states.at(-1)")).toMatchObject({
        source: "nightjar-viewer",
        state: { line: { kind: "open" }, control: "you", title: "Framed" },
      }),
    );
    await own.page.evaluate(
      `frames[0].postMessage({ target: "nightjar-viewer", action: "release-control" }, "*")`,
    );
    await frame.getByRole("button", { name: "Take control" }).waitFor();
    const passive = await viewerAt(`${viewerUrl}&mode=embed-minimal&interactive=0`);
    await eventually(async () => expect(await passive.color()).toEqual(nearly([0, 255, 0])));
    expect(await passive.page.getByRole("button").count()).toBe(0);
  }, 60_000);
});

describe("A link to the live view", () => {
  test("opens one session for a time, and only for watching where that was asked for", async () => {
    const { id, viewerUrl, cdp } = await sessionAt(pageOf("Secret", "white"));
    const other = await nightjar.startSession();
    const link = async (body: object, of = id) => {
      const answer = await nightjar.call("POST", `/sessions/${of}/viewer`, { body });
      expect(answer.status).toBe(200);
      return String(answer.body["viewer_url"]);
    };
    const changed = (url: string, name: string, value: string) => {
      const made = new URL(url);
      made.searchParams.set(name, value);
      return made.href;
    };
    const watchOnly = await link({ access: "watch" });
    for (const wrong of [
      changed(viewerUrl, "session", other.id),
      changed(viewerUrl, "expires", "99999999999"),
      changed(viewerUrl, "ticket", "AAAA"),
      changed(watchOnly, "access", "control"),
    ]) {
      expect(await refusalOf(liveUrl(wrong))).toBe(401);
    }
    expect(await refusalOf(liveUrl(viewerUrl).replace(id, other.id))).toBe(401);
    const refused = await viewerAt(changed(viewerUrl, "ticket", "AAAA"));
    await refused.page.getByText("This link is not valid").waitFor();

    const short = await link({ expires_in_seconds: 1 });
    await eventually(async () => expect(await refusalOf(liveUrl(short))).toBe(410));
    const expired = await viewerAt(short);
    await expired.page.getByText("This link has expired").waitFor();

    const watcher = await clientAt(watchOnly);
    watcher.send({ type: "control", take: true });
    await eventually(() => expect(watcher.last("notice")?.text).toContain("only for watching"));
    watcher.send({ type: "open", url: "about:blank" });
    watcher.send({ type: "shown", number: -1 });
    await eventually(() => expect(watcher.last("notice")?.text).toContain("no message"));
    expect(await cdp.evaluate("document.title")).toBe("Secret");
    const page = await viewerAt(watchOnly);
    await page.page.getByText("Live").waitFor();
    expect(await page.takeControl.isVisible()).toBe(false);

    const { stdout } = await nightjar.cli("keys", "create", "--tenant", "stranger", "--name", "k");
    const key = /nj_\S+/.exec(stdout)?.[0] ?? "";
    expect((await nightjar.call("POST", `/sessions/${id}/viewer`, { key })).status).toBe(404);
    await nightjar.call("DELETE", `/sessions/${id}/stop`);
    expect((await nightjar.call("POST", `/sessions/${id}/viewer`)).status).toBe(410);
  }, 60_000);
});

describe("Viewers on bare WebSockets", () => {
  test("who take control work in the tab that they had chosen, and are not taken elsewhere", async () => {
    const { viewerUrl, cdp } = await sessionAt(pageOf("First", "white"));
    const client = await clientAt(viewerUrl);
    await cdp.send("Target.createTarget", { url: pageOf("Second", "white") });
    await eventually(() => expect(client.last("watching")?.tab).toBe(2));
    client.send({ type: "watch", tab: 1 });
    await eventually(() =>
      expect(client.last("watching")).toMatchObject({ tab: 1, following: false }),
    );
    client.send({ type: "control", take: true });
    await eventually(() =>
      expect(client.last("watching")).toMatchObject({ tab: 1, following: true }),
    );
    await cdp.evaluate("document.title = 'Changed'");
    await eventually(() => expect(client.last("tabs")?.tabs[0]?.title).toBe("Changed"));
    expect(client.last("tabs")?.active).toBe(1);
    expect(client.last("watching")?.tab).toBe(1);
  }, 40_000);

  test("find the dialog again that a page asked while they looked at another tab", async () => {
    const { viewerUrl, cdp } = await sessionAt(pageOf("Asking", "white"));
    const client = await clientAt(viewerUrl);
    client.send({ type: "control", take: true });
    // Whoever has this has a connection to the page: dialogs wait from now on.
    client.send({ type: "copy", cut: false });
    await eventually(() => expect(client.last("clipboard")).toBeDefined());
    const answer = cdp.evaluate("prompt('Which name?', 'Ada')");
    const dialog = { kind: "prompt", message: "Which name?", defaultText: "Ada" };
    await eventually(() => expect(client.last("dialog")?.dialog).toEqual(dialog));
    client.send({ type: "new_tab" });
    await eventually(() => expect(client.last("watching")?.tab).toBe(2));
    await eventually(() => expect(client.last("dialog")?.dialog).toBeNull());
    client.send({ type: "watch", tab: 1 });
    await eventually(() => expect(client.last("dialog")?.dialog).toEqual(dialog));
    client.send({ type: "dialog", accept: true, text: "Grace" });
    expect(await answer).toBe("Grace");
  }, 40_000);

  test("that do not show what they get get no more, while others see the page go on", async () => {
    const { viewerUrl, cdp } = await sessionAt(pageOf("Animation", "white", "<h1 id=count>0</h1>"));
    const slow = await LiveClient.connect(viewerUrl, { shows: false });
    const quick = await clientAt(viewerUrl);
    open.push(slow);
    await cdp.evaluate("setInterval(() => { count.textContent = performance.now() }, 20)");
    await eventually(() => expect(quick.frameCount).toBeGreaterThan(30));
    expect(slow.frameCount).toBe(3);
    expect(quick.lastFrame).toMatchObject({ width, height });
    // Who catches up sees the page as it is, not all that was missed.
    slow.send({ type: "shown", number: 3 });
    await eventually(() => expect(slow.frameCount).toBeGreaterThan(3));
    expect(slow.lastFrame?.number).toBeLessThan(8);
    expect(slow.lastFrame?.at).toBeGreaterThan((quick.lastFrame?.at ?? 0) - 2000);
  }, 40_000);
});

describe("The debug answer", () => {
  test("has a URL that opens the developers' tools of Chromium for the session's tab", async () => {
    const { id } = await sessionAt(pageOf("Inspected", "white", "<h1 id=needle>here</h1>"));
    const { body } = await nightjar.call("GET", `/sessions/${id}/debug`);
    const full = await launchViewerBrowser("full");
    open.push(full);
    const page = await full.newPage();
    await page.goto(String(body["debug_url"]));
    await page.getByText("needle").first().waitFor();
  }, 60_000);
});

describe("The streams of the debug answer", () => {
  test("bring pictures as bare JPEGs, and steps with the end", async () => {
    const { id, cdp } = await sessionAt(pageOf("Streams", "white"));
    const step = async (url: string) => {
      const body = { type: "goto", url };
      await nightjar.call("POST", `/sessions/${id}/page/execute`, { body });
    };
    await step(pageOf("past", "white"));
    const { ws } = (await nightjar.call("GET", `/sessions/${id}/debug`)).body as {
      readonly ws: Readonly<Record<"recording" | "logs", string>>;
    };
    // Another token than the right one, whatever that begins with.
    const wrong = ws.recording.replace(
      /token=(.)/,
      (_, first) => `token=${first === "A" ? "B" : "A"}`,
    );
    expect(await refusalOf(wrong)).toBe(401);
    const pictures: Buffer[] = [];
    const recording = new WebSocket(ws.recording);
    recording.on("message", (data: Buffer) => pictures.push(data));
    const said: { readonly type: string; readonly data: Record<string, unknown> }[] = [];
    const logs = new WebSocket(ws.logs);
    logs.on("message", (data: Buffer) => said.push(JSON.parse(String(data))));
    const closed = new Promise((resolve) => logs.on("close", resolve));
    await eventually(() => expect(pictures.length).toBeGreaterThan(0));
    for (const picture of pictures) {
      expect(picture.subarray(0, 3).toString("hex")).toBe("ffd8ff");
      expect(picture.subarray(-2).toString("hex")).toBe("ffd9");
    }
    await eventually(() => expect(said).toHaveLength(1));
    await step(pageOf("now", "white"));
    await eventually(() => expect(said).toHaveLength(3));
    expect(said.map(({ type }) => type)).toEqual([
      "execution_result",
      "agent_step_start",
      "execution_result",
    ]);
    cdp.close();
    await nightjar.call("DELETE", `/sessions/${id}/stop`);
    expect(await closed).toBe(4000);
    expect(said.at(-1)).toMatchObject({
      type: "error",
      data: { message: "session closed: client_stop" },
      timestamp: expect.any(String),
    });
  }, 40_000);
});

test("Who watches by events and pictures alone leaves the session's time alone", async () => {
  const { id, viewerUrl, cdp } = await sessionAt(pageOf("Idle", "white"));
  cdp.close();
  await eventually(() => expect(nightjar.output).toContain(id));
  const before = await lastAccess(id);
  const events = await EventClient.connect(nightjar, `/sessions/${id}/events`);
  const client = await clientAt(viewerUrl);
  await eventually(() => expect(client.frameCount).toBeGreaterThan(0));
  client.send({ type: "watch", tab: 1 });
  await eventually(() => expect(client.last("watching")?.following).toBe(false));
  await eventually(() => expect(events.received.length).toBeGreaterThan(1));
  events.stop();
  expect(await lastAccess(id)).toBe(before);
  client.send({ type: "control", take: true });
  await eventually(async () => expect(await lastAccess(id)).not.toBe(before));
});
