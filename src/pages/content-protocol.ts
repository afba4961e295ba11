/** What the content script is asked and answers: plain JSON. */

export interface ContentRequest {
  /** The key of the element to begin at, see the perception script; null for the whole page. */
  readonly rootKey: string | null;
  /** HTML to take instead of the page, and what its links are relative to; null for the page. */
  readonly source: {
    readonly html: string;
    readonly url: string;
    /** A CSS selector of the part to take; null for all. */
    readonly selector: string | null;
  } | null;
  readonly onlyMainContent: boolean;
  readonly includeLinks: boolean;
  readonly includeImages: boolean;
  /** Tag names, lower case. */
  readonly ignoredTags: readonly string[];
  /** Links are written as `link1`, `link2` ... and resolved by `links` of the answer. */
  readonly useLinkPlaceholders: boolean;
  readonly maxCharacters: number;
  /** What stands in iframes, by the keys of their elements; others are left out. */
  readonly frames: Readonly<Record<string, readonly CopiedNode[]>>;
}

/**
 * A piece of a copied frame, in reading order: JSON that does not nest, since the browser's protocol
 * bounds how deep that may be. `frame` is what an iframe in it holds, by the key of its element.
 */
export type CopiedNode =
  | readonly ["text", text: string]
  | readonly ["open", tag: string, attributes: Readonly<Record<string, string>>]
  | readonly ["close"]
  | readonly ["frame", key: string];

export interface FrameCopyRequest {
  /** Tag names, lower case. */
  readonly ignoredTags: readonly string[];
  readonly maxNodes: number;
  readonly maxCharacters: number;
}

/** What a person sees of a frame. */
export interface FrameCopy {
  readonly nodes: readonly CopiedNode[];
  readonly images: readonly ContentImage[];
  /** It holds more than was asked for. */
  readonly isCut: boolean;
}

/** A list of images never has more. */
export const mostImages = 500;

export const imageCategories = [
  "favicon",
  "icon",
  "content_image",
  "decorative",
  "svg_icon",
  "svg_content",
] as const;
export type ImageCategory = (typeof imageCategories)[number];

export interface ContentImage {
  /** Null for a drawing that stands in the page itself. */
  readonly url: string | null;
  readonly category: ImageCategory;
  readonly description: string | null;
}

export interface PageContent {
  readonly url: string;
  /** As the server called it, or as the browser found it. */
  readonly contentType: string;
  readonly title: string;
  readonly markdown: string;
  readonly images: readonly ContentImage[];
  /** URLs by placeholder; empty without placeholders. */
  readonly links: Readonly<Record<string, string>>;
  readonly isTruncated: boolean;
}
