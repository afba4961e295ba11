import { type Browser, chromium, type Page } from "playwright-core";
import { findChromium } from "../../src/browsers/chromium.ts";

/** What a video shows at a time. */
export type Color = readonly [red: number, green: number, blue: number];

/** Plays videos in a Chromium of its own, as people do. */
export class VideoDecoder {
  readonly #browser: Browser;
  readonly page: Page;

  private constructor(browser: Browser, page: Page) {
    this.#browser = browser;
    this.page = page;
  }

  static async launch(): Promise<VideoDecoder> {
    const { chromium: full, headlessShell } = await findChromium({
      chromiumPath: null,
      headlessShellPath: null,
      dataDir: "/nonexistent",
    });
    const executablePath = (full ?? headlessShell)?.path ?? "";
    const browser = await chromium.launch({ executablePath });
    return new VideoDecoder(browser, await browser.newPage());
  }

  /** Loads a video; answers its dimensions and how long it says it is, in s. */
  async load(mp4: Buffer): Promise<{ duration: number; width: number; height: number }> {
    await this.page.goto("about:blank");
    return this.page.evaluate(`(async () => {
      const bytes = Uint8Array.from(atob("${mp4.toString("base64")}"), (c) => c.charCodeAt(0));
      const video = document.createElement("video");
      video.muted = true;
      video.src = URL.createObjectURL(new Blob([bytes], { type: "video/mp4" }));
      document.body.append(video);
      await new Promise((resolve, reject) => {
        video.onloadeddata = resolve;
        video.onerror = () => reject(new Error(video.error.message));
      });
      return { duration: video.duration, width: video.videoWidth, height: video.videoHeight };
    })()`);
  }

  /** The colour in the middle of the picture at a time (in s) of the video that was loaded. */
  async colorAt(seconds: number): Promise<Color> {
    return this.page.evaluate(`(async () => {
      const video = document.querySelector("video");
      if (video.currentTime !== ${seconds}) {
        await new Promise((resolve) => {
          video.onseeked = resolve;
          video.currentTime = ${seconds};
        });
      }
      const canvas = new OffscreenCanvas(video.videoWidth, video.videoHeight);
      const context = canvas.getContext("2d");
      context.drawImage(video, 0, 0);
      const { data } = context.getImageData(video.videoWidth / 2, video.videoHeight / 2, 1, 1);
      return [...data.slice(0, 3)];
    })()`);
  }

  close(): Promise<void> {
    return this.#browser.close();
  }
}
