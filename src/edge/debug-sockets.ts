import type { WebSocket } from "ws";
import type { PlacedStep } from "../pages/steps/step-store.ts";
import { closeForBrokenBrowser } from "./broken-browser.ts";
import { BareFrames } from "./frame-senders.ts";
import type { SessionSocket, SocketFarewell } from "./session-socket.ts";
import { toWireStep } from "./step-wire.ts";
import { wireTime } from "./wire-time.ts";

const maxFps = 20;

/** How many steps are read from the store at once. */
const stepsAtOnce = 100;

/** A client that lets so much pile up is waited for, in bytes. */
const mostBufferedBytes = 1024 * 1024;
const bufferedEveryMs = 50;

/** The contract's `ws.recording`: the active tab, one JPEG a message. */
export async function serveRecording({
  socket,
  session,
  options,
  onClosed,
}: SessionSocket): Promise<SocketFarewell> {
  const screencasts = await options.screencasts.of(session.id);
  const frames = new BareFrames(socket);
  let stopFrames = (): void => {};
  const show = (targetId: string | null): void => {
    stopFrames();
    stopFrames =
      targetId === null
        ? () => {}
        : screencasts.subscribe(targetId, { maxFps }, (frame) => frames.offer(frame));
  };
  const stopActive = screencasts.onActiveTab(show);
  show(screencasts.activeTab);
  const stop = (): void => {
    stopActive();
    stopFrames();
  };
  onClosed(stop);
  void screencasts.closed.then(() => {
    stop();
    closeForBrokenBrowser(socket);
  });
  return stop;
}

/** The contract's `ws.logs`: the session's steps, those of the past first, and its end. */
export async function serveLogs({
  socket,
  session,
  options,
  onClosed,
}: SessionSocket): Promise<SocketFarewell> {
  const { feeds, steps } = options;
  let position = -1;
  let reading: Promise<void> | null = null;
  let wanted = false;
  // The store has them all, in order: whatever comes is a reason to read on.
  const readOn = async (): Promise<void> => {
    while (wanted) {
      wanted = false;
      for (;;) {
        const found = await steps.after(session.id, position, stepsAtOnce);
        for (const placed of found) sendStep(socket, placed);
        position = found.at(-1)?.position ?? position;
        await drained(socket);
        if (found.length < stepsAtOnce) break;
      }
    }
  };
  const read = (): Promise<void> => {
    wanted = true;
    reading ??= readOn()
      .catch(options.onFailure)
      .finally(() => {
        reading = null;
      });
    return reading;
  };
  const stop = feeds.follow(session, null, {
    onEvent: (event) => {
      if (event.kind === "step") void read();
    },
    onLeft: () => {},
  });
  onClosed(stop);
  void read();
  return async (ended) => {
    stop();
    await read();
    if (ended === null) return;
    const { endReason, closedAt } = ended.state;
    sendEvent(socket, "error", { message: `session closed: ${endReason}` }, closedAt);
  };
}

function sendStep(socket: WebSocket, { step }: PlacedStep): void {
  const { type, value } = toWireStep(step) as { readonly type: string; readonly value: object };
  sendEvent(socket, type, value, step.endedAt);
}

/** `at`: epoch ms. */
function sendEvent(socket: WebSocket, type: string, data: object, at: number): void {
  if (socket.readyState !== socket.OPEN) return;
  socket.send(JSON.stringify({ type, data, timestamp: wireTime(at) }));
}

/** Resolves when the client has read most of what it was sent, or is gone. */
async function drained(socket: WebSocket): Promise<void> {
  while (socket.readyState === socket.OPEN && socket.bufferedAmount > mostBufferedBytes) {
    await new Promise((resolve) => setTimeout(resolve, bufferedEveryMs));
  }
}
