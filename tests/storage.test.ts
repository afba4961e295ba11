import { execFile } from "node:child_process";
import { mkdtemp, readdir, rm, stat } from "node:fs/promises";
import { request as httpRequest } from "node:http";
import { tmpdir } from "node:os";
import path from "node:path";
import { promisify } from "node:util";
import {
  fileDownload,
  fileListDownloads,
  fileListUploads,
  fileUpload,
  fileUploadDownloadedFile,
  NotteClient,
} from "notte-sdk";
import { chromium } from "playwright-core";
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from "vitest";
import { z } from "zod";
import { Capabilities } from "../src/sessions/capabilities.ts";
import { serverSecret } from "../src/store/server-secrets.ts";
import { openSqlite } from "../src/store/sqlite.ts";
import { type Answer, Nightjar, testKey } from "./support/nightjar.ts";
import { RawCdp } from "./support/raw-cdp.ts";
import { Site } from "./support/site.ts";

const run = promisify(execFile);

let nightjar: Nightjar;
let site: Site;
let alice: string;

beforeAll(async () => {
  nightjar = await Nightjar.start({
    NIGHTJAR_RECORDING: "0",
    NIGHTJAR_MAX_FILE_MB: "1",
    NIGHTJAR_MAX_FILES_MB: "2",
    NIGHTJAR_ON_STOP: "keep",
  });
  const { stdout } = await nightjar.cli("keys", "create", "--tenant", "alice");
  alice = stdout.trim();
  site = await Site.start((request, response) => {
    const { pathname, searchParams } = new URL(request.url ?? "/", "http://site");
    if (pathname === "/file") {
      const name = encodeURIComponent(searchParams.get("name") ?? "file.txt");
      response.setHeader("Content-Disposition", `attachment; filename*=UTF-8''${name}`);
      response.end(searchParams.get("content") ?? "content");
    } else if (pathname === "/endless") {
      response.setHeader("Content-Disposition", 'attachment; filename="endless.bin"');
      const more = setInterval(() => response.write(Buffer.alloc(64 * 1024)), 5);
      response.on("close", () => clearInterval(more));
    } else {
      response.setHeader("Content-Type", "text/html");
      response.end(`<a id="file" href="/file?${searchParams}">file</a>
        <a id="endless" href="/endless">endless</a>
        <a id="blob" download="made here.txt">blob</a>
        <script>document.getElementById("blob").href = URL.createObjectURL(new Blob(["made in the page"]));</script>`);
    }
  });
}, 60_000);

afterAll(async () => {
  await nightjar.dispose();
  await site.stop();
});

const fileList = z.object({
  files: z.array(
    z.strictObject({
      name: z.string(),
      size: z.int(),
      file_ext: z.string(),
      updated_at: z.iso.datetime({ offset: true }),
    }),
  ),
});

async function listed(route: string, key = testKey) {
  const answer = await nightjar.call("GET", route, { key });
  expect(answer.status).toBe(200);
  return fileList.parse(answer.body).files;
}

function downloadsOf(sessionId: string, key = testKey) {
  return listed(`/storage/${sessionId}/downloads`, key);
}

interface FormOptions {
  readonly key?: string;
  readonly server?: Nightjar;
  readonly part?: string;
  readonly nameInForm?: string;
}

/** Sends a form with one file to a route. */
async function sendFile(
  route: string,
  content: string | Uint8Array<ArrayBuffer>,
  options: FormOptions = {},
): Promise<Answer> {
  const { key = testKey, server = nightjar, part = "file", nameInForm = "in-form.txt" } = options;
  const form = new FormData();
  form.append(part, new File([content], nameInForm));
  const response = await fetch(`${server.url}${route}`, {
    method: "POST",
    headers: { Authorization: `Bearer ${key}` },
    body: form,
  });
  const body = z.record(z.string(), z.unknown()).parse(await response.json());
  return { status: response.status, headers: response.headers, body };
}

/** The URL of a stored file. */
async function urlOf(route: string, key = testKey): Promise<string> {
  const answer = await nightjar.call("GET", route, { key });
  expect(answer.status).toBe(200);
  expect(Object.keys(answer.body)).toEqual(["url"]);
  return String(answer.body["url"]);
}

async function contentOf(route: string, key = testKey): Promise<string> {
  const response = await fetch(await urlOf(route, key));
  expect(response.status).toBe(200);
  return response.text();
}

async function startSession(body: Record<string, unknown> = {}) {
  const session = await nightjar.startSession(body);
  onTestFinished(async () => {
    await nightjar.call("DELETE", `/sessions/${session.id}/stop`);
  });
  return session;
}

async function connect(cdpUrl: string): Promise<RawCdp> {
  const cdp = await RawCdp.connect(cdpUrl);
  onTestFinished(() => cdp.close());
  return cdp;
}

/** Clicks a link of the site's page in the first tab of a session, as a bare CDP client. */
async function clickLink(cdp: RawCdp, id: "file" | "endless" | "blob", query = ""): Promise<void> {
  await cdp.send("Page.navigate", { url: `${site.url}/?${query}` }, await cdp.firstPage());
  const ready = `new Promise((done) => {
    const look = () => document.getElementById("blob")?.href ? done(true) : setTimeout(look, 10);
    look();
  })`;
  expect(await cdp.evaluate(ready)).toBe(true);
  await cdp.evaluate(`document.getElementById("${id}").click()`);
}

/** What stands below the server's directory of files, whoever's it is. */
async function filesOnDisk(server: Nightjar, folder: string): Promise<readonly string[]> {
  const entries = await readdir(path.join(server.dataDir, "files", folder), {
    recursive: true,
    withFileTypes: true,
  }).catch(() => []);
  return entries.filter((entry) => entry.isFile()).map((entry) => entry.name);
}

describe("uploads", () => {
  test("of notte-sdk, which names them only in the form, are stored, listed and fetched", async () => {
    const notte = new NotteClient({ baseUrl: nightjar.url, apiKey: testKey });
    const client = notte.getClient();
    const file = new File(["quarter"], "Bericht für Q4.pdf");
    const uploaded = await fileUpload({ client, body: { file } });
    expect(uploaded.data).toEqual({ success: true });
    const list = await fileListUploads({ client });
    expect(list.data?.files).toContainEqual({
      name: "Bericht für Q4.pdf",
      size: 7,
      file_ext: "pdf",
      updated_at: expect.any(String),
    });
    expect(await contentOf(`/storage/uploads/${encodeURIComponent("Bericht für Q4.pdf")}`)).toBe(
      "quarter",
    );
  });

  test("take the name of the URL, and a second one takes the place of the first", async () => {
    expect((await sendFile("/storage/uploads/data.csv", "a,b")).body).toEqual({ success: true });
    await sendFile("/storage/uploads/data.csv", "a,b,c");
    expect(await contentOf("/storage/uploads/data.csv")).toBe("a,b,c");
    const named = (await listed("/storage/uploads")).filter(({ name }) => name === "data.csv");
    expect(named).toMatchObject([{ size: 5, file_ext: "csv" }]);
  });

  test("can be empty, and can be binary", async () => {
    const bytes = new Uint8Array(256).map((_, index) => index);
    await sendFile("/storage/uploads/bytes.bin", bytes);
    const response = await fetch(await urlOf("/storage/uploads/bytes.bin"));
    expect(new Uint8Array(await response.arrayBuffer())).toEqual(bytes);
    await sendFile("/storage/uploads/empty.txt", "");
    expect(await contentOf("/storage/uploads/empty.txt")).toBe("");
  });

  test("are deleted once", async () => {
    await sendFile("/storage/uploads/short-lived.txt", "x");
    const route = "/storage/uploads/short-lived.txt";
    const url = await urlOf(route);
    expect((await nightjar.call("DELETE", route)).body).toEqual({ success: true });
    expect(await nightjar.call("DELETE", route)).toMatchObject({
      status: 404,
      body: { code: "file_not_found", status: 404 },
    });
    expect((await nightjar.call("GET", route)).status).toBe(404);
    expect((await fetch(url)).status).toBe(404);
  });

  test("are each tenant's own", async () => {
    await sendFile("/storage/uploads/mine.txt", "of the default tenant");
    await sendFile("/storage/uploads/mine.txt", "of alice", { key: alice });
    expect(await contentOf("/storage/uploads/mine.txt")).toBe("of the default tenant");
    expect(await contentOf("/storage/uploads/mine.txt", alice)).toBe("of alice");
    expect((await listed("/storage/uploads", alice)).map(({ name }) => name)).toEqual(["mine.txt"]);
  });

  test("are closed to other users of the machine", async () => {
    await sendFile("/storage/uploads/closed.txt", "x");
    const files = path.join(nightjar.dataDir, "files");
    const folder = path.join(files, "uploads", "default");
    const modeOf = async (file: string) => ((await stat(file)).mode & 0o777).toString(8);
    expect(await modeOf(files)).toBe("700");
    expect(await modeOf(folder)).toBe("700");
    expect(await modeOf(path.join(folder, "closed.txt"))).toBe("600");
  });
});

describe("hostile names", () => {
  test.each([
    ["..%2F..%2Fescaped.txt", "escaped.txt"],
    ["..%5C..%5Cescaped2.txt", "escaped2.txt"],
    ["%2Fetc%2Fescaped3.txt", "escaped3.txt"],
    ["nul%00byte.txt", "nulbyte.txt"],
    ["%E2%80%AEtxt.exe", "txt.exe"],
    ["NUL.txt", "_NUL.txt"],
    ["100%25.txt", "100%.txt"],
    [".hidden", ".hidden"],
  ])("%s is stored as %s in its folder", async (segment, name) => {
    expect((await sendFile(`/storage/uploads/${segment}`, segment)).status).toBe(200);
    expect((await listed("/storage/uploads")).map((file) => file.name)).toContain(name);
    expect(await contentOf(`/storage/uploads/${segment}`)).toBe(segment);
    expect(await filesOnDisk(nightjar, "uploads")).toContain(name);
  });

  test.each(["%2E%2E%2F", "%20", "...", "%00", "%2F"])(
    "%s, of which nothing is left, is refused by name",
    async (segment) => {
      const answer = await sendFile(`/storage/uploads/${segment}`, "x");
      expect(answer).toMatchObject({
        status: 422,
        body: {
          code: "invalid_request",
          detail: [{ loc: ["path", "filename"], msg: expect.stringContaining("filename") }],
        },
      });
    },
  );

  test("one of more than 200 bytes is refused and nothing of it is kept", async () => {
    const answer = await sendFile(`/storage/uploads/${"%C3%A9".repeat(101)}`, "x");
    expect(answer.status).toBe(422);
    expect(answer.body["message"]).toMatch(/at most 200 bytes/);
    expect(await filesOnDisk(nightjar, "incoming")).toEqual([]);
  });

  test("one in the form is cleaned as well", async () => {
    await sendFile("/storage/uploads/%7Bfilename%7D", "x", { nameInForm: "../../in form.txt" });
    expect((await listed("/storage/uploads")).map(({ name }) => name)).toContain("in form.txt");
  });
});

describe("forms that are wrong", () => {
  const route = "/storage/uploads/wrong.txt";

  test("without a part `file` are told so", async () => {
    const answer = await sendFile(route, "x", { part: "document" });
    expect(answer).toMatchObject({
      status: 422,
      body: { detail: [{ loc: ["body", "file"], type: "missing" }] },
    });
    expect(answer.body["message"]).toContain('"document"');
  });

  test("that are no forms are told what is taken", async () => {
    for (const headers of [{ "Content-Type": "application/json" }, { "Content-Type": "text/x" }]) {
      const answer = await nightjar.call("POST", route, { rawBody: '{"file":"x"}', headers });
      expect(answer).toMatchObject({ status: 415, body: { code: "unsupported_media_type" } });
      expect(answer.body["message"]).toContain("multipart/form-data");
    }
    expect((await nightjar.call("POST", route)).status).toBe(415);
  });

  test("that end too early leave nothing", async () => {
    const headers = { "Content-Type": "multipart/form-data; boundary=b" };
    const head = '--b\r\nContent-Disposition: form-data; name="file"; filename="a"\r\n\r\n';
    const cut = await nightjar.call("POST", route, { rawBody: `${head}half`, headers });
    expect(cut).toMatchObject({ status: 400, body: { code: "upload_aborted" } });
    const bare = { "Content-Type": "multipart/form-data" };
    const unbound = await nightjar.call("POST", route, { rawBody: "x", headers: bare });
    expect(unbound).toMatchObject({ status: 422, body: { code: "malformed_body" } });
    expect(await filesOnDisk(nightjar, "incoming")).toEqual([]);
    expect(await filesOnDisk(nightjar, "uploads")).not.toContain("wrong.txt");
  });

  test("are taken by no other route", async () => {
    const answer = await sendFile("/sessions/start", "x");
    expect(answer).toMatchObject({ status: 415, body: { code: "unsupported_media_type" } });
    expect(answer.body["message"]).toContain("application/json");
  });

  test("with more in them than the file are taken, and only the file counts", async () => {
    const form = new FormData();
    form.append("comment", "first of all");
    form.append("file", new File(["this"], "a.txt"));
    form.append("file", new File(["not this"], "b.txt"));
    const response = await fetch(`${nightjar.url}/storage/uploads/more.txt`, {
      method: "POST",
      headers: { Authorization: `Bearer ${testKey}` },
      body: form,
    });
    expect(response.status).toBe(200);
    expect(await contentOf("/storage/uploads/more.txt")).toBe("this");
  });

  test("need a key", async () => {
    expect((await sendFile(route, "x", { key: "wrong" })).status).toBe(401);
  });

  test("whose client hangs up leave nothing, and the server goes on", async () => {
    const upload = await halfAnUpload(nightjar, "hung-up.txt");
    upload.destroy();
    await expect.poll(() => filesOnDisk(nightjar, "incoming")).toEqual([]);
    expect(await filesOnDisk(nightjar, "uploads")).not.toContain("hung-up.txt");
    expect((await nightjar.call("GET", "/storage/uploads")).status).toBe(200);
  });
});

/** A request that has sent half of a file, which the server is writing. */
async function halfAnUpload(server: Nightjar, name: string) {
  const upload = httpRequest(`${server.url}/storage/uploads/${name}`, {
    method: "POST",
    headers: {
      Authorization: `Bearer ${testKey}`,
      "Content-Type": "multipart/form-data; boundary=b",
      "Content-Length": "500000",
    },
  });
  upload.on("error", () => {});
  upload.write(
    `--b\r\nContent-Disposition: form-data; name="file"; filename="a"\r\n\r\n${"x".repeat(200_000)}`,
  );
  await expect.poll(async () => (await filesOnDisk(server, "incoming")).length).toBe(1);
  return upload;
}

describe("limits", () => {
  test("a file that just fits is stored; one byte more is not, and nothing of it is left", async () => {
    const megabyte = new Uint8Array(1_048_576);
    const route = "/storage/uploads/megabyte.bin";
    expect((await sendFile(route, megabyte, { key: alice })).status).toBe(200);
    const larger = await sendFile(route, new Uint8Array(1_048_577), { key: alice });
    expect(larger).toMatchObject({ status: 413, body: { code: "file_too_large" } });
    const [newest] = await listed("/storage/uploads", alice);
    expect(newest).toMatchObject({ name: "megabyte.bin", size: 1_048_576 });
    expect(await filesOnDisk(nightjar, "incoming")).toEqual([]);
  });

  test("a much larger file is answered as well, not hung up on", async () => {
    const answer = await sendFile("/storage/uploads/large.bin", new Uint8Array(20_000_000));
    expect(answer).toMatchObject({ status: 413, body: { code: "file_too_large" } });
  });

  test("a tenant's files together have a limit, and replacing one counts it once", async () => {
    const { stdout } = await nightjar.cli("keys", "create", "--tenant", "bob");
    const key = stdout.trim();
    const large = new Uint8Array(1_000_000);
    const send = (name: string) => sendFile(`/storage/uploads/${name}`, large, { key });
    const first = await Promise.all(["1", "2", "3", "4"].map(send));
    expect(first.map(({ status }) => status).sort()).toEqual([200, 200, 507, 507]);
    expect(first.find(({ status }) => status === 507)?.body).toMatchObject({
      code: "storage_limit",
    });
    const [kept] = await listed("/storage/uploads", key);
    expect((await send(String(kept?.name))).status).toBe(200);
    await nightjar.call("DELETE", `/storage/uploads/${kept?.name}`, { key });
    expect((await send("5")).status).toBe(200);
  });
});

describe("URLs of files", () => {
  const route = "/storage/uploads/linked.html";
  const content = "<script>document.title = 'owned'</script>";

  beforeAll(async () => {
    await sendFile(route, content);
  });

  test("are absolute, need no key, and never let the file run or be shown", async () => {
    const url = await urlOf(route);
    expect(url).toMatch(new RegExp(`^${nightjar.url}/files/`));
    const response = await fetch(url);
    expect(response.status).toBe(200);
    expect(await response.text()).toBe(content);
    expect(Object.fromEntries(response.headers)).toMatchObject({
      "content-type": "application/octet-stream",
      "content-disposition": "attachment; filename=\"linked.html\"; filename*=UTF-8''linked.html",
      "x-content-type-options": "nosniff",
      "content-security-policy": expect.stringMatching(/^sandbox;/),
      "content-length": String(content.length),
    });
  });

  test("carry names of every alphabet in both forms", async () => {
    const name = `naïve "😀".txt`;
    await sendFile(`/storage/uploads/${encodeURIComponent(name)}`, "x");
    const response = await fetch(
      await urlOf(`/storage/uploads/${encodeURIComponent("naïve _😀_.txt")}`),
    );
    expect(response.headers.get("content-disposition")).toBe(
      "attachment; filename=\"na_ve ___.txt\"; filename*=UTF-8''na%C3%AFve%20_%F0%9F%98%80_.txt",
    );
  });

  test("answer the range that is asked for", async () => {
    const url = await urlOf(route);
    const part = await fetch(url, { headers: { Range: "bytes=8-17" } });
    expect(part.status).toBe(206);
    expect(part.headers.get("content-range")).toBe(`bytes 8-17/${content.length}`);
    expect(await part.text()).toBe(content.slice(8, 18));
    const end = await fetch(url, { headers: { Range: "bytes=-9" } });
    expect(await end.text()).toBe("</script>");
    const beyond = await fetch(url, { headers: { Range: "bytes=9999-" } });
    expect(beyond.status).toBe(416);
    expect(beyond.headers.get("content-range")).toBe(`bytes */${content.length}`);
    expect(await beyond.json()).toMatchObject({ code: "range_not_satisfiable" });
    const head = await fetch(url, { method: "HEAD" });
    expect(head.headers.get("accept-ranges")).toBe("bytes");
    expect(head.headers.get("content-length")).toBe(String(content.length));
  });

  test("open nothing with another name, owner, end or token", async () => {
    await sendFile("/storage/uploads/other.html", "x");
    const url = new URL(await urlOf(route));
    const { searchParams, pathname } = url;
    const tampered = [
      pathname.replace("linked", "other") + url.search,
      pathname.replace("default", "alice") + url.search,
      pathname.replace("uploads", "downloads") + url.search,
      `${pathname}?expires=${Number(searchParams.get("expires")) + 1}&token=${searchParams.get("token")}`,
      `${pathname}?expires=${searchParams.get("expires")}&token=${"A".repeat(43)}`,
      `${pathname}?expires=${searchParams.get("expires")}`,
      pathname,
    ];
    for (const address of tampered) {
      const answer = await nightjar.call("GET", address, { key: null });
      expect(answer).toMatchObject({ status: 401, body: { code: "unauthorized" } });
    }
  });

  test("end, and say so", async () => {
    const database = await openSqlite(path.join(nightjar.dataDir, "nightjar.db"));
    const capabilities = new Capabilities(await serverSecret(database, "capabilities"));
    await database.close();
    const past = Math.floor(Date.now() / 1000) - 10;
    const subject = JSON.stringify(["uploads", "default", "linked.html"]);
    const token = capabilities.expiringToken("file", subject, past);
    const answer = await nightjar.call(
      "GET",
      `/files/uploads/default/linked.html?expires=${past}&token=${token}`,
      { key: null },
    );
    expect(answer).toMatchObject({ status: 410, body: { code: "link_expired" } });
    const good = Number(new URL(await urlOf(route)).searchParams.get("expires"));
    expect(good - Date.now() / 1000).toBeGreaterThan(3500);
  });

  test("stand nowhere in the log with their tokens", async () => {
    const url = new URL(await urlOf(route));
    await (await fetch(url)).text();
    await expect.poll(() => nightjar.output).toContain(url.pathname);
    expect(nightjar.output).not.toContain(url.searchParams.get("token"));
  });
});

describe("what pages download", () => {
  const timed = (name: string) => expect.stringMatching(new RegExp(`^\\d{4}(_\\d\\d){5}-${name}$`));

  test("is stored when only a bare CDP client is connected, and outlives the session", async () => {
    const session = await startSession();
    expect(await downloadsOf(session.id)).toEqual([]);
    const cdp = await connect(session.cdpUrl);
    await clickLink(cdp, "file", "name=report.pdf&content=hello");
    await expect
      .poll(() => downloadsOf(session.id))
      .toMatchObject([{ name: timed("report\\.pdf"), size: 5, file_ext: "pdf" }]);
    await clickLink(cdp, "blob");
    await expect.poll(() => downloadsOf(session.id)).toHaveLength(2);
    await nightjar.call("DELETE", `/sessions/${session.id}/stop`);
    const [newest] = await downloadsOf(session.id);
    expect(newest).toMatchObject({ name: timed("made here\\.txt"), size: 16 });
    const route = `/storage/${session.id}/downloads`;
    expect(await contentOf(`${route}/${encodeURIComponent(newest?.name ?? "")}`)).toBe(
      "made in the page",
    );
    expect(await contentOf(`${route}/report.pdf`)).toBe("hello");
  });

  test("is stored while Playwright is connected, which gets its own download too", async () => {
    const session = await startSession();
    const browser = await chromium.connectOverCDP(session.cdpUrl);
    for (const context of [browser.contexts()[0], await browser.newContext()]) {
      const page = await context?.newPage();
      await page?.goto(`${site.url}/?name=with-playwright.txt`);
      const [download] = await Promise.all([page?.waitForEvent("download"), page?.click("#file")]);
      expect(download?.suggestedFilename()).toBe("with-playwright.txt");
      expect(await download?.failure()).toBeNull();
    }
    await expect.poll(() => downloadsOf(session.id)).toHaveLength(2);
    const names = (await downloadsOf(session.id)).map(({ name }) => name);
    expect(new Set(names).size).toBe(2);
    await browser.close();
  });

  test("is stored after a client with a wish of its own has left", async () => {
    const session = await startSession();
    await (await chromium.connectOverCDP(session.cdpUrl)).close();
    const cdp = await connect(session.cdpUrl);
    const denying = await RawCdp.connect(session.cdpUrl);
    await denying.send("Browser.setDownloadBehavior", { behavior: "deny" });
    denying.close();
    await denying.closed;
    await clickLink(cdp, "file", "name=after.txt");
    await expect
      .poll(() => downloadsOf(session.id))
      .toMatchObject([{ name: timed("after\\.txt") }]);
  });

  test("is stored from contexts that a bare client makes", async () => {
    const session = await startSession();
    const cdp = await connect(session.cdpUrl);
    const { result } = await cdp.send("Target.createBrowserContext");
    const context = { browserContextId: result?.["browserContextId"] };
    const created = await cdp.send("Target.createTarget", { url: "about:blank", ...context });
    const target = { targetId: created.result?.["targetId"], flatten: true };
    const attached = await cdp.send("Target.attachToTarget", target);
    const url = `${site.url}/file?name=in-context.txt`;
    await cdp.send("Page.navigate", { url }, String(attached.result?.["sessionId"]));
    await expect
      .poll(() => downloadsOf(session.id))
      .toMatchObject([{ name: timed("in-context\\.txt") }]);
  });

  test("is stored from the full browser", async () => {
    const session = await startSession({ browser_type: "chrome" });
    const cdp = await connect(session.cdpUrl);
    await clickLink(cdp, "file", "name=full.txt");
    await expect.poll(() => downloadsOf(session.id)).toMatchObject([{ name: timed("full\\.txt") }]);
  });

  test("is never overwritten by another of the same name", async () => {
    const session = await startSession();
    const cdp = await connect(session.cdpUrl);
    for (const [index, content] of ["one", "two", "three"].entries()) {
      await clickLink(cdp, "file", `name=same.txt&content=${content}`);
      await expect.poll(() => downloadsOf(session.id)).toHaveLength(index + 1);
    }
    const contents = await Promise.all(
      (await downloadsOf(session.id)).map(({ name }) =>
        contentOf(`/storage/${session.id}/downloads/${encodeURIComponent(name)}`),
      ),
    );
    expect(contents.sort()).toEqual(["one", "three", "two"]);
  });

  test("has a name that stays in its folder, whatever its server calls it", async () => {
    const session = await startSession();
    const cdp = await connect(session.cdpUrl);
    await clickLink(cdp, "file", "name=..%2F..%2F..%2Fetc%2Fcron.d%2Fjob");
    await expect.poll(() => downloadsOf(session.id)).toHaveLength(1);
    const [file] = await downloadsOf(session.id);
    expect(await filesOnDisk(nightjar, `downloads/${session.id}`)).toEqual([file?.name]);
  });

  test("is stopped when it grows too large, and nothing of it is stored", async () => {
    const session = await startSession();
    const cdp = await connect(session.cdpUrl);
    await clickLink(cdp, "endless");
    await expect
      .poll(() => nightjar.output, { timeout: 20_000 })
      .toMatch(/endless\.bin.*1048576 bytes/);
    expect(await downloadsOf(session.id)).toEqual([]);
  }, 30_000);

  test("is not stored where the session asked for no file storage", async () => {
    const session = await startSession({ use_file_storage: false });
    const answer = await nightjar.call("GET", `/sessions/${session.id}`);
    expect(answer.body["use_file_storage"]).toBe(false);
    const browser = await chromium.connectOverCDP(session.cdpUrl);
    const page = await browser.newPage();
    await page.goto(`${site.url}/`);
    const [download] = await Promise.all([page.waitForEvent("download"), page.click("#file")]);
    expect(await download.failure()).toBeNull();
    await browser.close();
    expect(await downloadsOf(session.id)).toEqual([]);
  });

  test("is stored before the session's directory goes, however soon it ends", async () => {
    const session = await startSession();
    const browser = await chromium.connectOverCDP(session.cdpUrl);
    const page = await browser.newPage();
    await page.goto(`${site.url}/?name=last.txt&content=${"x".repeat(5000)}`);
    const [download] = await Promise.all([page.waitForEvent("download"), page.click("#file")]);
    expect(await download.failure()).toBeNull();
    await nightjar.call("DELETE", `/sessions/${session.id}/stop`);
    await expect
      .poll(() => downloadsOf(session.id), { timeout: 10_000 })
      .toMatchObject([{ name: timed("last\\.txt"), size: 5000 }]);
  });

  test("is stored again after the server was stopped, and after it was killed", async () => {
    const session = await startSession();
    for (const signal of ["SIGTERM", "SIGKILL"] as const) {
      await nightjar.signal(signal);
      await nightjar.run();
      const cdp = await RawCdp.connect(session.cdpUrl);
      await clickLink(cdp, "file", `name=${signal}.txt`);
      await expect
        .poll(async () => (await downloadsOf(session.id))[0]?.name)
        .toEqual(timed(`${signal}\\.txt`));
      cdp.close();
    }
    expect(await downloadsOf(session.id)).toHaveLength(2);
  }, 60_000);

  test("belongs to the session's tenant alone", async () => {
    const session = await startSession();
    const route = `/storage/${session.id}/downloads`;
    expect((await sendFile(`${route}/secret.txt`, "x")).status).toBe(200);
    const unknown = `/storage/${crypto.randomUUID()}/downloads`;
    for (const [method, suffix] of [
      ["GET", ""],
      ["GET", "/secret.txt"],
      ["DELETE", "/secret.txt"],
    ] as const) {
      const other = await nightjar.call(method, `${route}${suffix}`, { key: alice });
      expect(other).toMatchObject({ status: 404, body: { code: "session_not_found" } });
      expect((await nightjar.call(method, `${unknown}${suffix}`)).status).toBe(404);
    }
    expect((await sendFile(`${route}/more.txt`, "x", { key: alice })).status).toBe(404);
    expect(await downloadsOf(session.id)).toHaveLength(1);
  });
});

test("notte-sdk stores, lists and fetches the downloads of a session", async () => {
  const session = await startSession();
  const client = new NotteClient({ baseUrl: nightjar.url, apiKey: testKey }).getClient();
  const path = { session_id: session.id, filename: "notes.md" };
  const body = { file: new File(["# Notes"], "notes.md") };
  const stored = await fileUploadDownloadedFile({ client, path, body });
  expect(stored.data).toEqual({ success: true });
  const list = await fileListDownloads({ client, path });
  expect(list.data?.files).toMatchObject([{ size: 7, file_ext: "md" }]);
  const filename = list.data?.files[0]?.name ?? "";
  const link = await fileDownload({ client, path: { ...path, filename } });
  const { url } = z.object({ url: z.url() }).parse(link.data);
  expect(await (await fetch(url)).text()).toBe("# Notes");
});

describe("a server that is killed in the middle of an upload", () => {
  test("leaves the old file under the name, and no part of the new one after its next start", async () => {
    await sendFile("/storage/uploads/survivor.txt", "whole");
    const upload = await halfAnUpload(nightjar, "survivor.txt");
    await nightjar.signal("SIGKILL");
    upload.destroy();
    expect(await filesOnDisk(nightjar, "incoming")).toHaveLength(1);
    await nightjar.run();
    expect(await filesOnDisk(nightjar, "incoming")).toEqual([]);
    expect(await contentOf("/storage/uploads/survivor.txt")).toBe("whole");
  }, 30_000);
});

/** Whether a small file system can be mounted here: only as root, and not in every container. */
const canMount = await (async () => {
  const probe = await mkdtemp(path.join(tmpdir(), "nightjar-mount-"));
  try {
    await run("mount", ["-t", "tmpfs", "-o", "size=64k", "tmpfs", probe]);
    await run("umount", [probe]);
    return true;
  } catch {
    return false;
  } finally {
    await rm(probe, { recursive: true });
  }
})();

describe.runIf(canMount)("a server whose disk is full", () => {
  test("says so, keeps what it has, and goes on when there is room again", {
    tags: ["long"],
    timeout: 60_000,
  }, async () => {
    const files = path.join(nightjar.dataDir, "files");
    await nightjar.signal("SIGTERM");
    await run("mount", ["-t", "tmpfs", "-o", "size=200k,mode=700", "tmpfs", files]);
    try {
      await nightjar.run();
      const route = "/storage/uploads/on-small-disk.bin";
      expect((await sendFile(route, new Uint8Array(100_000))).status).toBe(200);
      const full = await sendFile(route, new Uint8Array(500_000));
      expect(full).toMatchObject({ status: 507, body: { code: "storage_full", status: 507 } });
      expect(await listed("/storage/uploads")).toMatchObject([{ size: 100_000 }]);
      expect(await filesOnDisk(nightjar, "incoming")).toEqual([]);
      await nightjar.call("DELETE", route);
      expect((await sendFile(route, new Uint8Array(150_000))).status).toBe(200);
    } finally {
      await nightjar.signal("SIGTERM");
      await run("umount", [files]);
      await nightjar.run();
    }
  });
});
