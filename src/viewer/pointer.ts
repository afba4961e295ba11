import type { Button, ViewerMessage } from "../live/protocol.ts";
import { modifiersOf } from "./modifiers.ts";
import type { Screen } from "./screen.ts";

const buttonNames: readonly Button[] = ["left", "middle", "right", "back", "forward"];

/** Pixels of a wheel that turns by lines, as browsers take them. */
const pixelsPerLine = 40;

/** Sends what mouse, pen, wheel and fingers do to the picture of the page. */
export class Pointer {
  readonly #surface: HTMLElement;
  readonly #screen: Screen;
  readonly #send: (message: ViewerMessage) => void;
  #enabled = false;
  #pressed = false;
  /** The last movement since the last frame of this window. */
  #moved: MouseEvent | null = null;
  #touched: TouchEvent | null = null;
  #turned: { event: WheelEvent; dx: number; dy: number } | null = null;
  #planned = false;

  constructor(surface: HTMLElement, screen: Screen, send: (message: ViewerMessage) => void) {
    this.#surface = surface;
    this.#screen = screen;
    this.#send = send;
    surface.addEventListener("mousedown", (event) => this.#mouse("down", event));
    // A button that was pressed on the page may be released anywhere.
    addEventListener("mouseup", (event) => {
      if (this.#pressed) this.#mouse("up", event);
    });
    addEventListener("mousemove", (event) => {
      if (!this.#pressed && event.target !== surface) return;
      this.#moved = event;
      this.#plan();
    });
    surface.addEventListener("wheel", (event) => this.#wheel(event), { passive: false });
    surface.addEventListener("contextmenu", (event) => event.preventDefault());
    for (const [name, kind] of [
      ["touchstart", "start"],
      ["touchmove", "move"],
      ["touchend", "end"],
      ["touchcancel", "cancel"],
    ] as const) {
      surface.addEventListener(name, (event) => this.#touch(kind, event), { passive: false });
    }
  }

  enable(enabled: boolean): void {
    this.#enabled = enabled;
    this.#pressed = false;
    this.#moved = null;
    this.#touched = null;
    this.#turned = null;
  }

  #mouse(kind: "down" | "up", event: MouseEvent): void {
    if (!this.#enabled) return;
    this.#flush();
    this.#pressed = kind === "down" || event.buttons !== 0;
    // The focus stays with the field that takes the keys; text of this page is not selected.
    if (kind === "down") {
      event.preventDefault();
      this.#surface.focus({ preventScroll: true });
    }
    this.#sendMouse(kind, event);
  }

  #sendMouse(kind: "move" | "down" | "up", event: MouseEvent): void {
    const { tab } = this.#screen;
    if (tab === null || !this.#enabled) return;
    this.#send({
      type: "mouse",
      event: kind,
      tab,
      ...this.#screen.pointAt(event),
      button: kind === "move" ? heldButton(event) : (buttonNames[event.button] ?? "none"),
      buttons: event.buttons,
      clicks: kind === "move" ? 0 : Math.min(3, Math.max(1, event.detail)),
      modifiers: modifiersOf(event),
    });
  }

  #wheel(event: WheelEvent): void {
    if (!this.#enabled) return;
    event.preventDefault();
    const unit =
      event.deltaMode === WheelEvent.DOM_DELTA_LINE
        ? pixelsPerLine
        : event.deltaMode === WheelEvent.DOM_DELTA_PAGE
          ? this.#surface.clientHeight
          : 1;
    this.#turned = {
      event,
      dx: (this.#turned?.dx ?? 0) + event.deltaX * unit,
      dy: (this.#turned?.dy ?? 0) + event.deltaY * unit,
    };
    this.#plan();
  }

  #touch(kind: "start" | "move" | "end" | "cancel", event: TouchEvent): void {
    if (!this.#enabled) return;
    // No click is made of it here: the page makes its own.
    event.preventDefault();
    if (kind === "start") this.#surface.focus({ preventScroll: true });
    if (kind === "move") {
      this.#touched = event;
      this.#plan();
      return;
    }
    this.#flush();
    this.#sendTouch(kind, event);
  }

  #sendTouch(kind: "start" | "move" | "end" | "cancel", event: TouchEvent): void {
    const { tab } = this.#screen;
    if (tab === null || !this.#enabled) return;
    this.#send({
      type: "touch",
      event: kind,
      tab,
      points: [...event.touches].map((touch) => ({
        id: touch.identifier & 0xffff,
        ...this.#screen.pointAt(touch),
      })),
      modifiers: modifiersOf(event),
    });
  }

  /** Movements are sent once a frame of this window: more is not seen. */
  #plan(): void {
    if (this.#planned) return;
    this.#planned = true;
    requestAnimationFrame(() => {
      this.#planned = false;
      this.#flush();
    });
  }

  #flush(): void {
    const moved = this.#moved;
    const touched = this.#touched;
    const turned = this.#turned;
    this.#moved = null;
    this.#touched = null;
    this.#turned = null;
    if (moved !== null) this.#sendMouse("move", moved);
    if (touched !== null) this.#sendTouch("move", touched);
    const { tab } = this.#screen;
    if (turned === null || tab === null || !this.#enabled) return;
    const { event, dx, dy } = turned;
    const point = this.#screen.pointAt(event);
    this.#send({ type: "wheel", tab, ...point, dx, dy, modifiers: modifiersOf(event) });
  }
}

function heldButton({ buttons }: MouseEvent): Button {
  if ((buttons & 1) !== 0) return "left";
  if ((buttons & 2) !== 0) return "right";
  return (buttons & 4) !== 0 ? "middle" : "none";
}
