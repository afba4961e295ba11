import type { KnownElement } from "../elements.ts";
import type { Box, ChoiceOption, ElementState, Place } from "../perception-protocol.ts";

/** What an observation is to hold. */
export interface ObserveRequest {
  /** At most so many elements, the most relevant ones; null for all. */
  readonly maxElements: number | null;
  /** At least so many elements, where there are so many, whatever `maxElements` says. */
  readonly minElements: number | null;
  /** What the elements are wanted for: only those that have to do with it are listed; null for all. */
  readonly instructions: string | null;
  /** `deep` renders the text of the whole page, `fast` what the viewport shows. */
  readonly perceptionType: "fast" | "deep";
  /** How many tokens (4 characters each) the text may have. */
  readonly tokenBudget: number | null;
}

/** Something on the page that a person can operate. */
export interface PageElement extends KnownElement {
  readonly tag: string;
  readonly description: string | null;
  readonly state: ElementState;
  /** The type of an input. */
  readonly inputType: string | null;
  /** What it holds now; masked where it is secret. */
  readonly value: string | null;
  readonly isSecret: boolean;
  readonly isEditable: boolean;
  readonly isDraggable: boolean;
  readonly takesSeveral: boolean;
  readonly placeholder: string | null;
  readonly href: string | null;
  readonly limits: {
    readonly min?: string;
    readonly max?: string;
    readonly step?: string;
    /** A regular expression that the whole value has to match. */
    readonly pattern?: string;
    readonly maxLength?: number;
    readonly accept?: string;
  };
  readonly options: readonly ChoiceOption[];
  /** How many options there are, listed or not. */
  readonly optionCount: number;
  /** In CSS pixels, relative to the tab's viewport. */
  readonly box: Box;
  /** Where the frame that holds it begins, relative to the tab's viewport. */
  readonly frameOffset: { readonly x: number; readonly y: number };
  readonly place: Place;
  /** What lies over it, in words; null where nothing does. */
  readonly coveredBy: string | null;
  /** The box that has it scrolled or cut away, in words; null where none has. */
  readonly clippedBy: string | null;
  /** What the mark-up calls it, where it has no name, e.g. the icon that it shows. */
  readonly hint: string | null;
  /** The row, item, group or heading that tells it from others like it. */
  readonly context: string | null;
  /** 0 for the page itself, otherwise the number of an open layer. */
  readonly layer: number;
  readonly attributes: Readonly<Partial<Record<string, string>>>;
}

/** A dialog, menu, list of options or popover that is open over the page. */
export interface PageLayer {
  readonly number: number;
  readonly role: string;
  readonly name: string;
  /** The page behind it cannot be operated. */
  readonly isModal: boolean;
}

/** A line of the page in reading order, for renderings of it. */
export type PageItem =
  | {
      readonly kind: "element";
      readonly element: PageElement;
      readonly place: Place;
      readonly layer: number;
    }
  | {
      readonly kind: "text";
      readonly text: string;
      /** 1 to 6 for headings. */
      readonly level: number | null;
      readonly place: Place;
      readonly layer: number;
    }
  | {
      readonly kind: "note";
      /** What the page does not say itself, e.g. that a box scrolls. */
      readonly text: string;
      readonly place: Place;
      readonly layer: number;
    };

export interface PageTab {
  readonly index: number;
  readonly title: string;
  readonly url: string;
  readonly isActive: boolean;
}

/** In CSS pixels, whole. */
export interface PageViewport {
  readonly scrollX: number;
  readonly scrollY: number;
  readonly width: number;
  readonly height: number;
  readonly totalWidth: number;
  readonly totalHeight: number;
}

export interface ElementChange {
  readonly id: string;
  /** What is different, in words. */
  readonly what: string;
}

/** What is different from the last observation of this tab. */
export interface PageChanges {
  readonly added: readonly string[];
  readonly changed: readonly ElementChange[];
  /** Elements that are not there any more. */
  readonly gone: readonly { readonly id: string; readonly role: string; readonly name: string }[];
}

/** The contract's words for what a page is for. */
export const pageCategories = [
  "homepage",
  "search-results",
  "data-feed",
  "item",
  "auth",
  "form",
  "manage-cookies",
  "overlay",
  "payment",
  "captcha",
  "other",
] as const;
export type PageCategory = (typeof pageCategories)[number];

export interface Observation {
  /** Epoch ms. */
  readonly startedAt: number;
  /** Epoch ms. */
  readonly endedAt: number;
  readonly title: string;
  readonly url: string;
  readonly tabs: readonly PageTab[];
  readonly viewport: PageViewport;
  readonly elements: readonly PageElement[];
  readonly layers: readonly PageLayer[];
  readonly category: PageCategory | null;
  /** The page for a model, within the token budget. */
  readonly text: string;
  /** The page in the contract's own form, one element a line. */
  readonly description: string;
  /** Null where this tab was not observed before, or shows another document now. */
  readonly changes: PageChanges | null;
  /** Frames that did not answer in time, by URL. */
  readonly silentFrames: readonly string[];
  /** The page has more than is listed. */
  readonly isTruncated: boolean;
}
