import type { WebSocket } from "ws";
import { standardCloseCodes } from "./close-codes.ts";

/** How long to wait for the session's own end once its browser is gone, in ms. */
const endNewsMs = 1500;

/**
 * Closes a socket whose connection to the browser has broken, unless the session's end does so first:
 * another connection may be had by another socket.
 */
export function closeForBrokenBrowser(socket: WebSocket): void {
  setTimeout(
    () =>
      socket.close(
        standardCloseCodes.serviceRestart,
        "the browser's connection broke; connect again",
      ),
    endNewsMs,
  ).unref();
}
