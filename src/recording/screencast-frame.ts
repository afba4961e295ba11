/** One picture of a tab. */
export interface ScreencastFrame {
  readonly targetId: string;
  readonly jpeg: Buffer;
  /** When the browser drew it, in epoch ms by the browser's clock. */
  readonly at: number;
  /** Of the page's viewport, in CSS pixels; the picture itself may have other dimensions. */
  readonly width: number;
  readonly height: number;
  /** How far the page is scrolled, in CSS pixels. */
  readonly scrollX: number;
  readonly scrollY: number;
  /** How far the page is zoomed by pinching; 1 is not. */
  readonly pageScale: number;
}

/** Called for each frame, in the order they were drawn. */
export type FrameListener = (frame: ScreencastFrame) => void;
