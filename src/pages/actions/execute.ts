import { messageOf } from "../../sessions/errors.ts";
import type { Action, ActionResult } from "./action.ts";
import { Activity } from "./activity.ts";
import { ChangeWatch } from "./change-watch.ts";
import { selectOption } from "./choice-actions.ts";
import type { ActionContext, ActionTools, Done } from "./context.ts";
import { downloadFile } from "./download-action.ts";
import { effectsInWords, effectsOf, followNewTab } from "./effects.ts";
import { check, click, drag } from "./element-actions.ts";
import { ActionFailed, asActionFailure, crashed, unresponsive } from "./failure.ts";
import { formFill } from "./form-action.ts";
import {
  closeTab,
  goBack,
  goForward,
  goto,
  gotoNewTab,
  reload,
  switchTab,
} from "./navigation-actions.ts";
import { completion, help, pressKey, scrape, scroll, wait } from "./other-actions.ts";
import { evaluateJs } from "./script-action.ts";
import { settle } from "./settle.ts";
import { fallbackFill, fill, multiFactorFill } from "./text-actions.ts";
import { uploadFile } from "./upload-action.ts";

/** Actions that only look or speak: the page need not come to rest afterwards. */
const quietActions: ReadonlySet<Action["type"]> = new Set(["wait", "help", "completion", "scrape"]);

/**
 * How long an action may take beyond what it waits for itself, in ms: some operations of a page that
 * is busy for ever have no end of their own.
 */
const slackMs = 6000;
/** How long actions without a time of their own may take, in ms. */
const usualLimitMs = 14_000;
const shortLimitMs = 8000;
const longLimitMs = 60_000;

/**
 * Does one action on the active tab, waits until the page has come to rest, and tells what came of
 * it. What the page or the action's own input is to blame for is a result; session-level errors,
 * faults of this server and the signal's reason are thrown.
 */
export async function executeAction(
  tools: ActionTools,
  action: Action,
  signal: AbortSignal,
): Promise<ActionResult> {
  const startedAt = Date.now();
  const { driver } = tools;
  const page = await driver.activePage();
  driver.dialogs.answerWith(action.dialog);
  driver.dialogs.take();
  const activity = new Activity(driver.connection);
  const downloads = tools.files.watchDownloads();
  const before = { url: page.page.url(), tabs: new Set(driver.tabs()) };
  try {
    const changes = await ChangeWatch.begin(page);
    const context: ActionContext = { ...tools, page, activity, changes, signal };
    const { done, failure } = await attempt(context, action);
    await followNewTab(context, before);
    if (!quietActions.has(action.type)) await settle(await driver.activePage(), activity, signal);
    const told = await done?.whenSettled?.();
    const effects = await effectsOf(context, before, downloads);
    const words = effectsInWords(action, effects, {
      failure: failure?.kind ?? null,
      scriptsEnded: activity.scriptsEnded,
    });
    const first = failure === null ? [done?.message, told] : [failure.message];
    return {
      startedAt,
      endedAt: Date.now(),
      success: failure === null,
      message: [...first, ...words].filter((part) => part != null && part !== "").join(" "),
      failure: failure === null ? null : { kind: failure.kind, message: failure.message },
      effects,
      data: done?.data ?? null,
      filled: done?.filled ?? [],
      way: done?.way ?? null,
      elementId: done?.elementId ?? ("target" in action ? action.target.id : null),
    };
  } finally {
    driver.dialogs.answerWith(null);
    downloads.stop();
    activity.stop();
  }
}

/** Failures that a page which does not answer brings about, too. */
const doubtful: ReadonlySet<string> = new Set(["gone", "not_found", "timeout", "failed"]);
const answerTimeoutMs = 1000;
/** Actions whose time limit is that of the page they go to. */
const navigating: ReadonlySet<Action["type"]> = new Set([
  "goto",
  "goto_new_tab",
  "go_back",
  "go_forward",
  "reload",
]);

type Attempt =
  | { readonly done: Done; readonly failure: null }
  | { readonly done: null; readonly failure: ActionFailed };

async function attempt(context: ActionContext, action: Action): Promise<Attempt> {
  const { promise: late, reject } = Promise.withResolvers<never>();
  const timer = setTimeout(() => reject(unresponsive()), limitOf(action, context));
  const performed = perform(context, action);
  // When it is given up, nobody listens to how it ends any more.
  performed.catch(() => {});
  try {
    return { done: await Promise.race([performed, late]), failure: null };
  } catch (error) {
    context.signal.throwIfAborted();
    const known = asActionFailure(error, "The action");
    if (!(known instanceof ActionFailed)) throw known;
    return { done: null, failure: await causeOf(context, action, known) };
  } finally {
    clearTimeout(timer);
  }
}

/** A page that crashed, or answers nothing, looks as if its elements were gone. */
async function causeOf(
  { driver, page }: ActionContext,
  action: Action,
  failure: ActionFailed,
): Promise<ActionFailed> {
  if (driver.hasCrashed(page.page)) return crashed();
  if (!doubtful.has(failure.kind)) return failure;
  // Chromium holds back what is asked of a page while it waits for the next one.
  if (failure.kind === "timeout" && navigating.has(action.type)) return failure;
  const [main] = page.frames();
  if (main === undefined || page.page.isClosed()) return failure;
  try {
    await page.evaluate(main, main.contextId, "0", answerTimeoutMs);
    return failure;
  } catch (error) {
    return /did not answer within/.test(messageOf(error)) ? unresponsive() : failure;
  }
}

function limitOf(action: Action, { changes }: ActionContext): number {
  switch (action.type) {
    case "wait":
      return action.timeMs + slackMs;
    case "press_key":
    case "scroll_up":
    case "scroll_down":
      return shortLimitMs;
    case "evaluate_js":
    case "scrape":
    case "form_fill":
    case "download_file":
      return longLimitMs;
    default:
      if (!("timeoutMs" in action)) return usualLimitMs;
      // A page that did not answer when it was asked will hardly take an action.
      return changes.isSilent ? shortLimitMs : action.timeoutMs + slackMs;
  }
}

function perform(context: ActionContext, action: Action): Promise<Done> {
  switch (action.type) {
    case "goto":
      return goto(context, action);
    case "goto_new_tab":
      return gotoNewTab(context, action);
    case "close_tab":
      return closeTab(context);
    case "switch_tab":
      return switchTab(context, action);
    case "go_back":
      return goBack(context);
    case "go_forward":
      return goForward(context);
    case "reload":
      return reload(context);
    case "wait":
      return wait(context, action);
    case "press_key":
      return pressKey(context, action);
    case "scroll_up":
    case "scroll_down":
      return scroll(context, action);
    case "help":
      return help(context, action);
    case "completion":
      return completion(context, action);
    case "form_fill":
      return formFill(context, action);
    case "scrape":
      return scrape(context, action);
    case "evaluate_js":
      return evaluateJs(context, action);
    case "click":
      return click(context, action);
    case "download_file":
      return downloadFile(context, action);
    case "drag":
      return drag(context, action);
    case "fill":
      return fill(context, action);
    case "multi_factor_fill":
      return multiFactorFill(context, action);
    case "fallback_fill":
      return fallbackFill(context, action);
    case "check":
      return check(context, action);
    case "select_dropdown_option":
      return selectOption(context, action);
    case "upload_file":
      return uploadFile(context, action);
  }
}
