import type { PageDialog, ViewerMessage } from "../live/protocol.ts";
import { element } from "./elements.ts";

/** A JavaScript dialog of the page, for the one in control to answer. */
export class PageDialogBox {
  readonly #send: (message: ViewerMessage) => void;
  readonly #box = element("dialog", HTMLDialogElement);
  readonly #message = element("dialog-message", HTMLElement);
  readonly #input = element("dialog-input", HTMLInputElement);
  readonly #cancel = element("dialog-cancel", HTMLButtonElement);

  constructor(send: (message: ViewerMessage) => void, onClosed: () => void) {
    this.#send = send;
    element("dialog-accept", HTMLButtonElement).addEventListener("click", (event) => {
      event.preventDefault();
      this.#answer(true);
    });
    this.#cancel.addEventListener("click", () => this.#answer(false));
    this.#box.addEventListener("cancel", (event) => {
      event.preventDefault();
      this.#answer(false);
    });
    this.#box.addEventListener("close", onClosed);
  }

  /** Null closes it: it was answered, maybe by another client of the session. */
  show(dialog: PageDialog | null): void {
    if (dialog === null) {
      this.#box.close();
      return;
    }
    const leaving = dialog.kind === "beforeunload";
    this.#message.textContent = leaving
      ? "Leave the page? What was entered may be lost."
      : dialog.message;
    this.#input.hidden = dialog.kind !== "prompt";
    this.#input.value = dialog.defaultText;
    this.#cancel.hidden = dialog.kind === "alert";
    if (!this.#box.open) this.#box.showModal();
    if (dialog.kind === "prompt") this.#input.select();
  }

  #answer(accept: boolean): void {
    this.#send({ type: "dialog", accept, text: this.#input.value });
    this.#box.close();
  }
}
