/**
 * What the perception script answers of one frame: plain JSON, no server words and no DOM types, so
 * that both sides can share it. What a page has many of comes as tuples, and what has nothing to say
 * is left out: a page of some thousand elements is written, carried and read within milliseconds.
 */

/** A rectangle in CSS pixels, relative to the frame's viewport. */
export interface Box {
  readonly x: number;
  readonly y: number;
  readonly width: number;
  readonly height: number;
}

/** What a control shows of itself beside its name. */
export interface ElementState {
  readonly checked?: boolean | "mixed";
  readonly expanded?: boolean;
  readonly selected?: boolean;
  readonly pressed?: boolean | "mixed";
  readonly disabled?: boolean;
  readonly required?: boolean;
  readonly readonly?: boolean;
  /** The browser's or the page's words for what is wrong with the value. */
  readonly invalid?: string;
  /** `aria-current`, e.g. `page`. */
  readonly current?: string;
  readonly focused?: boolean;
  /** What opens from it: `menu`, `listbox`, `dialog` ... */
  readonly popup?: string;
}

export interface ChoiceOption {
  readonly text: string;
  readonly value: string;
  readonly selected: boolean;
  readonly disabled: boolean;
}

/** Where a thing is, seen from the viewport; `clipped`: scrolled out of a box on the page. */
export type Place = "viewport" | "above" | "below" | "left" | "right" | "clipped";

/**
 * The way to an element: CSS and XPath of what names it uniquely, e.g. `["#main", "//*[@id=\"main\"]"]`,
 * or the number of the way to its parent, null at the root, and the step from there, e.g. `[3, "li:2"]`;
 * see `selectors.ts` of both sides.
 */
export type ElementWay =
  | readonly [css: string, xpath: string]
  | readonly [from: number | null, step: string];

/** Something that a person can operate. */
export type WalkedElement = readonly [
  kind: "element",
  key: string,
  tag: string,
  role: string,
  name: string,
  box: readonly [x: number, y: number, width: number, height: number],
  place: Place,
  /** 0 for the page itself, otherwise the number of the open dialog, menu or popover that it is in. */
  layer: number,
  details: ElementDetails,
];

/** What is said of an element where it applies. */
export interface ElementDetails {
  readonly description?: string;
  /** For what has no name: what its mark-up calls it, e.g. the icon that it shows. */
  readonly hint?: string;
  readonly state?: ElementState;
  /** The type of an input. */
  readonly type?: string;
  /** What it holds now; masked where it is secret. */
  readonly value?: string;
  /** Its value is a secret, e.g. a password. */
  readonly secret?: true;
  /** Text can be typed into it. */
  readonly editable?: true;
  readonly multiple?: true;
  readonly draggable?: true;
  readonly maxLength?: number;
  readonly options?: readonly WalkedOption[];
  /** How many options there are, where not all are listed. */
  readonly optionCount?: number;
  /** What lies over it, in words. */
  readonly coveredBy?: string;
  /** The box that has it scrolled or cut away, in words. */
  readonly clippedBy?: string;
  /** The row, list item, group or heading that tells it from others like it. */
  readonly context?: string;
  /** Another element of the frame has its role and name, or it has no name. */
  readonly namesake?: true;
  /** The ways to the hosts of the shadow roots that it is in, outermost first. */
  readonly hosts?: readonly number[];
  /** Attributes as the page wrote them, cut where they are long. */
  readonly attributes?: Readonly<Partial<Record<string, string>>>;
}

export type WalkedOption = readonly [
  text: string,
  value: string,
  isSelected: boolean,
  isDisabled: boolean,
];

/** A run of text that is not the name of a control. */
export type WalkedText = readonly [
  kind: "text",
  text: string,
  /** 1 to 6 for headings. */
  level: number | null,
  place: Place,
  layer: number,
];

/** An iframe that is there to be seen; what it holds is walked in a call of its own. */
export interface WalkedFrame {
  readonly kind: "frame";
  readonly key: string;
  readonly name: string;
  /** The part of the page in which its content is drawn. */
  readonly box: Box;
  readonly place: Place;
  readonly coveredBy?: string;
  readonly clippedBy?: string;
  readonly layer: number;
  readonly hosts?: readonly number[];
}

/** A box on the page that can be scrolled by itself. */
export interface WalkedScroller {
  readonly kind: "scroller";
  readonly name: string;
  /** CSS pixels that are hidden on each side. */
  readonly above: number;
  readonly below: number;
  readonly left: number;
  readonly right: number;
  readonly place: Place;
  readonly layer: number;
}

export type WalkedItem = WalkedElement | WalkedText | WalkedFrame | WalkedScroller;

/** An open dialog, menu, listbox or popover. */
export interface WalkedLayer {
  readonly number: number;
  readonly role: string;
  readonly name: string;
  /** The page behind it cannot be operated. */
  readonly modal: boolean;
}

export interface WalkedFrameContent {
  /** Tells one document of the frame from the next. */
  readonly documentId: string;
  readonly url: string;
  /** What links are relative to. */
  readonly baseUrl: string;
  readonly title: string;
  readonly language: string;
  readonly scrollX: number;
  readonly scrollY: number;
  readonly viewportWidth: number;
  readonly viewportHeight: number;
  readonly totalWidth: number;
  readonly totalHeight: number;
  /** In reading order. */
  readonly items: readonly WalkedItem[];
  readonly layers: readonly WalkedLayer[];
  /** The ways to the elements and frames, and those that lead there. */
  readonly ways: readonly ElementWay[];
  /** For each item the number of its way in `ways`, within its shadow root; -1 for what has none. */
  readonly itemWays: readonly number[];
  /** Elements of the document, as far as they were walked. */
  readonly elementCount: number;
  /** The page has more than is answered. */
  readonly truncated: boolean;
}

/** So many items that stand as the walk before told them, from one of its items on. */
export type SameItems = readonly [kind: "same", from: number, count: number];

/** What a walk found, as it is sent: what is as before, for a caller who has that, is not told again. */
export interface WalkAnswer extends Omit<WalkedFrameContent, "items" | "ways" | "itemWays"> {
  /** Of the walk, among those of the document. */
  readonly number: number;
  readonly items: readonly (WalkedItem | SameItems)[];
  /** Null where both are as before. */
  readonly ways: readonly ElementWay[] | null;
  readonly itemWays: readonly number[] | null;
}

/** Which elements have listeners of the page's own scripts, by their place among all; only the main world can tell. */
export interface ListenerIndices {
  /** How many elements were counted, in document order with open shadow roots. */
  readonly count: number;
  /** Indices of elements that listen to clicks. */
  readonly click: readonly number[];
  /** Indices of elements that listen to a press or a drag, but not to clicks. */
  readonly press: readonly number[];
}

/** As `ListenerIndices`, by the keys of the elements. */
export interface ListeningElements {
  readonly click: readonly string[];
  readonly press: readonly string[];
}

export interface WalkRequest {
  /** Null where that cannot be told. */
  readonly listeners: ListeningElements | null;
  readonly maxElements: number;
  readonly maxTexts: number;
  /** The number of the walk of this document whose answer the caller has; null for none. */
  readonly since: number | null;
}
