import { NightjarError } from "../sessions/errors.ts";
import type { Browser } from "../sessions/ports.ts";
import type { EndedSession } from "../sessions/session.ts";
import { type DriverSurroundings, PageDriver } from "./driver/page-driver.ts";
import type { Perception } from "./observe/perception.ts";
import { OperationQueue } from "./operation-queue.ts";
import type { OpenedFile } from "./scrape/scrape-pdf.ts";
import type { ElementNumbers } from "./steps/step-store.ts";

/** Whatever a page does, those who wait behind an operation get their turn, in ms. */
const longestOperationMs = 90_000;

/**
 * What this process holds for a session whose pages are operated: its queue, its driver, and what
 * the last observation named. Made by the first page operation; a session that only uses CDP has none.
 */
export class DrivenSession {
  readonly perception: Perception;
  /** The id of the element that the last action was done to; null before any. */
  lastElementId: string | null = null;
  /** The numbers of elements' ids that this process has noted in the store. */
  notedNumbers: ElementNumbers = {};
  /** The PDF that was opened last; null once its tab shows something else. */
  openedPdf: (OpenedFile & { readonly documentId: string }) | null = null;
  readonly #browser: Browser;
  readonly #surroundings: DriverSurroundings;
  #operating = false;
  #over = false;
  readonly #queue = new OperationQueue();
  readonly #end = Promise.withResolvers<never>();
  #driver: Promise<PageDriver> | null = null;

  constructor(browser: Browser, perception: Perception, surroundings: DriverSurroundings) {
    this.#browser = browser;
    this.#surroundings = {
      ...surroundings,
      // An operation waits for nobody.
      isForPerson: () => !this.#operating && surroundings.isForPerson(),
    };
    this.perception = perception;
    // Nobody may be waiting for an operation when the session ends.
    this.#end.promise.catch(() => {});
  }

  /** Whether the session, or its time in this process, has ended: operations are broken off then. */
  get isOver(): boolean {
    return this.#over;
  }

  /**
   * Runs an operation when those before it are done. Throws `session_ended` with the reason as soon
   * as the session ends, whatever the operation is waiting for.
   */
  run<T>(signal: AbortSignal, operation: (driver: PageDriver) => Promise<T>): Promise<T> {
    const result = this.#queue.run(signal, async () => {
      this.#operating = true;
      try {
        const driver = await this.#connect();
        await driver.dialogs.answerLeft();
        return await bounded(operation(driver));
      } finally {
        this.#operating = false;
      }
    });
    // One that goes on after the end has nobody left to tell what became of it.
    result.catch(() => {});
    return Promise.race([result, this.#end.promise]);
  }

  /** Lets go of the browser; null when the server stops and leaves the session running. */
  end(ended: EndedSession | null): void {
    this.#over = true;
    this.#end.reject(
      ended === null
        ? new NightjarError(
            "shutting_down",
            "The server restarts; the session goes on. Try again in a moment.",
            { retryAfterSeconds: 5 },
          )
        : new NightjarError(
            "session_ended",
            `Session "${ended.id}" ended during the operation: ${ended.state.endReason}.`,
          ),
    );
    void this.#driver?.then(
      (driver) => driver.close(),
      () => {},
    );
  }

  async #connect(): Promise<PageDriver> {
    const driver = await this.#driver;
    if (driver?.connected === true) return driver;
    const connecting = PageDriver.connect(this.#browser, this.#surroundings);
    this.#driver = connecting;
    try {
      return await connecting;
    } catch (error) {
      this.#driver = null;
      throw error;
    }
  }
}

/** What an operation brings, or `page_failed` when it does not end. */
async function bounded<T>(operation: Promise<T>): Promise<T> {
  const late = Promise.withResolvers<never>();
  const timer = setTimeout(() => {
    late.reject(
      new NightjarError(
        "page_failed",
        `The operation did not end within ${longestOperationMs / 1000} seconds and was given up. Look at the page, then try again.`,
      ),
    );
  }, longestOperationMs);
  try {
    return await Promise.race([operation, late.promise]);
  } finally {
    clearTimeout(timer);
  }
}
