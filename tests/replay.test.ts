import { readdir, stat } from "node:fs/promises";
import { chromium, type Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { HeldFfmpeg } from "./support/held-ffmpeg.ts";
import { type Answer, Nightjar } from "./support/nightjar.ts";
import { lastPictureAt as lastPictureIn, recordingFolder } from "./support/recorded-pictures.ts";
import { type Color, VideoDecoder } from "./support/video-decoder.ts";

/** A machine that is busy with everything else may keep an encoder waiting, in ms. */
const patienceMs = 120_000;

let ffmpeg: HeldFfmpeg;
let nightjar: Nightjar;
let decoder: VideoDecoder;

beforeAll(async () => {
  ffmpeg = await HeldFfmpeg.make();
  nightjar = await Nightjar.start({ NIGHTJAR_FFMPEG: ffmpeg.path });
  decoder = await VideoDecoder.launch();
}, 60_000);

afterAll(async () => {
  await decoder?.close();
  await nightjar?.dispose();
  await ffmpeg?.remove();
});

const colors: Readonly<Record<string, Color>> = {
  white: [255, 255, 255],
  red: [255, 0, 0],
  lime: [0, 255, 0],
  blue: [0, 0, 255],
  yellow: [255, 255, 0],
};

const small = { viewport_width: 640, viewport_height: 480 };

const folderOf = (id: string) => recordingFolder(nightjar.dataDir, id);

const lastPictureAt = (id: string) => lastPictureIn(nightjar.dataDir, id);

async function firstPage(cdpUrl: string): Promise<Page> {
  const browser = await chromium.connectOverCDP(cdpUrl);
  const page = browser.contexts()[0]?.pages()[0];
  if (page === undefined) throw new Error("the session has no first page");
  return page;
}

/** Shows a page of one colour until it is recorded; answers from when on it was certainly drawn, epoch ms. */
async function show(id: string, page: Page, color: string): Promise<number> {
  await page.goto(
    `data:text/html,<title>${color}</title><body bgcolor=${color}><i id=dot style="position:fixed;width:2px;height:2px;background:gray">`,
  );
  return recorded(id, page);
}

/**
 * Waits until a page that `show` opened is recorded as it is now. The newest picture may be one of
 * what was there before, written late, so the page moves a dot until there is one of after that.
 */
async function recorded(id: string, page: Page): Promise<number> {
  const now = Date.now();
  const left = "dot.style.left = (Number.parseInt(dot.style.left || 0) + 1) % 9 + 'px'";
  await expect
    .poll(
      async () => {
        await page.evaluate(`${left}; new Promise((drawn) => requestAnimationFrame(drawn))`);
        return lastPictureAt(id);
      },
      { timeout: 20_000 },
    )
    .toBeGreaterThan(now);
  return Date.now();
}

const replayOf = (id: string, key?: string) =>
  nightjar.call("GET", `/sessions/${id}/replay`, key === undefined ? {} : { key });

const statusOf = async (id: string) =>
  (await nightjar.call("GET", `/sessions/${id}`)).body["replay_status"];

const stop = (id: string) => nightjar.call("DELETE", `/sessions/${id}/stop`);

/** The replay of a session that has ended, when it is made. */
async function madeReplay(id: string): Promise<Answer["body"]> {
  const status = async () => (await replayOf(id)).status;
  await expect.poll(status, { timeout: patienceMs, interval: 200 }).toBe(200);
  return (await replayOf(id)).body;
}

async function videoOf(replay: Answer["body"]): Promise<Buffer> {
  const response = await fetch(String(replay["mp4_url"]));
  expect([response.status, response.headers.get("content-type")]).toEqual([200, "video/mp4"]);
  return Buffer.from(await response.arrayBuffer());
}

/** Whether a colour is what was shown, as far as compression lets it be the same. */
function expectColor(seen: Color, name: string): void {
  for (const [index, part] of (colors[name] ?? []).entries()) {
    expect(Math.abs((seen[index] ?? 0) - part), `${seen} is ${name}`).toBeLessThan(8);
  }
}

describe("a replay", { timeout: 180_000 }, () => {
  test("shows what the session showed, when it showed it, in every tab that was used", async () => {
    const { id, cdpUrl } = await nightjar.startSession(small);
    const page = await firstPage(cdpUrl);
    const shown: { readonly color: string; readonly at: number }[] = [];
    const showing = async (color: string, at: number) => {
      shown.push({ color, at });
      // A still picture is a part of what is tested.
      await page.waitForTimeout(color === "lime" ? 2500 : 400);
    };
    await showing("red", await show(id, page, "red"));
    await showing("lime", await show(id, page, "lime"));
    const tab = await page.context().newPage();
    await tab.setViewportSize({ width: 640, height: 480 });
    await showing("blue", await show(id, tab, "blue"));
    await tab.close();
    await showing("lime", await recorded(id, page));

    const running = await replayOf(id);
    expect([running.status, await statusOf(id)]).toEqual([404, "recording"]);
    expect(running.body["message"]).toContain("still active");
    await ffmpeg.hold();
    const ended = await stop(id);
    expect(ended.body["replay_status"]).toBe("processing");
    await expect
      .poll(async () => (await replayOf(id)).body["message"])
      .toMatch(/replay .* is processing/);
    await ffmpeg.letGo();
    const replay = await madeReplay(id);
    expect(await statusOf(id)).toBe("ready");

    const closedAt = Date.parse(String(ended.body["closed_at"]));
    const startedAt = Number(replay["video_start_ms"]);
    const durationMs = Number(replay["video_duration_ms"]);
    expect(Math.abs(startedAt + durationMs - closedAt)).toBeLessThan(2000);
    const video = await decoder.load(await videoOf(replay));
    expect(video).toMatchObject({ width: 640, height: 480 });
    expect(Math.abs(video.duration * 1000 - durationMs)).toBeLessThan(100);
    for (const { color, at } of shown) {
      expectColor(await decoder.colorAt((at + 200 - startedAt) / 1000), color);
    }
    // In the middle of a picture that stands still.
    const lime = shown[1]?.at ?? 0;
    expectColor(await decoder.colorAt((lime + 2000 - startedAt) / 1000), "lime");

    // It is played and sought in right from its URL, by a page of no other server.
    await decoder.page.goto(String(replay["mp4_url"]));
    const played = await decoder.page.evaluate(`(async () => {
      const video = document.querySelector("video");
      video.pause();
      if (video.readyState < 1) await new Promise((resolve) => (video.onloadedmetadata = resolve));
      video.currentTime = 1;
      await new Promise((resolve) => (video.onseeked = resolve));
      return { duration: video.duration, at: video.currentTime };
    })()`);
    expect(played).toEqual({ duration: video.duration, at: 1 });
  });

  test("begins with its session: with the blank page, until it went to the first one", async () => {
    // The second ends before any picture is taken while it runs.
    for (const staysMs of [1500, 0]) {
      const { id, cdpUrl } = await nightjar.startSession(small);
      const page = await firstPage(cdpUrl);
      await page.goto("data:text/html,<body bgcolor=red>");
      const shownAt = Date.now();
      await page.waitForTimeout(staysMs);
      const { body: ended } = await stop(id);
      const replay = await madeReplay(id);
      const startedAt = Number(replay["video_start_ms"]);
      expect(startedAt).toBe(Date.parse(String(ended["created_at"])));
      const { duration } = await decoder.load(await videoOf(replay));
      expectColor(await decoder.colorAt(0.01), "white");
      expectColor(await decoder.colorAt((shownAt - startedAt + 20) / 1000), "red");
      expectColor(await decoder.colorAt(duration - 0.01), "red");
      const closedAt = Date.parse(String(ended["closed_at"]));
      expect(Math.abs(startedAt + duration * 1000 - closedAt)).toBeLessThan(2000);
    }
  });

  test("is fetched by its URL alone, in parts, and not by another", async () => {
    const { id } = await nightjar.startSession(small);
    // It ends before its recording begins: its last picture is there all the same.
    await stop(id);
    const replay = await madeReplay(id);
    const url = String(replay["mp4_url"]);
    const whole = await videoOf(replay);
    expect(whole.length).toBe(replay["size_bytes"]);
    expect(whole.subarray(4, 8).toString()).toBe("ftyp");
    // The index stands at the front: a player need not fetch the end first.
    expect(whole.indexOf("moov")).toBeLessThan(whole.indexOf("mdat"));
    const part = await fetch(url, { headers: { Range: "bytes=4-7" } });
    expect([part.status, await part.text()]).toEqual([206, "ftyp"]);
    expect(part.headers.get("content-disposition")).toBe("inline");
    const beyond = await fetch(url, { headers: { Range: "bytes=99999999-" } });
    expect(beyond.status).toBe(416);
    const head = await fetch(url, { method: "HEAD" });
    expect([head.status, head.headers.get("accept-ranges")]).toEqual([200, "bytes"]);
    const other = crypto.randomUUID();
    for (const wrong of [url.replace(id, other), url.replace(/expires=\d+/, "expires=1")]) {
      expect((await fetch(wrong)).status).toBe(401);
    }
    const expiresIn = Date.parse(String(replay["expires_at"])) - Date.now();
    expect(Math.abs(expiresIn - 24 * 3_600_000)).toBeLessThan(60_000);
    expect(replay).toMatchObject({ playlist_content: null, thinned_from_ms: null });
  });

  test("is removed with the recording, also while it is being made, and then is none", async () => {
    const { id } = await nightjar.startSession(small);
    const remove = (of: string, key?: string) =>
      nightjar.call("DELETE", `/sessions/${of}/recording`, key === undefined ? {} : { key });
    const early = await remove(id);
    expect([early.status, early.body["code"]]).toEqual([409, "session_active"]);
    await stop(id);
    const { mp4_url: url } = await madeReplay(id);
    const { stdout } = await nightjar.cli("keys", "create", "--tenant", "other");
    const others = stdout.trim();
    expect((await replayOf(id, others)).status).toBe(404);
    expect((await remove(id, others)).status).toBe(404);
    expect((await remove(id)).status).toBe(200);
    expect((await remove(id)).status).toBe(200);
    expect([await statusOf(id), (await fetch(String(url))).status]).toEqual(["none", 404]);
    const gone = await replayOf(id);
    expect([gone.status, gone.body["code"]]).toEqual([404, "replay_not_found"]);
    await expect(stat(folderOf(id))).rejects.toThrow("ENOENT");

    await ffmpeg.hold();
    const held = await nightjar.startSession(small);
    await stop(held.id);
    await expect.poll(async () => (await replayOf(held.id)).body["message"]).toMatch("processing");
    expect((await remove(held.id)).status).toBe(200);
    await ffmpeg.letGo();
    expect(await statusOf(held.id)).toBe("none");
    await expect(stat(folderOf(held.id))).rejects.toThrow("ENOENT");
  });

  test("survives kill -9 of the server, while it is recorded and while it is made", async () => {
    const { id, cdpUrl } = await nightjar.startSession(small);
    const page = await firstPage(cdpUrl);
    const red = await show(id, page, "red");
    await page.context().browser()?.close();
    await nightjar.signal("SIGKILL");
    const beforeCrash = await lastPictureAt(id);
    await nightjar.run();
    const again = await firstPage(cdpUrl);
    // The recording goes on with what it finds.
    await expect.poll(() => lastPictureAt(id), { timeout: 20_000 }).toBeGreaterThan(beforeCrash);
    await show(id, again, "yellow");
    await again.context().browser()?.close();

    await ffmpeg.hold();
    await stop(id);
    await expect.poll(async () => (await replayOf(id)).body["message"]).toMatch("processing");
    await nightjar.signal("SIGKILL");
    await nightjar.run();
    expect(await statusOf(id)).toBe("processing");
    await ffmpeg.letGo();
    const replay = await madeReplay(id);
    const startedAt = Number(replay["video_start_ms"]);
    const { duration } = await decoder.load(await videoOf(replay));
    expectColor(await decoder.colorAt((red + 20 - startedAt) / 1000), "red");
    expectColor(await decoder.colorAt(duration - 0.01), "yellow");
    expect(
      (await readdir(folderOf(id))).filter((name) => /frames|segment|part/.test(name)),
    ).toEqual([]);
  });

  test("is complete where the server was stopped while it was recorded", async () => {
    const { id, cdpUrl } = await nightjar.startSession(small);
    const page = await firstPage(cdpUrl);
    await show(id, page, "red");
    // However long it stood still, what it changes to in the last moment is seen.
    await page.waitForTimeout(1500);
    await page.evaluate("document.body.bgColor = 'blue'");
    await nightjar.signal("SIGTERM");
    await nightjar.run();
    const { duration } = await decoder.load(await videoOf(await madeReplay(id)));
    expectColor(await decoder.colorAt(duration - 0.01), "blue");
  });

  test("is none without recording, which the operator may have chosen", {
    tags: ["long"],
  }, async () => {
    const off = await nightjar.startSession({ recording: false });
    expect(await statusOf(off.id)).toBe("none");
    await stop(off.id);
    expect((await replayOf(off.id)).body["message"]).toContain("started without recording");
    await expect(stat(folderOf(off.id))).rejects.toThrow("ENOENT");

    const recorded = await nightjar.startSession(small);
    const page = await firstPage(recorded.cdpUrl);
    await show(recorded.id, page, "blue");
    await page.context().browser()?.close();
    // Killed, so that the session goes on with the next server, which has no encoder.
    await nightjar.signal("SIGKILL");
    await nightjar.run({ NIGHTJAR_RECORDING: "0", NIGHTJAR_FFMPEG: "/nowhere/ffmpeg" });
    const unsaid = await nightjar.startSession();
    expect(await statusOf(unsaid.id)).toBe("none");
    const first = await nightjar.call("POST", "/session/start", { body: {} });
    expect(first.body["replay_status"]).toBe("none");

    // And where there is no encoder, that is said instead of a replay.
    const asked = await nightjar.startSession({ recording: true });
    expect(await statusOf(asked.id)).toBe("recording");
    await stop(asked.id);
    await expect.poll(() => statusOf(asked.id)).toBe("failed");
    const failed = await replayOf(asked.id);
    expect([failed.status, failed.body["code"]]).toEqual([410, "replay_failed"]);
    expect(failed.body["message"]).toContain("no video encoder");
    expect(nightjar.output).toContain("sessions have no replays: /nowhere/ffmpeg is not there");

    // What was recorded before is kept for an encoder to come.
    await stop(recorded.id);
    await expect.poll(() => statusOf(recorded.id)).toBe("failed");
    await nightjar.signal("SIGTERM");
    await ffmpeg.hold();
    await nightjar.run();
    expect(await statusOf(recorded.id)).toBe("processing");
    expect((await replayOf(recorded.id)).body["code"]).toBe("replay_not_ready");
    await ffmpeg.letGo();
    const { duration } = await decoder.load(await videoOf(await madeReplay(recorded.id)));
    expectColor(await decoder.colorAt(duration - 0.01), "blue");
    expect(await statusOf(recorded.id)).toBe("ready");
    // Of that one there is nothing to make a replay of.
    expect(await statusOf(asked.id)).toBe("failed");
  });
});
