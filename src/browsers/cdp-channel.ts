import { randomBytes } from "node:crypto";
import { request as httpRequest } from "node:http";
import { request as httpsRequest } from "node:https";
import type { LookupFunction } from "node:net";
import type { Duplex } from "node:stream";

export interface CdpChannelOptions {
  readonly timeoutMs: number;
  /** Resolves host names, for URLs whose addresses must be checked first. */
  readonly lookup?: LookupFunction;
}

/**
 * Opens a WebSocket to a `ws:` or `wss:` URL and hands over the bare byte stream behind the
 * handshake (RFC 6455), so that frames can be relayed as they are. No extension is offered: frames
 * come uncompressed. Throws when the handshake fails or takes longer than `timeoutMs`.
 */
export function openCdpChannel(url: string, options: CdpChannelOptions): Promise<Duplex> {
  const target = new URL(url);
  const secure = target.protocol === "wss:";
  target.protocol = secure ? "https:" : "http:";
  return new Promise((resolve, reject) => {
    const request = (secure ? httpsRequest : httpRequest)(target, {
      agent: false,
      timeout: options.timeoutMs,
      ...(options.lookup === undefined ? {} : { lookup: options.lookup }),
      headers: {
        Connection: "Upgrade",
        Upgrade: "websocket",
        "Sec-WebSocket-Version": "13",
        "Sec-WebSocket-Key": randomBytes(16).toString("base64"),
      },
    });
    request.on("upgrade", (_response, socket, head) => {
      socket.setTimeout(0);
      socket.setNoDelay(true);
      if (head.length > 0) socket.unshift(head);
      resolve(socket);
    });
    request.on("response", (response) => {
      response.resume();
      reject(new Error(`the browser answered ${response.statusCode} to a WebSocket handshake`));
    });
    request.on("timeout", () => {
      request.destroy(new Error(`no WebSocket handshake within ${options.timeoutMs} ms`));
    });
    request.on("error", reject);
    request.end();
  });
}
