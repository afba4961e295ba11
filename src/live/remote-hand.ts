import type { Browser } from "../sessions/ports.ts";
import { CdpCommands, type Commands } from "./cdp-commands.ts";
import { toInputCommand } from "./input-commands.ts";
import { InputQueue } from "./input-queue.ts";
import {
  keysToChoose,
  type ListKey,
  listKeyCodes,
  openListScript,
  selectedTextScript,
  toChoices,
} from "./page-lists.ts";
import type { Choices, InputMessage, PageDialog } from "./protocol.ts";

/** What the one in control is told of the tabs that they work in, by target id. */
export interface HandListener {
  dialog(tabId: string, dialog: PageDialog | null): void;
  choices(tabId: string, choices: Choices | null): void;
  loading(tabId: string, loading: boolean): void;
  notice(text: string): void;
}

interface HandledTab {
  /** Its target id. */
  readonly tabId: string;
  readonly sessionId: string;
  readonly queue: InputQueue;
  /** The JavaScript dialog that waits for an answer. */
  dialog: PageDialog | null;
  /** The isolated world that scripts of ours run in; null until one is made. */
  world: number | null;
  choices: Choices | null;
}

const control = 2;
const xKey = { key: "x", code: "KeyX", windowsVirtualKeyCode: 88, modifiers: control };

/** Keys that open a list of options, or close it. */
const listKeys: ReadonlySet<string> = new Set([
  " ",
  "Enter",
  "ArrowDown",
  "ArrowUp",
  "F4",
  "Escape",
]);

/**
 * The hand of the person in control: a CDP connection of its own, as long as they are. Where it has
 * worked, JavaScript dialogs wait for that person; those that are open when it closes are dismissed.
 */
export class RemoteHand {
  readonly #commands: CdpCommands;
  readonly #listener: HandListener;
  readonly #tabs = new Map<string, Promise<HandledTab>>();
  /** By the connection's CDP sessions. */
  readonly #tabOfSession = new Map<string, HandledTab>();

  private constructor(commands: CdpCommands, listener: HandListener) {
    this.#commands = commands;
    this.#listener = listener;
    commands.onEvent = (method, params, sessionId) => this.#receive(method, params, sessionId);
  }

  /** Throws where the browser does not accept the connection. */
  static async open(
    browser: Pick<Browser, "openMessages">,
    listener: HandListener,
  ): Promise<RemoteHand> {
    return new RemoteHand(new CdpCommands(await browser.openMessages()), listener);
  }

  /** Settles when the connection to the browser is closed. */
  get closed(): Promise<void> {
    return this.#commands.closed;
  }

  close(): void {
    this.#commands.close();
  }

  /**
   * Gets ready to work in a tab, and tells of the dialog that waits there, which may have opened while
   * nobody looked. What fails means that the tab is gone.
   */
  async touch(tabId: string): Promise<void> {
    const { dialog } = await this.#tab(tabId);
    if (dialog !== null) this.#listener.dialog(tabId, dialog);
  }

  async input(tabId: string, message: InputMessage): Promise<void> {
    (await this.#tab(tabId)).queue.add(message);
  }

  async bringToFront(tabId: string): Promise<void> {
    await this.#send(tabId, "Page.bringToFront", undefined);
  }

  /** Opens a URL that was checked before. */
  async open(tabId: string, url: string): Promise<void> {
    const { errorText } = await this.#send(tabId, "Page.navigate", { url });
    if (errorText !== undefined && errorText !== "net::ERR_ABORTED") {
      this.#listener.notice(`The page was not opened: ${errorText}.`);
    }
  }

  async go(tabId: string, to: "back" | "forward" | "reload" | "stop"): Promise<void> {
    if (to === "reload") await this.#send(tabId, "Page.reload", {});
    else if (to === "stop") await this.#send(tabId, "Page.stopLoading", undefined);
    else {
      const history = await this.#send(tabId, "Page.getNavigationHistory", undefined);
      const entry = history.entries[history.currentIndex + (to === "back" ? -1 : 1)];
      if (entry === undefined) this.#listener.notice(`There is no page to go ${to} to.`);
      else await this.#send(tabId, "Page.navigateToHistoryEntry", { entryId: entry.id });
    }
  }

  async newTab(): Promise<void> {
    await this.#commands.send("Target.createTarget", { url: "about:blank" });
  }

  /** `isLast`: an empty tab takes its place, since the browser would end with its last one. */
  async closeTab(tabId: string, isLast: boolean): Promise<void> {
    if (isLast) await this.newTab();
    await this.#commands.send("Target.closeTarget", { targetId: tabId });
  }

  async answerDialog(tabId: string, accept: boolean, text: string): Promise<void> {
    await this.#send(tabId, "Page.handleJavaScriptDialog", { accept, promptText: text });
  }

  /** The selected text, of which `cut` leaves nothing. */
  async copy(tabId: string, cut: boolean): Promise<string> {
    const tab = await this.#tab(tabId);
    const text = await this.#evaluate(tabId, tab, selectedTextScript);
    if (cut) {
      for (const type of ["rawKeyDown", "keyUp"] as const) {
        await this.#send(tabId, "Input.dispatchKeyEvent", { type, ...xKey });
      }
    }
    return typeof text === "string" ? text : "";
  }

  /** Chooses from the list that is open, as a person would by the keyboard. */
  async choose(tabId: string, index: number | null): Promise<void> {
    const tab = await this.#tab(tabId);
    const { choices } = tab;
    if (choices === null) return;
    for (const key of keysToChoose(choices, index)) this.#press(tab, key);
    this.#setChoices(tabId, tab, null);
  }

  #press({ sessionId }: HandledTab, key: ListKey): void {
    const params = { key, code: key, windowsVirtualKeyCode: listKeyCodes[key] };
    for (const type of ["rawKeyDown", "keyUp"] as const) {
      this.#commands.send("Input.dispatchKeyEvent", { type, ...params }, sessionId).catch(() => {});
    }
  }

  #tab(tabId: string): Promise<HandledTab> {
    let tab = this.#tabs.get(tabId);
    if (tab === undefined) {
      tab = this.#attach(tabId);
      this.#tabs.set(tabId, tab);
      tab.catch(() => this.#tabs.delete(tabId));
    }
    return tab;
  }

  async #attach(tabId: string): Promise<HandledTab> {
    const { sessionId } = await this.#commands.send("Target.attachToTarget", {
      targetId: tabId,
      flatten: true,
    });
    const queue = new InputQueue(
      (message) => this.#dispatch(tabId, sessionId, message),
      () => this.#listener.notice("The page does not react."),
    );
    const tab: HandledTab = { tabId, sessionId, queue, dialog: null, world: null, choices: null };
    this.#tabOfSession.set(sessionId, tab);
    // From here on its dialogs wait for an answer, and it tells when it loads. The answer is not
    // waited for: a page that is stopped by a dialog gives none, and what comes next is done after it.
    this.#commands.send("Page.enable", {}, sessionId).catch(() => {});
    return tab;
  }

  async #dispatch(tabId: string, sessionId: string, message: InputMessage): Promise<void> {
    const { method, params } = toInputCommand(message);
    await this.#commands.send(method, params, sessionId);
    if (mayChangeList(message)) void this.#lookForList(tabId).catch(() => {});
  }

  async #lookForList(tabId: string): Promise<void> {
    const tab = await this.#tab(tabId);
    this.#setChoices(tabId, tab, toChoices(await this.#evaluate(tabId, tab, openListScript)));
  }

  #setChoices(tabId: string, tab: HandledTab, choices: Choices | null): void {
    if (tab.choices === null && choices === null) return;
    tab.choices = choices;
    this.#listener.choices(tabId, choices);
  }

  /** In a world of our own, where the page cannot have changed what things mean. */
  async #evaluate(tabId: string, tab: HandledTab, expression: string): Promise<unknown> {
    const { sessionId } = tab;
    const run = async (contextId: number) => {
      const params = { expression, contextId, returnByValue: true };
      const { result } = await this.#commands.send("Runtime.evaluate", params, sessionId);
      return result.value as unknown;
    };
    if (tab.world !== null) {
      const known = await run(tab.world).catch(() => undefined);
      if (known !== undefined) return known;
    }
    const { executionContextId } = await this.#commands.send(
      "Page.createIsolatedWorld",
      { frameId: tabId, worldName: "nightjar-live" },
      sessionId,
    );
    tab.world = executionContextId;
    return run(executionContextId);
  }

  async #send<M extends keyof Commands>(
    tabId: string,
    method: M,
    params: Commands[M]["paramsType"][0],
  ): Promise<Commands[M]["returnType"]> {
    const { sessionId } = await this.#tab(tabId);
    return this.#commands.send(method, params, sessionId);
  }

  #receive(method: string, params: unknown, sessionId: string | null): void {
    if (method === "Target.detachedFromTarget") {
      const gone = params as { readonly sessionId: string };
      const tab = this.#tabOfSession.get(gone.sessionId);
      this.#tabOfSession.delete(gone.sessionId);
      if (tab !== undefined) this.#tabs.delete(tab.tabId);
      return;
    }
    const tab = sessionId === null ? undefined : this.#tabOfSession.get(sessionId);
    if (tab === undefined) return;
    const { tabId } = tab;
    switch (method) {
      case "Page.javascriptDialogOpening": {
        const { type, message, defaultPrompt } = params as DialogOpening;
        tab.dialog = { kind: type, message, defaultText: defaultPrompt ?? "" };
        this.#listener.dialog(tabId, tab.dialog);
        return;
      }
      case "Page.javascriptDialogClosed":
        tab.dialog = null;
        this.#listener.dialog(tabId, null);
        return;
      case "Page.frameStartedLoading":
      case "Page.frameStoppedLoading":
        // The main frame has the id of its tab.
        if ((params as { readonly frameId: string }).frameId === tabId) {
          this.#listener.loading(tabId, method === "Page.frameStartedLoading");
        }
        return;
    }
  }
}

interface DialogOpening {
  readonly type: PageDialog["kind"];
  readonly message: string;
  readonly defaultPrompt?: string;
}

/** Whether a list of options may be open, or closed, after this input. */
function mayChangeList(message: InputMessage): boolean {
  switch (message.type) {
    case "mouse":
      return message.event === "down" && message.button === "left";
    case "touch":
      return message.event === "end";
    case "key":
      return message.event === "down" && listKeys.has(message.key);
    default:
      return false;
  }
}
