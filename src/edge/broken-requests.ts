import { STATUS_CODES } from "node:http";
import type { Socket } from "node:net";
import { NightjarError } from "../sessions/errors.ts";
import { errorAnswer } from "./error-response.ts";

/** What Node calls the ways in which bytes are no request that it reads. */
function refusalOf(code: string | undefined): NightjarError {
  switch (code) {
    case "HPE_HEADER_OVERFLOW":
      return new NightjarError(
        "headers_too_large",
        "The URL and the headers of the request together are larger than this server reads (16 KB).",
      );
    case "ERR_HTTP_REQUEST_TIMEOUT":
      return new NightjarError(
        "request_timeout",
        "The request did not arrive in time. Send it again, whole.",
      );
    default:
      return new NightjarError(
        "bad_request",
        "What was sent is no HTTP request that this server reads.",
      );
  }
}

/** Answers what never became a request, in the contract's shape, and closes the connection. */
export function answerBrokenRequest(error: NodeJS.ErrnoException, socket: Socket): void {
  if (error.code === "ECONNRESET" || !socket.writable) {
    socket.destroy();
    return;
  }
  const { status, body } = errorAnswer(refusalOf(error.code), "today");
  const text = JSON.stringify(body);
  socket.end(
    [
      `HTTP/1.1 ${status} ${STATUS_CODES[status] ?? ""}`,
      "Content-Type: application/json",
      `Content-Length: ${Buffer.byteLength(text)}`,
      "Connection: close",
      "",
      text,
    ].join("\r\n"),
  );
  // One that does not read its answer is not waited for.
  setTimeout(() => socket.destroy(), 1000).unref();
}
