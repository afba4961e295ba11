import type { Action, ActionResult, ActionTarget } from "../../src/pages/actions/action.ts";
import { executeAction } from "../../src/pages/actions/execute.ts";
import type { SessionFiles } from "../../src/pages/actions/ports.ts";
import type {
  Observation,
  ObserveRequest,
  PageElement,
} from "../../src/pages/observe/observation.ts";
import { Perception } from "../../src/pages/observe/perception.ts";
import { scrapePage } from "../../src/pages/scrape/scrape.ts";
import type { BrowserSettings } from "../../src/sessions/browser-settings.ts";
import { DrivenBrowser } from "./driven-browser.ts";
import { Site } from "./site.ts";

const never = new AbortController().signal;

const usualRequest: ObserveRequest = {
  maxElements: null,
  minElements: null,
  instructions: null,
  perceptionType: "fast",
  tokenBudget: null,
};

/** A session without files. */
const noFiles: SessionFiles = {
  uploadPath: async () => null,
  uploadNames: async () => [],
  watchDownloads: () => ({
    begun: [],
    first: async () => ({ kind: "late", begun: null }),
    stop: () => {},
  }),
  download: async () => null,
  keep: async (name) => name,
};

/** The page layer on a real browser and a local site, without a server around it. */
export class PageLab {
  readonly browser: DrivenBrowser;
  readonly site: Site;
  readonly #pages: Map<string, string>;
  perception = new Perception();
  /** The session's files; none unless a test puts some here. */
  files: SessionFiles = noFiles;

  private constructor(browser: DrivenBrowser, site: Site, pages: Map<string, string>) {
    this.browser = browser;
    this.site = site;
    this.#pages = pages;
  }

  static async start(settings: Partial<BrowserSettings> = {}): Promise<PageLab> {
    const pages = new Map<string, string>();
    const site = await Site.start((request, response) => {
      const { pathname } = new URL(request.url ?? "/", "http://site");
      const html = pages.get(pathname);
      response.statusCode = html === undefined ? 404 : 200;
      response.setHeader("Content-Type", "text/html; charset=utf-8");
      response.end(html ?? "not here");
    });
    return new PageLab(await DrivenBrowser.launch(settings), site, pages);
  }

  /** Another name of the same site: another origin. */
  get otherUrl(): string {
    return this.site.url.replace("127.0.0.1", "localhost");
  }

  serve(path: string, html: string): void {
    this.#pages.set(path, html);
  }

  /** Serves a page and opens it. */
  async open(html: string, path = "/"): Promise<void> {
    this.serve(path, html.startsWith("<!doctype") ? html : `<!doctype html>${html}`);
    const { page } = await this.browser.driver.activePage();
    await page.goto(`${this.site.url}${path}`);
  }

  /** Evaluates an expression in the page itself. */
  async evaluate<T>(expression: string): Promise<T> {
    const { page } = await this.browser.driver.activePage();
    return page.evaluate<T>(expression);
  }

  observe(request: Partial<ObserveRequest> = {}): Promise<Observation> {
    return this.perception.observe(this.browser.driver, { ...usualRequest, ...request }, never);
  }

  /** The one element of the page that has this name; throws when there is none or several. */
  async find(name: string): Promise<PageElement> {
    const { elements, text } = await this.observe();
    const found = elements.filter((element) => element.name === name);
    const [element] = found;
    if (element === undefined || found.length > 1) {
      throw new Error(`${found.length} elements are called "${name}":\n${text}`);
    }
    return element;
  }

  execute(action: Action, signal = never): Promise<ActionResult> {
    const { driver } = this.browser;
    return executeAction(
      {
        driver,
        elements: this.perception,
        files: this.files,
        look: (until) => this.perception.look(driver, until),
        scrape: (page, request, until) => scrapePage(page, request, null, until),
      },
      action,
      signal,
    );
  }

  async dispose(): Promise<void> {
    await this.browser.dispose();
    await this.site.stop();
  }
}

/** What every action on an element needs, with what tests usually mean. */
export function on(id: string, timeoutMs = 5000) {
  return { ...onTarget({ id, selectors: [], frames: [] }), timeoutMs };
}

export function bySelector(...selectors: readonly string[]) {
  return onTarget({ id: null, selectors, frames: [] });
}

function onTarget(target: ActionTarget) {
  return { target, timeoutMs: 5000, pressEnter: false, dialog: null };
}
