import type { FastifyReply } from "fastify";

/**
 * Calls back when the answer to this request did not go out whole because its client was gone.
 * Calls back at once when it is gone already.
 */
export function onClientVanished(reply: FastifyReply, callback: () => void): void {
  const { raw } = reply;
  if (raw.destroyed || raw.socket?.destroyed === true) {
    callback();
    return;
  }
  raw.once("close", () => {
    if (!raw.writableFinished) callback();
  });
}
