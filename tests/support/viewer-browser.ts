import { tmpdir } from "node:os";
import path from "node:path";
import { type Browser, chromium, type Page } from "playwright-core";
import { findChromium } from "../../src/browsers/chromium.ts";

/**
 * A Chromium for people: the one that looks at the server's pages, not one of its sessions. The
 * light one unless the full one is asked for, which alone has the developers' tools.
 */
export async function launchViewerBrowser(kind: "light" | "full" = "light"): Promise<Browser> {
  const { headlessShell, chromium: full } = await findChromium({
    chromiumPath: null,
    headlessShellPath: null,
    dataDir: path.join(tmpdir(), "nightjar-none"),
  });
  const executablePath = (kind === "full" ? full : (headlessShell ?? full))?.path;
  if (executablePath === undefined) throw new Error("these tests need a Chromium");
  return chromium.launch({ executablePath, args: ["--no-sandbox"] });
}

/** The live view's page, as a person meets it. */
export class ViewerPage {
  readonly page: Page;
  /** What the browser complained of: errors of scripts, and what the content policy refused. */
  readonly complaints: string[] = [];

  private constructor(page: Page) {
    this.page = page;
    page.on("console", (message) => {
      if (message.type() === "error") this.complaints.push(message.text());
    });
    page.on("pageerror", (error) => this.complaints.push(error.message));
  }

  static async open(browser: Browser, url: string): Promise<ViewerPage> {
    const context = await browser.newContext({ viewport: { width: 1000, height: 700 } });
    const viewer = new ViewerPage(await context.newPage());
    await viewer.page.goto(url);
    return viewer;
  }

  get takeControl() {
    return this.page.getByRole("button", { name: "Take control" });
  }

  get releaseControl() {
    return this.page.getByRole("button", { name: "Release control" });
  }

  get tabs() {
    return this.page.getByRole("tab");
  }

  get address() {
    return this.page.getByRole("textbox", { name: "Address" });
  }

  /** The colour in the middle of what is to be seen of the session's page. */
  async color(): Promise<readonly number[]> {
    return this.page.evaluate<number[]>(`(() => {
      const screen = document.getElementById("screen");
      const pixel = screen.getContext("2d").getImageData(screen.width / 2, screen.height / 2, 1, 1);
      return [...pixel.data.slice(0, 3)];
    })()`);
  }

  /** Clicks at a place of the session's page, in its CSS pixels. */
  async click(x: number, y: number, pageWidth: number): Promise<void> {
    const place = await this.placeOf(x, y, pageWidth);
    await this.page.mouse.click(place.x, place.y);
  }

  /** Where a place of the session's page is shown, in CSS pixels of this one. */
  async placeOf(x: number, y: number, pageWidth: number): Promise<{ x: number; y: number }> {
    const box = await this.page.locator("#page").boundingBox();
    if (box === null) throw new Error("no page is to be seen");
    const scale = box.width / pageWidth;
    return { x: box.x + x * scale, y: box.y + y * scale };
  }

  async close(): Promise<void> {
    await this.page.context().close();
  }
}
