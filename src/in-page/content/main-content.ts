import { Readability } from "@mozilla/readability";
import { pruneArticle } from "./prune.ts";

/** An extraction shorter than this, of a page that has far more, has missed the point of the page. */
const shortArticle = 350;
const shortShare = 0.12;

/** Parts of a page that go round its content, by what HTML and ARIA call them. */
const surroundings = [
  ...["nav", "footer", "aside"],
  ...[
    '[role="navigation"]',
    '[role="banner"]',
    '[role="contentinfo"]',
    '[role="complementary"]',
    '[role="search"]',
  ],
  ...['[aria-hidden="true"]'],
].join(",");

/** Class names and ids of what goes round the content, where no tag says it. */
const surroundingNames =
  /(?:^|[-_\s])(?:cookie|consent|gdpr|newsletter|breadcrumbs?|sidebar|side-bar|site-footer|site-header|masthead|skip-link|popup|modal|advert|ads?|promo)(?:$|[-_\s])/i;

/**
 * What a reader came for: of an article its text, of any other page everything but what goes round
 * it. Works on, and takes apart, the document that it is given.
 */
export function mainContentOf(copy: Document): Element {
  const all = lengthOf(copy.body);
  const whole = copy.body.cloneNode(true) as HTMLElement;
  const article = new Readability<Node>(copy, {
    keepClasses: true,
    // The element itself, not its HTML: it goes on to be pruned and converted.
    serializer: (node) => node,
    // Pages of deep lists are slow to score, and no article has so many elements.
    maxElemsToParse: 30_000,
  });
  const found = readOrNull(article);
  if (found !== null) {
    pruneArticle(found);
    const length = lengthOf(found);
    if (length >= shortArticle || length >= all * shortShare) return found;
  }
  withoutSurroundings(whole);
  return whole;
}

function readOrNull(article: Readability<Node>): Element | null {
  try {
    const content = article.parse()?.content;
    return content instanceof Element ? content : null;
  } catch {
    // More elements than it takes, or a document that it does not understand.
    return null;
  }
}

function withoutSurroundings(body: HTMLElement): void {
  const main = body.querySelector('main, [role="main"]');
  for (const element of body.querySelectorAll(surroundings)) {
    if (main === null || !element.contains(main)) element.remove();
  }
  for (const element of body.querySelectorAll("header")) {
    // The head of the page, not of one of its articles.
    if (element.closest("main, article, section") === null) element.remove();
  }
  for (const element of body.querySelectorAll("[class], [id]")) {
    if (surroundingNames.test(element.className) || surroundingNames.test(element.id)) {
      if (lengthOf(element) < lengthOf(body) / 3) element.remove();
    }
  }
}

function lengthOf(element: Element): number {
  return (element.textContent ?? "").replace(/\s+/g, " ").length;
}
