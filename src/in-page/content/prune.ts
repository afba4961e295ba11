/**
 * Takes out of an extracted article what is not its text: captions of pictures that are not there,
 * lines about when and by whom, offers to share, subscribe and read on. By general signs only:
 * what HTML and microformats name such things, how much of a block is links, how short it is.
 */

/** Names that publishing systems give to what stands beside the text, as parts of classes and ids. */
const besideText =
  /(?:^|[-_\s])(?:caption|credit|credits|copyright|byline|by-line|author-?info|author-?bio|bio|dateline|timestamp|pub-?date|published|posted-on|entry-meta|post-?meta|post-?info|postinfo|article-?meta|meta|share|sharing|social|follow|newsletter|subscribe|signup|sign-up|related|recirc|recommended|read-?more|more-stories|trending|tags?|taglist|print-(?:only|header)|d-print|off-?screen|sr-only|screen-reader|visually-?hidden|slide-count|control-bar|comments?|promo|sponsor|advert|ad-slot|disclaimer|jump-?link|toc|breadcrumbs?)(?:$|[-_\s])/i;

/** Blocks that hold nothing else but one of these. */
const emptyWords =
  /^(?:advert(?:isement)?s?|sponsored(?: content)?|related(?: (?:news|articles?|stories|posts?|content|coverage|topics))?|read (?:more|next|also)|see also|more (?:from|on|stories).{0,40}|share(?: this.{0,30})?|print|e-?mail|tweet|close|enlarge(?: image)?|image copyright|photos?|images?|video|getty images|reuters|\d+ (?:comments?|shares?)|about the authors?|filed under.*|tagged.*|tags?:.*|image \d* ?of.*|loading.*|continue reading.*|story continues below.*|skip (?:to|advert).*|tell us what you think.*)[.:…|»]*$/i;

/** Openings of lines about when and by whom. */
const metaOpening =
  /^(?:published|posted|updated|last (?:updated|modified)|written|by|first published|date|author)\b[\s:]/i;

/** Requests to the reader, where they make up a short block. */
const request =
  /(?:subscribe|sign up|newsletter|follow us|follow .{2,30} on (?:twitter|facebook|instagram)|like us on|download (?:the|our) app|all rights reserved|subject to copyright|may not be (?:published|reproduced)|get (?:the|our) (?:latest|best)|delivered (?:to|straight)|support (?:us|our)|become a member|advertisement|uses? cookies|click here to|(?:photo|image|picture|credit)s?(?: by| credit)?\s*:|image: ©|©)/i;

const shortRequest = 260;
const shortMeta = 120;
/** So much of a block being links makes it a way elsewhere. */
const mostlyLinks = 0.85;

const blockTags =
  "p, li, h1, h2, h3, h4, h5, h6, figcaption, blockquote, div, section, span, dl, ul, ol, aside, table, center, header, footer";

/** Works in place. Never takes more than half of the text: what looks like that is no article. */
export function pruneArticle(article: Element): void {
  const total = lengthOf(article);
  for (const element of article.querySelectorAll(
    "figure, figcaption, aside, nav, footer, button, form, time, address",
  )) {
    if (lengthOf(element) < total / 3 && !holdsProse(element)) element.remove();
  }
  for (const element of article.querySelectorAll("[class], [id]")) {
    if (!element.isConnected && !article.contains(element)) continue;
    if (!besideText.test(element.className) && !besideText.test(element.id)) continue;
    const length = lengthOf(element);
    if (length < total * 0.2 && !(length > 400 && linkShare(element) < 0.3 && holdsProse(element)))
      element.remove();
  }
  const blocks = [...article.querySelectorAll(blockTags)].filter(
    (block) => block.querySelector("p, li, h1, h2, h3, h4, h5, h6, div") === null,
  );
  for (const [index, block] of blocks.entries()) {
    if (!article.contains(block)) continue;
    const text = textOf(block);
    if (text === "") continue;
    if (isBeside(block, text, index / blocks.length)) block.remove();
  }
  withoutLooseHeadings(article);
}

function isBeside(block: Element, text: string, position: number): boolean {
  if (emptyWords.test(text)) return true;
  if (text.length < shortMeta && position < 0.3 && metaOpening.test(text)) return true;
  if (text.length < shortRequest && request.test(text)) return block.localName !== "li";
  const share = linkShare(block);
  if (share > mostlyLinks && text.length < 400) {
    // In a list or a table links are what is listed.
    return block.closest("li, td, dd, h1, h2, h3") === null || position > 0.85;
  }
  return false;
}

/** Headings with nothing beneath them: what they headed was taken out. */
function withoutLooseHeadings(article: Element): void {
  const headings = [...article.querySelectorAll("h1, h2, h3, h4, h5, h6")];
  const all = [
    ...article.querySelectorAll("p, li, pre, td, blockquote, dd, h1, h2, h3, h4, h5, h6"),
  ].filter((one) => textOf(one) !== "");
  for (const heading of headings.reverse()) {
    if (all.at(-1) !== heading) break;
    heading.remove();
    all.pop();
  }
}

function holdsProse(element: Element): boolean {
  return (
    [...element.querySelectorAll("p")].filter((paragraph) => textOf(paragraph).length > 150)
      .length > 1
  );
}

function linkShare(element: Element): number {
  const length = textOf(element).length;
  if (length === 0) return 0;
  let linked = element.localName === "a" ? length : 0;
  for (const link of element.querySelectorAll("a")) linked += textOf(link).length;
  return linked / length;
}

function textOf(element: Element): string {
  return (element.textContent ?? "").replace(/\s+/g, " ").trim();
}

function lengthOf(element: Element): number {
  return textOf(element).length;
}
