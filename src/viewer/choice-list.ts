import type { Choices, ViewerMessage } from "../live/protocol.ts";
import { element, make } from "./elements.ts";
import type { Screen } from "./screen.ts";

/** A list of options that the page opened, which no picture of the page shows. */
export class ChoiceList {
  readonly #send: (message: ViewerMessage) => void;
  readonly #screen: Screen;
  readonly #onClosed: () => void;
  readonly #list = element("choices", HTMLElement);
  #choices: Choices | null = null;
  #current = -1;

  constructor(screen: Screen, send: (message: ViewerMessage) => void, onClosed: () => void) {
    this.#screen = screen;
    this.#send = send;
    this.#onClosed = onClosed;
    this.#list.addEventListener("keydown", (event) => this.#key(event));
    this.#list.addEventListener("click", (event) => {
      const option = (event.target as Element).closest<HTMLElement>('[role="option"]');
      if (option !== null) this.#choose(Number(option.dataset["index"]));
    });
    this.#list.addEventListener("blur", () => {
      if (this.#choices !== null) this.#choose(null);
    });
  }

  show(choices: Choices | null): void {
    const wasOpen = this.#choices !== null;
    this.#choices = choices;
    this.#list.hidden = choices === null;
    if (choices === null) {
      if (wasOpen) this.#onClosed();
      return;
    }
    this.#list.replaceChildren(...this.#rows(choices));
    this.#place(choices);
    this.#mark(choices.selected);
    this.#list.focus({ preventScroll: true });
  }

  *#rows({ options, selected }: Choices): Generator<HTMLElement> {
    let group = "";
    for (const [index, option] of options.entries()) {
      if (option.group !== group) {
        group = option.group;
        if (group !== "") yield make("div", { class: "group", role: "presentation" }, group);
      }
      yield make(
        "div",
        {
          id: `choice-${index}`,
          role: "option",
          "data-index": String(index),
          "aria-selected": String(index === selected),
          ...(option.disabled ? { "aria-disabled": "true" } : {}),
        },
        option.label,
      );
    }
  }

  #place({ x, y, width, height }: Choices): void {
    const { scale, page } = this.#screen;
    const { style } = this.#list;
    style.minWidth = `${width * scale}px`;
    style.left = `${Math.max(0, x * scale)}px`;
    const below = page.clientHeight - (y + height) * scale;
    const above = y * scale;
    const under = below >= Math.min(200, this.#list.offsetHeight) || below >= above;
    style.top = under ? `${(y + height) * scale}px` : "auto";
    style.bottom = under ? "auto" : `${page.clientHeight - above}px`;
  }

  #mark(index: number): void {
    this.#current = index;
    for (const option of this.#list.querySelectorAll(".current"))
      option.classList.remove("current");
    const option = document.getElementById(`choice-${index}`);
    option?.classList.add("current");
    option?.scrollIntoView({ block: "nearest" });
    if (option === null) this.#list.removeAttribute("aria-activedescendant");
    else this.#list.setAttribute("aria-activedescendant", option.id);
  }

  #key(event: KeyboardEvent): void {
    const { options = [] } = this.#choices ?? {};
    event.preventDefault();
    switch (event.key) {
      case "Enter":
      case " ":
        this.#choose(this.#current);
        return;
      case "Escape":
      case "Tab":
        this.#choose(null);
        return;
      case "ArrowDown":
        this.#mark(nextOpen(options, this.#current, 1));
        return;
      case "ArrowUp":
        this.#mark(nextOpen(options, this.#current, -1));
        return;
      case "Home":
        this.#mark(nextOpen(options, -1, 1));
        return;
      case "End":
        this.#mark(nextOpen(options, options.length, -1));
        return;
      default: {
        const key = event.key.toLowerCase();
        const found = options.findIndex(
          ({ label, disabled }) => !disabled && label.trim().toLowerCase().startsWith(key),
        );
        if (found !== -1) this.#mark(found);
      }
    }
  }

  #choose(index: number | null): void {
    this.#choices = null;
    this.#list.hidden = true;
    this.#send({ type: "choose", index: index !== null && index >= 0 ? index : null });
    this.#onClosed();
  }
}

/** The next option from one on that can be chosen; that one itself where there is none. */
function nextOpen(options: Choices["options"], from: number, step: 1 | -1): number {
  for (let index = from + step; index >= 0 && index < options.length; index += step) {
    if (options[index]?.disabled === false) return index;
  }
  return from;
}
