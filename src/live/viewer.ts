import type { ScreencastFrame } from "../recording/screencast-frame.ts";
import type { ServerMessage } from "./protocol.ts";

/** Where a viewer's messages and frames go; neither call may block. */
export interface ViewerSink {
  message(message: ServerMessage): void;
  /** `tab`: the tab's number. */
  frame(frame: ScreencastFrame, tab: number): void;
  /** Nothing more comes: the connection to the browser has broken. */
  gone(): void;
}

/** One person who looks at a session. */
export interface Viewer {
  readonly number: number;
  readonly name: string;
  readonly mayControl: boolean;
  readonly sink: ViewerSink;
  /** The tab that they chose; null for always the active one. */
  chosen: string | null;
  /** The tab whose frames they get. */
  watched: string | null;
  stopFrames: () => void;
}
