/**
 * What a viewer and the server say to each other over the live view's WebSocket: JSON texts of these
 * types, and frames as binary messages (`frameHeaderBytes` of header, then a JPEG).
 */

/** How a frame begins; numbers are big-endian. The JPEG follows. */
export const frameHeader = {
  bytes: 32,
  /** Uint16: the tab's number, as in `tabs`. */
  tab: 0,
  /** Uint32: counts the frames of this connection; to be answered by `shown`. */
  number: 4,
  /** Float64: when the browser drew it, in epoch ms. */
  at: 8,
  /** Float32, CSS pixels: the size of the page's viewport, which input coordinates refer to. */
  width: 16,
  height: 20,
  /** Float32: how far the page is zoomed by pinching. */
  pageScale: 24,
} as const;

/** How many frames a viewer is sent ahead of those that it has shown. */
export const mostFramesAhead = 3;

export type Button = "none" | "left" | "middle" | "right" | "back" | "forward";

/** Keys that are held: the sum of 1 Alt, 2 Control, 4 Meta, 8 Shift, as in CDP. */
export type Modifiers = number;

/** Input refers to a place in a tab: what is meant for a tab that is not shown any more is dropped. */
export type InputMessage =
  | {
      readonly type: "mouse";
      readonly event: "move" | "down" | "up";
      readonly tab: number;
      readonly x: number;
      readonly y: number;
      readonly button: Button;
      /** Which buttons are held, as in `MouseEvent.buttons`. */
      readonly buttons: number;
      readonly clicks: number;
      readonly modifiers: Modifiers;
    }
  | {
      readonly type: "wheel";
      readonly tab: number;
      readonly x: number;
      readonly y: number;
      readonly dx: number;
      readonly dy: number;
      readonly modifiers: Modifiers;
    }
  | {
      readonly type: "touch";
      readonly event: "start" | "move" | "end" | "cancel";
      readonly tab: number;
      readonly points: readonly { readonly id: number; readonly x: number; readonly y: number }[];
      readonly modifiers: Modifiers;
    }
  | {
      readonly type: "key";
      readonly event: "down" | "up";
      readonly key: string;
      readonly code: string;
      readonly keyCode: number;
      /** What the key types; empty for keys that type nothing. */
      readonly text: string;
      readonly location: number;
      readonly repeat: boolean;
      readonly modifiers: Modifiers;
    }
  /** Pasted, or composed by an input method. */
  | { readonly type: "text"; readonly text: string }
  /** What an input method shows while it composes. */
  | {
      readonly type: "compose";
      readonly text: string;
      readonly start: number;
      readonly end: number;
    };

export type ViewerMessage =
  | InputMessage
  /** This frame, and all before it, are on the screen. */
  | { readonly type: "shown"; readonly number: number }
  /** Look at a tab; null: always at the active one. In control, it becomes the active one. */
  | { readonly type: "watch"; readonly tab: number | null }
  | { readonly type: "control"; readonly take: boolean }
  | { readonly type: "go"; readonly to: "back" | "forward" | "reload" | "stop" }
  | { readonly type: "open"; readonly url: string }
  | { readonly type: "new_tab" }
  | { readonly type: "close_tab"; readonly tab: number }
  /** Asks for the selected text, with `cut` to be removed afterwards. */
  | { readonly type: "copy"; readonly cut: boolean }
  | { readonly type: "dialog"; readonly accept: boolean; readonly text: string }
  /** An option of the list that is open, by its index; null closes the list. */
  | { readonly type: "choose"; readonly index: number | null };

export interface ViewedTab {
  readonly number: number;
  readonly url: string;
  readonly title: string;
}

/** A list of options that a page opened, which pictures of the page do not show. */
export interface Choices {
  readonly options: readonly {
    readonly label: string;
    readonly group: string;
    readonly disabled: boolean;
  }[];
  readonly selected: number;
  /** Where the field is, in CSS pixels of the page's viewport. */
  readonly x: number;
  readonly y: number;
  readonly width: number;
  readonly height: number;
}

export interface PageDialog {
  readonly kind: "alert" | "confirm" | "prompt" | "beforeunload";
  readonly message: string;
  readonly defaultText: string;
}

export type ServerMessage =
  /** The first message. `viewer`: the number by which `control` names this viewer. */
  | { readonly type: "hello"; readonly viewer: number; readonly mayControl: boolean }
  | {
      readonly type: "tabs";
      readonly tabs: readonly ViewedTab[];
      /** Numbers; null where no tab is open. */
      readonly active: number | null;
    }
  /** Whose frames come from now on. */
  | { readonly type: "watching"; readonly tab: number | null; readonly following: boolean }
  | {
      readonly type: "control";
      readonly controller: { readonly viewer: number; readonly name: string } | null;
      /** How many watch, whoever controls included. */
      readonly viewers: number;
    }
  | { readonly type: "loading"; readonly loading: boolean }
  | { readonly type: "dialog"; readonly dialog: PageDialog | null }
  | { readonly type: "choices"; readonly choices: Choices | null }
  | { readonly type: "clipboard"; readonly text: string }
  /** Something that was asked for was not done, in words. */
  | { readonly type: "notice"; readonly text: string }
  /** The query of a fresh link to this view, to connect again with. */
  | { readonly type: "ticket"; readonly query: string }
  /** The session has ended; the connection closes. */
  | {
      readonly type: "ended";
      readonly status: string;
      readonly reason: string;
      readonly error: string | null;
    };
