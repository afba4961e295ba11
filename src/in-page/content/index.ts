/** The script that turns a page into content: see `src/pages/scrape`. */
import type {
  ContentRequest,
  FrameCopy,
  FrameCopyRequest,
  PageContent,
} from "../../pages/content-protocol.ts";
import { type CopyOptions, copyOf } from "./copy.ts";
import { framesShownIn, markFrame, nodesOf, putNodes } from "./frames.ts";
import { imagesOf } from "./images.ts";
import { mainContentOf } from "./main-content.ts";
import { markdownOf } from "./markdown.ts";
import { plainDocument } from "./plain-document.ts";

/** The perception script of the same world, which knows elements by key. */
interface Perception {
  keyOf(element: Element): string;
  elementByKey(key: string): Element | null;
}

declare global {
  var __nightjar_perception: Perception | undefined;
}

/** The page, or the part of it that is asked for, as markdown with its images. Throws when that part is gone. */
export function contentOf(request: ContentRequest): PageContent {
  const { source } = request;
  const hasLayout = source === null;
  const root = hasLayout ? liveRoot(request.rootKey) : parsedRoot(source);
  const { ownerDocument } = root;
  const url = source === null ? location.href : source.url;
  const plain = hasLayout && request.rootKey === null ? plainDocument() : null;
  const links = new Map<string, string>();
  const markdown =
    plain ??
    markdownOf(chosenPart(root, request), {
      includeLinks: request.includeLinks,
      includeImages: request.includeImages,
      placeholders: request.useLinkPlaceholders ? links : null,
    });
  const isTruncated = markdown.length > request.maxCharacters;
  return {
    url,
    contentType: hasLayout ? document.contentType : "text/html",
    title: ownerDocument.title,
    markdown: isTruncated ? markdown.slice(0, request.maxCharacters) : markdown,
    images: imagesOf(root, hasLayout),
    links: Object.fromEntries(links),
    isTruncated,
  };
}

/** The keys of the iframes that a person sees in what is asked for, in reading order. */
export function shownFrames(rootKey: string | null): readonly string[] {
  return framesShownIn(liveRoot(rootKey), rootKey !== null).map(keyOf);
}

/** What a person sees of this page, where it stands in an iframe of another. */
export function frameCopy(request: FrameCopyRequest): FrameCopy {
  const root = liveRoot(null);
  const shown = new Set(framesShownIn(root, false));
  const copy = copyOf(root, {
    ...copyOptions(true, document.baseURI, request.ignoredTags),
    fillFrame: (frame, box) => {
      if (shown.has(frame)) markFrame(box, keyOf(frame));
    },
  });
  const images = imagesOf(root, true).filter(({ category }) => category !== "favicon");
  return { ...nodesOf(copy.body, request), images };
}

/** The main content as plain text, as the bench of extraction scores it. */
export function mainText(): string {
  const main = mainContentOf(copyOf(document.body, copyOptions(true, document.baseURI, [])));
  const blocks = "p, li, h1, h2, h3, h4, h5, h6, td, th, pre, blockquote, br, div";
  for (const block of main.querySelectorAll(blocks)) block.append(" ");
  return main.textContent ?? "";
}

function chosenPart(root: Element, request: ContentRequest): Element {
  const { source, ignoredTags, onlyMainContent } = request;
  const baseUrl = source === null ? document.baseURI : source.url;
  const hasFrames = Object.keys(request.frames).length > 0;
  const copy = copyOf(root, {
    ...copyOptions(source === null, baseUrl, ignoredTags),
    fillFrame: hasFrames
      ? (frame, box, depth) => putNodes(request.frames[keyOf(frame)] ?? [], box, depth)
      : null,
  });
  const isWhole = root === root.ownerDocument.body;
  return onlyMainContent && isWhole ? mainContentOf(copy) : copy.body;
}

function copyOptions(
  hasLayout: boolean,
  baseUrl: string,
  ignoredTags: readonly string[],
): CopyOptions {
  return { hasLayout, baseUrl, ignoredTags: new Set(ignoredTags), fillFrame: null };
}

function keyOf(element: Element): string {
  return globalThis.__nightjar_perception?.keyOf(element) ?? "";
}

function liveRoot(key: string | null): Element {
  if (key === null) return document.body ?? document.documentElement;
  const element = globalThis.__nightjar_perception?.elementByKey(key) ?? null;
  if (element === null) throw new Error("the element to scrape is gone");
  return element;
}

function parsedRoot(source: NonNullable<ContentRequest["source"]>): Element {
  const parsed = new DOMParser().parseFromString(source.html, "text/html");
  // What is relative in it is relative to where it came from.
  const base = parsed.createElement("base");
  base.href = source.url;
  parsed.head.prepend(base);
  if (source.selector === null) return parsed.body;
  const found = parsed.querySelector(source.selector);
  if (found === null) throw new Error("nothing matches the selector");
  return found;
}
