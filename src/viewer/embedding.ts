import type { Line } from "./connection.ts";
import { setTheme } from "./settings.ts";

/** What the page that shows the view in a frame is told whenever it changes. */
export interface EmbeddedState {
  readonly line: Line;
  /** Who is in control. */
  readonly control: "nobody" | "you" | "other";
  readonly viewers: number;
  readonly url: string;
  readonly title: string;
}

/** What that page may ask for, as `{ target: "nightjar-viewer", action, ... }`. */
export interface EmbeddingRequests {
  takeControl(): void;
  releaseControl(): void;
}

const framed = window.parent !== window;

/** Sends the state to the page around the frame, as `{ source: "nightjar-viewer", state }`. */
export function tellParent(state: EmbeddedState): void {
  // The server lets nobody frame the view but whom the operator allows.
  if (framed) window.parent.postMessage({ source: "nightjar-viewer", state }, "*");
}

export function listenToParent(requests: EmbeddingRequests): void {
  addEventListener("message", ({ source, data }: MessageEvent<unknown>) => {
    if (!framed || source !== window.parent || typeof data !== "object" || data === null) return;
    const { target, action, theme } = data as Readonly<Record<string, unknown>>;
    if (target !== "nightjar-viewer") return;
    if (action === "take-control") requests.takeControl();
    if (action === "release-control") requests.releaseControl();
    if (action === "theme") setTheme(typeof theme === "string" ? theme : null);
  });
}
