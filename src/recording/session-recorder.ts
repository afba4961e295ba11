import type { Browser } from "../sessions/ports.ts";
import { blankPicture } from "./blank-picture.ts";
import { frameIntervalMs } from "./frame-budget.ts";
import { FrameClock } from "./frame-clock.ts";
import { FrameWriter } from "./frame-writer.ts";
import { jpegSize } from "./jpeg-size.ts";
import { keepWatching } from "./keep-watching.ts";
import { lookAtTab } from "./page-look.ts";
import { recordingFiles, writeThinnedAt } from "./recording-files.ts";
import type { RecordingFolder, RecordingFolders } from "./recording-folder.ts";
import type { Screencasts, StopFrames } from "./screencast.ts";
import type { ScreencastFrame } from "./screencast-frame.ts";

/**
 * How long the last look at a page may hold up the end of its browser, in ms. When a server stops, all
 * of its sessions are looked at together.
 */
const lastLookMs = 3000;

/** What a recording needs of a session's screencasts. */
export type RecordedScreencasts = Pick<
  Screencasts,
  "activeTab" | "onActiveTab" | "subscribe" | "closed"
>;

export interface SessionRecorderOptions {
  readonly sessionId: string;
  readonly browser: Pick<Browser, "watch">;
  readonly screencasts: (sessionId: string) => Promise<RecordedScreencasts>;
  readonly folders: RecordingFolders;
  /**
   * Since when the session has been there with a blank page, epoch ms; null where nobody knows what
   * it showed before this process looked.
   */
  readonly blankSince: number | null;
  /** What the recording of this session may take, in bytes. */
  readonly mostBytes: number;
  /** Called for each file of frames that is complete, and for those that an earlier process left. */
  readonly onFile: (number: number) => void;
  /** Called once, when frames begin to be left out for want of room. */
  readonly onThinned: () => void;
  readonly onFailure: (error: unknown) => void;
}

/** Where frames are written to. */
interface Target {
  readonly folder: RecordingFolder;
  readonly writer: FrameWriter;
}

/**
 * Records the tab of one session that is used, from `begin` on until `finish` or `leave`; what it
 * showed before is known without pictures.
 */
export class SessionRecorder {
  readonly #options: SessionRecorderOptions;
  readonly #clock = new FrameClock();
  #target: Promise<Target> | null = null;
  #turn: Promise<void> = Promise.resolve();
  #casts: RecordedScreencasts | null = null;
  #tab: string | null = null;
  #unsubscribe: StopFrames = () => {};
  #intervalMs: number | null = null;
  /** When the tab was subscribed to, epoch ms. */
  #subscribedAt = 0;
  #lastJpeg: Buffer | null = null;
  /** When the last frame came, on the monotonic clock, in ms. */
  #lastCameAt = Number.NEGATIVE_INFINITY;
  /** When a page last went somewhere before the first picture came, epoch ms; null for never. */
  #wentAt: number | null = null;
  #stopAttending = (): void => {};
  #usedBytes = 0;
  #thinned = false;
  #begun = false;
  readonly #over = new AbortController();

  constructor(options: SessionRecorderOptions) {
    this.#options = options;
  }

  /** Notes when the page goes somewhere until `begin` brings a picture, which costs next to nothing. */
  attend(): void {
    this.#options.browser.watch().then(
      (watch) => {
        if (this.#stopped || this.#lastJpeg !== null) return;
        const urls = new Map(watch.tabs.map(({ targetId, url }) => [targetId, url]));
        this.#stopAttending = watch.onTarget(({ kind, target }) => {
          if (target.kind !== "page" || kind === "closed") return;
          if (urls.get(target.targetId) !== target.url) this.#wentAt = Date.now();
          urls.set(target.targetId, target.url);
        });
      },
      // Its pictures cannot be had then either, which is said when they are asked for.
      () => {},
    );
  }

  begin(): void {
    if (this.#begun || this.#stopped) return;
    this.#begun = true;
    void this.#run();
  }

  /** Told when a file of frames has become a segment: a recording takes less room then. */
  encoded(framesBytes: number, segmentBytes: number): void {
    this.#usedBytes += segmentBytes - framesBytes;
    this.#pace();
  }

  /**
   * Ends the recording with what the page shows now, unless `browserGone`. Resolves when all of it is
   * on the disk.
   */
  async finish(browserGone: boolean): Promise<void> {
    const tab = this.#tab;
    const endedAt = Date.now();
    this.#stop();
    // Also of a page that stood still for long: what it drew last may be on its way.
    const isSeen = !browserGone && (await this.#look(tab));
    // The last picture again: that is how long it was shown. A look in vain is no part of the session.
    if (this.#lastJpeg !== null) this.#write(isSeen ? Date.now() : endedAt, this.#lastJpeg);
    await this.#close();
  }

  /** Ends the recording for this process alone: the session runs on. */
  async leave(): Promise<void> {
    this.#stop();
    await this.#close();
  }

  get #stopped(): boolean {
    return this.#over.signal.aborted;
  }

  async #run(): Promise<void> {
    await keepWatching({
      over: this.#over.signal,
      onFailure: this.#options.onFailure,
      watch: async () => {
        const casts = await this.#options.screencasts(this.#options.sessionId);
        if (this.#stopped) return;
        const stop = casts.onActiveTab((tab) => this.#follow(casts, tab));
        this.#follow(casts, casts.activeTab);
        await casts.closed;
        stop();
        this.#follow(null, null);
      },
    });
  }

  #follow(casts: RecordedScreencasts | null, tab: string | null): void {
    if (this.#stopped) return;
    this.#casts = casts;
    this.#tab = tab;
    this.#subscribe();
  }

  #subscribe(): void {
    this.#unsubscribe();
    this.#unsubscribe = () => {};
    this.#intervalMs = frameIntervalMs(this.#usedBytes, this.#options.mostBytes);
    if (this.#casts === null || this.#tab === null || this.#intervalMs === null) return;
    this.#subscribedAt = Date.now();
    const options = { maxFps: 1000 / this.#intervalMs };
    this.#unsubscribe = this.#casts.subscribe(this.#tab, options, (frame) => this.#take(frame));
  }

  #take({ jpeg, at }: ScreencastFrame): void {
    // The current frame of a tab that is subscribed to at another pace.
    if (this.#stopped || jpeg === this.#lastJpeg) return;
    // A tab that was turned to shows from now on what it may have drawn long ago.
    this.#write(Math.max(at, this.#subscribedAt), jpeg);
  }

  #write(at: number, jpeg: Buffer): void {
    const isFirst = this.#lastJpeg === null;
    this.#lastJpeg = jpeg;
    this.#lastCameAt = performance.now();
    this.#stopAttending();
    this.#append(isFirst ? this.#writeBlank(at, jpeg) : at, jpeg, this.#lastCameAt);
  }

  /**
   * What the session showed before its first picture was taken: a blank page, then what the picture
   * shows, from when it went there. Answers that time.
   */
  #writeBlank(at: number, firstJpeg: Buffer): number {
    const { blankSince } = this.#options;
    const size = jpegSize(firstJpeg);
    if (blankSince === null || size === null || blankSince >= at) return at;
    const agoMs = Date.now() - blankSince;
    this.#append(blankSince, blankPicture(size), performance.now() - agoMs);
    return this.#wentAt === null ? at : Math.min(at, this.#wentAt);
  }

  /** `monotonicMs`: when it came, by the clock that nobody sets. */
  #append(at: number, jpeg: Buffer, monotonicMs: number): void {
    const time = this.#clock.timeOf(at, monotonicMs);
    this.#target ??= this.#open();
    const target = this.#target;
    this.#turn = this.#turn.then(async () => {
      try {
        this.#usedBytes += (await target).writer.write(time, jpeg);
        this.#pace();
      } catch {
        // Said when it could not be opened; the next frame tries again.
      }
    });
  }

  async #open(): Promise<Target> {
    const { folders, sessionId, onFile, onFailure } = this.#options;
    try {
      const folder = await folders.open(sessionId);
      const { frames, segments, sizeBytes } = await recordingFiles(folder.directory);
      this.#usedBytes += sizeBytes;
      for (const number of frames) onFile(number);
      const firstNumber = Math.max(0, ...frames, ...segments) + 1;
      return { folder, writer: new FrameWriter({ folder, firstNumber, onFile, onFailure }) };
    } catch (error) {
      onFailure(error);
      this.#target = null;
      throw error;
    }
  }

  /** Subscribes anew where the room that is left asks for another pace. */
  #pace(): void {
    const wanted = frameIntervalMs(this.#usedBytes, this.#options.mostBytes);
    if (this.#stopped || wanted === this.#intervalMs) return;
    const before = this.#intervalMs;
    this.#subscribe();
    if (this.#thinned || before === null || (wanted !== null && wanted < before)) return;
    this.#thinned = true;
    this.#options.onThinned();
    void this.#target
      ?.then(({ folder }) => writeThinnedAt(folder.directory, Date.now()))
      .catch(this.#options.onFailure);
  }

  /** Whether the page could be seen once more. */
  async #look(tab: string | null): Promise<boolean> {
    const jpeg = await lookAtTab(this.#options.browser, tab, lastLookMs);
    if (jpeg !== null) this.#write(Date.now(), jpeg);
    return jpeg !== null;
  }

  #stop(): void {
    // A last look may fail, and this is at hand.
    this.#unsubscribe({ handOnWaiting: true });
    this.#over.abort();
    this.#stopAttending();
  }

  async #close(): Promise<void> {
    await this.#turn;
    const target = await this.#target?.catch(() => null);
    await target?.writer.close();
    target?.folder.close();
  }
}
