import type { Server } from "node:http";
import type { Socket } from "node:net";
import type { FastifyInstance } from "fastify";
import { answerBrokenRequest } from "./broken-requests.ts";

/** How long the body of a request may take to arrive where it is no file, in ms. */
const bodyTimeoutMs = 20_000;

/**
 * Bounds the connections of a server, so that whoever opens them without end leaves descriptors for
 * browsers, and of one address, so that it leaves half of them for others. What is too many is closed
 * at once.
 */
export function limitConnections(server: Server, max: number): void {
  server.maxConnections = max;
  const mostOfOne = Math.ceil(max / 2);
  const counts = new Map<string, number>();
  server.on("connection", (socket: Socket) => {
    const address = socket.remoteAddress ?? "";
    const count = counts.get(address) ?? 0;
    if (count >= mostOfOne) {
      socket.destroy();
      return;
    }
    counts.set(address, count + 1);
    socket.once("close", () => {
      const left = (counts.get(address) ?? 1) - 1;
      if (left === 0) counts.delete(address);
      else counts.set(address, left);
    });
  });
}

/**
 * Gives up requests whose body trickles in: answered 408 where nothing was answered yet, and closed.
 * Files are large, so they have the time that the whole request has.
 */
export function limitBodyTime(server: FastifyInstance): void {
  server.addHook("onRequest", async (request) => {
    const { raw } = request;
    const { socket } = raw;
    const hasBody = "content-length" in request.headers || "transfer-encoding" in request.headers;
    if (!hasBody || raw.complete || request.routeOptions.config.takesFile === true) return;
    const timer = setTimeout(() => {
      if (raw.complete || socket.destroyed) return;
      // Where a refusal went out before the body came, there is nothing more to say.
      if (socket.bytesWritten > written) socket.destroy();
      else answerBrokenRequest({ name: "", message: "", code: "ERR_HTTP_REQUEST_TIMEOUT" }, socket);
    }, bodyTimeoutMs);
    timer.unref();
    const { bytesWritten: written } = socket;
    const done = (): void => clearTimeout(timer);
    raw.once("end", done);
    raw.once("close", done);
  });
}
