import type { FastifyReply, FastifyRequest } from "fastify";
import { NightjarError } from "../sessions/errors.ts";
import type { Session } from "../sessions/session.ts";
import type { Principal, SessionService } from "../sessions/session-service.ts";

/** Stops a session whose start could not be answered, because its client was gone: nobody knows of it. */
export function stopIfClientVanishes(
  request: FastifyRequest,
  reply: FastifyReply,
  session: Session,
  { sessions, principal }: { readonly sessions: SessionService; readonly principal: Principal },
): void {
  onClientVanished(reply, () => {
    const why = "The client was gone before the start was answered.";
    sessions.stop(principal, session.id, why).catch((error: unknown) => {
      request.log.error({ err: error, session_id: session.id }, "failed to stop a session");
    });
  });
}

/** Aborted when the client goes away before its answer went out whole. */
export function abortedWithClient(reply: FastifyReply): AbortSignal {
  const controller = new AbortController();
  onClientVanished(reply, () =>
    controller.abort(new NightjarError("client_gone", "The client went away.")),
  );
  return controller.signal;
}

/** Calls back, at once if need be, when the answer did not go out whole because its client was gone. */
function onClientVanished(reply: FastifyReply, callback: () => void): void {
  const { raw } = reply;
  if (raw.destroyed || raw.socket?.destroyed === true) {
    callback();
    return;
  }
  raw.once("close", () => {
    if (!raw.writableFinished) callback();
  });
}
