import { messageOf, NightjarError } from "../../sessions/errors.ts";
import { FrameGoneError } from "../driver/driven-page.ts";
import type { ActionFailure } from "./action.ts";

/** An action that could not be done, for a reason that its caller can act on. */
export class ActionFailed extends Error implements ActionFailure {
  readonly kind: string;

  constructor(kind: string, message: string) {
    super(message);
    this.name = "ActionFailed";
    this.kind = kind;
  }
}

/** How the browser's network errors are said to somebody who wanted to see a page. */
const networkErrors: readonly (readonly [RegExp, string])[] = [
  [/ERR_NAME_NOT_RESOLVED/, "no server has this name; check the spelling of the URL"],
  [/ERR_CONNECTION_REFUSED/, "the server refuses the connection"],
  [/ERR_CONNECTION_(?:RESET|CLOSED)|ERR_EMPTY_RESPONSE/, "the server closed the connection"],
  [/ERR_(?:CONNECTION_)?TIMED_OUT/, "the server did not answer in time"],
  [/ERR_CERT_|ERR_SSL_/, "its certificate or encryption is not valid"],
  [/ERR_TOO_MANY_REDIRECTS/, "it redirects without end"],
  [/ERR_INTERNET_DISCONNECTED|ERR_ADDRESS_UNREACHABLE/, "it cannot be reached from this server"],
  [/ERR_BLOCKED_BY_|ERR_UNSAFE_PORT/, "the browser blocks it"],
  [/ERR_(?:TUNNEL|PROXY)_/, "the way out of this server does not let it through"],
  [
    /ERR_HTTP_RESPONSE_CODE_FAILURE|ERR_INVALID_RESPONSE/,
    "the server answers an error and no page",
  ],
  [/ERR_HTTP2|ERR_QUIC|ERR_INVALID_HTTP/, "the server breaks the protocol"],
  [/ERR_INVALID_URL|Cannot navigate to invalid URL/, "this is no valid URL"],
  [/ERR_UNKNOWN_URL_SCHEME/, "the browser does not open URLs of this kind"],
];

/** What Playwright's log of an operation on an element says, in our kinds and words. */
const elementTroubles: readonly (readonly [RegExp, string, string])[] = [
  [/element is not enabled/, "disabled", "is disabled: it takes no operation as the page is now"],
  [/element is not editable|is readonly/i, "read_only", "is read-only"],
  [/outside of the viewport/, "outside", "is outside the page, where it cannot be scrolled to"],
  [/element is not visible/, "not_visible", "is not visible"],
  [/element is not stable/, "moving", "does not stop moving"],
  [
    /Element is not an? <|not a .*checkbox or radio|Not a checkbox|does not have a role allowing/i,
    "wrong_kind",
    "does not take this kind of action",
  ],
  [/detached from the DOM|Element is not attached/, "gone", "went away during the action"],
  [
    /Unknown key/,
    "invalid_key",
    "is no key: use Playwright's names, e.g. Enter, Tab, Escape, ArrowDown, Control+A",
  ],
  [/Malformed value|Cannot type text/, "invalid_value", "does not take this value"],
  [
    /not a valid (?:selector|XPath)|Unexpected token|Unknown engine|while parsing/i,
    "invalid_selector",
    "is no valid selector",
  ],
  [/strict mode violation/, "not_found", "stands for several elements; say which one"],
  [
    /Execution context was destroyed|Frame was detached/,
    "navigated",
    "went away: the page navigated during the action",
  ],
  [/waiting for (?:locator|getBy)/, "not_found", "is not on the page any more"],
];

/**
 * What of a failure of Playwright's is worth telling, as an `ActionFailed`. Its log of what it tried,
 * newest line last, says why it gave up. Errors of the server itself, and its faults, come back as they are.
 */
export function asActionFailure(error: unknown, subject: string): unknown {
  if (error instanceof ActionFailed || error instanceof NightjarError) return error;
  if (error instanceof FrameGoneError) {
    return new ActionFailed("navigated", "The page navigated during the action.");
  }
  if (isFault(error)) return error;
  const text = plain(messageOf(error));
  const network = /net::(ERR_\w+)/.exec(text)?.[1];
  if (network !== undefined || /invalid URL/.test(text)) {
    const [, words] = networkErrors.find(([pattern]) => pattern.test(text)) ?? [];
    return new ActionFailed(
      "navigation_failed",
      `${subject} could not be opened: ${words ?? "the browser gave up"}${network === undefined ? "" : ` (${network})`}.`,
    );
  }
  if (/(?:page|target) (?:has )?crashed/i.test(text)) return crashed();
  if (/(?:page|target|context|browser|session)\b.*\bclosed/i.test(text)) {
    return new ActionFailed("page_closed", "The tab was closed during the action.");
  }
  if (/did not answer within/.test(text)) return unresponsive();
  const log = text.split("\n").reverse();
  if (tookTheInput(log)) {
    return new ActionFailed(
      "busy",
      `${subject} took the action, but the page has been busy with it since.`,
    );
  }
  const interception = log.find((line) => line.includes("intercepts pointer events"));
  if (interception !== undefined) {
    return new ActionFailed(
      "covered",
      `${subject} is covered by ${coverIn(interception)}. Close or move what covers it first.`,
    );
  }
  for (const [pattern, kind, words] of elementTroubles) {
    if (log.some((line) => pattern.test(line))) {
      return new ActionFailed(kind, `${subject} ${words}.`);
    }
  }
  if (/Timeout \d+ms exceeded/.test(text)) {
    return new ActionFailed("timeout", `${subject} was not ready in time.`);
  }
  return new ActionFailed("failed", `${subject}: ${text.split("\n", 1)[0]}`);
}

/** The process that rendered the page is gone; see `PageDriver`. */
export function crashed(): ActionFailed {
  return new ActionFailed(
    "page_crashed",
    "The page crashed during the action, and its tab was closed. Open a URL again with goto.",
  );
}

/** The page's own scripts, or something that it waits for, keep it from answering. */
export function unresponsive(): ActionFailed {
  return new ActionFailed(
    "unresponsive",
    "The page does not answer: a script of its own keeps it busy. Wait and try again, or leave it with goto, reload or close_tab.",
  );
}

/** A mistake in this server, which must not pass for one of a page. Playwright's own errors are plain ones. */
function isFault(error: unknown): boolean {
  return (
    error instanceof TypeError || error instanceof RangeError || error instanceof ReferenceError
  );
}

/** Whether the last thing that was tried was to press, so that a second try would be a second press. */
function tookTheInput(newestFirst: readonly string[]): boolean {
  const last = newestFirst.find((line) => /^\s*- /.test(line));
  return /performing .* action|action done|waiting for scheduled navigations/.test(last ?? "");
}

/** Playwright colours its logs. */
function plain(text: string): string {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: those are what is removed
  return text.replace(/\u001b\[\d+m/g, "").replace(/^[a-z]+\.[a-zA-Z]+: /, "");
}

/** `<div class="x">text</div> from <dialog id=y>…</dialog> subtree intercepts pointer events`. */
function coverIn(line: string): string {
  const [, cover = "another element"] =
    /-?\s*(<.*>.*?)\s+(?:from .* subtree )?intercepts/.exec(line) ?? [];
  const [, owner] = /from (<.*>) subtree/.exec(line) ?? [];
  return (owner ?? cover).replace(/\s+/g, " ").slice(0, 160);
}
