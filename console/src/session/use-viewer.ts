import { type RefObject, useEffect, useState } from "react";
import { useTheme } from "../shell/theme.ts";

/** What the live view tells the page around it. */
export interface ViewerState {
  readonly line: { readonly kind: "connecting" | "open" | "broken" | "ended" | "refused" };
  readonly control: "nobody" | "you" | "other";
  /** How many look at it, this one included. */
  readonly viewers: number;
  readonly url: string;
  readonly title: string;
}

/** Listens to the live view in a frame, and keeps it in the console's colours. */
export function useViewer(frame: RefObject<HTMLIFrameElement | null>): ViewerState | null {
  const [state, setState] = useState<ViewerState | null>(null);
  const theme = useTheme();

  useEffect(() => {
    const listen = ({ source, origin, data }: MessageEvent<unknown>): void => {
      if (origin !== location.origin || source !== frame.current?.contentWindow) return;
      const told = data as { readonly source?: unknown; readonly state?: ViewerState } | null;
      if (told?.source === "nightjar-viewer" && told.state !== undefined) setState(told.state);
    };
    addEventListener("message", listen);
    return () => removeEventListener("message", listen);
  }, [frame]);

  const isThere = state !== null;
  useEffect(() => {
    if (!isThere) return;
    const wanted = theme === "system" ? null : theme;
    frame.current?.contentWindow?.postMessage(
      { target: "nightjar-viewer", action: "theme", theme: wanted },
      location.origin,
    );
  }, [frame, theme, isThere]);

  return state;
}
