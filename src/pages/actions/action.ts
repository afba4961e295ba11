import type { DialogAnswer } from "../driver/dialogs.ts";
import type { ElementSelectors } from "../elements.ts";

/** What an action is done to: by id where one is given, otherwise by the selectors, in their order. */
export interface ActionTarget {
  /** An id of an observation; null where only selectors are given. */
  readonly id: string | null;
  /** Playwright selectors (CSS, `xpath=`, `internal:`, text), tried in this order. */
  readonly selectors: readonly string[];
  /** CSS selectors of the iframes around the element, outermost first, for the selectors. */
  readonly frames: readonly string[];
}

/** What every action on an element has. */
export interface OnElement {
  readonly target: ActionTarget;
  /** How long the element may take to be ready, in ms. */
  readonly timeoutMs: number;
  /** Presses Enter afterwards. */
  readonly pressEnter: boolean;
}

export interface WithText {
  readonly value: string;
  readonly clearBeforeFill: boolean;
}

/** What `form_fill` can fill, by the meaning of the field. */
export const formFields = [
  "title",
  "first_name",
  "middle_name",
  "last_name",
  "full_name",
  "email",
  "company",
  "address1",
  "address2",
  "address3",
  "city",
  "state",
  "postal_code",
  "country",
  "phone",
  "cc_name",
  "cc_number",
  "cc_exp_month",
  "cc_exp_year",
  "cc_exp",
  "cc_cvv",
  "username",
  "current_password",
  "new_password",
  "totp",
] as const;
export type FormField = (typeof formFields)[number];

/** What a scrape takes; see `src/pages/scrape`. */
export interface ScrapeRequest {
  /** A Playwright selector of the part of the page to scrape; null for all of it. */
  readonly selector: string | null;
  readonly includeLinks: boolean;
  readonly includeImages: boolean;
  readonly ignoredTags: readonly string[];
  readonly onlyMainContent: boolean;
  readonly onlyImages: boolean;
  readonly useLinkPlaceholders: boolean;
  /** A JSON Schema of what to extract; null for none. */
  readonly responseFormat: Readonly<Record<string, unknown>> | null;
  readonly instructions: string | null;
}

/** One thing to do on a page, by the contract's names (section 3). */
export type Action = (
  | { readonly type: "goto" | "goto_new_tab"; readonly url: string }
  | { readonly type: "close_tab" | "go_back" | "go_forward" | "reload" }
  /** -1 is the last tab. */
  | { readonly type: "switch_tab"; readonly tabIndex: number }
  | { readonly type: "wait"; readonly timeMs: number }
  /** A key or chord by Playwright's names, e.g. `Control+A`. */
  | { readonly type: "press_key"; readonly key: string }
  /** In CSS pixels; null for 70 % of the viewport. */
  | { readonly type: "scroll_up" | "scroll_down"; readonly amount: number | null }
  | { readonly type: "help"; readonly reason: string }
  | { readonly type: "completion"; readonly success: boolean; readonly answer: string }
  | { readonly type: "form_fill"; readonly values: Readonly<Partial<Record<FormField, string>>> }
  | { readonly type: "scrape"; readonly request: ScrapeRequest }
  /** One expression, or statements with a `return`. */
  | { readonly type: "evaluate_js"; readonly code: string }
  | ({ readonly type: "click" | "download_file" } & OnElement)
  /** Drags the element onto another one. An addition of ours. */
  | ({ readonly type: "drag"; readonly onto: ActionTarget } & OnElement)
  | ({ readonly type: "fill" | "multi_factor_fill" | "fallback_fill" } & OnElement & WithText)
  | ({ readonly type: "check"; readonly value: boolean } & OnElement)
  /** The visible text or the value of an option. */
  | ({ readonly type: "select_dropdown_option"; readonly value: string } & OnElement)
  /** The name of a file among the tenant's uploads. */
  | ({ readonly type: "upload_file"; readonly fileName: string } & OnElement)
) & {
  /** How JavaScript dialogs that the action raises are answered; null: confirmed, prompts left as they are. */
  readonly dialog: DialogAnswer | null;
};

export type ActionType = Action["type"];

/** The action of this type; types that share a shape are named together. */
export type ActionOf<T extends ActionType> = Extract<Action, { readonly type: T }>;

/** What an action brought about, beside its own purpose. */
export interface ActionEffects {
  /** Where the tab went; null where it stayed. */
  readonly navigatedTo: string | null;
  /** URLs of tabs that opened. */
  readonly openedTabs: readonly string[];
  readonly closedTabs: number;
  readonly dialogs: readonly {
    readonly type: string;
    readonly message: string;
    readonly accepted: boolean;
  }[];
  /** Names of files whose download began. */
  readonly downloads: readonly string[];
  /** Whether anything on the page changed. */
  readonly changed: boolean;
}

/** Of an action that brought about nothing beside its own purpose. */
export const noEffects: ActionEffects = {
  navigatedTo: null,
  openedTabs: [],
  closedTabs: 0,
  dialogs: [],
  downloads: [],
  changed: false,
};

/** Why an action failed, in words that a model can act on. */
export interface ActionFailure {
  /** A stable word, e.g. `covered`, `disabled`, `gone`, `not_visible`, `no_such_option`, `timeout`. */
  readonly kind: string;
  readonly message: string;
}

/** A field that `form_fill` filled. */
export interface FilledField {
  readonly selectors: ElementSelectors;
  readonly meaning: FormField;
  /** What was typed; of a choice, the text of the option. */
  readonly value: string;
  readonly isChoice: boolean;
}

/** How an action was done, where there is more than one way: what repeats it has to go the same one. */
export type ActionWay =
  | {
      readonly kind: "text";
      /** Key by key, after a click, instead of at once. */
      readonly isTyped: boolean;
      /** What was entered is nobody's business but the page's. */
      readonly isSecret: boolean;
    }
  /** `isSecret`: it went into a field whose content is nobody's business but the page's. */
  | { readonly kind: "key"; readonly isSecret: boolean }
  | {
      readonly kind: "choice";
      /** From a `<select>`, a list that the page made, or by the option itself. */
      readonly from: "select" | "list" | "option";
      /** The list had to be opened first. */
      readonly isOpened: boolean;
      /** The option's text. */
      readonly option: string;
    }
  | { readonly kind: "files"; readonly through: "input" | "inner_input" | "chooser" }
  /** `isShown`: the browser shows the file instead of downloading it. */
  | { readonly kind: "download"; readonly isShown: boolean }
  /** A PDF that was downloaded, not shown; `name`: among the session's downloads. */
  | { readonly kind: "pdf"; readonly name: string }
  /** Where to, for an element that an observation named. */
  | { readonly kind: "drag"; readonly onto: ElementSelectors | null };

/** What came of an action. A failed action is an answer too, not an error. */
export interface ActionResult {
  /** Epoch ms. */
  readonly startedAt: number;
  /** Epoch ms. */
  readonly endedAt: number;
  readonly success: boolean;
  /** What happened, in one or two sentences. */
  readonly message: string;
  /** Null when it succeeded. */
  readonly failure: ActionFailure | null;
  readonly effects: ActionEffects;
  /** What `scrape` and `evaluate_js` brought. */
  readonly data: ActionData | null;
  /** The id of the element that was acted on, where it has one. */
  readonly elementId: string | null;
  /** What `form_fill` filled. */
  readonly filled: readonly FilledField[];
  /** Null where there is one way only, or it failed. */
  readonly way: ActionWay | null;
}

/** The content that an action answers; the contract's DataSpace. */
export interface ActionData {
  readonly markdown: string;
  readonly images: readonly ScrapedImage[] | null;
  readonly structured: StructuredData | null;
}

export interface ScrapedImage {
  readonly url: string | null;
  readonly category: string | null;
  readonly description: string | null;
}

export type StructuredData =
  | { readonly success: true; readonly data: unknown }
  | { readonly success: false; readonly error: string };
