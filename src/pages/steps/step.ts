import type {
  Action,
  ActionData,
  ActionEffects,
  ActionResult,
  ActionWay,
  FilledField,
} from "../actions/action.ts";
import { typesText } from "../actions/typing-keys.ts";
import type { ElementSelectors } from "../elements.ts";
import { secretMask } from "./secret-mask.ts";
import { type KeptUrl, keptUrl, withoutCredentials } from "./url-credentials.ts";

/** How much of what an action brought is kept with its step. */
const longestKept = 2000;

/** Shorter secrets stand in any sentence by chance; leaving them out would show where. */
const shortestMasked = 3;

/** Something that was done to a session's pages, as it is remembered. */
export type Step = {
  /** Epoch ms. */
  readonly startedAt: number;
  /** Epoch ms. */
  readonly endedAt: number;
  /** Where the active tab was before. */
  readonly url: string;
  /** It was broken off, so nobody knows how far it came; it counts as failed. Left out where it was not. */
  readonly isInterrupted?: boolean;
} & (
  | {
      readonly kind: "action";
      readonly action: Action;
      readonly success: boolean;
      readonly message: string;
      readonly failure: string | null;
      readonly data: ActionData | null;
      /** How the element was found, and how it can be found again; null for actions without one. */
      readonly selectors: ElementSelectors | null;
      /** What was typed is a secret and was left out. */
      readonly hidesValue: boolean;
      /** What `form_fill` filled, secrets left out. */
      readonly filled: readonly FilledField[];
      readonly way: ActionWay | null;
      readonly effects: ActionEffects;
      /** It was too large to be kept whole, so it cannot be repeated. */
      readonly isCut: boolean;
    }
  | {
      readonly kind: "observation";
      readonly title: string;
      readonly elementCount: number;
      /** The last number of each letter of ids: where the next server process goes on from. */
      readonly lastNumbers: Readonly<Record<string, number>>;
    }
  | { readonly kind: "screenshot" | "pdf"; readonly sizeBytes: number }
  | {
      readonly kind: "cookies_read" | "cookies_set";
      readonly count: number;
      /** Some of them, their values left out. */
      readonly cookies: readonly CookieName[];
    }
  /** Something that was asked of a page and failed; actions that fail are actions all the same. */
  | {
      readonly kind: "failure";
      readonly asked: "observation" | "screenshot" | "pdf" | "cookies_read" | "cookies_set";
      readonly message: string;
    }
);

/** Which cookie it is, of those of a browser. */
export interface CookieName {
  readonly name: string;
  readonly domain: string;
}

export type ActionStep = Extract<Step, { readonly kind: "action" }>;

/** Values of `form_fill` that nobody but the page may see. */
const secretFields: ReadonlySet<string> = new Set([
  "current_password",
  "new_password",
  "totp",
  "cc_number",
  "cc_cvv",
]);

/** Whether nobody but the page may see what `form_fill` puts into a field of this meaning. */
export function isSecretField(meaning: string): boolean {
  return secretFields.has(meaning);
}

/** The step of an action, without what is secret in it. */
export function actionStep(
  action: Action,
  result: ActionResult,
  context: {
    readonly url: string;
    readonly selectors: ElementSelectors | null;
    /** The action's element is known to hold a secret, e.g. a password. */
    readonly isSecret: boolean;
  },
): ActionStep {
  const url = "url" in action ? keptUrl(action.url) : null;
  const hidesValue = url !== null || holdsSecret(action, result, context);
  const secrets = secretsIn(action, url, hidesValue);
  return {
    kind: "action",
    startedAt: result.startedAt,
    endedAt: result.endedAt,
    url: masked(context.url, secrets),
    action: withoutSecrets(action, url, hidesValue),
    success: result.success,
    message: masked(result.message, secrets),
    failure: result.failure === null ? null : masked(result.failure.message, secrets),
    data: result.data === null ? null : shortened(result.data),
    selectors: context.selectors,
    hidesValue,
    filled: result.filled.map((field) =>
      isSecretField(field.meaning) ? { ...field, value: secretMask } : field,
    ),
    way: result.way,
    effects: effectsWithout(result.effects, secrets),
    isCut: false,
  };
}

/** An action as it may be told before it is done, when it is not known what its element holds. */
export function actionBeforeDone(action: Action): Action {
  const url = "url" in action ? keptUrl(action.url) : null;
  const isTyped =
    action.type === "press_key"
      ? typesText(action.key)
      : action.type === "fill" ||
        action.type === "fallback_fill" ||
        action.type === "multi_factor_fill";
  const told = withoutSecrets(action, url, url !== null || isTyped);
  // Of any size and depth, and nobody would read it.
  return told.type === "scrape"
    ? { ...told, request: { ...told.request, responseFormat: null } }
    : told;
}

function holdsSecret(
  action: Action,
  { way, success }: ActionResult,
  context: { readonly selectors: ElementSelectors | null; readonly isSecret: boolean },
): boolean {
  if (action.type === "multi_factor_fill") return true;
  if (action.type === "press_key") {
    if (way?.kind === "key") return way.isSecret;
    // Where it would have gone was not found out.
    return !success && typesText(action.key);
  }
  if (action.type !== "fill" && action.type !== "fallback_fill") return false;
  if (context.isSecret || (way?.kind === "text" && way.isSecret)) return true;
  // Nobody has seen the field that the text was meant for.
  return !success && context.selectors === null;
}

/** The secret texts of an action, longest first, so that none leaves a part of another. */
function secretsIn(action: Action, url: KeptUrl | null, hidesValue: boolean): readonly string[] {
  const texts =
    url?.secrets ??
    (action.type === "form_fill"
      ? Object.entries(action.values).flatMap(([field, value]) =>
          isSecretField(field) ? [value] : [],
        )
      : hidesValue && "value" in action && typeof action.value === "string"
        ? [action.value]
        : []);
  return texts
    .flatMap((text) => [text, encodeURIComponent(text.toWellFormed()), asFormData(text)])
    .filter((text) => text.trim().length >= shortestMasked)
    .sort((a, b) => b.length - a.length);
}

/** As a form puts a text into a URL. */
function asFormData(text: string): string {
  return new URLSearchParams({ text }).toString().slice("text=".length);
}

function masked(text: string, secrets: readonly string[]): string {
  return withoutCredentials(
    secrets.reduce((rest, secret) => rest.replaceAll(secret, secretMask), text),
  );
}

function effectsWithout(effects: ActionEffects, secrets: readonly string[]): ActionEffects {
  const { navigatedTo, openedTabs, dialogs, downloads } = effects;
  return {
    ...effects,
    navigatedTo: navigatedTo === null ? null : masked(navigatedTo, secrets),
    openedTabs: openedTabs.map((url) => masked(url, secrets)),
    dialogs: dialogs.map((dialog) => ({ ...dialog, message: masked(dialog.message, secrets) })),
    downloads: downloads.map((name) => masked(name, secrets)),
  };
}

function withoutSecrets(action: Action, url: KeptUrl | null, hidesValue: boolean): Action {
  if (url !== null) return { ...action, url: url.url } as Action;
  if (hidesValue && action.type === "press_key") return { ...action, key: secretMask };
  if (hidesValue && "value" in action && typeof action.value === "string") {
    return { ...action, value: secretMask } as Action;
  }
  if (action.type !== "form_fill") return action;
  const values = Object.fromEntries(
    Object.entries(action.values).map(([field, value]) => [
      field,
      isSecretField(field) ? secretMask : value,
    ]),
  );
  return { ...action, values };
}

function shortened(data: ActionData): ActionData {
  const { markdown } = data;
  return {
    markdown:
      markdown.length > longestKept
        ? `${markdown.slice(0, longestKept).toWellFormed()}…`
        : markdown,
    images: null,
    structured: null,
  };
}
