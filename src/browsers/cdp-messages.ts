import type { CdpMessages } from "../sessions/ports.ts";
import { type CdpConnectOptions, openCdpSocket } from "./cdp-connection.ts";

/** Opens a connection to a browser that carries whole CDP messages. Throws when it cannot. */
export async function openCdpMessages(
  url: string,
  options: CdpConnectOptions,
): Promise<CdpMessages> {
  const socket = await openCdpSocket(url, options);
  let listener: (message: object) => void = () => {};
  // Whatever goes wrong ends in `close`; without a listener an error would end the process.
  socket.on("error", () => {});
  socket.on("message", (data) => {
    const message = parseObject(String(data));
    // A browser elsewhere may be anything; what does not speak CDP is no browser.
    if (message === null) socket.terminate();
    else listener(message);
  });
  return {
    send: (message) => {
      if (socket.readyState === socket.OPEN) socket.send(JSON.stringify(message));
    },
    onMessage: (callback) => {
      listener = callback;
    },
    closed: new Promise((resolve) => {
      if (socket.readyState === socket.CLOSED) resolve();
      else socket.on("close", () => resolve());
    }),
    close: () => socket.terminate(),
  };
}

function parseObject(text: string): object | null {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === "object" && value !== null ? value : null;
  } catch {
    return null;
  }
}
