import { tmpdir } from "node:os";
import type { BrowserContext, Page, Browser as PlaywrightBrowser } from "playwright-core";
import { messageOf, NightjarError } from "../../sessions/errors.ts";
import type { Browser } from "../../sessions/ports.ts";
import { Dialogs } from "./dialogs.ts";
import { DrivenPage } from "./driven-page.ts";
import { DriverConnection } from "./driver-connection.ts";
import { registerElementEngine } from "./element-engine.ts";
import { FrameTracker } from "./frame-tracker.ts";

const connectTimeoutMs = 15_000;
/** How long a page that appears may take to be ready to be driven, in ms. */
const pageReadyTimeoutMs = 5000;

/** What goes on around a driver. */
export interface DriverSurroundings {
  /** Told of each tab that an operation addresses. */
  readonly onTabUsed: (targetId: string) => void;
  /** Whether a person answers the dialogs of the pages now. */
  readonly isForPerson: () => boolean;
}

const nobodyAround: DriverSurroundings = { onTabUsed: () => {}, isForPerson: () => false };

/** Drives the pages of one session's browser, through one connection that Playwright and we share. */
export class PageDriver {
  readonly browser: Browser;
  readonly connection: DriverConnection;
  readonly context: BrowserContext;
  readonly dialogs: Dialogs;
  readonly #frames: FrameTracker;
  readonly #playwright: PlaywrightBrowser;
  readonly #driven = new WeakMap<Page, Promise<DrivenPage>>();
  readonly #surroundings: DriverSurroundings;
  #active: Page | null = null;
  readonly #crashed = new WeakSet<Page>();
  /** Settles when the last tab that crashed has been replaced. */
  #repaired: Promise<void> = Promise.resolve();

  private constructor(
    browser: Browser,
    playwright: PlaywrightBrowser,
    context: BrowserContext,
    connection: DriverConnection,
    frames: FrameTracker,
    surroundings: DriverSurroundings,
  ) {
    this.browser = browser;
    this.#surroundings = surroundings;
    this.#playwright = playwright;
    this.context = context;
    this.connection = connection;
    this.#frames = frames;
    this.dialogs = new Dialogs(context, surroundings.isForPerson);
    for (const page of context.pages()) this.#replaceOnCrash(page);
    context.on("page", (page) => this.#replaceOnCrash(page));
  }

  /** Connects to a session's browser. Throws `browser_unavailable`. */
  static async connect(
    browser: Browser,
    surroundings: DriverSurroundings = nobodyAround,
  ): Promise<PageDriver> {
    let connection: DriverConnection | null = null;
    try {
      // Loaded only where it is needed: it is the server's largest dependency.
      const { chromium } = await import("playwright-core");
      connection = new DriverConnection(await browser.openMessages());
      const frames = new FrameTracker(connection);
      const playwright = await chromium.connectOverCDP(connection, {
        timeout: connectTimeoutMs,
        // Otherwise it makes a directory of its own for each connection, which a crash leaves behind.
        artifactsDir: browser.directory ?? tmpdir(),
      });
      const [context] = playwright.contexts();
      if (context === undefined) throw new Error("the browser has no default context");
      await registerElementEngine(context);
      const driver = new PageDriver(browser, playwright, context, connection, frames, surroundings);
      await driver.#chooseActive();
      return driver;
    } catch (error) {
      connection?.close();
      if (error instanceof NightjarError) throw error;
      throw new NightjarError(
        "browser_unavailable",
        `The browser's pages could not be reached: ${messageOf(error)}.`,
        { cause: error },
      );
    }
  }

  /** False once the connection to the browser has broken. */
  get connected(): boolean {
    return this.connection.isOpen && this.#playwright.isConnected();
  }

  /** Where the tab is that operations address; empty where there is none. */
  get activeUrl(): string {
    const isThere = this.#active !== null && !this.#active.isClosed();
    return (isThere ? this.#active : this.tabs().at(-1))?.url() ?? "";
  }

  /** The open tabs, in the order they were opened. */
  tabs(): readonly Page[] {
    return this.context.pages().filter((page) => !page.isClosed());
  }

  /** The tab that operations address; the last one left where it was closed, a new one where none is. */
  async activePage(): Promise<DrivenPage> {
    await this.#repaired;
    let page = this.#active;
    if (page === null || page.isClosed()) {
      page = this.tabs().at(-1) ?? (await this.context.newPage());
      this.#active = page;
    }
    return this.#used(page);
  }

  /** Whether the process that rendered a tab died; the tab is closed then. */
  hasCrashed(page: Page): boolean {
    return this.#crashed.has(page);
  }

  /** Makes a tab the one that operations address, and shows it. */
  async activate(page: Page): Promise<DrivenPage> {
    this.#active = page;
    await page.bringToFront();
    return this.#used(page);
  }

  /** A tab together with what is needed to run scripts in it. */
  driven(page: Page): Promise<DrivenPage> {
    let driven = this.#driven.get(page);
    if (driven === undefined) {
      driven = this.#drive(page);
      // One that fails, because its page closed say, is tried again when asked again.
      driven.catch(() => this.#driven.delete(page));
      this.#driven.set(page, driven);
    }
    return driven;
  }

  /** Lets go of the browser; it runs on. */
  close(): void {
    this.connection.close();
  }

  /** Nothing can be done in a tab whose page crashed, and Playwright never takes it up again. */
  #replaceOnCrash(page: Page): void {
    page.once("crash", () => {
      this.#crashed.add(page);
      const others = this.tabs().filter((tab) => tab !== page);
      const replace = async (): Promise<void> => {
        // The browser would end with its last tab.
        if (others.length === 0) this.#active = await this.context.newPage();
        await page.close();
      };
      // It fails where the browser is going, which whoever drives it notices soon enough.
      this.#repaired = replace().catch(() => {});
    });
  }

  async #used(page: Page): Promise<DrivenPage> {
    const driven = await this.driven(page);
    this.#surroundings.onTabUsed(driven.targetId);
    return driven;
  }

  async #drive(page: Page): Promise<DrivenPage> {
    const client = await this.context.newCDPSession(page);
    try {
      const { targetInfo } = await client.send("Target.getTargetInfo");
      const { targetId } = targetInfo;
      const sessionId = this.#frames.sessionOf(targetId);
      if (sessionId === null) throw new Error("its tab is not attached");
      const { frameTree } = await this.connection.command("Page.getFrameTree", undefined, {
        sessionId,
        timeoutMs: pageReadyTimeoutMs,
      });
      this.#learnFrames(frameTree);
      return new DrivenPage(page, { targetId, sessionId }, this.connection, this.#frames);
    } finally {
      void client.detach().catch(() => {});
    }
  }

  #learnFrames(tree: FrameTree): void {
    for (const child of tree.childFrames ?? []) {
      this.#frames.learnParent(child.frame.id, tree.frame.id);
      this.#learnFrames(child);
    }
  }

  /** At first, the tab that was used last, by whoever drove the browser before. */
  async #chooseActive(): Promise<void> {
    const [latest] = await this.browser.pages();
    const tabs = this.tabs();
    if (latest === undefined || tabs.length < 2) return;
    for (const page of tabs) {
      const { targetId } = await this.driven(page);
      if (targetId === latest.targetId) this.#active = page;
    }
  }
}

interface FrameTree {
  readonly frame: { readonly id: string };
  readonly childFrames?: readonly FrameTree[];
}
