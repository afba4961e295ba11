import type { ServerMessage, ViewedTab, ViewerMessage } from "../live/protocol.ts";
import { element, make } from "./elements.ts";

type TabsMessage = Extract<ServerMessage, { readonly type: "tabs" }>;

/** The tab bar, the address bar and the buttons beside it. */
export class Toolbar {
  readonly #send: (message: ViewerMessage) => void;
  readonly #tabs = element("tabs", HTMLElement);
  readonly #newTab = element("new-tab", HTMLButtonElement);
  readonly #address = element("address", HTMLInputElement);
  readonly #reload = element("reload", HTMLButtonElement);
  readonly #buttons = ["back", "forward", "reload"].map((id) => element(id, HTMLButtonElement));
  #open: TabsMessage = { type: "tabs", tabs: [], active: null };
  #watched: number | null = null;
  #inControl = false;
  #loading = false;

  constructor(send: (message: ViewerMessage) => void, onOpened: () => void) {
    this.#send = send;
    this.#newTab.addEventListener("click", () => send({ type: "new_tab" }));
    for (const to of ["back", "forward"] as const) {
      element(to, HTMLButtonElement).addEventListener("click", () => send({ type: "go", to }));
    }
    this.#reload.addEventListener("click", () =>
      send({ type: "go", to: this.#loading ? "stop" : "reload" }),
    );
    element("address-form", HTMLFormElement).addEventListener("submit", (event) => {
      event.preventDefault();
      if (!this.#inControl) return;
      send({ type: "open", url: this.#address.value });
      onOpened();
    });
    this.#address.addEventListener("focus", () => this.#address.select());
    this.#address.addEventListener("blur", () => this.#showAddress());
    this.#address.addEventListener("keydown", (event) => {
      if (event.key !== "Escape") return;
      this.#address.value = this.#current()?.url ?? "";
      this.#address.select();
    });
    this.#tabs.addEventListener("keydown", (event) => this.#moveAmongTabs(event));
    this.#refresh();
  }

  /** The URL and title of the tab that is shown. */
  get current(): ViewedTab | null {
    return this.#current() ?? null;
  }

  tabs(message: TabsMessage): void {
    this.#open = message;
    this.#refresh();
  }

  watching(tab: number | null): void {
    this.#watched = tab;
    this.#refresh();
  }

  control(inControl: boolean): void {
    this.#inControl = inControl;
    this.#refresh();
  }

  loading(loading: boolean): void {
    this.#loading = loading;
    document.body.classList.toggle("loading", loading);
    const label = loading ? "Stop loading" : "Reload";
    this.#reload.setAttribute("aria-label", label);
    this.#reload.title = label;
  }

  #current(): ViewedTab | undefined {
    return this.#open.tabs.find(({ number }) => number === this.#watched);
  }

  #refresh(): void {
    for (const button of this.#buttons) button.disabled = !this.#inControl;
    this.#newTab.hidden = !this.#inControl;
    this.#address.readOnly = !this.#inControl;
    if (document.activeElement !== this.#address) this.#showAddress();
    const focused = document.activeElement?.closest<HTMLElement>("[data-tab]")?.dataset["tab"];
    this.#tabs.replaceChildren(...this.#open.tabs.map((tab) => this.#tabElement(tab)));
    if (focused !== undefined) {
      this.#tabs.querySelector<HTMLElement>(`[data-tab="${focused}"] [role="tab"]`)?.focus();
    }
    const { title = "" } = this.#current() ?? {};
    document.title = title === "" ? "Live view · Nightjar" : `${title} · Nightjar`;
  }

  #showAddress(): void {
    const { url = "" } = this.#current() ?? {};
    this.#address.value = url === "about:blank" ? "" : url;
    this.#address.title = url;
  }

  #tabElement({ number, title, url }: ViewedTab): HTMLElement {
    const watched = number === this.#watched;
    const active = number === this.#open.active;
    const name = title === "" ? (url === "about:blank" ? "New tab" : url) : title;
    const tab = make(
      "button",
      {
        type: "button",
        role: "tab",
        "aria-selected": String(watched),
        tabindex: watched ? "0" : "-1",
        title: active ? `${name} (in use)` : name,
      },
      make("span", { class: "mark", "aria-hidden": "true" }),
      name,
    );
    tab.addEventListener("click", () => this.#choose(number));
    const holder = make(
      "div",
      { class: active ? "tab active" : "tab", "data-tab": String(number), role: "presentation" },
      tab,
    );
    if (this.#inControl) holder.append(this.#closeButton(number, name));
    return holder;
  }

  #closeButton(number: number, name: string): HTMLElement {
    const label = `Close ${name}`;
    const button = make("button", {
      type: "button",
      class: "icon small",
      "aria-label": label,
      title: label,
      tabindex: "-1",
    });
    const shape = element("new-tab", HTMLButtonElement).querySelector("svg")?.cloneNode(true);
    if (shape instanceof SVGElement) {
      shape.querySelector("path")?.setAttribute("d", "M4.5 4.5l7 7M11.5 4.5l-7 7");
      button.append(shape);
    }
    button.addEventListener("click", () => this.#send({ type: "close_tab", tab: number }));
    return button;
  }

  /** The active tab is followed: whoever works in the session may go elsewhere. */
  #choose(number: number): void {
    const follows = number === this.#open.active && !this.#inControl;
    this.#send({ type: "watch", tab: follows ? null : number });
  }

  #moveAmongTabs(event: KeyboardEvent): void {
    const tabs = [...this.#tabs.querySelectorAll<HTMLElement>('[role="tab"]')];
    const at = tabs.indexOf(event.target as HTMLElement);
    if (at === -1) return;
    const next = {
      ArrowLeft: at - 1,
      ArrowRight: at + 1,
      Home: 0,
      End: tabs.length - 1,
    }[event.key];
    if (next !== undefined) {
      event.preventDefault();
      tabs[(next + tabs.length) % tabs.length]?.focus();
    } else if (event.key === "Delete" && this.#inControl) {
      const { number } = this.#open.tabs[at] ?? {};
      if (number !== undefined) this.#send({ type: "close_tab", tab: number });
    }
  }
}
