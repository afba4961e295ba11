import { frameHeader } from "../live/protocol.ts";
import { element } from "./elements.ts";

/** A place in the page, in CSS pixels of its viewport. */
export interface PagePoint {
  readonly x: number;
  readonly y: number;
}

/** Shows the frames, as large as the window allows. */
export class Screen {
  readonly page = element("page", HTMLElement);
  readonly #canvas = element("screen", HTMLCanvasElement);
  readonly #stage = element("stage", HTMLElement);
  readonly #context = this.#canvas.getContext("2d", { alpha: false });
  readonly #onShown: (number: number) => void;
  /** The tab whose frames are shown; others are late. */
  tab: number | null = null;
  #width = 1280;
  #height = 720;
  #next: ArrayBuffer | null = null;
  #drawing = false;
  #lastNumber = 0;
  /** The newest frame that is drawn, and not yet said to be shown: nobody looks. */
  #unseen: number | null = null;

  constructor(onShown: (number: number) => void) {
    this.#onShown = onShown;
    new ResizeObserver(() => this.#fit()).observe(this.#stage);
    // In a tab that is not to be seen frames need not come.
    document.addEventListener("visibilitychange", () => {
      if (document.hidden || this.#unseen === null) return;
      const number = this.#unseen;
      this.#unseen = null;
      this.#onShown(number);
    });
  }

  /** How many CSS pixels of this window a CSS pixel of the page takes. */
  get scale(): number {
    return this.page.clientWidth / this.#width;
  }

  /** The line is a new one: frames are counted from the start. */
  reset(): void {
    this.#lastNumber = 0;
    this.#unseen = null;
    this.#next = null;
  }

  receive(data: ArrayBuffer): void {
    this.#next = data;
    if (!this.#drawing) void this.#draw();
  }

  pointAt(event: { readonly clientX: number; readonly clientY: number }): PagePoint {
    const { left, top, width, height } = this.#canvas.getBoundingClientRect();
    return {
      x: ((event.clientX - left) / width) * this.#width,
      y: ((event.clientY - top) / height) * this.#height,
    };
  }

  async #draw(): Promise<void> {
    this.#drawing = true;
    while (this.#next !== null) {
      const data = this.#next;
      this.#next = null;
      const view = new DataView(data);
      const number = view.getUint32(frameHeader.number);
      if (view.getUint16(frameHeader.tab) === this.tab) {
        const jpeg = new Blob([new Uint8Array(data, frameHeader.bytes)], { type: "image/jpeg" });
        const picture = await createImageBitmap(jpeg).catch(() => null);
        if (picture !== null) {
          this.#show(
            picture,
            view.getFloat32(frameHeader.width),
            view.getFloat32(frameHeader.height),
          );
        }
      }
      this.#said(number);
    }
    this.#drawing = false;
  }

  #show(picture: ImageBitmap, width: number, height: number): void {
    const canvas = this.#canvas;
    if (canvas.width !== picture.width || canvas.height !== picture.height) {
      canvas.width = picture.width;
      canvas.height = picture.height;
    }
    this.#context?.drawImage(picture, 0, 0);
    picture.close();
    canvas.dataset["frames"] = String(Number(canvas.dataset["frames"] ?? 0) + 1);
    if (width === this.#width && height === this.#height) return;
    this.#width = width;
    this.#height = height;
    this.#fit();
  }

  #said(number: number): void {
    if (number <= this.#lastNumber) return;
    this.#lastNumber = number;
    if (document.hidden) this.#unseen = number;
    else this.#onShown(number);
  }

  #fit(): void {
    const { clientWidth, clientHeight } = this.#stage;
    const scale = Math.min(clientWidth / this.#width, clientHeight / this.#height);
    const width = Math.max(1, Math.floor(this.#width * scale));
    const height = Math.max(1, Math.floor(this.#height * scale));
    const { style } = this.page;
    style.width = `${width}px`;
    style.height = `${height}px`;
    style.left = `${Math.max(0, Math.floor((clientWidth - width) / 2))}px`;
    style.top = `${Math.max(0, Math.floor((clientHeight - height) / 2))}px`;
  }
}
