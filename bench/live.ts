/**
 * The live view on loopback: how many frames of an animation reach one watcher, beside a client that
 * takes the browser's own screencast with no server in between; what the server's process spends on
 * it; and how soon a key reaches the page, and its effect the watcher. `node bench/live.ts [--quick]`
 */
import { LiveClient } from "../tests/support/live-client.ts";
import { Nightjar } from "../tests/support/nightjar.ts";
import { RawCdp } from "../tests/support/raw-cdp.ts";
import { cpuTimeMs } from "./support/process-usage.ts";
import { short, summarize } from "./support/statistics.ts";

const quick = process.argv.includes("--quick");
const seconds = quick ? 3 : 10;
const inputs = quick ? 30 : 100;
const rounds = quick ? 1 : 3;
const viewport = { viewport_width: 1280, viewport_height: 720 };

/** Something of everything moves: text, gradients, shadows, as on pages that are animated. */
const animation = `<!doctype html><title>Animation</title><style>
  body { margin: 0; font: 16px sans-serif; background: #fff }
  div { position: absolute; width: 180px; height: 120px; border-radius: 12px;
    background: linear-gradient(45deg, tomato, gold); box-shadow: 0 4px 20px #0004 }
</style><h1>Nightjar</h1>${"<p>The quick brown fox jumps over the lazy dog.</p>".repeat(14)}
${"<div></div>".repeat(6)}<script>
  const boxes = [...document.querySelectorAll("div")];
  (function draw(at = 0) {
    boxes.forEach((box, n) => {
      const turn = at / 900 + n;
      box.style.transform = \`translate(\${560 + 480 * Math.cos(turn)}px, \${280 + 240 * Math.sin(turn * 1.3)}px)\`;
    });
    requestAnimationFrame(draw);
  })();
</script>`;

/** Says when each key reached it, and shows it by its whole colour. */
const keyed = `<!doctype html><title>Keys</title><script>
  reached = [];
  onkeydown = () => {
    reached.push(performance.timeOrigin + performance.now());
    document.body.style.background = reached.length % 2 ? "black" : "white";
  };
</script><body>`;

const now = () => performance.timeOrigin + performance.now();
const delay = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));

const nightjar = await Nightjar.start({ NIGHTJAR_LOG_LEVEL: "warn" });

async function session(html: string) {
  const body = { ...viewport, recording: false };
  const answer = await nightjar.call("POST", "/sessions/start", { body });
  const cdp = await RawCdp.connect(String(answer.body["cdp_url"]));
  const url = `data:text/html,${encodeURIComponent(html)}`;
  await cdp.send("Page.navigate", { url }, await cdp.firstPage());
  while ((await cdp.evaluate("document.readyState")) !== "complete") await delay(20);
  return { id: String(answer.body["session_id"]), viewer: String(answer.body["viewer_url"]), cdp };
}

async function stop(id: string, cdp: RawCdp): Promise<void> {
  cdp.close();
  await nightjar.call("DELETE", `/sessions/${id}/stop`);
}

/** Through the server, as people watch. */
async function watched() {
  const { id, viewer, cdp } = await session(animation);
  const client = await LiveClient.connect(viewer);
  await delay(1000);
  const ages: number[] = [];
  let bytes = 0;
  client.onFrame = ({ at, jpeg }) => {
    ages.push(now() - at);
    bytes += jpeg.length;
  };
  const cpuBefore = cpuTimeMs(nightjar.pid);
  const begun = now();
  await delay(seconds * 1000);
  const elapsed = now() - begun;
  const cpu = cpuTimeMs(nightjar.pid) - cpuBefore;
  client.close();
  await stop(id, cdp);
  return {
    fps: (ages.length * 1000) / elapsed,
    cpuPercent: (cpu * 100) / elapsed,
    age: summarize(ages).p50,
    kbPerFrame: bytes / ages.length / 1024,
  };
}

/** The browser's own screencast, every frame acknowledged at once, by the CDP relay. */
async function bare() {
  const { id, cdp } = await session(animation);
  const page = await cdp.firstPage();
  let frames = 0;
  cdp.socket.on("message", (data) => {
    const text = String(data);
    if (!text.startsWith('{"method":"Page.screencastFrame"')) return;
    frames += 1;
    const { params } = JSON.parse(text) as { params: { sessionId: number } };
    void cdp.send("Page.screencastFrameAck", { sessionId: params.sessionId }, page);
  });
  await cdp.send("Page.startScreencast", { format: "jpeg", quality: 70 }, page);
  await delay(1000);
  frames = 0;
  const begun = now();
  await delay(seconds * 1000);
  const fps = (frames * 1000) / (now() - begun);
  await stop(id, cdp);
  return { fps };
}

/** From the key's message to the page's listener, and to the first frame that shows its effect. */
async function keys() {
  const { id, viewer, cdp } = await session(keyed);
  const client = await LiveClient.connect(viewer);
  client.send({ type: "control", take: true });
  while (client.last("control")?.controller === null) await delay(20);
  await delay(500);
  const sent: number[] = [];
  const seen: number[] = [];
  for (let count = 0; count < inputs; count += 1) {
    const frame = new Promise<number>((resolve) => {
      client.onFrame = () => resolve(now());
    });
    const key = {
      type: "key",
      key: "a",
      code: "KeyA",
      keyCode: 65,
      location: 0,
      repeat: false,
      modifiers: 0,
    } as const;
    sent.push(now());
    client.send({ ...key, event: "down", text: "a" });
    client.send({ ...key, event: "up", text: "" });
    seen.push((await frame) - (sent.at(-1) ?? 0));
    // Not in step with the browser's own frames.
    await delay(40 + Math.random() * 30);
  }
  const reached = (await cdp.evaluate("reached")) as readonly number[];
  client.close();
  await stop(id, cdp);
  const toPage = summarize(reached.map((at, index) => at - (sent[index] ?? 0)));
  const toWatcher = summarize(seen);
  return { toPage, toWatcher, count: reached.length };
}

try {
  for (let round = 1; round <= rounds; round += 1) {
    // Turn by turn, so that whatever else the machine does meets all of them.
    const own = await bare();
    const ours = await watched();
    const { toPage, toWatcher, count } = await keys();
    console.table({
      "frames a second to one watcher (at least 20)": short(ours.fps),
      "frames a second of the bare screencast": short(own.fps),
      "share of those": short(ours.fps / own.fps),
      "server's CPU, % of a core (below 25)": short(ours.cpuPercent),
      "frame's age when it arrives, ms, p50": short(ours.age),
      "kB a frame": short(ours.kbPerFrame),
      "keys sent and arrived": `${inputs}, ${count}`,
      "key to page, ms, p50 (below 50)": short(toPage.p50),
      "key to page, ms, p95": short(toPage.p95),
      "key to watcher's next frame, ms, p50": short(toWatcher.p50),
      "key to watcher's next frame, ms, p95": short(toWatcher.p95),
    });
  }
} finally {
  await nightjar.dispose();
}
