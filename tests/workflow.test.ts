/** @module-tag long */
import { execFile, execFileSync } from "node:child_process";
import { mkdir, mkdtemp, readdir, rm, writeFile } from "node:fs/promises";
import type { IncomingMessage, ServerResponse } from "node:http";
import { tmpdir } from "node:os";
import path from "node:path";
import { pathToFileURL } from "node:url";
import { promisify } from "node:util";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test, vi } from "vitest";
import { z } from "zod";
import { Nightjar, testKey } from "./support/nightjar.ts";
import { Site } from "./support/site.ts";

const password = "planted-secret-of-the-flow";
const newPassword = "planted-secret-of-the-form";
const secrets = { SECRET_PW: password, SECRET_NEW_PASSWORD: newPassword };

const script = `<script>
  const tell = (what) => fetch("/tell", { method: "POST", body: what, keepalive: true });
</script>`;

const pages: Readonly<Record<string, string>> = {
  "/": `<title>Sign in</title>
    <form action="/shop"><label>User <input name="user"></label>
    <label>Password <input type="password" id="pw" oninput="tell('password ' + value)"></label>
    <button>Sign in</button></form>`,
  "/shop": `<title>Shop</title>
    <form action="/found"><label>Search <input name="q"></label></form>
    <label>Country <select onchange="tell('country ' + value)">
      <option value="de">Germany<option value="us">U.S.A.</select></label>
    <label><input type="checkbox" onchange="tell('news ' + checked)"> News</label>
    <div role="combobox" aria-label="Colour" tabindex="0" aria-expanded="false"
      onclick="list.hidden = false">-</div>
    <div role="listbox" id="list" hidden>
      <div role="option" onclick="tell('colour red'); list.hidden = true">Red</div>
      <div role="option" onclick="tell('colour blue'); list.hidden = true">Blue</div></div>
    <div contenteditable role="textbox" aria-label="Notes" oninput="tell('notes ' + innerText)">a</div>
    <button onclick="tell('sure ' + confirm('Sure?'))">Delete</button>
    <button onclick="tell('name ' + prompt('Name?', 'nobody'))">Rename</button>
    <input type="file" aria-label="Picture" onchange="tell('file ' + files[0].name)">
    <a href="/file" download>Report</a>
    <label>E-mail <input autocomplete="email" oninput="tell('mail ' + value)"></label>
    <label>New password <input type="password" autocomplete="new-password"
      oninput="tell('new ' + value)"></label>
    <iframe src="/pay" title="Payment"></iframe>
    <x-box></x-box><script>
      document.querySelector("x-box").attachShadow({ mode: "open" }).innerHTML =
        "<button>In the shadow</button>";
      document.querySelector("x-box").shadowRoot.querySelector("button").onclick = () => tell("shadow");
      addEventListener("scroll", () => tell("scrolled"), { once: true });
    </script>
    <a href="/help" target="_blank">Help</a>
    <div draggable="true" aria-label="Card" role="button" tabindex="0"
      ondragstart="event.dataTransfer.setData('text', 'card')">Card</div>
    <div role="button" tabindex="0" aria-label="Board" ondragover="event.preventDefault()"
      ondrop="event.preventDefault(); tell('dropped ' + event.dataTransfer.getData('text'))">Board</div>
    <div style="height: 4000px"></div>`,
  "/pay": `<label>Card number <input oninput="tell('card ' + value)"></label>`,
  "/help": `<title>Help</title><button onclick="tell('helped').then(() => close())">Close</button>`,
  "/found": `<title>Found</title><p>Two lamps</p>`,
};

let nightjar: Nightjar;
let site: Site;
let directory: string;
/** What the pages told, and which of them were asked for. */
let told: string[];

function answer(request: IncomingMessage, response: ServerResponse): void {
  const { pathname, search } = new URL(request.url ?? "/", "http://site");
  if (pathname === "/tell") {
    let body = "";
    request.on("data", (chunk) => {
      body += String(chunk);
    });
    request.on("end", () => {
      told.push(body);
      response.end();
    });
    return;
  }
  if (pathname === "/file") {
    response.setHeader("Content-Disposition", 'attachment; filename="report.txt"');
    response.end("a report");
    return;
  }
  const page = pages[pathname];
  if (page !== undefined) told.push(`opened ${pathname}${search}`);
  response.statusCode = page === undefined ? 404 : 200;
  response.setHeader("Content-Type", "text/html; charset=utf-8");
  response.end(`<!doctype html>${script}${page ?? "not here"}`);
}

beforeAll(async () => {
  site = await Site.start(answer);
  nightjar = await Nightjar.start({ NIGHTJAR_WARM_POOL: "2", NIGHTJAR_RECORDING: "0" });
}, 60_000);

afterAll(async () => {
  await nightjar.dispose();
  await site.stop();
});

beforeEach(async () => {
  told = [];
  directory = await mkdtemp(path.join(tmpdir(), "nightjar-workflow-"));
});

afterEach(() => rm(directory, { recursive: true }));

/** One session, driven through the API. */
class Driven {
  readonly id: string;

  constructor(id: string) {
    this.id = id;
  }

  async execute(body: Record<string, unknown>): Promise<void> {
    const done = await nightjar.call("POST", `/sessions/${this.id}/page/execute`, { body });
    const outcome = `${JSON.stringify(body)}: ${String(done.body["message"])}`;
    expect(done, outcome).toMatchObject({ status: 200, body: { success: true } });
  }

  async idOf(name: string): Promise<string> {
    const seen = await nightjar.call("POST", `/sessions/${this.id}/page/observe`, { body: {} });
    const { space } = z
      .object({
        space: z.object({
          interaction_actions: z.array(z.object({ id: z.string(), text_label: z.string() })),
        }),
      })
      .parse(seen.body);
    const found = space.interaction_actions.filter(({ text_label }) => text_label === name);
    const [element] = found;
    if (element === undefined || found.length > 1) throw new Error(`${found.length} x "${name}"`);
    return element.id;
  }

  async code(isWhole = true) {
    const { body, status } = await nightjar.call(
      "GET",
      `/sessions/${this.id}/workflow/code?as_workflow=${isWhole ? "True" : "False"}`,
    );
    expect(status).toBe(200);
    return z
      .object({
        python_script: z.string(),
        javascript_script: z.string(),
        json_actions: z.array(z.looseObject({ type: z.string() })),
      })
      .parse(body);
  }
}

/** Does all that there is to do, by id where the flow can, otherwise by selector. */
async function flow(): Promise<Driven> {
  const { id } = await nightjar.startSession();
  const session = new Driven(id);
  await session.execute({ type: "goto", url: site.url });
  await session.execute({ type: "fill", id: await session.idOf("User"), value: "Ada" });
  await session.execute({ type: "fill", selector: "#pw", value: password });
  await session.execute({ type: "click", id: await session.idOf("Sign in") });
  const country = await session.idOf("Country");
  await session.execute({ type: "select_dropdown_option", id: country, value: "usa" });
  await session.execute({ type: "check", id: await session.idOf("News"), value: true });
  const values = { email: "ada@example.org", new_password: newPassword };
  await session.execute({ type: "form_fill", value: values });
  const colour = await session.idOf("Colour");
  await session.execute({ type: "select_dropdown_option", id: colour, value: "blue" });
  const notes = await session.idOf("Notes");
  await session.execute({ type: "fill", id: notes, value: "b", clear_before_fill: false });
  const remove = await session.idOf("Delete");
  await session.execute({ type: "click", id: remove, dialog: { accept: false } });
  await session.execute({ type: "click", id: remove });
  const rename = await session.idOf("Rename");
  await session.execute({ type: "click", id: rename, dialog: { accept: true, text: 'O"Hara' } });
  await session.execute({ type: "click", id: rename });
  const picture = await session.idOf("Picture");
  await session.execute({ type: "upload_file", id: picture, file_path: "/home/me/cat.png" });
  await session.execute({ type: "download_file", id: await session.idOf("Report") });
  await session.execute({ type: "fill", id: await session.idOf("Card number"), value: "42" });
  await session.execute({ type: "click", id: await session.idOf("In the shadow") });
  const [card, board] = [await session.idOf("Card"), await session.idOf("Board")];
  await session.execute({ type: "drag", id: card, target_id: board });
  await session.execute({ type: "click", id: await session.idOf("Help") });
  await session.execute({ type: "click", id: await session.idOf("Close") });
  await session.execute({ type: "switch_tab", tab_index: 0 });
  await session.execute({ type: "evaluate_js", code: "tell('told'); return document.title" });
  await session.execute({ type: "scroll_down" });
  await session.execute({
    type: "fallback_fill",
    id: await session.idOf("Search"),
    value: "lamp",
    press_enter: true,
  });
  await session.execute({ type: "scrape", selector: "p" });
  await session.execute({ type: "goto_new_tab", url: `${site.url}/pay` });
  await session.execute({ type: "close_tab" });
  await session.execute({ type: "completion", success: true, answer: "two\nlamps" });
  const failed = await nightjar.call("POST", `/sessions/${id}/page/execute`, {
    body: { type: "click", id: "B999" },
  });
  expect(failed.body).toMatchObject({ success: false });
  return session;
}

/** Gives what pages told time to arrive. */
async function toldInTheEnd(expected: readonly string[]): Promise<void> {
  await expect.poll(() => told.toSorted(), { timeout: 5000 }).toEqual(expected.toSorted());
}

async function upload(): Promise<void> {
  const form = new FormData();
  form.append("file", new Blob(["meow"]), "cat.png");
  const response = await fetch(`${nightjar.url}/storage/uploads/cat.png`, {
    method: "POST",
    headers: { Authorization: `Bearer ${testKey}` },
    body: form,
  });
  expect(response.status).toBe(200);
}

/** Makes `import ... from "playwright"` work in the directory, and runs a script there. */
async function runJavaScript(code: string, environment: Record<string, string>) {
  const library = path.join(directory, "node_modules", "playwright");
  await mkdir(library, { recursive: true });
  await writeFile(
    path.join(library, "package.json"),
    '{ "name": "playwright", "type": "module", "exports": "./index.js" }',
  );
  const core = pathToFileURL(path.resolve("node_modules/playwright-core/index.mjs")).href;
  await writeFile(path.join(library, "index.js"), `export * from "${core}";`);
  await writeFile(path.join(directory, "workflow.mjs"), code);
  await writeFile(path.join(directory, "cat.png"), "meow");
  return promisify(execFile)(process.execPath, ["workflow.mjs"], {
    cwd: directory,
    env: { ...process.env, ...environment },
    timeout: 60_000,
  });
}

describe("the code of a session's steps", () => {
  let recorded: Driven;
  let toldFirst: readonly string[];

  beforeAll(async () => {
    told = [];
    await upload();
    recorded = await flow();
    await vi.waitFor(() => expect(told).toContain("scrolled"));
    toldFirst = told;
  }, 120_000);

  test("does in JavaScript what the session did, in another session over CDP", async () => {
    const { javascript_script: code } = await recorded.code();
    const { id, cdpUrl } = await nightjar.startSession();
    const { stdout } = await runJavaScript(code, { CDP_URL: cdpUrl, ...secrets });
    expect(stdout.trim().split("\n")).toEqual(["Shop", "Two lamps"]);
    await toldInTheEnd(toldFirst);
    const { body } = await nightjar.call("GET", `/storage/${id}/downloads`);
    expect(JSON.stringify(body)).toContain("report.txt");
  }, 120_000);

  test("says which secret it lacks, and never holds one", async () => {
    const whole = await recorded.code();
    const parts = await recorded.code(false);
    for (const text of [JSON.stringify(whole), JSON.stringify(parts), nightjar.output]) {
      for (const secret of [password, newPassword]) expect(text).not.toContain(secret);
    }
    await expect(runJavaScript(whole.javascript_script, { CDP_URL: "" })).rejects.toThrow(
      /SECRET_PW/,
    );
    expect(parts.javascript_script).not.toContain("import");
    expect(parts.javascript_script.split("\n")[0]).toBe("// Left out: 1 step that failed.");
  });

  test("does the same when its actions are sent to another session, secrets put in", {
    tags: ["long"],
    timeout: 120_000,
  }, async () => {
    const { json_actions: actions } = await recorded.code();
    const { id } = await nightjar.startSession();
    const session = new Driven(id);
    for (const action of actions) {
      expect(action).not.toMatchObject({ id: expect.stringMatching(/./) });
      const value = action["value"];
      const secret = value === "********" ? { value: password } : {};
      const form =
        action.type === "form_fill"
          ? { value: { ...z.object({}).loose().parse(value), new_password: newPassword } }
          : {};
      await session.execute({ ...action, ...secret, ...form });
    }
    await toldInTheEnd(toldFirst);
  });

  test("stands when the session has ended", async () => {
    const { id } = await nightjar.startSession();
    const session = new Driven(id);
    await session.execute({ type: "goto", url: site.url });
    await nightjar.call("DELETE", `/sessions/${id}/stop`);
    const { json_actions: actions, python_script: python } = await session.code();
    expect(actions).toEqual([
      { type: "goto", category: "Special Browser Actions", description: "", url: site.url },
    ]);
    expect(python).toContain("page.goto(");
    expect((await nightjar.call("GET", `/sessions/${id}/offset`)).body).toEqual({ offset: 1 });
  });

  test.runIf(isTherePython())(
    "calls in Python what it calls in JavaScript, in the same order",
    async () => {
      const { python_script: python } = await recorded.code();
      await mkdir(path.join(directory, "playwright"));
      await writeFile(path.join(directory, "playwright", "__init__.py"), "");
      await writeFile(path.join(directory, "playwright", "sync_api.py"), recordingPlaywright);
      await writeFile(path.join(directory, "workflow.py"), python);
      const { stdout } = await promisify(execFile)("python3", ["workflow.py"], {
        cwd: directory,
        env: { ...process.env, CDP_URL: "ws://there", ...secrets },
      });
      const calls = stdout.split("\n").filter((line) => line.startsWith("call "));
      expect(calls.map((line) => line.slice(5))).toEqual(
        expect.arrayContaining([
          "chromium.connect_over_cdp('ws://there')",
          `page.goto('${site.url}/', wait_until='domcontentloaded')`,
          "page.get_by_role('textbox', name='User', exact=True).fill('Ada')",
          `page.locator('#pw').filter(visible=True).first.fill('${password}')`,
          "page.expect_event('framenavigated')",
          "page.get_by_role('button', name='Sign in', exact=True).click()",
          "page.get_by_role('combobox', name='Country', exact=True).select_option(label='U.S.A.')",
          "browser.close()",
        ]),
      );
      const order = ["fill('Ada')", "'Sign in'", "'U.S.A.'", "set_input_files", "browser.close"];
      const places = order.map((part) => calls.findIndex((line) => line.includes(part)));
      expect(places).toEqual(places.toSorted((a, b) => a - b));
      expect(calls.at(-1)).toBe("call browser.close()");
      expect(await readdir(directory)).toContain("workflow.py");
    },
  );
});

/** A stand-in for Playwright that prints what is called, and answers everything with more of itself. */
const recordingPlaywright = `
class Recorded:
    def __init__(self, path):
        self._path = path

    def __getattr__(self, name):
        if name in ("contexts", "pages"):
            return [Recorded(name[:-1])]
        if name in ("first", "keyboard", "chromium", "value", "main_frame", "default_value"):
            short = "chromium" if name == "chromium" else f"{self._path}.{name}"
            return Recorded(short)
        return Recorded(f"{self._path}.{name}")

    def __call__(self, *args, **kwargs):
        plain = [a for a in args if not callable(a)] if self._path.endswith((".on", ".expect_event")) else args
        shown = [a._path if isinstance(a, Recorded) else repr(a) for a in plain]
        shown += [f"{name}={value!r}" for name, value in kwargs.items()]
        path = f"{self._path}({', '.join(shown)})"
        if not self._path.endswith((".locator", ".get_by_role", ".frame_locator", ".filter")):
            print(f"call {path}")
        if self._path.endswith((".connect_over_cdp", ".launch")):
            return Recorded("browser")
        if self._path.endswith(".new_page"):
            return Recorded("page")
        if self._path.endswith(".expect_page"):
            return Opening("opened")
        return Recorded(path)

    def __enter__(self):
        return self

    def __exit__(self, *error):
        return False


class Opening(Recorded):
    def __getattr__(self, name):
        return Recorded("page")


def sync_playwright():
    return Recorded("playwright")
`;

function isTherePython(): boolean {
  try {
    execFileSync("python3", ["--version"], { stdio: "ignore" });
    return true;
  } catch {
    return false;
  }
}
