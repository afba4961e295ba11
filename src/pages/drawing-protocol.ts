/** What the drawing script is asked for; plain JSON. */

/** A box to draw on a picture, in pixels of the picture. */
export interface Mark {
  readonly x: number;
  readonly y: number;
  readonly width: number;
  readonly height: number;
  /** Stands beside the box; empty for none. */
  readonly label: string;
}

export interface DrawRequest {
  /** Base64; drawn one below the other. */
  readonly tiles: readonly { readonly data: string; readonly y: number }[];
  readonly tileType: string;
  /** In pixels; what is beyond is cut off. */
  readonly width: number;
  readonly height: number;
  readonly marks: readonly Mark[];
  /** Pixels of the picture for each CSS pixel: lines and letters are drawn that much larger. */
  readonly density: number;
  readonly type: "image/png" | "image/jpeg" | "image/webp";
  /** 0 to 1. */
  readonly quality: number;
}
