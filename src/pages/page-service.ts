import type { ScreenshotType } from "../sessions/browser-settings.ts";
import { NightjarError } from "../sessions/errors.ts";
import type { Principal } from "../sessions/session-service.ts";
import type { Action, ActionResult, ScrapeRequest } from "./actions/action.ts";
import { executeAction } from "./actions/execute.ts";
import { checkedRequestUrl } from "./actions/navigation-actions.ts";
import type { SessionFiles } from "./actions/ports.ts";
import { addCookies, type Cookie, readCookies } from "./cookies.ts";
import type { DrivenSession } from "./driven-session.ts";
import { DrivenSessions, type DrivenSessionsOptions } from "./driven-sessions.ts";
import type { DrivenPage } from "./driver/driven-page.ts";
import type { PageDriver } from "./driver/page-driver.ts";
import { defaultActionWith } from "./observe/default-action.ts";
import type { Observation, ObserveRequest, PageElement } from "./observe/observation.ts";
import { checkExtractor, type HtmlSource, scrapePage, withData } from "./scrape/scrape.ts";
import { scrapeOpenedPdf } from "./scrape/scrape-pdf.ts";
import type { ScrapeResult } from "./scrape/scrape-result.ts";
import type { StructuredExtractor } from "./scrape/structured-extractor.ts";
import { type PdfRequest, printPdf } from "./screenshot/pdf.ts";
import {
  type Screenshot,
  type ScreenshotMark,
  type ScreenshotRequest,
  takeScreenshot,
} from "./screenshot/screenshot.ts";
import type { Finished, LoggedOperation } from "./step-log.ts";
import { cookiesStep } from "./steps/cookies-step.ts";
import { scrapeAction, scrapeStep } from "./steps/scrape-step.ts";
import type { Asked } from "./steps/started-step.ts";
import { actionStep } from "./steps/step.ts";

export interface PageServiceOptions extends DrivenSessionsOptions {
  /** The files of a session of this tenant. */
  readonly filesOf: (tenantId: string, sessionId: string) => SessionFiles;
  /** Null where no model is configured. */
  readonly extractor: StructuredExtractor | null;
}

/** What a picture of a page is to show. */
export type PictureRequest = Omit<ScreenshotRequest, "marks"> & {
  /** Which elements are marked; null for what the session was started with. */
  readonly type: ScreenshotType | null;
  /** Whether the ids of observations stand beside the marks. */
  readonly labels: boolean;
};

export interface ObservationAnswer {
  readonly observation: Observation;
  /** Null where none was asked for. */
  readonly screenshot: Screenshot | null;
  /** The element that the last action was done to; null before any. */
  readonly lastElementId: string | null;
}

/** Marks of more elements than this hide the page. */
const mostMarks = 300;

/**
 * Operates the pages of sessions. The operations of one session run one after the other; each counts
 * as an access, and each throws `session_not_found`, `session_ended`, `browser_unavailable`,
 * `too_many_operations` or `page_failed` beside its own errors. A signal that is aborted takes back
 * an operation that has not begun and cuts short one that only waits.
 */
export class PageService {
  readonly #options: PageServiceOptions;
  readonly #driven: DrivenSessions;

  constructor(options: PageServiceOptions) {
    this.#options = options;
    this.#driven = new DrivenSessions(options);
  }

  /** Looks at the active tab; with a URL, opens that first. Throws `invalid_request` for a URL that is none. */
  observe(
    principal: Principal,
    sessionId: string,
    request: ObserveRequest & {
      readonly url: string | null;
      readonly picture: PictureRequest | null;
    },
    signal: AbortSignal,
  ): Promise<ObservationAnswer> {
    const url = request.url === null ? null : checkedRequestUrl(request.url);
    return this.#driven.operate(
      "page.observe",
      principal,
      sessionId,
      signal,
      async (session, driver) => {
        if (url !== null) await this.#open(principal, sessionId, session, driver, url, signal);
        const operation = { sessionId, session, driver, signal };
        return this.#attempt(operation, { kind: "observation" }, async () => {
          const observation = await session.perception.observe(driver, request, signal);
          const { picture } = request;
          const screenshot =
            picture === null
              ? null
              : await this.#picture(sessionId, session, driver, picture, observation.elements);
          return {
            value: { observation, screenshot, lastElementId: session.lastElementId },
            step: {
              kind: "observation",
              startedAt: observation.startedAt,
              endedAt: Date.now(),
              url: observation.url,
              title: observation.title,
              elementCount: observation.elements.length,
              lastNumbers: session.perception.lastNumbers,
            },
          };
        });
      },
    );
  }

  /** Does an action. One that fails is answered, not thrown. */
  execute(
    principal: Principal,
    sessionId: string,
    action: Action,
    signal: AbortSignal,
  ): Promise<ActionResult> {
    return this.#driven.operate("page.execute", principal, sessionId, signal, (session, driver) =>
      this.#execute(principal, sessionId, session, driver, action, signal),
    );
  }

  /**
   * Does to an element what one does to its kind: clicks, fills in or chooses the value. As `execute`
   * for an id that no observation gave.
   */
  operate(
    principal: Principal,
    sessionId: string,
    request: {
      readonly elementId: string;
      readonly value: string | null;
      readonly pressEnter: boolean;
      readonly timeoutMs: number;
    },
    signal: AbortSignal,
  ): Promise<ActionResult> {
    return this.#driven.operate("page.execute", principal, sessionId, signal, (session, driver) => {
      const { elementId: id, value, pressEnter, timeoutMs } = request;
      const element = session.perception.find(id);
      const target = { id, selectors: [], frames: [] };
      const action: Action =
        element === null
          ? { type: "click", target, timeoutMs, pressEnter, dialog: null }
          : defaultActionWith(element, value, pressEnter, timeoutMs);
      return this.#execute(principal, sessionId, session, driver, action, signal);
    });
  }

  /** Scrapes the active tab, or HTML in its place; with a URL, opens that first. Throws as `scrapePage` does. */
  async scrape(
    principal: Principal,
    sessionId: string,
    {
      url: wanted,
      source,
      ...request
    }: ScrapeRequest & { readonly url: string | null; readonly source: HtmlSource | null },
    signal: AbortSignal,
  ): Promise<ScrapeResult> {
    const { extractor } = this.#options;
    checkExtractor(request, extractor);
    const url = wanted === null ? null : checkedRequestUrl(wanted);
    const result = await this.#driven.operate(
      "page.scrape",
      principal,
      sessionId,
      signal,
      async (session, driver) => {
        if (url !== null) await this.#open(principal, sessionId, session, driver, url, signal);
        const files = this.#options.filesOf(principal.tenantId, sessionId);
        const scrape = async () =>
          scrapeTab(session, await driver.activePage(), files, request, source, signal);
        // HTML that somebody sent is no page of the session.
        if (source !== null) return scrape();
        const operation = { sessionId, session, driver, signal };
        const action = scrapeAction(request);
        return this.#attempt(operation, { kind: "action", action, selectors: null }, async (at) => {
          const scraped = await scrape();
          return { value: scraped, step: scrapeStep(request, scraped, at) };
        });
      },
    );
    return withData(result, request, extractor, signal);
  }

  /** A picture of the active tab. Throws `answer_too_large` for one that would be. */
  screenshot(
    principal: Principal,
    sessionId: string,
    request: PictureRequest,
    signal: AbortSignal,
  ): Promise<Screenshot> {
    return this.#driven.operate(
      "page.screenshot",
      principal,
      sessionId,
      signal,
      (session, driver) => {
        const operation = { sessionId, session, driver, signal };
        return this.#attempt(operation, { kind: "screenshot" }, async (startedAt) => {
          const type = await this.#markedType(sessionId, request);
          const elements = type === "raw" ? [] : await session.perception.look(driver, signal);
          const picture = { ...request, type };
          const screenshot = await this.#picture(sessionId, session, driver, picture, elements);
          const url = (await driver.activePage()).page.url();
          const sizeBytes = screenshot.bytes.length;
          return {
            value: screenshot,
            step: { kind: "screenshot", startedAt, endedAt: Date.now(), url, sizeBytes },
          };
        });
      },
    );
  }

  /** The active tab as PDF. */
  pdf(
    principal: Principal,
    sessionId: string,
    request: PdfRequest,
    signal: AbortSignal,
  ): Promise<Buffer> {
    return this.#driven.operate("page.pdf", principal, sessionId, signal, (session, driver) => {
      const operation = { sessionId, session, driver, signal };
      return this.#attempt(operation, { kind: "pdf" }, async (startedAt) => {
        const page = await driver.activePage();
        const url = page.page.url();
        const pdf = await printPdf(page, request);
        return {
          value: pdf,
          step: { kind: "pdf", startedAt, endedAt: Date.now(), url, sizeBytes: pdf.length },
        };
      });
    });
  }

  /** The cookies of the session's browser, of every site. */
  cookies(
    principal: Principal,
    sessionId: string,
    signal: AbortSignal,
  ): Promise<readonly Cookie[]> {
    return this.#driven.operate("page.cookies", principal, sessionId, signal, (session, driver) => {
      const operation = { sessionId, session, driver, signal };
      return this.#attempt(operation, { kind: "cookies_read" }, async (startedAt) => {
        const cookies = await readCookies(driver.context);
        const at = { startedAt, url: driver.activeUrl };
        return { value: cookies, step: cookiesStep("cookies_read", cookies, at) };
      });
    });
  }

  /** Throws `invalid_request` for cookies that the browser does not take. */
  setCookies(
    principal: Principal,
    sessionId: string,
    cookies: readonly Cookie[],
    signal: AbortSignal,
  ): Promise<void> {
    return this.#driven.operate(
      "page.set_cookies",
      principal,
      sessionId,
      signal,
      (session, driver) => {
        const operation = { sessionId, session, driver, signal };
        return this.#attempt(operation, { kind: "cookies_set" }, async (startedAt) => {
          await addCookies(driver.context, cookies);
          const at = { startedAt, url: driver.activeUrl };
          return { value: undefined, step: cookiesStep("cookies_set", cookies, at) };
        });
      },
    );
  }

  #attempt<T>(
    operation: LoggedOperation,
    asked: Asked,
    work: (startedAt: number) => Promise<Finished<T>>,
  ): Promise<T> {
    return this.#options.log.attempt(operation, asked, work);
  }

  #execute(
    principal: Principal,
    sessionId: string,
    session: DrivenSession,
    driver: PageDriver,
    action: Action,
    signal: AbortSignal,
  ): Promise<ActionResult> {
    const { filesOf, extractor, tracer } = this.#options;
    const files = filesOf(principal.tenantId, sessionId);
    const known =
      "target" in action && action.target.id !== null
        ? session.perception.find(action.target.id)
        : null;
    const selectors = known?.selectors ?? null;
    const operation = { sessionId, session, driver, signal };
    return this.#attempt(operation, { kind: "action", action, selectors }, async () => {
      const url = (await driver.activePage()).page.url();
      const tools = {
        driver,
        elements: session.perception,
        files,
        look: (until: AbortSignal) => session.perception.look(driver, until),
        scrape: async (page: DrivenPage, request: ScrapeRequest, until: AbortSignal) => {
          checkExtractor(request, extractor);
          const result = await scrapeTab(session, page, files, request, null, until);
          return withData(result, request, extractor, until);
        },
      };
      const about = { "nightjar.action.type": action.type };
      const result = await tracer.span(`action ${action.type}`, about, async (span) => {
        const done = await executeAction(tools, action, signal);
        span.set({ "nightjar.action.outcome": done.failure?.kind ?? "done" });
        return done;
      });
      session.lastElementId = result.elementId;
      if (result.way?.kind === "pdf" && "url" in action) {
        const documentId = (await driver.activePage()).documentId();
        session.openedPdf = { url: action.url, name: result.way.name, documentId };
      }
      const isSecret = known?.isSecret === true || isPasswordTarget(action);
      return { value: result, step: actionStep(action, result, { url, selectors, isSecret }) };
    });
  }

  /** Opens a URL as the action does. Throws `page_failed` where that fails. */
  async #open(
    principal: Principal,
    sessionId: string,
    session: DrivenSession,
    driver: PageDriver,
    url: string,
    signal: AbortSignal,
  ): Promise<void> {
    const action: Action = { type: "goto", url, dialog: null };
    const result = await this.#execute(principal, sessionId, session, driver, action, signal);
    if (!result.success) throw new NightjarError("page_failed", result.message);
  }

  async #picture(
    sessionId: string,
    session: DrivenSession,
    driver: PageDriver,
    request: PictureRequest,
    elements: readonly PageElement[],
  ): Promise<Screenshot> {
    const type = await this.#markedType(sessionId, request);
    const marked =
      type === "raw"
        ? []
        : elements.filter(({ id }) => type === "full" || id === session.lastElementId);
    const marks: readonly ScreenshotMark[] = marked
      .filter(({ place }) => request.area === "page" || place === "viewport")
      .slice(0, mostMarks)
      .map(({ box, id }) => ({ box, label: request.labels ? id : "" }));
    return takeScreenshot(await driver.activePage(), { ...request, marks });
  }

  async #markedType(sessionId: string, request: PictureRequest): Promise<ScreenshotType> {
    if (request.type !== null) return request.type;
    const session = await this.#options.sessions.find(sessionId);
    return session?.settings.screenshotType ?? "raw";
  }
}

/** Scrapes what was opened last in a tab: the page that it shows, or a PDF that it could not show. */
function scrapeTab(
  { openedPdf }: DrivenSession,
  page: DrivenPage,
  files: SessionFiles,
  request: ScrapeRequest,
  source: HtmlSource | null,
  signal: AbortSignal,
): Promise<ScrapeResult> {
  return source === null && openedPdf?.documentId === page.documentId()
    ? scrapeOpenedPdf(openedPdf, files, request, signal)
    : scrapePage(page, request, source, signal);
}

/** A selector that says itself that it leads to a password. */
function isPasswordTarget(action: Action): boolean {
  if (!("target" in action)) return false;
  return action.target.selectors.some((selector) => /password|passwd|cvc|cvv/i.test(selector));
}
