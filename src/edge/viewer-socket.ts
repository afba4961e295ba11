import type { WebSocket } from "ws";
import type { ServerMessage } from "../live/protocol.ts";
import { closeForBrokenBrowser } from "./broken-browser.ts";
import { ViewerFrames } from "./frame-senders.ts";
import type { SessionSocket, SocketFarewell } from "./session-socket.ts";
import { toViewerMessage } from "./viewer-messages.ts";
import {
  type ViewerTicket,
  viewerLinkEnd,
  viewerLinkLifeSeconds,
  viewerQuery,
} from "./viewer-tickets.ts";

/** Beside frames, a viewer that reads never has so much waiting for it, in bytes. */
const mostBufferedBytes = 8 * 1024 * 1024;

const longestName = 40;

/** How often a viewer gets a fresh ticket, in ms, so that it can connect again after its line broke. */
const ticketEveryMs = (viewerLinkLifeSeconds * 1000) / 3;

/** The live view of a session for the holder of a ticket. */
export async function serveViewer(
  { socket, session, query, options, onClosed }: SessionSocket,
  ticket: ViewerTicket,
): Promise<SocketFarewell> {
  const { views, capabilities } = options;
  const frames = new ViewerFrames(socket);
  const send = (message: ServerMessage): void => sendMessage(socket, message);
  const sendTicket = (): void => {
    const query = viewerQuery(capabilities, ticket, viewerLinkEnd());
    send({ type: "ticket", query: query.toString() });
  };
  // What comes before the view is open is read afterwards.
  socket.pause();
  const { view, viewer } = await views.join(
    session.id,
    {
      message: send,
      frame: (frame, tab) => frames.offer(frame, tab),
      gone: () => closeForBrokenBrowser(socket),
    },
    {
      name: (query.get("name") ?? "").trim().slice(0, longestName).toWellFormed(),
      mayControl: ticket.access === "control",
    },
  );
  const receive = (text: string): void => {
    const message = toViewerMessage(text);
    if (message === null) send({ type: "notice", text: "That was no message of a viewer." });
    else if (message.type === "shown") frames.shown(message.number);
    else view.receive(viewer, message);
  };
  socket.on("message", (data, isBinary) => {
    if (!isBinary) receive(String(data));
  });
  socket.resume();
  sendTicket();
  const timer = setInterval(sendTicket, ticketEveryMs);
  onClosed(() => {
    clearInterval(timer);
    view.leave(viewer);
  });
  return (ended) => {
    view.leave(viewer);
    if (ended === null) return;
    const { status, endReason, error } = ended.state;
    send({ type: "ended", status, reason: endReason, error });
  };
}

function sendMessage(socket: WebSocket, message: ServerMessage): void {
  if (socket.readyState !== socket.OPEN) return;
  if (socket.bufferedAmount > mostBufferedBytes) socket.terminate();
  else socket.send(JSON.stringify(message));
}
