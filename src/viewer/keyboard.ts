import type { ViewerMessage } from "../live/protocol.ts";
import { holdsCommand, modifiersOf } from "./modifiers.ts";

/** Stands in the field, so that phones have something to delete. */
const sentinel = "\u00a0";

/** What browsers answer for a key that an input method takes. */
const composingKeyCode = 229;

/**
 * Sends what is typed, composed and pasted in a field that nobody sees. F6 leaves the field, since
 * Tab belongs to the page.
 */
export class Keyboard {
  readonly #field: HTMLTextAreaElement;
  readonly #send: (message: ViewerMessage) => void;
  readonly #onLeave: () => void;
  /** Codes of the keys that the page believes to be held. */
  readonly #held = new Map<string, KeyboardEvent>();
  #composing = false;

  constructor(
    field: HTMLTextAreaElement,
    send: (message: ViewerMessage) => void,
    onLeave: () => void,
  ) {
    this.#field = field;
    this.#send = send;
    this.#onLeave = onLeave;
    this.#clear();
    field.addEventListener("keydown", (event) => this.#down(event));
    field.addEventListener("keyup", (event) => this.#up(event));
    field.addEventListener("blur", () => this.#releaseAll());
    field.addEventListener("paste", (event) => {
      event.preventDefault();
      this.#text(event.clipboardData?.getData("text/plain") ?? "");
    });
    field.addEventListener("compositionstart", () => {
      this.#composing = true;
    });
    field.addEventListener("compositionupdate", ({ data }) => this.#compose(data));
    field.addEventListener("compositionend", ({ data }) => {
      this.#composing = false;
      if (data === "") this.#compose("");
      else this.#text(data);
      this.#clear();
    });
    field.addEventListener("input", (event) => this.#input(event as InputEvent));
  }

  #down(event: KeyboardEvent): void {
    if (event.key === "F6") {
      event.preventDefault();
      this.#onLeave();
      return;
    }
    if (event.isComposing || event.keyCode === composingKeyCode || event.key === "Dead") return;
    const shortcut = holdsCommand(event) && !event.altKey ? event.key.toLowerCase() : "";
    // The browser brings what is to be pasted.
    if (shortcut === "v") return;
    event.preventDefault();
    if (shortcut === "x") {
      this.#send({ type: "copy", cut: true });
      return;
    }
    if (shortcut === "c") this.#send({ type: "copy", cut: false });
    this.#held.set(event.code, event);
    this.#key("down", event);
  }

  #up(event: KeyboardEvent): void {
    if (!this.#held.delete(event.code)) return;
    event.preventDefault();
    this.#key("up", event);
  }

  /** Keys that go up elsewhere would stay down for the page. */
  #releaseAll(): void {
    for (const event of this.#held.values()) this.#key("up", event);
    this.#held.clear();
  }

  #key(kind: "down" | "up", event: KeyboardEvent): void {
    // What makes a character is no shortcut there.
    const types = event.getModifierState("AltGraph") && [...event.key].length === 1;
    const modifiers = types ? modifiersOf(event) & 8 : modifiersOf(event);
    this.#send({
      type: "key",
      event: kind,
      key: event.key,
      code: event.code,
      keyCode: Math.min(255, event.keyCode),
      text: kind === "down" ? textOf(event.key, modifiers) : "",
      location: event.location,
      repeat: event.repeat,
      modifiers,
    });
  }

  /** What phones and tools type without keys. */
  #input(event: InputEvent): void {
    if (this.#composing || event.isComposing) return;
    if (event.inputType === "deleteContentBackward") {
      for (const kind of ["down", "up"] as const) {
        this.#send({
          type: "key",
          event: kind,
          key: "Backspace",
          code: "Backspace",
          keyCode: 8,
          text: "",
          location: 0,
          repeat: false,
          modifiers: 0,
        });
      }
    } else if (event.inputType !== "insertCompositionText") {
      this.#text(event.data ?? (event.inputType === "insertLineBreak" ? "\n" : ""));
    }
    this.#clear();
  }

  #text(text: string): void {
    if (text !== "") this.#send({ type: "text", text });
  }

  #compose(text: string): void {
    this.#send({ type: "compose", text, start: text.length, end: text.length });
  }

  #clear(): void {
    this.#field.value = sentinel;
    this.#field.setSelectionRange(1, 1);
  }
}

function textOf(key: string, modifiers: number): string {
  if (key === "Enter") return "\r";
  // With Control, Alt or Meta a key is a shortcut.
  return [...key].length === 1 && (modifiers & 7) === 0 ? key : "";
}
