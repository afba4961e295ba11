import type { Screencasts } from "../recording/screencast.ts";
import type { Browser, BrowserWatch } from "../sessions/ports.ts";
import { Control } from "./control.ts";
import { LiveTabs } from "./live-tabs.ts";
import type { ServerMessage, ViewerMessage } from "./protocol.ts";
import type { Viewer, ViewerSink } from "./viewer.ts";

/** More frames a second than people need to see a page move. */
const maxFps = 30;

export interface LiveViewOptions {
  readonly browser: Browser;
  readonly watch: BrowserWatch;
  readonly screencasts: Screencasts;
  /** Somebody works in the session. */
  readonly onInput: () => void;
  /** Nobody looks any more. */
  readonly onEmpty: () => void;
}

/** A session as people see it: its tabs, whoever looks at them, and the one of them in control. */
export class LiveView {
  readonly #options: LiveViewOptions;
  readonly #viewers = new Set<Viewer>();
  readonly #tabs: LiveTabs;
  readonly #control: Control;
  readonly #stopListening: () => void;
  #lastViewer = 0;
  #closed = false;

  constructor(options: LiveViewOptions) {
    this.#options = options;
    this.#tabs = new LiveTabs(
      options.watch,
      () => new Set([...this.#viewers].flatMap(({ watched }) => watched ?? [])),
      () => this.#tabsChanged(),
    );
    this.#control = new Control(options.browser, {
      onInput: options.onInput,
      onTab: (tabId) => options.screencasts.activate(tabId),
      onChange: () => this.#tellControl(),
    });
    this.#stopListening = options.screencasts.onActiveTab(() => this.#tabsChanged());
  }

  /** Whether somebody is in control. */
  get controlled(): boolean {
    return this.#control.holder !== null;
  }

  /** True from its close on: nobody can join any more. */
  get closed(): boolean {
    return this.#closed;
  }

  /** Lets somebody look; they get messages and frames from now on. */
  join(sink: ViewerSink, person: { readonly name: string; readonly mayControl: boolean }): Viewer {
    this.#lastViewer += 1;
    const number = this.#lastViewer;
    const viewer: Viewer = {
      ...person,
      name: person.name === "" ? `Viewer ${number}` : person.name,
      number,
      sink,
      chosen: null,
      watched: null,
      stopFrames: () => {},
    };
    this.#viewers.add(viewer);
    sink.message({ type: "hello", viewer: number, mayControl: person.mayControl });
    sink.message(this.#tabsMessage());
    this.#tellControl();
    this.#show(viewer, true);
    return viewer;
  }

  /** Ends what `join` began. */
  leave(viewer: Viewer): void {
    if (!this.#viewers.delete(viewer)) return;
    viewer.stopFrames();
    this.#control.release(viewer);
    if (this.#viewers.size > 0) {
      this.#tellControl();
      return;
    }
    this.close();
    this.#options.onEmpty();
  }

  /** Lets go of the browser. */
  close(): void {
    this.#closed = true;
    this.#stopListening();
    this.#tabs.stop();
    this.#control.close();
    for (const viewer of this.#viewers) {
      viewer.stopFrames();
      viewer.sink.gone();
    }
    this.#viewers.clear();
  }

  receive(viewer: Viewer, message: ViewerMessage): void {
    switch (message.type) {
      case "shown":
        return;
      case "watch":
        this.#choose(viewer, message.tab);
        return;
      case "control":
        if (message.take) this.#control.take(viewer);
        else this.#control.release(viewer);
        // Whoever is in control follows the active tab, whatever they had chosen before.
        this.#show(viewer, true);
        return;
      case "close_tab": {
        const id = this.#tabs.idOf(message.tab);
        const isLast = this.#options.watch.tabs.length === 1;
        if (id !== null) this.#control.closeTab(viewer, id, isLast);
        return;
      }
      case "mouse":
      case "wheel":
      case "touch":
        // It was meant for what was to be seen then.
        if (this.#tabs.idOf(message.tab) !== viewer.watched) return;
        this.#control.input(viewer, message);
        return;
      case "key":
      case "text":
      case "compose":
        this.#control.input(viewer, message);
        return;
      default:
        this.#control.command(viewer, message);
    }
  }

  #choose(viewer: Viewer, number: number | null): void {
    const id = number === null ? null : this.#tabs.idOf(number);
    if (number !== null && id === null) return;
    // Who controls, works in the tab that they look at; everybody else may look elsewhere.
    if (this.#control.isHeldBy(viewer) && id !== null) this.#control.workIn(viewer, id);
    else viewer.chosen = id;
    this.#show(viewer, true);
  }

  /** Sends a viewer the frames of the tab that they are to see. */
  #show(viewer: Viewer, say = false): void {
    const { screencasts } = this.#options;
    const wanted = viewer.chosen ?? screencasts.activeTab;
    const changes = wanted !== viewer.watched;
    if (changes || say) {
      viewer.sink.message({
        type: "watching",
        tab: wanted === null ? null : this.#tabs.numberOf(wanted),
        following: viewer.chosen === null,
      });
    }
    if (!changes) return;
    viewer.stopFrames();
    viewer.watched = wanted;
    this.#control.looksAt(viewer);
    if (wanted === null) return;
    const number = this.#tabs.numberOf(wanted);
    viewer.stopFrames = screencasts.subscribe(wanted, { maxFps }, (frame) =>
      viewer.sink.frame(frame, number),
    );
  }

  #tabsChanged(): void {
    const open = new Set(this.#options.watch.tabs.map(({ targetId }) => targetId));
    const message = this.#tabsMessage();
    for (const viewer of [...this.#viewers]) {
      if (viewer.chosen !== null && !open.has(viewer.chosen)) viewer.chosen = null;
      viewer.sink.message(message);
      this.#show(viewer);
    }
  }

  #tabsMessage(): ServerMessage {
    const { activeTab } = this.#options.screencasts;
    return {
      type: "tabs",
      tabs: this.#tabs.list(),
      active: activeTab === null ? null : this.#tabs.numberOf(activeTab),
    };
  }

  #tellControl(): void {
    const holder = this.#control.holder;
    const message: ServerMessage = {
      type: "control",
      controller: holder === null ? null : { viewer: holder.number, name: holder.name },
      viewers: this.#viewers.size,
    };
    for (const viewer of this.#viewers) viewer.sink.message(message);
  }
}
