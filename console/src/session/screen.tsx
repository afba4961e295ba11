import type { ReactNode } from "react";
import type { Session } from "../api/types.ts";
import "./stage.css";

interface ScreenProps {
  readonly session: Session;
  readonly children: ReactNode;
}

/** A frame in the shape of the session's own screen. */
export function Screen({ session, children }: ScreenProps) {
  const { viewport_width: width, viewport_height: height } = session;
  const aspectRatio = width === null || height === null ? "16 / 10" : `${width} / ${height}`;
  return (
    <div className="stage__screen" style={{ aspectRatio }}>
      {children}
    </div>
  );
}
