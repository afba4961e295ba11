import { checkedRequestUrl } from "../pages/actions/navigation-actions.ts";
import { messageOf } from "../sessions/errors.ts";
import type { Browser } from "../sessions/ports.ts";
import type { InputMessage, ServerMessage, ViewerMessage } from "./protocol.ts";
import { RemoteHand } from "./remote-hand.ts";
import type { Viewer } from "./viewer.ts";

/** Who does nothing for so long is not in control any more: others may want to, in ms. */
const heldWithoutInputMs = 5 * 60_000;

type Command = Exclude<
  ViewerMessage,
  InputMessage | { readonly type: "shown" | "watch" | "control" | "close_tab" }
>;

interface ControlListener {
  /** A person works in the session. */
  readonly onInput: () => void;
  /** Whoever is in control is to work in this tab. */
  readonly onTab: (tabId: string) => void;
  /** Somebody else is in control, or nobody. */
  readonly onChange: () => void;
}

/** The control of a session by one of those who look at it. */
export class Control {
  readonly #browser: Pick<Browser, "openMessages">;
  readonly #listener: ControlListener;
  #held: { readonly viewer: Viewer; readonly hand: Promise<RemoteHand> } | null = null;
  #lapse: NodeJS.Timeout | null = null;

  constructor(browser: Pick<Browser, "openMessages">, listener: ControlListener) {
    this.#browser = browser;
    this.#listener = listener;
  }

  /** Whoever is in control. */
  get holder(): Viewer | null {
    return this.#held?.viewer ?? null;
  }

  isHeldBy(viewer: Viewer): boolean {
    return this.#held?.viewer === viewer;
  }

  /** Gives control to a viewer if nobody has it; says why not otherwise. */
  take(viewer: Viewer): void {
    const { message } = viewer.sink;
    if (this.isHeldBy(viewer)) return;
    if (!viewer.mayControl) {
      message({ type: "notice", text: "This link is only for watching." });
      return;
    }
    if (this.#held !== null) {
      const { name } = this.#held.viewer;
      message({ type: "notice", text: `${name} is in control. Ask them to release it.` });
      return;
    }
    // The viewer may release control and take it again, with another hand.
    const isHeld = (): boolean => this.#held?.hand === hand;
    const tell = (tabId: string, news: ServerMessage): void => {
      if (isHeld() && tabId === viewer.watched) message(news);
    };
    const hand: Promise<RemoteHand> = RemoteHand.open(this.#browser, {
      dialog: (tabId, dialog) => tell(tabId, { type: "dialog", dialog }),
      choices: (tabId, choices) => tell(tabId, { type: "choices", choices }),
      loading: (tabId, loading) => tell(tabId, { type: "loading", loading }),
      notice: (text) => {
        if (isHeld()) message({ type: "notice", text });
      },
    });
    this.#held = { viewer, hand };
    // Without a connection there is nothing to control with.
    hand.then(
      ({ closed }) =>
        closed.then(() => {
          if (isHeld()) this.release(viewer);
        }),
      () => {
        if (!isHeld()) return;
        message({ type: "notice", text: "The browser cannot be controlled now." });
        this.release(viewer);
      },
    );
    this.#used();
    this.#listener.onChange();
    this.looksAt(viewer);
    if (viewer.watched !== null) this.workIn(viewer, viewer.watched);
    else viewer.chosen = null;
  }

  /** Takes control from a viewer, if they have it. */
  release(viewer: Viewer): void {
    const held = this.#held;
    if (held?.viewer !== viewer) return;
    this.#held = null;
    if (this.#lapse !== null) clearTimeout(this.#lapse);
    this.#lapse = null;
    closeHand(held.hand);
    for (const message of nothingOpen) viewer.sink.message(message);
    this.#listener.onChange();
  }

  close(): void {
    if (this.#lapse !== null) clearTimeout(this.#lapse);
    if (this.#held !== null) closeHand(this.#held.hand);
    this.#held = null;
  }

  /**
   * Another tab is shown to a viewer; if they are in control, they will work in it. Others may have
   * brought that about, so it does not count as work.
   */
  looksAt(viewer: Viewer): void {
    const { watched, sink } = viewer;
    if (!this.isHeldBy(viewer)) return;
    for (const message of nothingOpen) sink.message(message);
    if (watched !== null) this.#perform(viewer, (hand) => hand.touch(watched));
  }

  /** Whoever is in control works in a tab from now on: it becomes the active one, which they follow. */
  workIn(viewer: Viewer, tabId: string): void {
    if (!this.isHeldBy(viewer)) return;
    this.#listener.onTab(tabId);
    viewer.chosen = null;
    this.#with(viewer, (hand) => hand.bringToFront(tabId));
  }

  closeTab(viewer: Viewer, tabId: string, isLast: boolean): void {
    this.#with(viewer, (hand) => hand.closeTab(tabId, isLast));
  }

  input(viewer: Viewer, message: InputMessage): void {
    const { watched } = viewer;
    if (watched !== null) this.#with(viewer, (hand) => hand.input(watched, message));
  }

  command(viewer: Viewer, command: Command): void {
    const tabId = viewer.watched;
    if (tabId === null) return;
    this.#with(viewer, async (hand) => {
      switch (command.type) {
        case "go":
          return hand.go(tabId, command.to);
        case "open":
          return hand.open(tabId, checkedRequestUrl(command.url));
        case "new_tab":
          return hand.newTab();
        case "dialog":
          return hand.answerDialog(tabId, command.accept, command.text);
        case "choose":
          return hand.choose(tabId, command.index);
        case "copy": {
          const text = await hand.copy(tabId, command.cut);
          viewer.sink.message({ type: "clipboard", text });
        }
      }
    });
  }

  /** Does what whoever is in control asks for; what others ask for is dropped. */
  #with(viewer: Viewer, work: (hand: RemoteHand) => Promise<void>): void {
    if (!this.isHeldBy(viewer)) return;
    this.#used();
    this.#perform(viewer, work);
  }

  #perform(viewer: Viewer, work: (hand: RemoteHand) => Promise<void>): void {
    const held = this.#held;
    if (held?.viewer !== viewer) return;
    held.hand.then(work).catch((error: unknown) => {
      if (this.#held !== held) return;
      viewer.sink.message({ type: "notice", text: `That was not done: ${messageOf(error)}` });
    });
  }

  #used(): void {
    this.#listener.onInput();
    if (this.#lapse !== null) this.#lapse.refresh();
    else {
      this.#lapse = setTimeout(() => {
        this.#lapse = null;
        const { holder } = this;
        if (holder !== null) this.release(holder);
      }, heldWithoutInputMs);
      this.#lapse.unref();
    }
  }
}

/** What was open in a tab is not any more, or in another tab. */
const nothingOpen = [
  { type: "dialog", dialog: null },
  { type: "choices", choices: null },
  { type: "loading", loading: false },
] as const;

function closeHand(hand: Promise<RemoteHand>): void {
  hand.then(
    (opened) => opened.close(),
    () => {},
  );
}
