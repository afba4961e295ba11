import { setTimeout as delay } from "node:timers/promises";
import type { Page } from "playwright-core";
import { messageOf, NightjarError } from "../../sessions/errors.ts";
import { type DrivenPage, FrameGoneError } from "../driver/driven-page.ts";
import type { PageDriver } from "../driver/page-driver.ts";
import type { ElementDirectory } from "../elements.ts";
import { categoryOf } from "./category.ts";
import { changesBetween, type Snapshot } from "./changes.ts";
import { describePage } from "./describe.ts";
import { ElementIds } from "./element-ids.ts";
import { FrameMemories } from "./frame-memory.ts";
import { FrameOwners } from "./frame-owners.ts";
import { type KnownFrames, type WalkedPage, walkFrames } from "./frames.ts";
import { Listeners } from "./listeners.ts";
import type { Observation, ObserveRequest, PageElement, PageItem, PageTab } from "./observation.ts";
import { mostImportant, rankByInstructions } from "./relevance.ts";
import { renderText } from "./render-text.ts";
import { stitch } from "./stitch.ts";

/** How long a page that navigates is waited for, in ms, and how often it may do so again. */
const navigationTimeoutMs = 10_000;
const mostAttempts = 5;
/** How long a tab may take to tell its title, in ms: one that is busy must not hold up the others. */
const titleTimeoutMs = 500;

/** What a session's observations know: the ids of elements, and what each tab showed last. */
export class Perception implements ElementDirectory {
  readonly #ids: ElementIds;
  readonly #frames: KnownFrames = {
    owners: new FrameOwners(),
    listeners: new Listeners(),
    memories: new FrameMemories(),
  };
  /** The last observation of each tab, by the tab's id. */
  readonly #last = new Map<string, { readonly documentId: string; readonly snapshot: Snapshot }>();

  /** `lastNumbers`: those of an earlier perception of the session, so that no id is given twice. */
  constructor(lastNumbers: Readonly<Record<string, number>> = {}) {
    this.#ids = new ElementIds(lastNumbers);
  }

  /** The last number of each letter of ids. */
  get lastNumbers(): Readonly<Record<string, number>> {
    return this.#ids.lastNumbers;
  }

  find(id: string): PageElement | null {
    return this.#ids.find(id);
  }

  /**
   * Looks at the active tab. A page that is just navigating is waited for. Throws `page_failed` for
   * one that crashed or does not answer, and the signal's reason when it is aborted.
   */
  async observe(
    driver: PageDriver,
    request: ObserveRequest,
    signal: AbortSignal,
  ): Promise<Observation> {
    const startedAt = Date.now();
    const page = await driver.activePage();
    const others = otherTitles(driver, page);
    const { tree, silent } = await this.#walk(page, signal);
    const { content } = tree.walk;
    const tabs = await tabsOf(driver, page, content.title, others);
    const { items, layers, isTruncated } = stitch(tree, page.targetId, this.#ids);
    const all = elementsOf(items);
    const elements = chosenElements(all, request);
    const listed = new Set(elements.map(({ id }) => id));
    const shown = items.filter((item) => item.kind !== "element" || listed.has(item.element.id));
    const viewport = {
      scrollX: content.scrollX,
      scrollY: content.scrollY,
      width: content.viewportWidth,
      height: content.viewportHeight,
      totalWidth: content.totalWidth,
      totalHeight: content.totalHeight,
    };
    return {
      startedAt,
      endedAt: Date.now(),
      title: content.title,
      url: content.url,
      tabs,
      viewport,
      elements,
      layers,
      category: categoryOf(content.url, all, items, layers),
      text: renderText({
        title: content.title,
        url: content.url,
        viewport,
        items: shown,
        layers,
        tokenBudget: request.tokenBudget,
        deep: request.perceptionType === "deep",
      }),
      description: describePage(shown, layers, listed),
      changes: this.#changes(page.targetId, content.documentId, all),
      silentFrames: silent,
      isTruncated,
    };
  }

  /** What there is to operate on the active tab now, without being an observation: nothing is compared later. */
  async look(driver: PageDriver, signal: AbortSignal): Promise<readonly PageElement[]> {
    const page = await driver.activePage();
    const { tree } = await this.#walk(page, signal);
    const { items } = stitch(tree, page.targetId, this.#ids);
    return elementsOf(items);
  }

  async #walk(page: DrivenPage, signal: AbortSignal): Promise<WalkedPage> {
    for (let attempt = 1; ; attempt += 1) {
      try {
        return await unlessAborted(walkFrames(page, this.#frames), signal);
      } catch (error) {
        signal.throwIfAborted();
        if (!(error instanceof FrameGoneError) || attempt === mostAttempts) {
          throw asPageFailure(error);
        }
        await unlessAborted(arrived(page), signal);
      }
    }
  }

  #changes(targetId: string, documentId: string, elements: readonly PageElement[]) {
    const last = this.#last.get(targetId);
    const snapshot = new Map(elements.map((element) => [element.id, element]));
    this.#last.set(targetId, { documentId, snapshot });
    if (last === undefined || last.documentId !== documentId) return null;
    return changesBetween(last.snapshot, elements);
  }
}

function chosenElements(
  all: readonly PageElement[],
  request: ObserveRequest,
): readonly PageElement[] {
  const { instructions, maxElements, minElements } = request;
  const relevant =
    instructions === null || instructions.trim() === ""
      ? null
      : rankByInstructions(all, instructions);
  const most = maxElements === null ? null : Math.max(maxElements, minElements ?? 0);
  if (relevant !== null) {
    const kept = new Set(most === null ? relevant : relevant.slice(0, most));
    return all.filter((element) => kept.has(element));
  }
  return most === null ? all : mostImportant(all, most);
}

/** What is open over the page comes first, the last opened before the others. */
function elementsOf(items: readonly PageItem[]): readonly PageElement[] {
  const elements = items.flatMap((item) => (item.kind === "element" ? [item.element] : []));
  if (elements.every(({ layer }) => layer === 0)) return elements;
  return elements.sort((a, b) => b.layer - a.layer);
}

/** Waits until a page that is navigating has its next document. */
async function arrived({ page }: DrivenPage): Promise<void> {
  try {
    await page.waitForLoadState("domcontentloaded", { timeout: navigationTimeoutMs });
  } catch (error) {
    throw asPageFailure(error);
  }
  // The new document's world comes with the events that are just being read.
  await delay(0);
}

function asPageFailure(error: unknown): Error {
  if (error instanceof NightjarError) return error;
  if (error instanceof FrameGoneError) {
    return new NightjarError(
      "page_failed",
      "The page keeps navigating or has crashed, so it cannot be observed: wait, reload it or navigate elsewhere.",
      { cause: error },
    );
  }
  return new NightjarError(
    "page_failed",
    `The page cannot be observed: ${messageOf(error)}. Wait until its scripts let it answer, reload it or navigate elsewhere.`,
    { cause: error },
  );
}

/** Settles as the promise does, or with the signal's reason once it is aborted. */
async function unlessAborted<T>(promise: Promise<T>, signal: AbortSignal): Promise<T> {
  signal.throwIfAborted();
  promise.catch(() => {});
  let stop = (): void => {};
  const aborted = new Promise<never>((_, reject) => {
    stop = () => reject(signal.reason);
    signal.addEventListener("abort", stop, { once: true });
  });
  try {
    return await Promise.race([promise, aborted]);
  } finally {
    signal.removeEventListener("abort", stop);
  }
}

/** The titles of the tabs that are not looked at; asked for while the other is. */
function otherTitles(driver: PageDriver, active: DrivenPage): ReadonlyMap<Page, Promise<string>> {
  const others = driver.tabs().filter((page) => page !== active.page);
  return new Map(
    others.map((page) => [
      page,
      Promise.race([page.title().catch(() => ""), delay(titleTimeoutMs, "", { ref: false })]),
    ]),
  );
}

function tabsOf(
  driver: PageDriver,
  active: DrivenPage,
  title: string,
  others: ReadonlyMap<Page, Promise<string>>,
): Promise<readonly PageTab[]> {
  return Promise.all(
    driver.tabs().map(async (page, index) => ({
      index,
      title: page === active.page ? title : ((await others.get(page)) ?? ""),
      url: page.url(),
      isActive: page === active.page,
    })),
  );
}
