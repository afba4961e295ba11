import type { WebSocket } from "ws";
import type { StartedStep } from "../pages/steps/started-step.ts";
import type { PlacedStep } from "../pages/steps/step-store.ts";
import { closeForBrokenBrowser } from "./broken-browser.ts";
import { BareFrames } from "./frame-senders.ts";
import type { SessionSocket, SocketFarewell } from "./session-socket.ts";
import { toWireStartedStep, toWireStep } from "./step-wire.ts";
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
  /** When the last step began that the client was told of, as it started or when it was over; epoch ms. */
  let toldOf = 0;
  // The store has them all, in order.
  const readTo = async (last: number): Promise<void> => {
    while (position < last) {
      const most = Math.min(stepsAtOnce, last - position);
      const found = await steps.after(session.id, position, most);
      for (const placed of found) {
        sendStep(socket, placed);
        toldOf = Math.max(toldOf, placed.step.startedAt);
      }
      position = found.at(-1)?.position ?? position;
      await drained(socket);
      if (found.length < most) return;
    }
  };
  let reading = readTo(Number.POSITIVE_INFINITY).catch(options.onFailure);
  const stop = feeds.follow(session, null, {
    ready: () => reading,
    onEvent: (event) => {
      if (event.kind === "step_started") {
        // Steps follow each other: one that the history had already is over.
        if (event.started.startedAt <= toldOf) return;
        toldOf = event.started.startedAt;
        sendStarted(socket, event.started);
      } else if (event.kind === "step") reading = readTo(event.position).catch(options.onFailure);
    },
    onLeft: () => {},
  });
  onClosed(stop);
  return async (ended) => {
    stop();
    await reading;
    await readTo(Number.POSITIVE_INFINITY);
    if (ended === null) return;
    const { endReason, closedAt } = ended.state;
    sendEvent(socket, "error", { message: `session closed: ${endReason}` }, closedAt);
  };
}

function sendStep(socket: WebSocket, { step }: PlacedStep): void {
  const { type, value } = toWireStep(step) as { readonly type: string; readonly value: object };
  sendEvent(socket, type, value, step.endedAt);
}

/** The contract's list of types has one for what begins. */
function sendStarted(socket: WebSocket, started: StartedStep): void {
  const { value } = toWireStartedStep(started) as { readonly value: object };
  sendEvent(socket, "agent_step_start", value, started.startedAt);
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
