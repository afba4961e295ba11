import type { Page } from "playwright-core";
import type { Action, ActionEffects } from "./action.ts";
import type { Activity } from "./activity.ts";
import type { ActionContext } from "./context.ts";
import { openedTabs } from "./opened-tabs.ts";
import type { DownloadWatch } from "./ports.ts";

/** How long the word of a download may take from the browser to the storage, in ms. */
const downloadWordMs = 500;
/** The same where nothing was told of, and there may be nothing to tell, in ms. */
const droppedWordMs = 1000;
const pollMs = 20;
/** A message that is read by a model names so many dialogs. */
const mostDialogsNamed = 3;

/** How things stood when an action began. */
export interface Before {
  readonly url: string;
  readonly tabs: ReadonlySet<Page>;
}

/** As official clients expect: a tab that an action opens is the one that is worked on next. */
export async function followNewTab(context: ActionContext, before: Before): Promise<void> {
  const { driver, activity } = context;
  const latest = (await openedTabs(driver, activity, before.tabs)).at(-1);
  if (latest !== undefined && !latest.isClosed()) await driver.activate(latest);
}

/** Waits until the storage has heard of the downloads that the browser has told of. */
export async function wordOfDownloads(activity: Activity, downloads: DownloadWatch): Promise<void> {
  await hear(activity, downloadWordMs, () => downloads.begun.length >= activity.downloads);
}

/**
 * Waits for the word of a download that a navigation may have become: the browser says that it dropped
 * the navigation before it says, on another connection, why.
 */
export async function wordOfDownload(activity: Activity, downloads: DownloadWatch): Promise<void> {
  await hear(activity, droppedWordMs, () => downloads.begun.length > 0);
}

async function hear(activity: Activity, withinMs: number, isHeard: () => boolean): Promise<void> {
  const deadline = Date.now() + withinMs;
  while (!isHeard() && Date.now() < deadline) await activity.change(pollMs);
}

/** What an action brought about, once the page has come to rest. */
export async function effectsOf(
  context: ActionContext,
  before: Before,
  downloads: DownloadWatch,
): Promise<ActionEffects> {
  const { driver, page, activity, changes } = context;
  const mutations = await changes.end();
  await wordOfDownloads(activity, downloads);
  const isOpen = !page.page.isClosed();
  const url = activity.navigatedTo(page.targetId) ?? page.page.url();
  const navigated = isOpen && (url !== before.url || activity.hasNavigated(page.targetId));
  const opened = driver.tabs().filter((tab) => !before.tabs.has(tab));
  const closedTabs = [...before.tabs].filter((tab) => tab.isClosed()).length;
  return {
    navigatedTo: navigated ? url : null,
    openedTabs: opened.map((tab) => tab.url()),
    closedTabs,
    dialogs: driver.dialogs
      .take()
      .map(({ type, message, answer }) => ({ type, message, accepted: answer.accept })),
    downloads: [...downloads.begun],
    changed:
      navigated || mutations === null || mutations > 0 || opened.length > 0 || closedTabs > 0,
  };
}

/** Actions that say themselves where they went and which tabs there are. */
const selfTelling: ReadonlySet<Action["type"]> = new Set([
  "goto",
  "goto_new_tab",
  "go_back",
  "go_forward",
  "reload",
  "close_tab",
  "switch_tab",
]);
/** Actions whose point is that something happens. */
const pressing: ReadonlySet<Action["type"]> = new Set(["click", "press_key", "drag"]);

/** The effects of an action in sentences, as far as it, or the kind of its failure, does not tell them itself. */
export function effectsInWords(
  action: Action,
  effects: ActionEffects,
  { failure, scriptsEnded }: { readonly failure: string | null; readonly scriptsEnded: number },
): readonly string[] {
  const { navigatedTo, openedTabs: opened, closedTabs, dialogs, downloads, changed } = effects;
  const parts: string[] = [];
  if (!selfTelling.has(action.type) && failure !== "page_crashed") {
    if (navigatedTo !== null) parts.push(`The page went to ${navigatedTo}.`);
    if (opened.length > 0) {
      parts.push(`A new tab opened and is active now: ${opened.at(-1)}.`);
      if (opened.length > 1) parts.push(`${opened.length - 1} more opened beside it.`);
    }
    if (closedTabs > 0) parts.push("The tab closed itself.");
  }
  parts.push(...dialogs.slice(0, mostDialogsNamed).map(dialogInWords));
  if (dialogs.length > mostDialogsNamed) {
    parts.push(`${dialogs.length - mostDialogsNamed} more dialogs followed.`);
  }
  if (scriptsEnded > 0) parts.push("It showed dialogs without end, so its script was ended.");
  if (downloads.length > 0 && action.type !== "download_file") {
    parts.push(`A download began: ${downloads.join(", ")}.`);
  }
  const isSeen = changed || dialogs.length > 0 || downloads.length > 0;
  if (failure === null && pressing.has(action.type) && !isSeen) {
    parts.push("Nothing on the page changed.");
  }
  return parts;
}

function dialogInWords({ type, message, accepted }: ActionEffects["dialogs"][number]): string {
  return `A dialog (${type}) said "${message}" and was ${accepted ? "accepted" : "dismissed"}.`;
}
