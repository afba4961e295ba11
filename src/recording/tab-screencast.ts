import type { BrowserWatch, WatchedTarget } from "../sessions/ports.ts";
import type { FramePace } from "./frame-pace.ts";
import type { ScreencastFrame } from "./screencast-frame.ts";

/** JPEG quality: text stays readable, and a frame of an ordinary page has 30 to 100 kB. */
const jpegQuality = 70;

/**
 * How many frames Chromium sends ahead of their acknowledgements. What a page draws while so many
 * are out is never sent.
 */
const mostInFlight = 3;

/**
 * A page that draws nothing for so long after frames may have been lost is asked anew, in ms; for
 * twice as long as between its last frames where those are slow.
 */
const leastQuietMs = 120;
const mostQuietMs = 1000;

/** How often a tab that its window hides is looked at, in ms: it draws nothing by itself. */
const hiddenEveryMs = 1000;

/**
 * The screencast of one tab. How soon frames are acknowledged sets how many the browser makes, so the
 * fastest subscriber does.
 */
export class TabScreencast {
  readonly #watch: BrowserWatch;
  readonly #tab: WatchedTarget;
  readonly #onVisibility: (visible: boolean) => void;
  readonly #subscribers = new Set<FramePace>();
  #latest: ScreencastFrame | null = null;
  /** The acknowledgements that are due, oldest first, by the number that the browser gave. */
  #unacknowledged: number[] = [];
  #mayHaveLost = false;
  /** On the monotonic clock, and how long after the one before it, in ms. */
  #receivedAt = 0;
  #gapMs = 0;
  /** On the monotonic clock, in ms. */
  #acknowledgedAt = 0;
  #acknowledgeTimer: NodeJS.Timeout | null = null;
  #quietTimer: NodeJS.Timeout | null = null;
  /** Runs while the tab is hidden. */
  #hiddenTimer: NodeJS.Timeout | null = null;
  #looking = false;
  #stopped = false;

  constructor(watch: BrowserWatch, tab: WatchedTarget, onVisibility: (visible: boolean) => void) {
    this.#watch = watch;
    this.#tab = tab;
    this.#onVisibility = onVisibility;
    this.#start();
  }

  add(subscriber: FramePace): void {
    this.#subscribers.add(subscriber);
    if (this.#latest !== null) subscriber.offer(this.#latest);
  }

  /** Answers how many subscribers are left. */
  remove(subscriber: FramePace): number {
    this.#subscribers.delete(subscriber);
    return this.#subscribers.size;
  }

  /** Takes an event of the tab's screencast. */
  receive(method: string, params: unknown): void {
    if (this.#stopped) return;
    if (method === "Page.screencastFrame") this.#receiveFrame(params as FrameEvent);
    if (method === "Page.screencastVisibilityChanged") {
      this.#receiveVisibility((params as { readonly visible: boolean }).visible);
    }
  }

  stop(): void {
    if (this.#stopped) return;
    this.#stopped = true;
    this.#clearTimers();
    this.#latest = null;
    for (const subscriber of this.#subscribers) subscriber.stop();
    this.#command("Page.stopScreencast", {});
  }

  #start(): void {
    this.#command("Page.startScreencast", { format: "jpeg", quality: jpegQuality });
  }

  /** A screencast that begins sends the page as it is now. */
  #startAnew(): void {
    this.#unacknowledged = [];
    this.#mayHaveLost = false;
    this.#clearTimers();
    this.#command("Page.stopScreencast", {});
    this.#start();
  }

  #receiveFrame({ data, metadata, sessionId }: FrameEvent): void {
    this.#unacknowledged.push(sessionId);
    if (this.#unacknowledged.length >= mostInFlight) this.#mayHaveLost = true;
    if (this.#quietTimer !== null) clearTimeout(this.#quietTimer);
    this.#quietTimer = null;
    const now = performance.now();
    this.#gapMs = now - this.#receivedAt;
    this.#receivedAt = now;
    this.#acknowledge();
    this.#deliver(frameOf(this.#tab.targetId, data, metadata));
  }

  #deliver(frame: ScreencastFrame): void {
    // The same picture again, by a screencast that began anew.
    if (this.#latest?.jpeg.equals(frame.jpeg) === true) return;
    this.#latest = frame;
    for (const subscriber of [...this.#subscribers]) subscriber.offer(frame);
  }

  /** Acknowledges one frame, or plans to: one for each frame that the fastest subscriber takes. */
  #acknowledge(): void {
    if (this.#acknowledgeTimer !== null) return;
    const fastest = Math.max(1, ...[...this.#subscribers].map(({ maxFps }) => maxFps));
    const wait = this.#acknowledgedAt + 1000 / fastest - performance.now();
    if (wait <= 0) this.#acknowledgeNow();
    else this.#acknowledgeTimer = setTimeout(() => this.#acknowledgeNow(), wait);
  }

  #acknowledgeNow(): void {
    this.#acknowledgeTimer = null;
    this.#acknowledgedAt = performance.now();
    const sessionId = this.#unacknowledged.shift();
    if (sessionId !== undefined) this.#command("Page.screencastFrameAck", { sessionId });
    if (this.#unacknowledged.length > 0) this.#acknowledge();
    else if (this.#mayHaveLost) {
      const quietMs = Math.min(mostQuietMs, Math.max(leastQuietMs, this.#gapMs * 2));
      this.#quietTimer = setTimeout(() => this.#startAnew(), quietMs);
    }
  }

  #receiveVisibility(visible: boolean): void {
    const wasHidden = this.#hiddenTimer !== null;
    // What the start of a screencast or a look at a hidden tab brings about is no news.
    if (visible === !wasHidden || (visible && this.#looking)) return;
    if (this.#hiddenTimer !== null) clearInterval(this.#hiddenTimer);
    this.#hiddenTimer = visible
      ? null
      : setInterval(() => void this.#lookAtHidden(), hiddenEveryMs);
    this.#onVisibility(visible);
  }

  /** To be pictured, the tab is painted for a moment, which the screencast takes for being visible. */
  async #lookAtHidden(): Promise<void> {
    if (this.#looking) return;
    this.#looking = true;
    const { sessionId } = this.#tab;
    const at = Date.now();
    try {
      const [shot, layout] = (await Promise.all([
        this.#watch.send(
          "Page.captureScreenshot",
          { format: "jpeg", quality: jpegQuality },
          { sessionId },
        ),
        this.#watch.send("Page.getLayoutMetrics", {}, { sessionId }),
      ])) as [{ readonly data: string }, LayoutMetrics];
      if (this.#stopped) return;
      const { clientWidth, clientHeight, pageX, pageY, scale } = layout.cssVisualViewport;
      this.#deliver({
        targetId: this.#tab.targetId,
        jpeg: Buffer.from(shot.data, "base64"),
        at,
        width: clientWidth,
        height: clientHeight,
        scrollX: pageX,
        scrollY: pageY,
        pageScale: scale,
      });
      const { result } = (await this.#watch.send(
        "Runtime.evaluate",
        { expression: "document.visibilityState" },
        { sessionId },
      )) as { readonly result: { readonly value?: unknown } };
      this.#looking = false;
      if (result.value === "visible" && this.#hiddenTimer !== null) this.#receiveVisibility(true);
    } catch {
      // It closed, or it is busy: the next look may succeed.
    } finally {
      this.#looking = false;
    }
  }

  #clearTimers(): void {
    if (this.#acknowledgeTimer !== null) clearTimeout(this.#acknowledgeTimer);
    if (this.#quietTimer !== null) clearTimeout(this.#quietTimer);
    if (this.#hiddenTimer !== null) clearInterval(this.#hiddenTimer);
    this.#acknowledgeTimer = null;
    this.#quietTimer = null;
    this.#hiddenTimer = null;
  }

  /** For commands whose failure means that the tab is gone. */
  #command(method: string, params: object): void {
    this.#watch.send(method, params, { sessionId: this.#tab.sessionId }).catch(() => {});
  }
}

interface FrameEvent {
  /** Base64. */
  readonly data: string;
  readonly metadata: FrameMetadata;
  /** What acknowledges it. */
  readonly sessionId: number;
}

interface FrameMetadata {
  readonly pageScaleFactor: number;
  readonly deviceWidth: number;
  readonly deviceHeight: number;
  readonly scrollOffsetX: number;
  readonly scrollOffsetY: number;
  /** Epoch s. */
  readonly timestamp?: number;
}

interface LayoutMetrics {
  readonly cssVisualViewport: {
    readonly clientWidth: number;
    readonly clientHeight: number;
    readonly pageX: number;
    readonly pageY: number;
    readonly scale: number;
  };
}

function frameOf(targetId: string, data: string, metadata: FrameMetadata): ScreencastFrame {
  return {
    targetId,
    jpeg: Buffer.from(data, "base64"),
    at: metadata.timestamp === undefined ? Date.now() : metadata.timestamp * 1000,
    width: metadata.deviceWidth,
    height: metadata.deviceHeight,
    scrollX: metadata.scrollOffsetX,
    scrollY: metadata.scrollOffsetY,
    pageScale: metadata.pageScaleFactor,
  };
}
