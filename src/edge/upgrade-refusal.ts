import { STATUS_CODES } from "node:http";
import type { Duplex } from "node:stream";
import { errorAnswer } from "./error-response.ts";

/** Answers a request to upgrade to WebSocket with an error instead. */
export function refuseUpgrade(socket: Duplex, error: unknown): void {
  // A handshake that is none is a bad request (400), not a body that breaks a schema (422).
  const { status, headers, body } = errorAnswer(error, "first");
  const text = JSON.stringify(body);
  const lines = [
    `HTTP/1.1 ${status} ${STATUS_CODES[status] ?? ""}`,
    ...Object.entries(headers).map(([name, value]) => `${name}: ${value}`),
    "Content-Type: application/json",
    `Content-Length: ${Buffer.byteLength(text)}`,
    "Connection: close",
  ];
  socket.end(`${lines.join("\r\n")}\r\n\r\n${text}`);
}
