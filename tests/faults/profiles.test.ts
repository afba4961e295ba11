/** @module-tag long */
import { execFile } from "node:child_process";
import { mkdtemp, readdir, rm, statfs, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { promisify } from "node:util";
import { chromium } from "playwright-core";
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from "vitest";
import { FaultLab } from "../support/fault-lab.ts";
import { everything, logIn, startLoginSite, whatIsKept } from "../support/login-site.ts";
import { RawCdp } from "../support/raw-cdp.ts";
import type { Site } from "../support/site.ts";

const run = promisify(execFile);

/** What the end of a session may take, whatever keeps its profile from being saved, in ms. */
const endsWithinMs = 15_000;

let lab: FaultLab;
let disk: string;
let shop: Site;
let bank: Site;

beforeAll(async () => {
  disk = await mkdtemp(path.join(tmpdir(), "nightjar-disk-"));
  await run("mount", ["-t", "tmpfs", "-o", "size=200m,mode=711", "tmpfs", disk]);
  [shop, bank] = [await startLoginSite(), await startLoginSite("127.0.0.2")];
  // The watermark would refuse starts long before the disk is full.
  const settings = { NIGHTJAR_RECORDING: "0", NIGHTJAR_DISK_RESERVE_MB: "0" };
  lab = await FaultLab.start({ ...settings, NIGHTJAR_WARM_POOL: "0" }, disk);
}, 60_000);

afterAll(async () => {
  await lab.dispose();
  await Promise.all([shop.stop(), bank.stop()]);
  await run("umount", ["-l", disk]);
  await rm(disk, { recursive: true });
});

/** A profile that is logged in at the shop. */
async function loggedIn(): Promise<string> {
  const { body } = await lab.server.call("POST", "/profiles/create");
  const id = String(body["profile_id"]);
  const { page, stop } = await started(id);
  await logIn(page, shop.url, "first");
  expect(await stop()).toMatchObject({ error: null });
  return id;
}

async function started(profileId: string) {
  const { server } = lab;
  const { id, cdpUrl } = await server.startSession({ profile: { id: profileId, persist: true } });
  const browser = await chromium.connectOverCDP(cdpUrl);
  onTestFinished(() => browser.close());
  const page = browser.contexts()[0]?.pages()[0];
  if (page === undefined) throw new Error("no first page");
  /** Ends the session, as it was asked to and in time; answers what became of the profile. */
  const stop = async () => {
    const begun = performance.now();
    const { body } = await server.call("DELETE", `/sessions/${id}/stop`);
    expect(performance.now() - begun).toBeLessThan(endsWithinMs);
    expect(body).toMatchObject({ end_reason: "client_stop", error: null });
    return body["profile"] as Readonly<Record<string, unknown>>;
  };
  return { id, cdpUrl, page, stop };
}

async function expectOldState(profileId: string): Promise<void> {
  const { page, stop } = await started(profileId);
  expect(await whatIsKept(page, shop.url)).toEqual(everything("first"));
  await stop();
}

test("a disk that fills up leaves the old state whole, and the end says so", {
  timeout: 90_000,
}, async () => {
  const id = await loggedIn();
  const { page, stop } = await started(id);
  await page.goto(bank.url);
  await page.evaluate(`
    for (let i = 0, text = ""; i < 60; i += 1) {
      text = Array.from(crypto.getRandomValues(new Uint8Array(50_000)), (n) => n.toString(36)).join("");
      localStorage.setItem("large" + i, text.slice(0, 60_000));
    }`);
  const files = await readdir(path.join(lab.server.dataDir, "profiles"));
  const filler = path.join(disk, "filler");
  // Room for the end of the session in the store, not for its state.
  const { bavail, bsize } = await statfs(disk);
  await writeFile(filler, Buffer.alloc(bavail * bsize - 512 * 1024));
  const { error, saved_at: savedAt } = await stop();
  expect(error).toMatch(/disk is full.*as it was last saved/);
  expect(savedAt).toBeNull();
  await rm(filler);
  expect(await readdir(path.join(lab.server.dataDir, "profiles"))).toEqual(files);
  await expectOldState(id);
  await lab.checkOthersServed();
});

test("a browser that hangs leaves the old state whole, and the end says so", {
  timeout: 90_000,
}, async () => {
  const id = await loggedIn();
  const session = await started(id);
  await logIn(session.page, shop.url, "lost");
  process.kill(await lab.browserOf(session.id), "SIGSTOP");
  expect((await session.stop())["error"]).toMatch(/as it was last saved/);
  await expectOldState(id);
  await lab.checkOthersServed();
});

describe("everything but what cannot be read is saved", () => {
  test("when a page never answers", { timeout: 90_000 }, async () => {
    const id = await loggedIn();
    const { page, stop } = await started(id);
    await logIn(page, bank.url, "second");
    await page.evaluate("void setTimeout(() => { for (;;) {} }, 0)");
    expect(await stop()).toMatchObject({ saved_at: expect.any(String), error: null });
    const next = await started(id);
    expect(await whatIsKept(next.page, bank.url)).toMatchObject({
      ...{ heading: "Welcome back", localStorage: "second" },
    });
    await next.stop();
  });

  test("when a page shows a dialog", { timeout: 90_000 }, async () => {
    const id = await loggedIn();
    const { page, stop } = await started(id);
    await logIn(page, bank.url, "second");
    // Playwright closes it unless somebody listens.
    page.on("dialog", () => {});
    await page.evaluate("void setTimeout(() => alert('wait'), 0)");
    expect(await stop()).toMatchObject({ saved_at: expect.any(String), error: null });
  });

  test("when a client lets no new tab run", { timeout: 90_000 }, async () => {
    const id = await loggedIn();
    const { page, cdpUrl, stop } = await started(id);
    await logIn(page, shop.url, "changed");
    const client = await RawCdp.connect(cdpUrl);
    onTestFinished(() => client.close());
    const popup = await page.context().newPage();
    await logIn(popup, bank.url, "unreadable");
    await popup.close();
    await client.send("Target.setAutoAttach", {
      ...{ autoAttach: true, waitForDebuggerOnStart: true, flatten: true },
    });
    const { error, saved_at: savedAt } = await stop();
    expect(savedAt).toEqual(expect.any(String));
    expect(error).toContain(bank.url);
    const next = await started(id);
    expect(await whatIsKept(next.page, shop.url)).toMatchObject({
      ...{ heading: "Welcome back", localStorage: "changed" },
    });
    await next.stop();
  });
});
