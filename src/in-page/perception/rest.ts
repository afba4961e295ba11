import { isTextField } from "./change-watch.ts";

/** A page in the background does not draw, in ms. */
const undrawnMs = 60;

/** Resolves when scripts that wait for their turn have run and the page has drawn. */
export function drawn(): Promise<void> {
  return new Promise((resolve) => {
    const timer = setTimeout(resolve, undrawnMs);
    requestAnimationFrame(() => {
      setTimeout(() => {
        clearTimeout(timer);
        resolve();
      }, 0);
    });
  });
}

/** How far a scroll went. */
export interface ScrollOutcome {
  /** CSS pixels, downwards positive. */
  readonly moved: number;
  readonly position: number;
  readonly end: number;
  /** What was scrolled: the page, or a box on it by its name. */
  readonly what: string;
}

/** Scrolls the page by so many CSS pixels, or the box in the middle of it where the page itself does not scroll. */
export function scrollPage(amount: number | null, direction: 1 | -1): ScrollOutcome {
  const page = document.scrollingElement ?? document.documentElement;
  const candidates = [
    focusedScroller(),
    canBeScrolled(page) ? page : null,
    scrollerAround(document.elementFromPoint(innerWidth / 2, innerHeight / 2)),
    largestScroller(),
  ];
  let last: ScrollOutcome = { moved: 0, position: 0, end: 0, what: "the page" };
  for (const candidate of candidates) {
    if (candidate === null) continue;
    const height = candidate === page ? innerHeight : candidate.clientHeight;
    const before = candidate.scrollTop;
    candidate.scrollBy({
      top: direction * (amount ?? Math.round(height * 0.7)),
      behavior: "instant",
    });
    last = {
      moved: Math.round(candidate.scrollTop - before),
      position: Math.round(candidate.scrollTop),
      end: Math.round(candidate.scrollHeight - height),
      what: candidate === page ? "the page" : `the box <${candidate.localName}>`,
    };
    if (last.moved !== 0) return last;
  }
  return last;
}

/** Scripts can scroll a page that is locked, behind a dialog say, but people cannot. */
function canBeScrolled(page: Element): boolean {
  const locks = /^(?:hidden|clip)$/;
  const { body } = document;
  return (
    !locks.test(getComputedStyle(page).overflowY) &&
    (body === null || !locks.test(getComputedStyle(body).overflowY))
  );
}

/** The box around what has the focus, e.g. a dialog; text fields scroll by themselves as one types. */
function focusedScroller(): Element | null {
  const { activeElement } = document;
  if (activeElement === null || activeElement === document.body) return null;
  return scrollerAround(isTextField(activeElement) ? activeElement.parentElement : activeElement);
}

function scrollerAround(element: Element | null): Element | null {
  for (
    let at = element;
    at !== null && at !== document.body && at !== document.documentElement;
    at = at.parentElement
  ) {
    if (
      at.scrollHeight > at.clientHeight + 4 &&
      /^(?:auto|scroll)$/.test(getComputedStyle(at).overflowY)
    )
      return at;
  }
  return null;
}

function largestScroller(): Element | null {
  let best: Element | null = null;
  let area = 0;
  for (const element of document.querySelectorAll(
    "div, main, section, ul, ol, table, article, aside",
  )) {
    if (element.scrollHeight <= element.clientHeight + 4) continue;
    const size = element.clientWidth * element.clientHeight;
    if (size <= area || !/^(?:auto|scroll)$/.test(getComputedStyle(element).overflowY)) continue;
    best = element;
    area = size;
  }
  return best;
}

export interface ScrollPosition {
  readonly x: number;
  readonly y: number;
}

export function scrollPosition(): ScrollPosition {
  return { x: scrollX, y: scrollY };
}

export function scrollToPosition({ x, y }: ScrollPosition): void {
  scrollTo({ left: x, top: y, behavior: "instant" });
}

/** Shows the end of the page and lets the page see that; tells how far it reaches then. */
export async function goToEnd(): Promise<{
  readonly height: number;
  readonly elements: number;
  readonly canScroll: boolean;
}> {
  const page = document.scrollingElement ?? document.documentElement;
  const canScroll = page.scrollHeight > innerHeight + 1;
  if (canScroll) {
    scrollTo({ top: page.scrollHeight, behavior: "instant" });
    await drawn();
  }
  return {
    height: page.scrollHeight,
    elements: document.getElementsByTagName("*").length,
    canScroll,
  };
}
